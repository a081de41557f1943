//! Bodies, polled by hand on a clock moved by hand.

#[path = "../support/mod.rs"]
mod support;

mod boxed;
mod extremes;
mod failing;
mod foreign;
mod frames;
mod heartbeats;
mod holding;
mod lifecycle;
mod random;
