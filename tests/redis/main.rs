//! The hub on a real Redis.
//!
//! redis-server has to be installed; `.ci/run` does that and runs these. Each test starts its own, on
//! a free port. `TOWER_SSE_REDIS_SERVER` is the path of another server, such as Valkey's.

mod away;
mod checker_tests;
mod child;
mod dialects;
mod ends;
#[cfg(feature = "axum")]
mod example;
#[cfg(feature = "axum")]
#[path = "../support/example.rs"]
mod example_process;
mod foreign;
mod losses;
mod marks;
#[cfg(feature = "axum")]
#[path = "../support/nginx.rs"]
mod nginx;
#[path = "../support/ports.rs"]
mod ports;
mod publishes;
mod resumes;
mod rig;
mod rig_tests;
mod several;
mod starts;
mod world;
