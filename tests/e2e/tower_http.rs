//! tower-http's layers around an event stream.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::net::{get, read_until, send, serve};

#[tokio::test]
async fn events_pass_compression_timeout_cors_and_trace_one_by_one() {
    let events = Script::<Result<Event, Infallible>>::new([]);
    let stream = events.clone();
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_millis(200),
        ))
        .layer(SseLayer::new())
        .service_fn(move |_: Request<Incoming>| {
            let keep_alive = KeepAlive::new().interval(Duration::from_millis(150));
            let body = SseBody::new(stream.clone()).keep_alive(keep_alive);
            std::future::ready(Ok::<_, Infallible>(Response::new(body)))
        });
    let address = serve(service).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let request = get(version, address, "/")
            .header("accept-encoding", "gzip, br")
            .header("origin", "https://example.com")
            .body(Empty::new())
            .unwrap();
        let response = send(address, request).await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        let mut body = response.into_body();
        assert_eq!(read_until(&mut body, "\n").await, ":\n");
        for n in 0..3 {
            // Each event is read before the next is sent, so none is held back.
            events.push(Ok(Event::new(format!("{n} {}", "long ".repeat(100)))));
            let read = read_until(&mut body, " \n\n").await;
            assert!(
                read.trim_start_matches(":\n")
                    .starts_with(&format!("data: {n} "))
            );
        }
        // The timeout, of the response's head, has long passed when two heartbeats have.
        read_until(&mut body, ":\n").await;
        read_until(&mut body, ":\n").await;
    }
}

#[tokio::test]
async fn other_answers_of_the_same_service_are_compressed() {
    let text = "the same words again and again ".repeat(100);
    let expected = text.clone();
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(SseLayer::new())
        .service_fn(move |_: Request<Incoming>| {
            let mut response = Response::new(http_body_util::Full::new(Bytes::from(text.clone())));
            let plain = http::HeaderValue::from_static("text/plain");
            response.headers_mut().insert("content-type", plain);
            std::future::ready(Ok::<_, Infallible>(response))
        });
    let address = serve(service).await;
    let request = get(Version::HTTP_11, address, "/").header("accept-encoding", "gzip");
    let response = send(address, request.body(Empty::new()).unwrap()).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let compressed = response.into_body().collect().await.unwrap().to_bytes();
    assert!(compressed.len() < expected.len() / 10);
}
