//! One reading of `Last-Event-ID` by the layer, the hub's service and the extractor of axum.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, InvalidLastEventId, LastEventId, SseBody, SseLayer};

use crate::support::timer::ManualTimer;
use crate::{bytes, full};

/// What a reader made of a request.
#[derive(Debug, Clone, PartialEq)]
enum Read {
    None,
    Id(String),
    Refused,
}

fn id(text: &str) -> Read {
    Read::Id(text.to_owned())
}

/// Requests, and what is read where the query counts and where it does not.
fn requests() -> Vec<(&'static str, Request<()>, Read, Read)> {
    let get = |uri: &str, headers: &[&[u8]]| {
        let mut request = Request::get(uri);
        for value in headers {
            request = request.header("last-event-id", *value);
        }
        request.body(()).unwrap()
    };
    let full = "x".repeat(LastEventId::MAX_LEN);
    let long = "x".repeat(LastEventId::MAX_LEN + 1);
    let query = |id: &str| format!("/?lastEventId={id}");
    let only_query = |read| (read, Read::None);
    let both = |read: Read| (read.clone(), read);
    [
        ("none", get("/", &[]), both(Read::None)),
        ("empty", get("/", &[b""]), both(Read::None)),
        ("good", get("/", &[b"10-1"]), both(id("10-1"))),
        (
            "UTF-8",
            get("/", &["zürich".as_bytes()]),
            both(id("zürich")),
        ),
        ("longest", get("/", &[full.as_bytes()]), both(id(&full))),
        (
            "too long",
            get("/", &[long.as_bytes()]),
            both(Read::Refused),
        ),
        ("not UTF-8", get("/", &[b"ab\xff"]), both(Read::Refused)),
        ("twice", get("/", &[b"1", b"2"]), both(id("1"))),
        (
            "twice, bad first",
            get("/", &[b"\xff", b"2"]),
            both(Read::Refused),
        ),
        (
            "twice, bad second",
            get("/", &[b"1", b"\xff"]),
            both(id("1")),
        ),
        (
            "twice, empty first",
            get("/", &[b"", b"2"]),
            both(Read::None),
        ),
        ("query", get(&query("7"), &[]), only_query(id("7"))),
        ("query, empty", get(&query(""), &[]), only_query(Read::None)),
        (
            "query, without a value",
            get("/?lastEventId", &[]),
            only_query(Read::None),
        ),
        (
            "query, twice",
            get("/?lastEventId=7&lastEventId=8", &[]),
            only_query(id("7")),
        ),
        (
            "query, encoded",
            get(&query("%E7%81%AB+7"), &[]),
            only_query(id("火 7")),
        ),
        (
            "query, with a NUL",
            get(&query("7%00"), &[]),
            only_query(Read::Refused),
        ),
        (
            "query, with a line",
            get(&query("7%0Adata"), &[]),
            only_query(Read::Refused),
        ),
        (
            "query, not UTF-8",
            get(&query("%FF"), &[]),
            only_query(Read::Refused),
        ),
        (
            "query, too long",
            get(&query(&long), &[]),
            only_query(Read::Refused),
        ),
        ("header and query", get(&query("7"), &[b"8"]), both(id("8"))),
        (
            "header and bad query",
            get(&query("%00"), &[b"8"]),
            both(id("8")),
        ),
        (
            "bad header and query",
            get(&query("7"), &[b"\xff"]),
            both(Read::Refused),
        ),
        (
            "empty header and query",
            get(&query("7"), &[b""]),
            only_query(id("7")),
        ),
    ]
    .into_iter()
    .map(|(name, request, (query, header))| (name, request, query, header))
    .collect()
}

fn again(request: &Request<()>) -> Request<()> {
    let (parts, ()) = request.clone().into_parts();
    Request::from_parts(parts, ())
}

/// By a handler behind the layer, which answers with a stream.
async fn by_layer(layer: SseLayer, request: Request<()>) -> Read {
    let handler = service_fn(async |request: Request<()>| {
        let last = request.extensions().get::<LastEventId>();
        let last = last.map_or_else(String::new, ToString::to_string);
        Ok::<_, Infallible>(Response::new(SseBody::new(stream::iter([Event::new(
            last,
        )]))))
    });
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    match response.status() {
        StatusCode::BAD_REQUEST => Read::Refused,
        _ => match bytes(response).await.strip_prefix(b"data: ") {
            Some(b"\n\n") => Read::None,
            last => id(std::str::from_utf8(last.unwrap())
                .unwrap()
                .trim_end_matches('\n')),
        },
    }
}

/// By a handler that asks for it.
async fn by_request(layer: Option<SseLayer>, request: Request<()>) -> Read {
    let handler = service_fn(async |request: Request<()>| {
        let read = match LastEventId::from_request(&request) {
            Ok(None) => Read::None,
            Ok(Some(last)) => id(last.as_str()),
            Err(_) => Read::Refused,
        };
        let mut response = Response::new(full(""));
        response.extensions_mut().insert(read);
        Ok::<_, Infallible>(response)
    });
    let read = |extensions: &http::Extensions| extensions.get::<Read>().unwrap().clone();
    match layer {
        None => read(handler.oneshot(request).await.unwrap().extensions()),
        Some(layer) => {
            let handler = layer.layer(handler);
            read(handler.oneshot(request).await.unwrap().extensions())
        }
    }
}

