//! The examples of this package.

use crate::client::{assert_headers, get};
use crate::example_process::Example;
use crate::hostile_ids::of_example;

#[tokio::test]
async fn tonic() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;

    let example = Example::start("tonic", &[]);
    let mut stream = get(&example.authority, "/events", None).await;
    assert_headers(&stream);
    assert_eq!(stream.event().await, "data: second 0");

    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", example.authority));
    let channel = channel.unwrap().connect().await.unwrap();
    let status = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    assert_eq!(status.into_inner().status(), ServingStatus::Serving);
    assert_eq!(stream.event().await, "data: second 1");
}

#[tokio::test]
async fn smol() {
    let example = Example::start("smol", &[]);
    let mut stream = get(&example.authority, "/", None).await;
    assert_headers(&stream);
    assert_eq!(stream.line().await, ":");
    // Heartbeats of smol's timer, in the three seconds before the first event.
    assert_eq!(stream.line().await, ":");
    assert_eq!(stream.line().await, ":");
    assert_eq!(stream.event().await, "data: event 0");
}

#[tokio::test]
async fn tonic_with_hostile_ids() {
    of_example("tonic", &[], "/events").await;
}

#[tokio::test]
async fn smol_with_hostile_ids() {
    of_example("smol", &[], "/").await;
}
