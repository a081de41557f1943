//! The live ticker over raw HTTP, without a browser.

use std::collections::HashSet;

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

#[tokio::test]
async fn resumes_across_pulled_plugs() {
    let example = Example::start("live", &["--speed", "20"]);
    let authority = &example.authority;
    let mut last: Option<String> = None;
    let mut numbers = Vec::new();
    let mut broken = 0;
    for round in 0..8 {
        let mut stream = get(authority, "/events?page=tester", last.as_deref()).await;
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        assert_eq!(
            stream.next().await,
            Next::Block(":\nretry: 500".to_owned()),
            "the first bytes"
        );
        let mut pull = round < 7;
        let mut wanted = 3;
        while wanted > 0 {
            match stream.next().await {
                Next::Block(block) => {
                    if let Some((_, number)) = place(&block) {
                        last = field(&block, "id").map(str::to_owned);
                        numbers.push(number);
                        wanted -= u32::from(!pull);
                        if pull {
                            let plug = "/plug?page=tester";
                            let http = http::Version::HTTP_11;
                            let answer = send(authority, "POST", plug, None, http).await;
                            assert_eq!(answer.head.status, 204);
                            pull = false;
                            wanted = u32::MAX;
                        }
                    }
                }
                Next::Broken => {
                    broken += 1;
                    break;
                }
                Next::End => panic!("a pulled plug is no clean end"),
            }
        }
    }
    assert_eq!(broken, 7);
    let first = numbers[0];
    let expected: Vec<u64> = (first..).take(numbers.len()).collect();
    assert_eq!(
        numbers, expected,
        "nothing missing, nothing twice, in order"
    );
}

#[tokio::test]
async fn only_the_pulled_plug_is_cut() {
    let example = Example::start("live", &["--speed", "20"]);
    let mut mine = get(&example.authority, "/events?page=mine", None).await;
    let mut other = get(&example.authority, "/events?page=other", None).await;
    let http = http::Version::HTTP_11;
    send(&example.authority, "POST", "/plug?page=mine", None, http).await;
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
