//! Two programs on `axum::response::sse`, and the same on this crate: three lines differ at most,
//! imports aside, and clients read the same events.

#![cfg(all(feature = "axum", feature = "json", feature = "tokio"))]

#[path = "../support/mod.rs"]
mod support;

mod after_chat;
mod after_ticker;
mod before_chat;
mod before_ticker;

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Method, Version};
use http_body_util::Empty;
use hyper::body::Incoming;
use tower_sse::{EventStream, MessageEvent};

use support::net::{get, read_until, send, serve, within};

async fn events(address: SocketAddr, path: &str) -> EventStream<Incoming> {
    let request = get(Version::HTTP_11, address, path).body(Empty::<Bytes>::new());
    let response = send(address, request.unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    EventStream::new(response.into_body())
}

/// Type, data and last event ID.
type Read = (String, String, String);

async fn read(events: &mut EventStream<Incoming>, count: usize) -> Vec<Read> {
    let read = |event: MessageEvent| {
        let (event_type, data) = (event.event_type(), event.data());
        [event_type, data, event.last_event_id()]
            .map(str::to_owned)
            .into()
    };
    let events = events.take(count).map(|event| read(event.unwrap()));
    within(events.collect()).await
}

#[tokio::test]
async fn the_ticker_sends_the_same_events() {
    let mut all = Vec::new();
    for (app, heartbeat) in [
        (before_ticker::app(), ": still counting\n\n"),
        (after_ticker::app(), ": still counting\n"),
    ] {
        let address = serve(app).await;
        all.push(read(&mut events(address, "/ticks").await, 4).await);

        let request = get(Version::HTTP_11, address, "/ticks").body(Empty::new());
        let mut body = send(address, request.unwrap()).await.into_body();
        read_until(&mut body, heartbeat).await;
    }
    assert_eq!(all[0], all[1]);
    let (event_type, data, id) = &all[1][3];
    assert_eq!(
        (event_type.as_str(), data.as_str(), id.as_str()),
        ("message", "600 ms\nof silence between", "3")
    );
}

async fn chat(app: Router) -> [Vec<Read>; 2] {
    let address = serve(app).await;
    let mut anna = events(address, "/listen/anna").await;
    let mut bert = events(address, "/listen/bert").await;
    for line in ["name=anna&text=hello", "name=bert&text=%22quoted%22%0Atwo"] {
        let request = get(Version::HTTP_11, address, &format!("/say?{line}"));
        let request = request.method(Method::POST).body(Empty::new()).unwrap();
        assert_eq!(send(address, request).await.status(), 200);
    }
    [read(&mut anna, 4).await, read(&mut bert, 3).await]
}

#[tokio::test]
async fn the_chat_sends_the_same_events() {
    let (before, after) = (
        chat(before_chat::app()).await,
        chat(after_chat::app()).await,
    );
    assert_eq!(before, after);
    let [anna, bert] = after;
    let types: Vec<&str> = anna.iter().map(|(event_type, ..)| &**event_type).collect();
    assert_eq!(types, ["joined", "joined", "said", "said"]);
    assert_eq!(bert[2].1, r#"{"name":"bert","text":"\"quoted\"\ntwo"}"#);
}

/// What the guide says of the differences.
#[tokio::test]
async fn empty_data_and_line_breaks_arrive() {
    use axum::response::{IntoResponse, sse};
    use futures_util::stream::iter;

    const TEXTS: [&str; 3] = ["", "a\r\nb", "c"];
    let before = TEXTS.map(|text| Ok::<_, Infallible>(sse::Event::default().data(text)));
    let after = TEXTS.map(|text| Ok::<_, Infallible>(tower_sse::Event::new(text)));
    let mut all = Vec::new();
    for response in [
        sse::Sse::new(iter(before)).into_response(),
        tower_sse::SseBody::new(iter(after)).into_response(),
    ] {
        let events = EventStream::new(response.into_body());
        let data = events.map(|event| event.unwrap().data().to_owned());
        all.push(data.collect::<Vec<_>>().await);
    }
    assert_eq!(all, [vec!["a\n\nb", "c"], vec!["", "a\nb", "c"]]);
}

/// The lines that the compiler reads, imports aside.
fn code(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let left_out = ["use ", "//"];
    lines
        .filter(|line| !line.is_empty() && !left_out.iter().any(|start| line.starts_with(start)))
        .collect()
}

/// How many lines have to be written anew to make one program of the other.
fn differing(before: &str, after: &str) -> usize {
    let (before, after) = (code(before), code(after));
    // The longest common subsequence, row by row.
    let mut row = vec![0; after.len() + 1];
    for old in &before {
        let mut diagonal = 0;
        for (at, new) in after.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if old == new {
                diagonal + 1
            } else {
                above.max(row[at])
            };
            diagonal = above;
        }
    }
    let common = row[after.len()];
    (before.len() - common).max(after.len() - common)
}

#[test]
fn at_most_three_lines_differ() {
    for (before, after) in [
        (
            include_str!("before_ticker.rs"),
            include_str!("after_ticker.rs"),
        ),
        (
            include_str!("before_chat.rs"),
            include_str!("after_chat.rs"),
        ),
    ] {
        let differing = differing(before, after);
        assert!((1..=3).contains(&differing), "{differing} lines");
        assert!(!after.contains("axum::response::sse"));
    }
    assert_eq!(differing("a\nb\nc\n", "a\nx\nc\nd\n"), 2);
    assert_eq!(differing("use a;\na\nb\n", "use b;\n// x\nb\n"), 1);
}
