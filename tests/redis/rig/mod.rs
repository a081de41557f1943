//! What the tests on Redis and the chaos program share: servers, a proxy, clients that hop from node
//! to node, and the check of what they were sent.

#![allow(dead_code, reason = "no binary needs all of it")]
#![allow(unreachable_pub, reason = "a module of each test binary")]

pub mod checker;
pub mod feed;
pub mod groups;
pub mod payload;
pub mod proxy;
pub mod resp;
pub mod server;
pub mod serving;
pub mod trace;

use std::time::{Duration, Instant};

/// Waits until something is so, asking every few milliseconds. Servers and nodes are processes that
/// cannot wake a test, so it polls, on the real clock that they use too.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + server::DEADLINE;
    while !so().await {
        assert!(Instant::now() < deadline, "not within the deadline: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
