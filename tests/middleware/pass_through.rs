//! Responses that are not event streams, and readiness.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Empty;
use tower_layer::Layer;
use tower_service::Service;
use tower_sse::{KeepAlive, SseLayer, SseService};

use crate::mock;
use crate::support::bodies::{Polled, Script, ScriptBody, Wakes, poll, trailers};
use crate::{bytes, full, get, through, unsized_body};

#[tokio::test]
async fn other_responses_keep_their_headers() {
    for (status, content_type, detect_only) in [
        (StatusCode::OK, Some("application/json"), false),
        (StatusCode::OK, Some("text/event-streams"), false),
        (StatusCode::OK, Some("application/grpc"), false),
        (StatusCode::OK, None, true),
        (StatusCode::OK, None, false),
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

/// Nobody's stream: its size is known, by the body or by the header, or it has none.
#[tokio::test]
async fn what_has_a_size_is_not_labelled() {
    let raw = || Response::new(axum::body::Body::from("raw"));
    let mut sized = Response::new(axum::body::Body::new(unsized_body("raw")));
    let length = http::HeaderValue::from_static("3");
    sized.headers_mut().insert(CONTENT_LENGTH, length);
    for answer in [raw(), sized, Response::new(axum::body::Body::empty())] {
        let expected = answer.headers().clone();
        let size = answer.size_hint().exact();
        let (_, _, response) = through(SseLayer::new(), get().body(()).unwrap(), answer).await;
        assert_eq!(response.headers(), &expected);
        assert_eq!(response.body().size_hint().exact(), size);
    }
}

#[tokio::test]
async fn a_bare_stream_is_labelled_where_the_request_accepts_one() {
    for (accept, method, expected) in [
        (None, Method::GET, true),
        (Some("*/*"), Method::POST, true),
        (Some("text/html, */*;q=0.1"), Method::GET, true),
        (Some("text/event-stream"), Method::HEAD, true),
        (Some("application/json"), Method::GET, false),
        (Some("application/json"), Method::HEAD, false),
        (Some("*/*, text/event-stream;q=0"), Method::GET, false),
        (None, Method::CONNECT, false),
    ] {
        let mut request = get().method(method.clone());
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let answer = Response::new(unsized_body("data: x\n\n"));
        let (_, _, response) = through(SseLayer::new(), request.body(()).unwrap(), answer).await;
        let labelled = response.headers().contains_key(CONTENT_TYPE);
        assert_eq!(labelled, expected, "{method} {accept:?}");
    }
}

/// Even if they say that they are event streams: no heartbeat may follow them.
#[tokio::test]
async fn responses_that_have_no_body_pass() {
    for status in [101, 103, 204, 205, 304] {
        let answer = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, "text/event-stream")
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let expected = answer.headers().clone();
        let timer = crate::support::timer::ManualTimer::new();
        let layer = SseLayer::with_timer(timer.clone()).keep_alive(KeepAlive::default());
        let (_, _, response) = through(layer, get().body(()).unwrap(), answer).await;
        assert_eq!(response.headers(), &expected, "{status}");
        assert!(response.body().is_end_stream());
    }
}

/// What a body says of its size is passed on as it is, and believed once at most.
#[tokio::test]
async fn bodies_that_lie_about_their_size_pass_their_bytes() {
    struct Liar(SizeHint, Option<&'static str>);

    impl Body for Liar {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            let text = self.1.take();
            Poll::Ready(text.map(|text| Ok(Frame::data(Bytes::from(text)))))
        }

        fn size_hint(&self) -> SizeHint {
            self.0
        }
    }

    let mut upper = SizeHint::new();
    upper.set_upper(1);
    let mut lower = SizeHint::new();
    lower.set_lower(u64::MAX);
    for (hint, labelled) in [
        (SizeHint::with_exact(1), false),
        (SizeHint::with_exact(u64::MAX), false),
        (upper, true),
        (lower, true),
    ] {
        for content_type in [None, Some("text/event-stream"), Some("text/plain")] {
            let mut answer = Response::builder();
            if let Some(content_type) = content_type {
                answer = answer.header(CONTENT_TYPE, content_type);
            }
            let answer = answer.body(Liar(hint, Some("data: x\n\n"))).unwrap();
            let (_, _, response) = through(SseLayer::new(), get().body(()).unwrap(), answer).await;
            let is_stream = response.headers().contains_key("x-accel-buffering");
            let expected = content_type.map_or(labelled, |kind| kind != "text/plain");
            assert_eq!(is_stream, expected, "{hint:?} {content_type:?}");
            assert_eq!(bytes(response).await, "data: x\n\n");
        }
    }
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
    let mut service = SseLayer::new().require_valid_id().layer(inner);
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
    let (asked, send) = handle.next_request().await.unwrap();
    assert_eq!(asked, "ping");
    send.send_response("pong");
    assert_eq!(answer.await.unwrap(), "pong");
    let _: SseLayer = SseService::<()>::layer();
}
