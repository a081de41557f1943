//! What the tests of several areas share.

#![allow(dead_code, reason = "no area needs all of it")]
#![allow(unreachable_pub, reason = "a module of each test binary")]

pub mod blocking;
pub mod bodies;
pub mod chunks;
#[cfg(feature = "compression")]
pub mod gunzip;
pub mod limited;
pub mod net;
pub mod oracle;
pub mod rng;
pub mod timer;
