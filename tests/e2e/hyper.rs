//! hyper, HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::{BoxError, ServiceBuilder, service_fn};
use tower_sse::timer::TokioTimer;
use tower_sse::{Data, Event, KeepAlive, LastEventId, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::net::{get, read_to_end, read_until, send, serve, try_send, until, within};
use crate::{minutes, ticker};

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

async fn feed(
    request: Request<Incoming>,
) -> Result<Response<impl http_body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let events = ticker(request.extensions().get::<LastEventId>());
    let keep_alive = KeepAlive::new().interval(Duration::from_millis(20));
    Ok(Response::new(SseBody::new(events).keep_alive(keep_alive)))
}

// Clauses: mime-type, keep-alive
#[tokio::test]
async fn headers_prelude_and_heartbeats_arrive() {
    let address = serve(
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(feed),
    )
    .await;
    for version in VERSIONS {
        let request = get(version, address, "/").body(Empty::new()).unwrap();
        let response = send(address, request).await;
        assert_eq!(
            (response.status(), response.version()),
            (StatusCode::OK, version)
        );
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-cache, no-transform");
        assert_eq!(headers["x-accel-buffering"], "no");
        let connection = headers
            .get("connection")
            .map(|value| value.to_str().unwrap());
        assert_eq!(
            connection,
            (version == Version::HTTP_11).then_some("keep-alive")
        );
        assert!(!headers.contains_key("content-length"));

        let mut body = response.into_body();
        let first = read_until(&mut body, "minute 10\n\n").await;
        assert_eq!(first, format!(":\n{}", minutes(1, 10)));
        assert_eq!(read_until(&mut body, ":\n").await, ":\n");
    }
}

#[tokio::test]
async fn a_client_goes_on_where_it_was() {
    let address = serve(
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(feed),
    )
    .await;
    for version in VERSIONS {
        let request = get(version, address, "/").header("last-event-id", "7");
        let mut body = send(address, request.body(Empty::new()).unwrap())
            .await
            .into_body();
        let read = read_until(&mut body, "minute 10\n\n").await;
        assert_eq!(read, format!(":\n{}", minutes(8, 10)));
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_the_stream() {
    for version in VERSIONS {
        let events = Script::<Result<Event, Infallible>>::new([Ok(Event::new("x"))]);
        let stream = events.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            std::future::ready(Ok::<_, Infallible>(
                SseBody::new(stream.clone()).into_http_response(),
            ))
        });
        let address = serve(service).await;
        let mut body = send(
            address,
            get(version, address, "/").body(Empty::new()).unwrap(),
        )
        .await
        .into_body();
        read_until(&mut body, "data: x\n\n").await;
        let held = events.holders();
        drop(body);
        until("the server drops the stream", || events.holders() < held).await;
    }
}

#[tokio::test]
async fn an_error_of_the_stream_breaks_the_response() {
    for version in VERSIONS {
        let service = service_fn(async |_: Request<Incoming>| {
            let events = Script::new([Ok(Event::new("x"))]);
            events.push(Err(std::io::Error::other("database gone")));
            Ok::<_, Infallible>(SseBody::new(events).into_http_response())
        });
        let address = serve(service).await;
        let request = get(version, address, "/").body(Empty::new()).unwrap();
        let mut body = send(address, request).await.into_body();
        read_until(&mut body, "data: x\n\n").await;
        assert!(within(body.frame()).await.unwrap().is_err(), "{version:?}");
    }
}

/// A stream of two events that then fails: one of ours, or a body made elsewhere.
async fn failing(
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, BoxError>>, Infallible> {
    let data = ["x", "y"];
    let gone = || BoxError::from("database gone");
    let body = if request.uri().path() == "/ours" {
        let events = stream::iter(data.map(|data| Ok(Event::new(data))));
        let events = events.chain(stream::iter([Err(gone())]));
        SseBody::with_timer(events, TokioTimer).boxed_unsync()
    } else {
        let frame = |data| Ok(Frame::data(Event::new(data).encode().into_bytes()));
        let frames = stream::iter(data.map(frame)).chain(stream::iter([Err(gone())]));
        StreamBody::new(frames).boxed_unsync()
    };
    let response = Response::builder().header("content-type", "text/event-stream");
    Ok(response.body(body).unwrap())
}

/// On HTTP/2 the reset of a failed stream overtakes what hyper has not written. Bodies with a timer
/// give that the time to leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_sent_before_an_error_arrives() {
    let layer = SseLayer::new().keep_alive(KeepAlive::new());
    let service = ServiceBuilder::new().layer(layer).service_fn(failing);
    let (ours, foreign) = (serve(service_fn(failing)).await, serve(service).await);
    for (address, path) in [(ours, "/ours"), (foreign, "/foreign")] {
        let arrives = move || async move {
            let request = get(Version::HTTP_2, address, path);
            let response = try_send(address, request.body(Empty::new()).unwrap()).await;
            let Ok(mut body) = response.map(Response::into_body) else {
                return false;
            };
            let mut read = Vec::new();
            while let Some(frame) = within(body.frame()).await {
                match frame {
                    Ok(frame) => read.extend(frame.into_data().unwrap()),
                    Err(_) => return read == b"data: x\n\ndata: y\n\n",
                }
            }
            panic!("{path} ended without an error");
        };
        let mut lost = Vec::new();
        // A busy machine may take longer than that to write. Without it, each round loses some.
        while lost.len() < 5 && lost.last() != Some(&0) {
            let requests = stream::iter(0..300).map(|_| tokio::spawn(arrives()));
            let arrived = requests.buffer_unordered(4);
            let is_lost = arrived.filter(|arrived| std::future::ready(!arrived.as_ref().unwrap()));
            lost.push(is_lost.count().await);
        }
        assert_eq!(lost.last(), Some(&0), "{path}: {lost:?}");
    }
}

