//! What a request says, and what is answered to it.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use tower::{ServiceBuilder, ServiceExt};
use tower_sse::{LAST_EVENT_ID, LastEventId, SseLayer};

use crate::{bytes, get, through, unsized_body};

async fn seen(layer: SseLayer, request: Request<()>) -> Option<String> {
    let (_, asked, _) = through(layer, request, Response::new(unsized_body("data: x\n\n"))).await;
    asked
        .extensions()
        .get::<LastEventId>()
        .map(ToString::to_string)
}

/// The answer of a layer around a service that must not be reached.
async fn refused(layer: SseLayer, request: Request<()>) -> (StatusCode, String) {
    let service = ServiceBuilder::new()
        .layer(layer.require_valid_id())
        .service_fn(async |_: Request<()>| {
            Err::<Response<http_body_util::Full<bytes::Bytes>>, _>("reached the service")
        });
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(
        response.headers()[CONTENT_TYPE],
        "text/plain; charset=utf-8"
    );
    let status = response.status();
    (
        status,
        String::from_utf8(bytes(response).await.to_vec()).unwrap(),
    )
}

// Clauses: header-utf-8
#[tokio::test]
async fn the_last_event_id_is_an_extension() {
    let with = |value: &[u8]| get().header(LAST_EVENT_ID, value).body(()).unwrap();
    assert_eq!(
        seen(SseLayer::new(), with(b"7")).await.as_deref(),
        Some("7")
    );
    let utf8 = "zürich 火".as_bytes();
    assert_eq!(
        seen(SseLayer::new(), with(utf8)).await.as_deref(),
        Some("zürich 火")
    );
    assert_eq!(seen(SseLayer::new(), with(b"")).await, None);
    assert_eq!(seen(SseLayer::new(), get().body(()).unwrap()).await, None);
}

// Clauses: header-utf-8
#[tokio::test]
async fn a_bad_last_event_id_is_answered_400() {
    let with = |value: &[u8]| get().header(LAST_EVENT_ID, value).body(()).unwrap();
    let (status, reason) = refused(SseLayer::new(), with(b"ab\xff")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        reason,
        "invalid Last-Event-ID: event ID is not UTF-8 from byte 2 on\n"
    );

    let long = "x".repeat(LastEventId::MAX_LEN + 1);
    let (status, reason) = refused(SseLayer::new(), with(long.as_bytes())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        reason,
        "Last-Event-ID is 4097 bytes long, over the limit of 4096\n"
    );

    let short = SseLayer::new().max_last_event_id_len(3);
    assert_eq!(
        seen(short.clone(), with(b"abc")).await.as_deref(),
        Some("abc")
    );
    assert_eq!(
        refused(short, with(b"abcd")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_bad_last_event_id_can_be_ignored() {
    let request = get()
        .header(LAST_EVENT_ID, &b"ab\xff"[..])
        .body(())
        .unwrap();
    let layer = SseLayer::new().ignore_invalid();
    let (_, asked, _) = through(layer, request, Response::new(unsized_body("data: x\n\n"))).await;
    assert!(asked.extensions().get::<LastEventId>().is_none());
    assert!(!asked.headers().contains_key(LAST_EVENT_ID));
}

#[tokio::test]
async fn the_query_stands_in_if_asked_for_and_the_header_wins() {
    let request = |uri: &str| Request::get(uri).body(()).unwrap();
    let layer = SseLayer::new().query_fallback();
    for (uri, expected) in [
        ("/?lastEventId=7", Some("7")),
        ("/?a=b&last-event-id=a%20b+c", Some("a b c")),
        ("/?last_event_id=%E7%81%AB", Some("火")),
        ("/?Last-Event-ID=50%&x", Some("50%")),
        ("/?lastEventId=", None),
        ("/?lastEventId", None),
        ("/?notLastEventId=7", None),
        ("/", None),
    ] {
        assert_eq!(
            seen(layer.clone(), request(uri)).await.as_deref(),
            expected,
            "{uri}"
        );
    }
    assert_eq!(
        seen(SseLayer::new(), request("/?lastEventId=7")).await,
        None
    );
    let both = Request::get("/?lastEventId=7")
        .header(LAST_EVENT_ID, "8")
        .body(())
        .unwrap();
    assert_eq!(seen(layer.clone(), both).await.as_deref(), Some("8"));
    for bad in [
        "/?lastEventId=%00",
        "/?lastEventId=a%0Ab",
        "/?lastEventId=%FF",
    ] {
        assert_eq!(
            refused(layer.clone(), request(bad)).await.0,
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
    let long = format!("/?lastEventId={}", "%41".repeat(LastEventId::MAX_LEN + 1));
    assert_eq!(
        refused(layer, request(&long)).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn an_accept_that_rules_streams_out_is_answered_406_if_asked_for() {
    let layer = SseLayer::new().require_accept();
    let with = |accept: &'static str| get().header(ACCEPT, accept).body(()).unwrap();
    for accept in [
        "application/json",
        "text/html, application/xhtml+xml",
        "text/event-stream;q=0",
        "text/event-stream; q=0.000, */*",
        "text/*;q=0, */*",
    ] {
        let (status, reason) = refused(layer.clone(), with(accept)).await;
        assert_eq!(status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        assert!(reason.contains("text/event-stream"));
    }
    for accept in [
        "text/event-stream",
        "Text/Event-Stream;q=0.1",
        "text/*",
        "*/*",
        "a/b, */*;q=0.1",
    ] {
        assert_eq!(seen(layer.clone(), with(accept)).await, None, "{accept}");
    }
    assert_eq!(seen(layer, get().body(()).unwrap()).await, None);
    assert_eq!(seen(SseLayer::new(), with("application/json")).await, None);
}