/// By the hub's service, as its subscriber tells.
async fn by_hub(layer: Option<SseLayer>, request: Request<()>) -> Read {
    let seen = Arc::new(std::sync::Mutex::new(Read::None));
    let noted = Arc::clone(&seen);
    let service =
        HubService::with_timer(Hub::new(), ManualTimer::new()).select(move |_, subscriber| {
            *noted.lock().unwrap() =
                match format!("{subscriber:?}").split_once("After(Some(EventId(") {
                    None => Read::None,
                    Some((_, rest)) => {
                        let end = rest.find(")))").unwrap();
                        id(&rest[..end].trim_matches('"').replace("\\t", "\t"))
                    }
                };
            Ok(subscriber)
        });
    let status = match layer {
        None => service.oneshot(request).await.unwrap().status(),
        Some(layer) => layer
            .layer(service)
            .oneshot(request)
            .await
            .unwrap()
            .status(),
    };
    if status == StatusCode::BAD_REQUEST {
        return Read::Refused;
    }
    assert_eq!(status, StatusCode::OK);
    seen.lock().unwrap().clone()
}

#[cfg(feature = "axum")]
async fn by_extractor(layer: Option<SseLayer>, request: Request<()>) -> Read {
    use axum::{Router, routing::get};

    let handler =
        async |last: Option<LastEventId>| last.map_or_else(String::new, |last| last.to_string());
    let mut route = get(handler);
    if let Some(layer) = layer {
        route = route.layer(layer);
    }
    let app: Router = Router::new().route("/", route);
    let request = request.map(|()| axum::body::Body::empty());
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    match (status, std::str::from_utf8(&text).unwrap()) {
        (StatusCode::BAD_REQUEST, reason) => {
            assert!(reason.contains("Last-Event-ID"), "{reason}");
            Read::Refused
        }
        (_, "") => Read::None,
        (_, last) => id(last),
    }
}

