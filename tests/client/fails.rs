use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt;
use http::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use tower_sse::client::{ClientError, Rejection, SourceEvent};

use crate::script::{Act, Acts, Answer, Script, all, send, status, stream};

async fn rejection(answer: Answer) -> Rejection {
    let script = Script::new([answer]);
    let mut source = script.source();
    let Some(SourceEvent::Failed(error)) = source.next().await else {
        panic!("did not fail");
    };
    assert!(source.next().await.is_none());
    assert_eq!(script.times().len(), 1);
    error.rejection().unwrap().clone()
}

// Clauses: status, no-content
#[tokio::test(start_paused = true)]
async fn every_other_status_fails_for_good() {
    for code in [
        201, 202, 204, 205, 206, 301, 302, 304, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503,
        599,
    ] {
        let rejection = rejection(status(code)).await;
        assert_eq!(rejection.status(), code);
        assert_eq!(rejection.body(), "because");
    }
}

// Clauses: content-type
#[tokio::test(start_paused = true)]
async fn another_type_fails_for_good() {
    for content_type in [
        "text/html",
        "application/json",
        "text/event-streams",
        "text/event-stream, text/plain",
        "",
    ] {
        let response = Response::builder().header(CONTENT_TYPE, content_type);
        let body = Acts::new([
            send("<p>"),
            Act::Wait(Duration::from_secs(1)),
            send("log in</p>"),
        ]);
        let rejection = rejection(Answer::Response(response.body(body).unwrap())).await;
        assert_eq!(rejection.status(), 200);
        assert_eq!(rejection.headers()[CONTENT_TYPE], content_type);
        assert_eq!(rejection.body(), "<p>log in</p>");
    }
    let rejection = rejection(Answer::Response(Response::new(Acts::new([])))).await;
    assert_eq!(
        rejection.to_string(),
        "the response is not an event stream: 200 OK without Content-Type"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rejected_body_is_bounded_in_length_and_time() {
    const MUCH: &[u8] = &[b'x'; 3_000];
    let mut response = Response::new(Acts::new((0..1_000).map(|_| Act::Send(MUCH))));
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    assert_eq!(
        rejection(Answer::Response(response)).await.body().len(),
        4_096
    );

    let start = tokio::time::Instant::now();
    let response = Response::new(Acts::new([send("half"), Act::Stall]));
    assert_eq!(rejection(Answer::Response(response)).await.body(), "half");
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    let response = Response::new(Acts::new([send("half"), Act::Break]));
    assert_eq!(rejection(Answer::Response(response)).await.body(), "half");
}

// Clauses: policies
#[tokio::test(start_paused = true)]
async fn server_errors_are_retried_if_asked() {
    let answer = |code: u16, after: &str| {
        let response = Response::builder().status(code).header(RETRY_AFTER, after);
        Answer::Response(response.body(Acts::new([])).unwrap())
    };
    let script = Script::new([
        answer(503, "120"),
        answer(429, "1"),
        status(500),
        stream([send("data: a\n\n")]),
        status(404),
    ]);
    let mut source = script
        .source()
        .retry_server_errors()
        .initial_reconnection_time(Duration::from_secs(1));
    let all = all(&mut source).await;
    assert_eq!(
        all,
        [
            "error: the response is not an event stream: 503 Service Unavailable (connecting)",
            "error: the response is not an event stream: 429 Too Many Requests (connecting)",
            "error: the response is not an event stream: 500 Internal Server Error (connecting)",
            "open 200 OK (open)",
            "message a (open)",
            "error: the event stream has ended (connecting)",
            "failed: the response is not an event stream: 404 Not Found (closed)",
        ]
    );
    let times = script.times();
    let waits: Vec<_> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect();
    assert!((120.0..=240.1).contains(&waits[0]), "{waits:?}");
    assert!((4.0..=8.1).contains(&waits[1]), "{waits:?}");
    assert!((8.0..=16.1).contains(&waits[2]), "{waits:?}");
    assert!((1.0..=2.1).contains(&waits[3]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_so_many_tries_that_delivered_nothing() {
    let script = Script::new([
        Answer::Refuse,
        stream([send("data: a\n\n")]),
        Answer::Refuse,
        stream([]),
        Answer::Refuse,
    ]);
    let mut source = script.source().max_tries(3);
    let all = all(&mut source).await;
    assert_eq!(
        all.last().unwrap(),
        "failed: gave up after 3 tries (closed)"
    );
    assert_eq!(script.times().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_error_has_its_source() {
    let script = Script::new([Answer::Refuse]);
    let mut source = script.source().max_tries(1);
    let Some(SourceEvent::Failed(error)) = source.next().await else {
        panic!("did not fail");
    };
    assert_eq!(error.to_string(), "gave up after 1 try");
    let last = error.source().unwrap();
    assert_eq!(last.to_string(), "the connection failed");
    assert_eq!(last.source().unwrap().to_string(), "refused");
}

#[tokio::test(start_paused = true)]
async fn a_dead_service_fails() {
    let script = Script::new([stream([send("data: a\n\n")]), Answer::Dead]);
    let mut source = script.source();
    let all: Vec<_> = source.by_ref().collect().await;
    assert!(matches!(
        all.last(),
        Some(SourceEvent::Failed(ClientError::Service(_)))
    ));
}
