//! When it reconnects, with what request, and when it is complete.

use std::time::Duration;

use futures_util::StreamExt;
use http::{Method, Response};
use tower_sse::EventSource;
use tower_sse::client::{ClientError, Reconnect, SourceEvent};

use crate::script::{Act, Acts, Answer, Script, all, request, say, send, status, stream};

/// How many requests there were, and what was said last.
async fn outcome(script: &Script, policy: Reconnect) -> (usize, String) {
    let mut source = script.source().reconnect_when(policy);
    let all = all(&mut source).await;
    (script.times().len(), all.last().unwrap().clone())
}

// Clauses: reconnect, policies
#[tokio::test(start_paused = true)]
async fn after_a_clean_end() {
    let said = "message a (open)".to_owned();
    let stop = "failed: the response is not an event stream: 204 No Content (closed)".to_owned();
    for (policy, without_id, with_id) in [
        (Reconnect::Always, (2, &stop), (2, &stop)),
        (Reconnect::AfterErrors, (1, &said), (1, &said)),
        (Reconnect::AfterId, (1, &said), (2, &stop)),
        (Reconnect::Never, (1, &said), (1, &said)),
    ] {
        for (text, (requests, last)) in
            [("data: a\n\n", without_id), ("id: 1\ndata: a\n\n", with_id)]
        {
            let script = Script::new([stream([send(text)])]);
            assert_eq!(
                outcome(&script, policy).await,
                (requests, last.clone()),
                "{policy:?}"
            );
        }
    }
}

// Clauses: reconnect, policies
#[tokio::test(start_paused = true)]
async fn after_an_error() {
    let failed = "failed: the connection failed (closed)".to_owned();
    let stop = "failed: the response is not an event stream: 204 No Content (closed)".to_owned();
    for (policy, without_id, with_id) in [
        (Reconnect::Always, (2, &stop), (2, &stop)),
        (Reconnect::AfterErrors, (2, &stop), (2, &stop)),
        (Reconnect::AfterId, (1, &failed), (2, &stop)),
        (Reconnect::Never, (1, &failed), (1, &failed)),
    ] {
        for (text, (requests, last)) in
            [("data: a\n\n", without_id), ("id: 1\ndata: a\n\n", with_id)]
        {
            let script = Script::new([stream([send(text), Act::Break])]);
            assert_eq!(
                outcome(&script, policy).await,
                (requests, last.clone()),
                "{policy:?}"
            );
        }
    }
    // An ID that fits in no header cannot be resumed from.
    let script = Script::new([stream([send("id: \u{1}\ndata: a\n\n"), Act::Break])]);
    assert_eq!(outcome(&script, Reconnect::AfterId).await, (1, failed));
}

