//! The layer's setting: which responses are compressed, and their headers.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    VARY,
};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_sse::compression::Compression;
use tower_sse::timer::TokioTimer;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::gunzip::{Gunzip, gunzip};

const TEXT: &str = "data: x\n\n";

/// What the response of the service says before the layer has seen it.
type Fields = &'static [(HeaderName, &'static str)];

const STREAM: Fields = &[(CONTENT_TYPE, "text/event-stream")];

fn response(fields: Fields) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(TEXT));
    for (name, value) in fields {
        let value = value.parse().unwrap();
        response.headers_mut().append(name, value);
    }
    response
}

fn request(accepted: &str) -> Request<()> {
    let request = Request::get("/").header(ACCEPT_ENCODING, accepted);
    request.body(()).unwrap()
}

async fn through<T>(
    layer: SseLayer<T>,
    request: Request<()>,
    response: Response<Full<Bytes>>,
) -> Response<impl Body<Data = Bytes, Error = Infallible>>
where
    T: tower_sse::timer::MaybeTimer + Clone,
{
    let service = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.clone())));
    layer.layer(service).oneshot(request).await.unwrap()
}

fn layer() -> SseLayer {
    SseLayer::new().compression(Compression::new())
}

async fn text<B: Body<Error = Infallible>>(body: B) -> Bytes {
    body.collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_client_that_accepts_gzip_gets_it() {
    let response = through(layer(), request("br, gzip"), response(STREAM)).await;
    let headers = response.headers();
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    assert_eq!(headers[CONTENT_TYPE], "text/event-stream");
    assert_eq!(headers[VARY], "accept-encoding");
    // A proxy that encoded it anew would compress each stream for itself, and might hold it back.
    assert_eq!(headers[CACHE_CONTROL], "no-cache, no-transform");
    assert_eq!(gunzip(&text(response.into_body()).await), TEXT);
}

/// All but `Vary` is as without the setting.
#[tokio::test]
async fn a_client_that_does_not_gets_the_plain_stream() {
    for accepted in ["", "br", "gzip;q=0", "identity", "gzip;q=0.5, identity"] {
        let plain = through(SseLayer::new(), request(accepted), response(STREAM)).await;
        let mut found = through(layer(), request(accepted), response(STREAM)).await;
        let vary = found.headers_mut().remove(VARY).unwrap();
        assert_eq!(vary, "accept-encoding");
        assert_eq!(found.headers(), plain.headers());
        assert_eq!(text(found.into_body()).await, text(plain.into_body()).await);
    }
    let plain = through(SseLayer::new(), request("gzip"), response(STREAM)).await;
    assert!(!plain.headers().contains_key(VARY));
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn other_responses_pass_unchanged() {
    let untouched: [Fields; 3] = [
        &[(CONTENT_TYPE, "text/plain")],
        &[(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "9")],
        &[(CONTENT_TYPE, "text/event-streams")],
    ];
    for fields in untouched {
        let found = through(layer(), request("gzip"), response(fields)).await;
        assert_eq!(found.headers(), response(fields).headers());
        assert_eq!(found.size_hint().exact(), Some(9));
        assert_eq!(text(found.into_body()).await, TEXT);
    }
    let as_without: [Fields; 3] = [
        &[
            (CONTENT_TYPE, "text/event-stream"),
            (CONTENT_ENCODING, "br"),
        ],
        &[
            (CONTENT_TYPE, "text/event-stream"),
            (CONTENT_ENCODING, "gzip"),
        ],
        &[
            (CONTENT_TYPE, "text/event-stream"),
            (CONTENT_RANGE, "bytes 0-8/100"),
        ],
    ];
    for fields in as_without {
        let found = through(layer(), request("gzip"), response(fields)).await;
        let plain = through(SseLayer::new(), request("gzip"), response(fields)).await;
        assert_eq!(found.headers(), plain.headers());
        assert_eq!(text(found.into_body()).await, TEXT);
    }
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let mut bodiless = response(STREAM);
        *bodiless.status_mut() = status;
        let found = through(layer(), request("gzip"), bodiless).await;
        assert_eq!(found.headers(), response(STREAM).headers());
    }
}

#[tokio::test]
async fn vary_is_added_once() {
    for (own, expected) in [
        (&[][..], &["accept-encoding"][..]),
        (&["origin"], &["origin", "accept-encoding"]),
        (&["Accept-Encoding"], &["Accept-Encoding"]),
        (&["origin, accept-encoding"], &["origin, accept-encoding"]),
        (&["*"], &["*"]),
    ] {
        let mut inner = response(STREAM);
        for value in own {
            inner.headers_mut().append(VARY, value.parse().unwrap());
        }
        for accepted in ["gzip", "br"] {
            let found = through(layer(), request(accepted), inner.clone()).await;
            let found: Vec<_> = found.headers().get_all(VARY).iter().collect();
            assert_eq!(found, expected);
        }
    }
}

#[tokio::test]
async fn a_handlers_cache_control_stays() {
    let fields: Fields = &[
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    let found = through(layer(), request("gzip"), response(fields)).await;
    assert_eq!(found.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(found.headers()[CONTENT_ENCODING], "gzip");
}

#[tokio::test]
async fn a_length_and_a_known_size_are_hidden() {
    let fields: Fields = &[(CONTENT_TYPE, "text/event-stream"), (CONTENT_LENGTH, "9")];
    let found = through(layer(), request("gzip"), response(fields)).await;
    assert!(!found.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(found.size_hint().upper(), None);
    assert_eq!(found.size_hint().lower(), 0);
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let mut head = request("gzip");
    *head.method_mut() = Method::HEAD;
    let head = through(layer(), head, response(STREAM)).await;
    let get = through(layer(), request("gzip"), response(STREAM)).await;
    assert_eq!(head.headers(), get.headers());
    assert_eq!(text(head.into_body()).await, "");
}

#[tokio::test]
async fn an_unlabelled_stream_is_labelled_and_compressed() {
    let service = service_fn(async |_: Request<()>| {
        let events = futures_util::stream::iter([Event::new("x")]);
        Ok::<_, Infallible>(Response::new(SseBody::new(events)))
    });
    let found = layer()
        .layer(service)
        .oneshot(request("gzip"))
        .await
        .unwrap();
    assert_eq!(found.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(gunzip(&text(found.into_body()).await), TEXT);
}

#[tokio::test]
async fn refusals_are_not_compressed() {
    let mut invalid = request("gzip");
    let id = http::HeaderValue::from_bytes(b"\xff").unwrap();
    invalid.headers_mut().insert("last-event-id", id);
    let found = through(layer(), invalid, response(STREAM)).await;
    assert_eq!(found.status(), StatusCode::BAD_REQUEST);
    assert!(!found.headers().contains_key(CONTENT_ENCODING));
}

/// The layer's heartbeats are inserted into the plain stream, so they are compressed with it.
#[tokio::test(start_paused = true)]
async fn heartbeats_are_compressed_too() {
    use futures_util::stream::{self, StreamExt};
    let service = service_fn(async |_: Request<()>| {
        let frames = [Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(
            TEXT,
        )))];
        let body = StreamBody::new(stream::iter(frames).chain(stream::pending()));
        let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(5));
    let layer = SseLayer::with_timer(TokioTimer).keep_alive(keep_alive);
    let mut service = layer.compression(Compression::new()).layer(service);
    let response = service.call(request("gzip")).await.unwrap();
    let mut body = Box::pin(response.into_body());
    let mut decoder = Gunzip::new();
    for expected in ["data: x\n\n", "data: x\n\n:\n", "data: x\n\n:\n:\n"] {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(decoder.read(&frame), expected.as_bytes());
    }
}

#[tokio::test]
async fn a_handler_can_compress_its_response_itself() {
    let accepted = HeaderMap::from_iter([(ACCEPT_ENCODING, "gzip".parse().unwrap())]);
    let found = Compression::new().compress(&accepted, response(STREAM));
    assert_eq!(found.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(found.headers()[VARY], "accept-encoding");
    assert_eq!(gunzip(&text(found.into_body()).await), TEXT);

    let found = Compression::new().compress(&HeaderMap::new(), response(STREAM));
    assert_eq!(found.headers()[VARY], "accept-encoding");
    assert_eq!(found.size_hint().exact(), Some(9));
    assert_eq!(text(found.into_body()).await, TEXT);

    // The layer outside leaves it alone.
    let service = service_fn(async |request: Request<()>| {
        let events = futures_util::stream::iter([Event::new("x")]);
        let response = SseBody::new(events).into_http_response();
        Ok::<_, Infallible>(Compression::new().compress(request.headers(), response))
    });
    let found = layer()
        .layer(service)
        .oneshot(request("gzip"))
        .await
        .unwrap();
    let encodings = found.headers().get_all(CONTENT_ENCODING).iter().count();
    assert_eq!(encodings, 1);
    assert_eq!(found.headers()[CACHE_CONTROL], "no-cache, no-transform");
    assert_eq!(gunzip(&text(found.into_body()).await), TEXT);
}
