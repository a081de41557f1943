//! The hub: against a naive model, under threads, through its service, and with a stalled subscriber.

#[path = "../support/mod.rs"]
mod support;

mod asleep;
mod attacks;
mod burst;
mod by_hand;
#[cfg(feature = "compression")]
mod compressed;
mod end_at;
mod journeys;
mod lifecycle;
mod model;
mod moves;
mod owners;
mod places;
mod reader;
mod retention;
mod runs;
#[cfg(feature = "sealed")]
mod sealed;
mod service;
mod stalled;
mod stress;
mod tail;
mod threads;
mod topic_stats;
mod watch;
