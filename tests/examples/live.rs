//! The live ticker over raw HTTP, without a browser.

use std::collections::HashSet;

use http::Version;

use super::client::{EventStream, Next, field, get, send};
use super::support::Example;

/// The epoch and the number in an event's ID, if it has one.
fn place(block: &str) -> Option<(&str, u64)> {
    let (epoch, number) = field(block, "id")?.split_once('-')?;
    Some((epoch, number.parse().ok()?))
}

/// The next event of the match.
async fn commentary(stream: &mut EventStream) -> String {
    loop {
        let event = stream.event().await;
        match field(&event, "event") {
            Some("ping") => assert_eq!(field(&event, "id"), None),
            _ => return event,
        }
    }
}

/// What a page remembers of the events it has seen.
#[derive(Default)]
struct Seen {
    last: Option<String>,
    numbers: Vec<u64>,
}

impl Seen {
    fn note(&mut self, block: &str) {
        if let Some((_, number)) = place(block) {
            self.last = field(block, "id").map(str::to_owned);
            self.numbers.push(number);
        }
    }
}

async fn pull_plug(authority: &str, page: &str) {
    let path = format!("/plug?page={page}");
    let answer = send(authority, "POST", &path, None, Version::HTTP_11).await;
    assert_eq!(answer.head.status, 204);
}

#[tokio::test]
async fn resumes_across_pulled_plugs() {
    let example = Example::start("live", &["--speed", "20"]);
    let authority = &example.authority;
    let path = "/events?page=tester";
    let mut seen = Seen::default();
    for _ in 0..7 {
        let mut stream = get(authority, path, seen.last.as_deref()).await;
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        let prelude = Next::Block(":\nretry: 500".to_owned());
        assert_eq!(stream.next().await, prelude);
        seen.note(&commentary(&mut stream).await);
        pull_plug(authority, "tester").await;
        loop {
            match stream.next().await {
                Next::Block(block) => seen.note(&block),
                Next::Broken => break,
                Next::End => panic!("a pulled plug is no clean end"),
            }
        }
    }
    let mut stream = get(authority, path, seen.last.as_deref()).await;
    for _ in 0..3 {
        seen.note(&commentary(&mut stream).await);
    }
    let numbers = seen.numbers;
    let expected: Vec<u64> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "nothing missing, nothing twice");
}

#[tokio::test]
async fn says_goodbye() {
    let mut example = Example::start("live", &[]);
    let mut stream = get(&example.authority, "/events", None).await;
    assert_eq!(field(&stream.event().await, "event"), Some("ping"));
    example.interrupt();
    let mut last = stream.event().await;
    while field(&last, "event") != Some("bye") {
        last = stream.event().await;
    }
    assert_eq!(stream.next().await, Next::End);
    assert!(example.wait(), "it ends with a stream open");
}

#[tokio::test]
async fn only_the_pulled_plug_is_cut() {
    let example = Example::start("live", &["--speed", "20"]);
    let mut mine = get(&example.authority, "/events?page=mine", None).await;
    let mut other = get(&example.authority, "/events?page=other", None).await;
    pull_plug(&example.authority, "mine").await;
    while let Next::Block(_) = mine.next().await {}
    let before = place(&commentary(&mut other).await).unwrap().1;
    assert_eq!(place(&commentary(&mut other).await).unwrap().1, before + 1);
}

#[tokio::test]
async fn takes_the_id_from_the_query_but_the_header_wins() {
    let example = Example::start("live", &["--speed", "20"]);
    let mut stream = get(&example.authority, "/events", None).await;
    let mut event = commentary(&mut stream).await;
    while place(&event).unwrap().1 < 5 {
        event = commentary(&mut stream).await;
    }
    let epoch = place(&event).unwrap().0;

    let query = format!("/events?lastEventId={epoch}-2");
    let mut stream = get(&example.authority, &query, None).await;
    assert_eq!(place(&commentary(&mut stream).await).unwrap().1, 3);
    let header = format!("{epoch}-4");
    let mut stream = get(&example.authority, &query, Some(&header)).await;
    assert_eq!(place(&commentary(&mut stream).await).unwrap().1, 5);
}

#[tokio::test]
async fn tells_who_asks_for_what_is_not_there() {
    let example = Example::start("live", &["--speed", "1000"]);
    let authority = &example.authority;

    for unknown in ["0badf00d-3", "nonsense", "🥅"] {
        let mut stream = get(authority, "/events", Some(unknown)).await;
        let event = commentary(&mut stream).await;
        assert_eq!(event, "event: reset\ndata: {\"reason\":\"unknown\"}");
        let first = commentary(&mut stream).await;
        assert_eq!(field(&first, "event"), Some("whistle"), "from kick-off");
    }

    let mut stream = get(authority, "/events", None).await;
    let mut event = commentary(&mut stream).await;
    let epoch = place(&event).unwrap().0.to_owned();
    while place(&event).unwrap().1 < 300 {
        event = commentary(&mut stream).await;
    }
    let mut late = get(authority, "/events", Some(&format!("{epoch}-1"))).await;
    let event = commentary(&mut late).await;
    assert_eq!(event, "event: reset\ndata: {\"reason\":\"gap\"}");
    assert!(place(&commentary(&mut late).await).unwrap().1 > 40);

    let future = format!("{epoch}-{}", u64::MAX);
    let mut late = get(authority, "/events", Some(&future)).await;
    let event = commentary(&mut late).await;
    assert_eq!(event, "event: reset\ndata: {\"reason\":\"unknown\"}");
}

#[tokio::test]
async fn plays_match_after_match() {
    let example = Example::start("live", &["--speed", "1000"]);
    let mut stream = get(&example.authority, "/events", None).await;
    let mut types = HashSet::new();
    let mut matches = 0;
    while matches < 3 {
        let event = commentary(&mut stream).await;
        let data = field(&event, "data").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        if data["what"] == "kick-off" {
            matches += 1;
            assert_eq!(data["score"], serde_json::json!([0, 0]));
            assert!(data["fixture"]["home"]["name"].is_string());
        }
        assert!(!data["text"].as_str().unwrap().is_empty());
        types.insert(field(&event, "event").unwrap_or("message").to_owned());
    }
    let expected = ["card", "goal", "message", "whistle"];
    assert_eq!(types, expected.map(str::to_owned).into());
}

#[tokio::test]
async fn serves_the_page_and_nothing_of_others() {
    let example = Example::start("live", &[]);
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let page = get(&example.authority, path, None).await;
        assert_eq!(page.head.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some(content_type));
        let policy = page.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'self'"));
    }
}
