//! An nginx that cuts streams which are quiet for some seconds.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower_sse::client::SourceEvent;
use tower_sse::{Event, EventSource, Hub, HubService, KeepAlive};

use crate::nginx::{Nginx, Settings};
use crate::support::net::{get, read_until, send, serve, within};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Before a hub whose heartbeats have this interval.
async fn nginx(hub: &Hub, heartbeats: Duration, timeout: Duration) -> Nginx {
    let keep_alive = KeepAlive::new().interval(heartbeats);
    let upstream = serve(HubService::new(hub.clone()).keep_alive(keep_alive)).await;
    let settings = Settings {
        http: &format!("proxy_read_timeout {}s;", timeout.as_secs()),
        ..Settings::default()
    };
    Nginx::with(settings, &[upstream])
}

/// Whether a stream that is quiet for twice the timeout is open then.
async fn stays_open(timeout: Duration) -> bool {
    let hub = Hub::new();
    let nginx = nginx(&hub, timeout / 4, timeout).await;
    let request = get(Version::HTTP_11, nginx.address, "/");
    let response = send(nginx.address, request.body(Empty::new()).unwrap()).await;
    let mut body = response.into_body();
    let start = Instant::now();
    while start.elapsed() < timeout * 2 {
        let Some(Ok(frame)) = within(body.frame()).await else {
            return false;
        };
        let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
        assert!(!text.contains("data"), "{text}");
    }
    hub.publish(Event::new("late"));
    let text = read_until(&mut body, "data: late\n\n").await;
    assert_eq!(text.matches("data").count(), 1, "{text}");
    true
}

// Clauses: keep-alive
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn heartbeats_keep_a_quiet_stream_open() {
    for factor in [1, 4, 15] {
        if stays_open(TIMEOUT * factor).await {
            return;
        }
        // The heartbeats of a busy machine may be too late for so short a timeout.
        println!("cut although the timeout was {:?}", TIMEOUT * factor);
    }
    panic!("it is always cut");
}

/// The other half: without heartbeats nginx cuts the stream, and a client resumes.
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_quiet_stream_is_cut_and_resumes() {
    let hub = Hub::new();
    let nginx = nginx(&hub, Duration::from_secs(60), TIMEOUT).await;
    let request = get(Version::HTTP_11, nginx.address, "/");
    let response = send(nginx.address, request.body(Empty::new()).unwrap()).await;
    let start = Instant::now();
    _ = within(response.into_body().collect()).await;
    let quiet = start.elapsed();
    // Before the first heartbeat, and before the timeout that nginx has of itself.
    let about = TIMEOUT - Duration::from_millis(100)..Duration::from_secs(55);
    assert!(about.contains(&quiet), "{quiet:?}");

    let http: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("http://{}/", nginx.address));
    let source = EventSource::new(http, request.body(Empty::new()).unwrap());
    let mut source = source.initial_reconnection_time(Duration::from_millis(100));
    let mut received = Vec::new();
    let mut opened = 0;
    while received.len() < 3 {
        match within(source.next()).await.unwrap() {
            SourceEvent::Open(_) => {
                opened += 1;
                hub.publish(Event::new(format!("event {opened}")));
            }
            SourceEvent::Message(event) => received.push(event.data().to_owned()),
            // Published while no connection is open.
            SourceEvent::Error(_) => _ = hub.publish(Event::new(format!("missed {opened}"))),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(received, ["event 1", "missed 1", "event 2"]);
}
