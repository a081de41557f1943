//! The hub on a real Redis.
//!
//! redis-server has to be installed; `.ci/run` does that and runs these. Each test starts its own, on
//! a free port.

mod away;
mod checker_tests;
mod child;
mod dialects;
mod ends;
mod foreign;
mod losses;
mod publishes;
mod resumes;
mod rig;
mod rig_tests;
mod starts;
mod world;
