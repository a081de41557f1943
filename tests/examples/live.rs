//! The live ticker over raw HTTP, without a browser.

use std::collections::HashSet;
use std::time::Duration;

use http::Version;
use serde_json::{Value, json};

use super::client::{EventStream, Next, field, get, send};
use super::example_process::Example;

fn data(block: &str) -> Value {
    serde_json::from_str(field(block, "data").unwrap()).unwrap()
}

/// A plug that is out stays out until it is put back, however slow the machine is.
const PULLED: &[&str] = &["--speed", "20", "--plug", "600"];

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

async fn plug(authority: &str, method: &str, page: &str) -> Value {
    let path = format!("/plug?page={page}");
    let answer = send(authority, method, &path, None, Version::HTTP_11).await;
    assert_eq!(answer.head.status, 200);
    serde_json::from_str(&answer.text().await).unwrap()
}

async fn pull_plug(authority: &str, page: &str) {
    assert!(plug(authority, "POST", page).await["plug_out"].as_u64() > Some(400_000));
}

async fn put_back(authority: &str, page: &str) {
    assert_eq!(plug(authority, "DELETE", page).await["plug_out"], 0);
}

#[tokio::test]
async fn resumes_across_pulled_plugs() {
    let example = Example::start("live", PULLED);
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
                Next::End => panic!("a pulled plug does not end cleanly"),
            }
        }
        put_back(authority, "tester").await;
    }
    let mut stream = get(authority, path, seen.last.as_deref()).await;
    for _ in 0..3 {
        seen.note(&commentary(&mut stream).await);
    }
    seen.assert_whole();
}

/// Each poll ends by itself, and the next resumes where it ended, even after a poll that broke off.
#[tokio::test]
async fn resumes_from_poll_to_poll() {
    let example = Example::start("live", PULLED);
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
            put_back(authority, "tester").await;
        }
        // A stream resumes where a poll has ended, too.
        if poll % 10 == 9 {
            let mut stream = get(authority, "/events", seen.last.as_deref()).await;
            for _ in 0..3 {
                seen.note(&commentary(&mut stream).await);
            }
        }
    }
    assert!(cut > 0, "some polls have been cut");
    assert!(seen.numbers.len() > 20);
    seen.assert_whole();
}

/// While the plug is out, a stream waits for its response and a poll is refused.
#[tokio::test]
async fn nothing_gets_past_a_plug_that_is_out() {
    let example = Example::start("live", PULLED);
    let authority = &example.authority;
    let mut stream = get(authority, "/events?page=tester", None).await;
    let before = commentary(&mut stream).await;
    pull_plug(authority, "tester").await;
    let id = field(&before, "id");
    let poll = get(authority, "/events?page=tester&long-poll", id).await;
    assert_eq!(poll.head.status, 503);
    let mut status = Value::Null;
    while status["latest"].as_u64() < Some(number(&before) + 3) {
        let answer = get(authority, "/status?page=tester", None).await;
        status = serde_json::from_str(&answer.text().await).unwrap();
    }
    let waits = get(authority, "/events?page=tester", id);
    let back = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let back = std::time::Instant::now();
        put_back(authority, "tester").await;
        back
    };
    let (mut stream, back) = tokio::join!(async { (waits.await, std::time::Instant::now()) }, back);
    assert!(stream.1 >= back, "it was answered before");
    assert_eq!(
        number(&commentary(&mut stream.0).await),
        number(&before) + 1
    );
}

/// Each page's wire tells of its own requests.
#[tokio::test]
async fn tells_what_went_over_the_wire() {
    let example = Example::start("live", &["--speed", "20"]);
    let authority = &example.authority;
    let mut stream = get(authority, "/events?page=tester", None).await;
    let first = commentary(&mut stream).await;
    drop(stream);
    get(authority, "/events?page=other", None).await;
    get(authority, "/events", None).await;
    let id = field(&first, "id").unwrap();
    let mut again = get(authority, "/events?page=tester", Some(id)).await;
    commentary(&mut again).await;

    let mut wire = get(authority, "/wire?page=tester", None).await;
    let mut told = Vec::new();
    while told.iter().filter(|what| *what == "bytes").count() < 6 {
        let event = wire.event().await;
        let data = data(&event);
        let text = data["text"].as_str().unwrap();
        assert!(!text.contains("page=other"));
        if data["what"] == "request" && !told.is_empty() {
            assert!(text.contains(&format!("last-event-id: {id}\n")), "{text}");
        }
        told.push(data["what"].as_str().unwrap().to_owned());
    }
    assert_eq!(told[..2], ["request", "response"]);
    for what in ["request", "response"] {
        assert_eq!(told.iter().filter(|told| *told == what).count(), 2);
    }
    assert_eq!(told.iter().filter(|told| *told == "end").count(), 1);
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
    let example = Example::start("live", PULLED);
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
        ("/shared.js", "text/javascript; charset=utf-8"),
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
