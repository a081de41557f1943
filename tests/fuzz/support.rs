//! What the targets share with the tests.
#![allow(dead_code, reason = "no target needs all of it")]

#[path = "../support/chunks.rs"]
pub mod chunks;
#[path = "../support/limited.rs"]
pub mod limited;
#[path = "../support/oracle.rs"]
pub mod oracle;
#[path = "../support/rng.rs"]
pub mod rng;
