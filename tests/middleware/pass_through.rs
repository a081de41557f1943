//! What is no event stream, and readiness.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Empty;
use tower_layer::Layer;
use tower_service::Service;
use tower_sse::{KeepAlive, SseLayer, SseService};
use tower_test::{assert_request_eq, mock};

use crate::support::bodies::{Polled, Script, ScriptBody, Wakes, poll, trailers};
use crate::{full, get, through};

#[tokio::test]
async fn other_responses_keep_their_headers() {
    for (status, content_type, detect_only) in [
        (StatusCode::OK, Some("application/json"), false),
        (StatusCode::OK, Some("text/event-streams"), false),
        (StatusCode::OK, Some("application/grpc"), false),
        (StatusCode::OK, None, true),
        (StatusCode::NO_CONTENT, None, false),
        (StatusCode::NOT_FOUND, None, false),
        (StatusCode::FOUND, None, false),
    ] {
        let layer = SseLayer::new();
        let layer = if detect_only {
            layer.detect_only()
        } else {
            layer
        };
        let mut answer = Response::builder()
            .status(status)
            .header(CONTENT_LENGTH, "1");
        if let Some(content_type) = content_type {
            answer = answer.header(CONTENT_TYPE, content_type);
        }
        let answer = answer.body(full("x")).unwrap();
        let expected = answer.headers().clone();
        let (_, _, response) = through(layer, get().body(()).unwrap(), answer).await;
        assert_eq!(response.headers(), &expected, "{status} {content_type:?}");
        assert_eq!(response.body().size_hint().exact(), Some(1));
    }
}

#[tokio::test]
async fn an_empty_200_is_not_labelled() {
    let answer = Response::new(Empty::<Bytes>::new());
    let (_, _, response) = through(SseLayer::new(), get().body(()).unwrap(), answer).await;
    assert!(response.headers().is_empty());
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn grpc_passes_frame_by_frame_with_its_trailers() {
    let script = Script::new([
        Frame::data(Bytes::from_static(b"\0\0\0\0\x02\n\n")),
        Frame::data(Bytes::new()),
        trailers("grpc-status", "0"),
    ]);
    let answer = Response::builder()
        .header(CONTENT_TYPE, "application/grpc")
        .body(ScriptBody(script.clone()))
        .unwrap();
    let timer = crate::support::timer::ManualTimer::new();
    let layer = SseLayer::with_timer(timer.clone()).keep_alive(KeepAlive::default());
    let (_, _, response) = through(layer, get().body(()).unwrap(), answer).await;
    assert_eq!(response.headers().len(), 1);
    let (_, waker) = Wakes::new();
    let mut body = Box::pin(response.into_body());
    assert_eq!(body.size_hint().lower(), 7);
    assert_eq!(poll(&mut body, &waker).data(), &b"\0\0\0\0\x02\n\n"[..]);
    assert_eq!(poll(&mut body, &waker).data(), "");
    assert!(!body.is_end_stream());
    let Polled::Trailers(trailers) = poll(&mut body, &waker) else {
        panic!("no trailers")
    };
    assert_eq!(trailers["grpc-status"], "0");
    timer.advance(std::time::Duration::from_secs(100));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    assert_eq!(timer.made(), 0);
    script.close();
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let (inner, mut handle) =
        mock::pair::<http::Request<()>, Response<http_body_util::Full<Bytes>>>();
    let mut service = SseLayer::new().layer(inner);
    handle.allow(0);
    let (wakes, waker) = Wakes::new();
    let cx = &mut Context::from_waker(&waker);
    assert!(service.poll_ready(cx).is_pending());
    assert_eq!(wakes.count(), 0);
    handle.allow(1);
    assert_eq!(wakes.count(), 1);
    assert!(matches!(service.poll_ready(cx), Poll::Ready(Ok(()))));

    // What the layer answers by itself leaves the readiness that was taken to be dropped, not used.
    let bad = get()
        .header("last-event-id", &b"\xff"[..])
        .body(())
        .unwrap();
    assert_eq!(
        service.call(bad).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );

    let response = tokio::spawn(service.call(get().body(()).unwrap()));
    let (asked, send) = handle.next_request().await.unwrap();
    assert_eq!(asked.uri(), "/events");
    send.send_error("inner failed");
    let error = response.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "inner failed");

    handle.send_error("closed");
    let error = std::future::poll_fn(|cx| service.poll_ready(cx))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "closed");
}

#[tokio::test]
async fn the_wrapped_service_can_be_reached() {
    let (mock, mut handle) = mock::pair::<&str, &str>();
    let mut service = SseService::new(mock);
    let _: &mock::Mock<&str, &str> = service.get_ref();
    let _: &mut mock::Mock<&str, &str> = service.get_mut();
    let mut mock = service.into_inner();
    std::future::poll_fn(|cx| mock.poll_ready(cx))
        .await
        .unwrap();
    let answer = mock.call("ping");
    assert_request_eq!(handle, "ping").send_response("pong");
    assert_eq!(answer.await.unwrap(), "pong");
    let _: SseLayer = SseService::<()>::layer();
}
