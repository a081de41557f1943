//! The hub on a real Redis.
//!
//! redis-server has to be installed; `.ci/run` does that and runs these. Each test starts its own, on
//! a free port.

#[path = "../support/mod.rs"]
mod support;

mod checker_tests;
mod rig;
mod rig_tests;
