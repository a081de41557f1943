//! Over loopback sockets, with the servers that people use.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "axum")]
mod axum;
mod connection;
#[cfg(feature = "axum")]
#[cfg(feature = "compression")]
mod gzip;
mod head;
mod hyper;
mod ticker;
mod tower_http;

use self::ticker::{minutes, ticker};