#[tokio::test]
async fn a_shared_payload_arrives_whole() {
    let payload = Bytes::from("0123456789abcdef".repeat(1 << 16));
    let data = Data::try_from(payload.clone()).unwrap();
    let service = service_fn(move |_: Request<Incoming>| {
        let events = Script::<Result<_, Infallible>>::new([
            Ok(Event::new(data.clone()).with_id(1u64)),
            Ok(Event::new("after")),
        ]);
        events.close();
        std::future::ready(Ok::<_, Infallible>(
            SseBody::new(events).into_http_response(),
        ))
    });
    let address = serve(service).await;
    for version in VERSIONS {
        let request = get(version, address, "/").body(Empty::new()).unwrap();
        let read = read_to_end(send(address, request).await.into_body()).await;
        let payload = std::str::from_utf8(&payload).unwrap();
        assert!(
            read == format!("id: 1\ndata: {payload}\n\ndata: after\n\n"),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn a_head_request_ends_at_once() {
    let address = serve(
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(feed),
    )
    .await;
    for version in VERSIONS {
        let mut request = get(version, address, "/").body(Empty::new()).unwrap();
        *request.method_mut() = http::Method::HEAD;
        let response = send(address, request).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(read_to_end(response.into_body()).await, "");
    }
}

#[tokio::test]
async fn a_bad_last_event_id_is_told_so() {
    let address = serve(
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(feed),
    )
    .await;
    for version in VERSIONS {
        let request = get(version, address, "/").header("last-event-id", &b"7\xff"[..]);
        let response = send(address, request.body(Empty::new()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let reason = read_to_end(response.into_body()).await;
        assert_eq!(
            reason,
            "invalid Last-Event-ID: event ID is not UTF-8 from byte 1 on\n"
        );
    }
}

#[tokio::test]
async fn a_proxied_stream_gets_heartbeats() {
    let upstream = serve(service_fn(async |_: Request<Incoming>| {
        let events = Script::<Result<_, Infallible>>::new([Ok(Event::new("from upstream"))]);
        Ok::<_, Infallible>(SseBody::new(events).into_http_response())
    }))
    .await;
    let keep_alive = KeepAlive::new()
        .interval(Duration::from_millis(20))
        .text("proxy");
    let layer = SseLayer::new().detect_only().keep_alive(keep_alive);
    let proxy = service_fn(move |_: Request<Incoming>| async move {
        let request = get(Version::HTTP_11, upstream, "/")
            .body(Empty::new())
            .unwrap();
        Ok::<_, Infallible>(send(upstream, request).await)
    });
    let address = serve(ServiceBuilder::new().layer(layer).service(proxy)).await;
    for version in VERSIONS {
        let request = get(version, address, "/").body(Empty::new()).unwrap();
        let mut body = send(address, request).await.into_body();
        // The upstream may take longer than a heartbeat does.
        let read = read_until(&mut body, "data: from upstream\n\n").await;
        assert_eq!(read.replace(": proxy\n", ""), "data: from upstream\n\n");
        assert_eq!(read_until(&mut body, ": proxy\n").await, ": proxy\n");
    }
}

/// What the docs advise: nothing in a body can free a stream whose client has stopped reading, since
/// it is not polled; a write timeout on the connection does.
#[tokio::test]
async fn a_write_timeout_frees_the_stream_of_a_stalled_peer() {
    let held = Arc::new(());
    let stream = Arc::clone(&held);
    let service = service_fn(move |_: Request<Incoming>| {
        let stream = Arc::clone(&stream);
        let endless = futures_util::stream::repeat_with(move || {
            _ = &stream;
            Event::new("more and more and more")
        });
        std::future::ready(Ok::<_, Infallible>(
            SseBody::new(endless).into_http_response(),
        ))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();

    let (socket, _) = listener.accept().await.unwrap();
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(Duration::from_millis(100)));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(
        TokioIo::new(Box::pin(socket)),
        TowerToHyperService::new(service.clone()),
    );
    let error = within(connection).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(
        source.downcast_ref::<io::Error>().unwrap().kind(),
        io::ErrorKind::TimedOut
    );
    drop(service);
    assert_eq!(Arc::strong_count(&held), 1, "the stream is gone");
    drop(peer);
}