#[tokio::test(start_paused = true)]
async fn half_an_event_is_an_error_but_not_of_the_connection() {
    for (policy, requests) in [
        (Reconnect::Always, 2),
        (Reconnect::AfterErrors, 1),
        (Reconnect::Never, 1),
    ] {
        let script = Script::new([stream([send("data: a\n\ndata: b\n")])]);
        let (seen, last) = outcome(&script, policy).await;
        assert_eq!(seen, requests, "{policy:?}");
        if requests == 1 {
            assert_eq!(
                last,
                "failed: the event stream ended in the middle of an event (closed)"
            );
        }
    }
    // What a heartbeat or a prelude leaves is nothing that could be cut.
    let script = Script::new([stream([send("data: a\n\n:\nretry: 5\n: half a hear")])]);
    assert_eq!(outcome(&script, Reconnect::AfterErrors).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_told_however_the_connection_ended() {
    let script = Script::new([
        stream([send("data: a\n\nda"), Act::Break]),
        stream([send("data: a\n\n"), Act::Break]),
        stream([send("data: a\n\ndata: b"), Act::Stall]),
        Answer::Refuse,
    ]);
    let mut source = script.source().idle_timeout(Duration::from_secs(9));
    let mut cuts = Vec::new();
    while let Some(event) = source.next().await {
        if let SourceEvent::Error(_) = event {
            cuts.push(source.was_cut());
        }
    }
    assert_eq!(cuts, [true, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_safe_is_not_repeated_after_a_clean_end() {
    for (method, requests) in [
        ("GET", 2),
        ("HEAD", 2),
        ("QUERY", 2),
        ("REPORT", 2),
        ("POST", 1),
        ("PUT", 1),
        ("PATCH", 1),
        ("MADE-UP", 1),
    ] {
        let script = Script::new([stream([send("id: 1\ndata: a\n\n")])]);
        let mut request = request();
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        let mut messages = EventSource::new(script.clone(), request).into_messages();
        assert_eq!(messages.next().await.unwrap().unwrap().data(), "a");
        assert!(messages.next().await.is_none());
        assert!(messages.next().await.is_none());
        assert_eq!(script.times().len(), requests, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_retried_only_as_the_policy_says() {
    for (policy, requests) in [
        (Reconnect::Always, 2),
        (Reconnect::AfterErrors, 2),
        (Reconnect::AfterId, 1),
        (Reconnect::Never, 1),
    ] {
        let script = Script::new([status(503)]);
        let mut source = script.source().retry_server_errors().reconnect_when(policy);
        all(&mut source).await;
        assert_eq!(script.times().len(), requests, "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_can_be_made_anew() {
    let script = Script::new([
        stream([send("id: 1\ndata: a\n\n")]),
        Answer::Refuse,
        stream([send("id\ndata: a\n\n")]),
    ]);
    let mut count = 0;
    let mut source = script.source().on_request(move |request| {
        count += 1;
        request
            .headers
            .insert("authorization", format!("Bearer {count}").parse().unwrap());
        // It is not for it to say where to resume.
        request
            .headers
            .insert("last-event-id", "forged".parse().unwrap());
        request.headers.append("x-count", count.into());
    });
    all(&mut source).await;
    let asked = script.asked.lock().unwrap();
    for (n, asked) in asked.iter().enumerate() {
        let headers = asked.request.headers();
        assert_eq!(headers["authorization"], format!("Bearer {}", n + 1));
        assert_eq!(headers.get_all("x-count").iter().count(), 1);
    }
    drop(asked);
    let ids = script.last_event_ids();
    let ids: Vec<_> = ids.iter().map(Option::as_deref).collect();
    assert_eq!(ids, [None, Some("1"), Some("1"), None]);
}

// Clauses: policies
#[tokio::test(start_paused = true)]
async fn a_terminator_closes_it() {
    let script = Script::new([
        stream([send("data: a\n\nda")]),
        stream([send("data: b\n\n")]),
        stream([send("data: c\n\ndata: [DONE]\n\ndata: d\n\n"), Act::Stall]),
    ]);
    let mut source = script.source().until("[DONE]");
    assert_eq!(
        all(&mut source).await,
        [
            "open 200 OK (open)",
            "message a (open)",
            "error: the event stream ended in the middle of an event (connecting)",
            "open 200 OK (open)",
            "message b (open)",
            "error: the event stream ended without its terminator (connecting)",
            "open 200 OK (open)",
            "message c (open)",
        ]
    );
    assert_eq!(script.times().len(), 3);

    let script = Script::new([stream([send("data: a\n\n")])]);
    let mut source = script
        .source()
        .until("[DONE]")
        .reconnect_when(Reconnect::Never);
    assert_eq!(
        all(&mut source).await.last().unwrap(),
        "failed: the event stream ended without its terminator (closed)"
    );
}

fn with_headers(headers: &[(&str, &str)]) -> Answer {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Answer::Response(response.body(Acts::new([send("data: a\n\n")])).unwrap())
}

#[tokio::test(start_paused = true)]
async fn of_two_types_the_last_counts() {
    let (html, sse) = (
        ("content-type", "text/html"),
        ("content-type", "text/event-stream"),
    );
    for (headers, opens) in [
        (&[html, sse][..], true),
        (&[sse, html], false),
        (&[sse, ("content-type", "nonsense")], true),
        (&[sse, ("content-type", "*/*")], true),
        (&[("content-type", "text/html, text/event-stream")], true),
        (&[("content-type", "text/event-stream, text/html")], false),
        (
            &[("content-type", "text/event-stream;x=\", text/html\"")],
            true,
        ),
    ] {
        let mut source = Script::new([with_headers(headers)]).source();
        let event = source.next().await.unwrap();
        assert_eq!(matches!(event, SourceEvent::Open(_)), opens, "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoding_that_nothing_has_decoded_is_named() {
    for encoding in ["gzip", "br", "zstd", "identity, gzip", "Zstd"] {
        let headers = [
            ("content-type", "text/event-stream"),
            ("content-encoding", encoding),
        ];
        let mut source = Script::new([with_headers(&headers)]).source();
        assert_eq!(
            say(&source.next().await.unwrap()),
            format!(
                "failed: the response is not an event stream: 200 OK with Content-Encoding \
                 \"{encoding}\", not decoded"
            )
        );
    }
    for encoding in ["identity", "IDENTITY", "", "identity, identity"] {
        let headers = [
            ("content-type", "text/event-stream"),
            ("content-encoding", encoding),
        ];
        let mut source = Script::new([with_headers(&headers)]).source();
        assert!(
            matches!(source.next().await, Some(SourceEvent::Open(_))),
            "{encoding}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_may_be_a_date_and_is_spread() {
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        let mut waits = Vec::new();
        for _ in 0..20 {
            let answer = Response::builder()
                .status(503)
                .header("date", "Sun, 06 Nov 1994 08:47:37 GMT")
                .header("retry-after", date);
            let script = Script::new([Answer::Response(answer.body(Acts::new([])).unwrap())]);
            all(&mut script.source().retry_server_errors()).await;
            waits.push(script.times()[1]);
        }
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(120), "{waits:?}");
        assert!(*most <= Duration::from_millis(240_001), "{waits:?}");
        assert!(*most - *least > Duration::from_secs(30), "{waits:?}");
    }
}

/// Each error and its sources, none of which says what another has said.
#[tokio::test(start_paused = true)]
async fn no_error_repeats_its_cause() {
    let script = Script::new([
        Answer::Refuse,
        stream([Act::Break]),
        stream([send("da")]),
        stream([send("id: \u{1}\n\n")]),
        status(503),
        stream([send("data: too long, much too long\n\n")]),
        Answer::Hang,
    ]);
    let mut source = script
        .source()
        .retry_server_errors()
        .idle_timeout(Duration::from_secs(30))
        .max_event_len(20)
        .max_tries(7);
    let mut seen = 0;
    while let Some(event) = source.next().await {
        let (SourceEvent::Error(error) | SourceEvent::Failed(error)) = event else {
            continue;
        };
        seen += 1;
        let mut texts = vec![error.to_string()];
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        for (n, text) in texts.iter().enumerate() {
            let others = texts.iter().enumerate().filter(|(m, _)| *m != n);
            assert!(
                others
                    .into_iter()
                    .all(|(_, other)| !other.contains(text.as_str())),
                "{texts:?}"
            );
        }
    }
    assert!(seen >= 8, "{seen}");
    let idle = ClientError::Idle(Duration::from_secs(30));
    assert_eq!(idle.to_string(), "no data received for 30 s");
}

/// The prompt of a language model is paid for each time.
#[tokio::test(start_paused = true)]
async fn a_post_without_its_terminator_is_not_repeated() {
    let script = Script::new([stream([send("data: a\n\n")])]);
    let mut post = request();
    *post.method_mut() = Method::POST;
    let mut source = EventSource::new(script.clone(), post).until("[DONE]");
    let all = all(&mut source).await;
    assert_eq!(
        all.last().unwrap(),
        "failed: the event stream ended without its terminator (closed)"
    );
    assert_eq!(script.times().len(), 1);
}
