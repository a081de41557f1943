//! Bodies, polled by hand on a clock moved by hand.

#[path = "../support/mod.rs"]
mod support;

mod extremes;
mod failing;
mod foreign;
mod frames;
mod heartbeats;
mod lifecycle;