#[tokio::test]
async fn all_readers_agree() {
    for (name, request, with_query, header_only) in requests() {
        let layer = SseLayer::new().query_fallback();
        let reads = [
            by_layer(layer.clone(), again(&request)).await,
            by_layer(layer.clone().require_valid_id(), again(&request)).await,
            by_request(Some(layer.clone()), again(&request)).await,
            by_hub(None, again(&request)).await,
            by_hub(Some(layer.clone()), again(&request)).await,
            by_hub(Some(SseLayer::new()), again(&request)).await,
        ];
        assert_eq!(reads, std::array::from_fn(|_| with_query.clone()), "{name}");
        let reads = [
            by_layer(SseLayer::new(), again(&request)).await,
            by_request(None, again(&request)).await,
            by_request(Some(SseLayer::new()), again(&request)).await,
        ];
        assert_eq!(
            reads,
            std::array::from_fn(|_| header_only.clone()),
            "{name}"
        );
        #[cfg(feature = "axum")]
        {
            assert_eq!(
                by_extractor(None, again(&request)).await,
                header_only,
                "{name}"
            );
            let read = by_extractor(Some(layer.clone()), again(&request)).await;
            assert_eq!(read, with_query, "{name}");
        }
        // What is ignored by the layer is read by nobody inside.
        let ignored = match with_query {
            Read::Refused => Read::None,
            read => read,
        };
        let layer = layer.ignore_invalid();
        assert_eq!(
            by_layer(layer.clone(), again(&request)).await,
            ignored,
            "{name}"
        );
        assert_eq!(
            by_request(Some(layer.clone()), again(&request)).await,
            ignored,
            "{name}"
        );
        assert_eq!(
            by_hub(Some(layer.clone()), again(&request)).await,
            ignored,
            "{name}"
        );
        #[cfg(feature = "axum")]
        assert_eq!(
            by_extractor(Some(layer), again(&request)).await,
            ignored,
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_outermost_reader_decides() {
    let bad = || {
        Request::get("/")
            .header("last-event-id", "12345")
            .body(())
            .unwrap()
    };
    let short = SseLayer::new().max_last_event_id_len(4);
    for (outer, inner, expected) in [
        (SseLayer::new(), short.clone(), id("12345")),
        (short.clone(), SseLayer::new(), Read::Refused),
        (
            short.clone(),
            SseLayer::new().ignore_invalid(),
            Read::Refused,
        ),
        (
            short.ignore_invalid(),
            SseLayer::new().query_fallback(),
            Read::None,
        ),
    ] {
        let handler = service_fn(async |request: Request<()>| {
            let read = match LastEventId::from_request(&request) {
                Ok(None) => Read::None,
                Ok(Some(last)) => id(last.as_str()),
                Err(_) => Read::Refused,
            };
            let mut response = Response::new(full(""));
            response.extensions_mut().insert(read);
            Ok::<_, Infallible>(response)
        });
        let service = outer.layer(inner.layer(handler));
        let response = service.oneshot(bad()).await.unwrap();
        assert_eq!(response.extensions().get(), Some(&expected));
    }
}

#[tokio::test]
async fn a_bad_id_matters_to_event_streams_alone() {
    let called = Arc::new(AtomicUsize::new(0));
    let handler = service_fn(|request: Request<()>| {
        called.fetch_add(1, Ordering::SeqCst);
        assert!(request.extensions().get::<LastEventId>().is_none());
        let error = request.extensions().get::<InvalidLastEventId>().unwrap();
        assert!(!error.is_too_long());
        let response = match request.uri().path() {
            "/stream" => Response::new(crate::unsized_body("data: x\n\n")).map(BodyExt::boxed),
            "/raw" => Response::new(full("raw")).map(BodyExt::boxed),
            "/grpc" => {
                let mut response = Response::new(crate::unsized_body("\0")).map(BodyExt::boxed);
                let grpc = http::HeaderValue::from_static("application/grpc");
                response.headers_mut().insert("content-type", grpc);
                response
            }
            _ => {
                let mut response = Response::new(full("")).map(BodyExt::boxed);
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        };
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let layer = SseLayer::new().layer(handler);
    for (method, path, status, text) in [
        ("GET", "/raw", 200, "raw"),
        ("GET", "/grpc", 200, "\0"),
        ("POST", "/", 404, ""),
        ("HEAD", "/stream", 400, ""),
        (
            "GET",
            "/stream",
            400,
            "invalid Last-Event-ID: event ID is not UTF-8 from byte 2 on\n",
        ),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("last-event-id", &b"ab\xff"[..])
            .body(())
            .unwrap();
        let response = layer.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(bytes(response).await, text, "{path}");
    }
    assert_eq!(called.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_refused_stream_is_dropped_unpolled() {
    use crate::support::bodies::{Script, ScriptBody};

    let script = Script::new([http_body::Frame::data(bytes::Bytes::from("data: x\n\n"))]);
    let body = script.clone();
    let handler = service_fn(move |_: Request<()>| {
        let response = Response::new(ScriptBody(body.clone()));
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let request = Request::get("/")
        .header("last-event-id", &b"\xff"[..])
        .body(())
        .unwrap();
    let response = SseLayer::new()
        .layer(handler)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(response.headers().len(), 1);
    assert_eq!(script.polls(), 0);
    assert!(!script.is_held());
}

/// The rule once more, in a few lines: the first header, then the first such parameter.
fn model(header: Option<&[u8]>, query: Option<Vec<u8>>) -> Read {
    let value = match header {
        Some(value) if !value.is_empty() => value.to_vec(),
        _ => query.unwrap_or_default(),
    };
    match String::from_utf8(value) {
        Ok(text) if text.is_empty() => Read::None,
        Ok(text) if text.len() <= 4096 && !text.contains(['\0', '\r', '\n']) => Read::Id(text),
        _ => Read::Refused,
    }
}

#[tokio::test]
async fn random_requests_are_read_alike() {
    let mut rng = crate::support::rng::Rng::new(7);
    let parts: [&[u8]; 9] = [
        b"",
        b"7",
        b"-",
        "ü".as_bytes(),
        b"\xff",
        b"\xc3",
        b"\t",
        b"%00",
        &[b'x'; 1400],
    ];
    let mut refused = 0;
    for round in 0..2000 {
        let mut value = |raw: bool| -> Vec<u8> {
            let count = rng.below(5);
            let mut value: Vec<u8> = (0..count).flat_map(|_| rng.pick(&parts).to_vec()).collect();
            if !raw && rng.one_in(4) {
                value.push(*rng.pick(b"\0\r\n"));
            }
            value
        };
        let (header, query) = (value(true), value(false));
        let encoded: String = query.iter().map(|byte| format!("%{byte:02x}")).collect();
        let mut request = Request::get(match rng.below(3) {
            0 => "/".to_owned(),
            1 => format!("/?a=b&last-event-id={encoded}&lastEventId=9"),
            _ => format!("/?lastEventId={encoded}"),
        });
        let has_query = request.uri_ref().unwrap().query().is_some();
        let has_header = rng.one_in(2);
        if has_header {
            request = request.header("last-event-id", &header[..]);
            if rng.one_in(3) {
                request = request.header("last-event-id", "9");
            }
        }
        let request = request.body(()).unwrap();
        let expected = model(has_header.then_some(&header), has_query.then_some(query));
        refused += usize::from(expected == Read::Refused);
        let layer = SseLayer::new().query_fallback();
        assert_eq!(
            by_layer(layer.clone(), again(&request)).await,
            expected,
            "{round}"
        );
        assert_eq!(by_hub(None, again(&request)).await, expected, "{round}");
        assert_eq!(
            by_request(Some(layer.clone()), again(&request)).await,
            expected,
            "{round}"
        );
        #[cfg(feature = "axum")]
        assert_eq!(
            by_extractor(Some(layer), again(&request)).await,
            expected,
            "{round}"
        );
    }
    assert!((200..1800).contains(&refused), "{refused}");
}
