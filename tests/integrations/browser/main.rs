//! Real browsers: their own `EventSource`, and the pages of the examples.

mod books;
mod both;
mod driver;
mod firefox;
mod front;
mod gzip;
#[path = "../../support/nginx.rs"]
mod nginx;
mod pages;
mod plug;
mod plugs;
#[path = "../../support/ports.rs"]
mod ports;
mod readme;
mod refused;
mod serve;
mod shown;
#[path = "../../support/example.rs"]
mod support;
mod tabs;
mod transports;
