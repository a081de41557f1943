use futures_util::{FutureExt, StreamExt};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use tower_sse::EventSource;
use tower_sse::client::{ReadyState, SourceEvent};

use crate::script::{Act, Acts, Answer, Script, all, send, stream};

const END: &str = "failed: the response is not an event stream: 204 No Content (closed)";

// Clauses: ready-state, open, dispatch-in-order
#[tokio::test(start_paused = true)]
async fn says_what_a_browser_says() {
    let script = Script::new([stream([send("data: a\n\nevent: b\nda"), send("ta: c\n\n")])]);
    let mut source = script.source();
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    assert_eq!(source.url(), "http://example.org/feed?x=1");
    assert_eq!(
        all(&mut source).await,
        [
            "open 200 OK (open)",
            "message a (open)",
            "b c (open)",
            "error: the event stream has ended (connecting)",
            END,
        ]
    );
    assert_eq!(source.ready_state(), ReadyState::Closed);
    assert!(source.next().await.is_none());
}

// Clauses: open, content-type
#[tokio::test(start_paused = true)]
async fn any_spelling_of_the_type_opens() {
    for content_type in [
        "text/event-stream",
        "Text/Event-Stream",
        "text/event-stream;charset=utf-8",
        "text/event-stream ; charset=latin1",
    ] {
        let response = Response::builder()
            .header(CONTENT_TYPE, content_type)
            .body(Acts::new([]))
            .unwrap();
        let mut source = Script::new([Answer::Response(response)]).source();
        assert_eq!(
            all(&mut source).await[0],
            "open 200 OK (open)",
            "{content_type}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn comments_come_if_asked_for() {
    let acts = || stream([send(": a\ndata: x\n:b\n\n")]);
    let mut source = Script::new([acts()]).source();
    assert_eq!(all(&mut source).await[1..2], ["message x (open)"]);
    let mut source = Script::new([acts()]).source().comments();
    assert_eq!(
        all(&mut source).await[1..4],
        ["comment  a (open)", "comment b (open)", "message x (open)"]
    );
}

// Clauses: limits
#[tokio::test(start_paused = true)]
async fn what_is_too_long_is_reported_and_skipped() {
    let script = Script::new([stream([send("data: aaa\n\ndata: b\n\n")])]);
    let mut source = script.source().max_line_len(8).max_event_len(100);
    assert_eq!(
        all(&mut source).await[1..3],
        [
            "error: a line is longer than the limit of 8 bytes (open)",
            "message b (open)",
        ]
    );
}

// Clauses: close
#[tokio::test(start_paused = true)]
async fn close_ends_it_at_once() {
    let script = Script::new([stream([send("data: a\n\ndata: b\n\n"), Act::Stall])]);
    let mut source = script.source();
    assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    assert!(matches!(source.next().await, Some(SourceEvent::Message(_))));
    source.close();
    assert_eq!(source.ready_state(), ReadyState::Closed);
    assert!(source.next().await.is_none());
    source.reconnect();
    assert!(source.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn reconnect_drops_what_is_unfinished_and_does_not_wait() {
    let script = Script::new([
        stream([send("id: 1\ndata: a\n\ndata: unfin"), Act::Stall]),
        stream([send("data: b\n\n")]),
    ]);
    let mut source = script.source();
    source.next().await;
    source.next().await;
    assert!(source.next().now_or_never().is_none());
    source.reconnect();
    assert_eq!(
        all(&mut source).await[..2],
        ["open 200 OK (open)", "message b (open)"]
    );
    assert!(script.times()[1].is_zero());
    assert_eq!(script.last_event_ids()[1].as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn messages_are_all_some_want() {
    let script = Script::new([
        stream([send("data: a\n\n"), Act::Break]),
        Answer::Refuse,
        stream([send(":\n\ndata: b\n\n")]),
    ]);
    let messages = script.source().into_messages();
    let data: Vec<_> = messages
        .map(|message| message.unwrap().data().to_owned())
        .collect()
        .await;
    assert_eq!(data, ["a", "b"]);
}

#[tokio::test]
async fn an_axum_router_in_the_same_process() {
    use axum::routing::get;
    use tower_sse::{Event, SseBody};

    let router = axum::Router::new().route(
        "/feed",
        get(|| async {
            let events = futures_util::stream::iter([Ok::<_, std::io::Error>(Event::new("hello"))]);
            Response::builder()
                .header(CONTENT_TYPE, "text/event-stream")
                .body(axum::body::Body::new(SseBody::new(events)))
                .unwrap()
        }),
    );
    let request = Request::get("/feed")
        .body(axum::body::Bytes::new())
        .unwrap();
    let service = tower::ServiceBuilder::new()
        .map_request(|request: Request<axum::body::Bytes>| request.map(axum::body::Body::from))
        .service(router);
    let mut source = EventSource::new(service, request);
    assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    let Some(SourceEvent::Message(event)) = source.next().await else {
        panic!("no event");
    };
    assert_eq!(event.data(), "hello");
}

#[test]
fn everything_can_be_sent_and_shared_and_needs_no_pin() {
    use tower_sse::body::{Chunks, EventStreamError, FromResponse};
    use tower_sse::client::{ClientError, Messages, Reconnect, Rejection};
    use tower_sse::timer::TokioTimer;
    type Full = http_body_util::Full<bytes::Bytes>;
    type Sync = tower::util::BoxCloneSyncService<Request<String>, Response<Full>, std::io::Error>;

    fn sent<T: Send + Unpin>() {}
    fn shared<T: Send + core::marker::Sync + Unpin>() {}
    sent::<crate::script::Source>();
    sent::<Messages<Script, String, TokioTimer>>();
    // Its future cannot be shared, and nothing of ours is in the way of sending it.
    sent::<EventSource<Sync, String, TokioTimer>>();
    shared::<tower_sse::EventStream<Full>>();
    shared::<FromResponse<Full>>();
    shared::<Chunks<futures_util::stream::Empty<std::io::Result<Vec<u8>>>>>();
    shared::<EventStreamError<std::io::Error>>();
    shared::<ClientError>();
    shared::<Rejection>();
    shared::<SourceEvent>();
    shared::<ReadyState>();
    shared::<Reconnect>();
}

#[test]
fn a_source_can_be_shared_if_its_service_and_timer_can() {
    use std::future::{Ready, ready};
    type Answer = std::io::Result<Response<String>>;
    fn shared<T: Send + Sync>(_: T) {}
    let answer = |_: Request<String>| -> Ready<Answer> { ready(Ok(Response::default())) };
    let source =
        EventSource::with_timer(tower::service_fn(answer), Request::default(), |_| ready(()));
    shared(source.on_request(|_| {}));
}
