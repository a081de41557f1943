//! The live ticker over raw HTTP, without a browser.

use std::collections::HashSet;
use std::time::Duration;

use http::Version;
use serde_json::{Value, json};

use super::client::{EventStream, Next, field, get, send};
use super::support::Example;

fn data(block: &str) -> Value {
    serde_json::from_str(field(block, "data").unwrap()).unwrap()
}

/// The number of a line of commentary.
fn number(block: &str) -> u64 {
    data(block)["number"].as_u64().unwrap()
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

async fn assert_prelude(stream: &mut EventStream, retry: &str) {
    assert_eq!(stream.line().await, ":");
    assert_eq!(stream.line().await, retry);
}

/// What a page remembers of the events it has seen.
#[derive(Default)]
struct Seen {
    last: Option<String>,
    numbers: Vec<u64>,
}

impl Seen {
    fn note(&mut self, block: &str) {
        if let Some(id) = field(block, "id") {
            self.last = Some(id.to_owned());
            // A comment that marks a place has none.
            if block.contains("\ndata: ") {
                self.numbers.push(number(block));
            }
        }
    }

    fn assert_whole(&self) {
        let first = self.numbers[0];
        let expected: Vec<u64> = (first..).take(self.numbers.len()).collect();
        assert_eq!(self.numbers, expected, "nothing missing, nothing twice");
    }
}

/// How long nothing gets through after that, and some more.
const PLUG_OUT: Duration = Duration::from_millis(400);

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
        assert_prelude(&mut stream, "retry: 500").await;
        seen.note(&commentary(&mut stream).await);
        pull_plug(authority, "tester").await;
        loop {
            match stream.next().await {
                Next::Block(block) => seen.note(&block),
                Next::Broken => break,
                Next::End => panic!("a pulled plug is no clean end"),
            }
        }
        tokio::time::sleep(PLUG_OUT).await;
    }
    let mut stream = get(authority, path, seen.last.as_deref()).await;
    for _ in 0..3 {
        seen.note(&commentary(&mut stream).await);
    }
    seen.assert_whole();
}

/// Each poll ends by itself, and the next goes on where it ended, whatever happens to one of them.
#[tokio::test]
async fn resumes_from_poll_to_poll() {
    let example = Example::start("live", &["--speed", "20"]);
    let authority = &example.authority;
    let path = "/events?page=tester&long-poll";
    let mut seen = Seen::default();
    let mut cut = 0;
    for poll in 0..40 {
        let mut stream = get(authority, path, seen.last.as_deref()).await;
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        assert_prelude(&mut stream, "retry: 100").await;
        let pulled = poll % 4 == 0;
        if pulled {
            pull_plug(authority, "tester").await;
        }
        let mut blocks = 0;
        loop {
            match stream.next().await {
                Next::Block(block) => seen.note(&block),
                Next::Broken => {
                    cut += 1;
                    break;
                }
                Next::End => {
                    assert!(blocks > 0, "it waits for something");
                    break;
                }
            }
            blocks += 1;
        }
        if pulled {
            // Cut or not: it may have ended before.
            tokio::time::sleep(PLUG_OUT).await;
        }
        // A stream goes on where a poll has ended, as well.
        if poll % 10 == 9 {
            let mut stream = get(authority, "/events", seen.last.as_deref()).await;
            for _ in 0..3 {
                seen.note(&commentary(&mut stream).await);
            }
        }
    }
    assert!(cut > 0, "some polls have been cut");
    assert!(seen.numbers.len() > 40);
    seen.assert_whole();
}

#[tokio::test]
async fn says_goodbye() {
    let mut example = Example::start("live", &[]);
    let mut stream = get(&example.authority, "/events", None).await;
    commentary(&mut stream).await;
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
    let before = number(&commentary(&mut other).await);
    assert_eq!(number(&commentary(&mut other).await), before + 1);
}

#[tokio::test]
async fn takes_the_id_from_the_query_but_the_header_wins() {
    let example = Example::start("live", &["--speed", "20"]);
    let mut stream = get(&example.authority, "/events", None).await;
    let mut ids = Vec::new();
    for expected in 1..=4 {
        let event = commentary(&mut stream).await;
        assert_eq!(number(&event), expected);
        ids.push(field(&event, "id").unwrap().to_owned());
    }

    let query = format!("/events?lastEventId={}", ids[1]);
    let mut stream = get(&example.authority, &query, None).await;
    assert_eq!(number(&commentary(&mut stream).await), 3);
    let mut stream = get(&example.authority, &query, Some(&ids[3])).await;
    assert_eq!(number(&commentary(&mut stream).await), 5);
}

#[tokio::test]
async fn tells_who_asks_for_what_is_not_there() {
    let example = Example::start("live", &["--speed", "1000"]);
    let authority = &example.authority;

    let mut stream = get(authority, "/events", None).await;
    let mut event = commentary(&mut stream).await;
    let id = field(&event, "id").unwrap().to_owned();
    let (epoch, _) = id.split_once('-').unwrap();
    let future = format!("{epoch}-{}", u64::MAX);
    for unknown in ["0badf00d-3", "nonsense", "🥅", &future] {
        for path in ["/events", "/events?long-poll"] {
            let mut stream = get(authority, path, Some(unknown)).await;
            assert_eq!(field(&commentary(&mut stream).await, "event"), Some("gap"));
        }
    }

    while number(&event) < 300 {
        event = commentary(&mut stream).await;
    }
    let mut late = get(authority, "/events", Some(&id)).await;
    assert_eq!(field(&commentary(&mut late).await, "event"), Some("gap"));
    assert!(number(&commentary(&mut late).await) > 40);
    // The page then comes without an ID, and sees the match from its start.
    let mut anew = get(authority, "/events", None).await;
    let first = commentary(&mut anew).await;
    assert_eq!(data(&first)["what"], "kick-off");
}

#[tokio::test]
async fn plays_match_after_match() {
    let example = Example::start("live", &["--speed", "1000"]);
    let mut stream = get(&example.authority, "/events", None).await;
    let mut types = HashSet::new();
    let mut matches = 0;
    while matches < 3 {
        let event = commentary(&mut stream).await;
        let data = data(&event);
        if data["what"] == "kick-off" {
            matches += 1;
            assert_eq!(data["score"], json!([0, 0]));
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
        ("/transports.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let page = get(&example.authority, path, None).await;
        assert_eq!(page.head.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some(content_type));
        let policy = page.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'self'"));
    }
}
