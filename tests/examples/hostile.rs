//! Each server with hostile IDs.

use crate::example_process::Example;
use crate::hostile_ids::{of_example, try_all};

#[cfg(feature = "axum")]
#[tokio::test]
async fn at_axum() {
    of_example("axum", &[], "/events").await;
}

#[tokio::test]
async fn at_hyper_and_through_the_proxy() {
    let upstream = Example::start("hyper", &[]);
    try_all(&upstream.authority, "/").await;
    let upstream = format!("http://{}", upstream.authority);
    of_example("proxy", &[&upstream], "/").await;
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn at_dashboard() {
    of_example("dashboard", &[], "/prices").await;
}

#[tokio::test]
async fn at_live() {
    of_example("live", &[], "/events").await;
    of_example("live", &[], "/events?long-poll=1").await;
}
