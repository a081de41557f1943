//! Responses that are event streams.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, StreamBody};
use tower_sse::headers::{EventStreamHeaders, X_ACCEL_BUFFERING};
use tower_sse::{KeepAlive, SseLayer};

use crate::support::bodies::{Polled, Script, ScriptBody, Wakes, poll};
use crate::{bytes, full, get, through, unsized_body};

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_stream_gets_its_headers() {
    let (_, _, response) = through(
        SseLayer::new(),
        get().body(()).unwrap(),
        Response::new(unsized_body("data: x\n\n")),
    )
    .await;
    let headers = response.headers();
    assert_eq!(
        names(headers),
        [
            "cache-control",
            "connection",
            "content-type",
            "x-accel-buffering"
        ]
    );
    assert_eq!(headers[CONTENT_TYPE], "text/event-stream");
    assert_eq!(headers[CACHE_CONTROL], "no-cache, no-transform");
    assert_eq!(headers[X_ACCEL_BUFFERING], "no");
    assert_eq!(headers[CONNECTION], "keep-alive");
    assert_eq!(bytes(response).await, "data: x\n\n");
}

#[tokio::test]
async fn what_the_handler_has_set_stays() {
    let answer = Response::builder()
        .status(StatusCode::ACCEPTED)
        .header(CONTENT_TYPE, "TEXT/Event-Stream ; charset=utf-8")
        .header(CACHE_CONTROL, "no-store")
        .header(X_ACCEL_BUFFERING, "yes")
        .header(CONNECTION, "close")
        .header(CONTENT_LENGTH, "9")
        .body(full("data: x\n\n"))
        .unwrap();
    let (_, _, response) = through(SseLayer::new(), get().body(()).unwrap(), answer).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let headers = response.headers();
    assert_eq!(headers[CONTENT_TYPE], "TEXT/Event-Stream ; charset=utf-8");
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert_eq!(headers[X_ACCEL_BUFFERING], "yes");
    assert_eq!(headers[CONNECTION], "close");
    assert!(!headers.contains_key(CONTENT_LENGTH));
    assert_eq!(response.body().size_hint().exact(), None);
    assert_eq!(response.body().size_hint().lower(), 9);
}

#[tokio::test]
async fn each_header_can_be_changed_or_left_out() {
    let changed = EventStreamHeaders::new()
        .content_type(HeaderValue::from_static("text/event-stream; charset=utf-8"))
        .cache_control(None)
        .x_accel_buffering(HeaderValue::from_static("yes"))
        .connection(None);
    let layer = SseLayer::new().headers(changed);
    let (_, _, response) = through(
        layer,
        get().body(()).unwrap(),
        Response::new(unsized_body("data: x\n\n")),
    )
    .await;
    assert_eq!(
        names(response.headers()),
        ["content-type", "x-accel-buffering"]
    );
    assert_eq!(
        response.headers()[CONTENT_TYPE],
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(response.headers()[X_ACCEL_BUFFERING], "yes");
}

#[tokio::test]
async fn a_head_request_has_the_headers_and_opens_no_stream() {
    let script = Script::new([Frame::data(Bytes::from("data: x\n\n"))]);
    let request = Request::builder().method(Method::HEAD).body(()).unwrap();
    let answer = Response::new(ScriptBody(script.clone()));
    let (_, _, response) = through(SseLayer::new(), request, answer).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(response.body().is_end_stream());
    assert!(!script.is_held(), "the body is dropped");
    assert_eq!(script.polls(), 0);
}

#[tokio::test]
async fn heartbeats_go_into_foreign_streams_but_not_into_compressed_ones() {
    for (encoding, expected) in [
        (None, true),
        (Some("identity"), true),
        (Some("gzip"), false),
    ] {
        let timer = crate::support::timer::ManualTimer::new();
        let keep_alive = KeepAlive::new()
            .interval(Duration::from_secs(8))
            .text("here");
        let layer = SseLayer::with_timer(timer.clone()).keep_alive(keep_alive);
        let mut answer = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        if let Some(encoding) = encoding {
            answer = answer.header(CONTENT_ENCODING, encoding);
        }
        let script = Script::new([Frame::data(Bytes::from("data: x\n\n"))]);
        let answer = answer.body(ScriptBody(script)).unwrap();
        let (_, _, response) = through(layer, get().body(()).unwrap(), answer).await;
        let (_, waker) = Wakes::new();
        let mut body = Box::pin(response.into_body());
        assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
        let mut seen = Vec::new();
        for _ in 0..9 {
            if let Polled::Data(heartbeat) = poll(&mut body, &waker) {
                seen.push(heartbeat);
            }
            timer.advance(Duration::from_secs(1));
        }
        assert_eq!(
            seen,
            vec![": here\n"; usize::from(expected)],
            "{encoding:?}"
        );
    }
}

#[tokio::test]
async fn a_layer_around_it_can_answer_with_an_empty_body() {
    use tower_sse::middleware::ResponseBody;
    let body = ResponseBody::<Empty<Bytes>>::default();
    assert!(body.is_end_stream());
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn errors_of_the_body_pass() {
    let frames = stream::iter([
        Ok(Frame::data(Bytes::from("data: x\n\n"))),
        Err(std::io::Error::other("upstream gone")),
    ]);
    let answer = Response::new(StreamBody::new(frames));
    let (_, _, response) = through(SseLayer::new(), get().body(()).unwrap(), answer).await;
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.to_string(), "upstream gone");
}
