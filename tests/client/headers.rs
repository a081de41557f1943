use futures_util::StreamExt;
use http::header::{ACCEPT, CACHE_CONTROL};
use tower_sse::client::{ClientError, SourceEvent};
use tower_sse::{EventId, EventSource};

use crate::script::{Script, all, request, send, stream};

fn ids(ids: &[Option<String>]) -> Vec<Option<&str>> {
    ids.iter().map(Option::as_deref).collect()
}

// Clauses: request
#[tokio::test(start_paused = true)]
async fn the_request_is_sent_again_as_it_was() {
    let script = Script::new([stream([]), stream([])]);
    all(&mut script.source()).await;
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    for asked in &*asked {
        let request = &asked.request;
        assert_eq!(
            (request.method().as_str(), request.uri().path()),
            ("POST", "/feed")
        );
        assert_eq!(request.body(), "question");
        assert_eq!(request.headers()["x-mine"], "yes");
        assert_eq!(request.headers()[ACCEPT], "text/event-stream");
        assert_eq!(request.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(request.headers().len(), 3);
    }
}

// Clauses: resume, id-persists
#[tokio::test(start_paused = true)]
async fn the_last_event_id_is_kept() {
    let script = Script::new([
        stream([send("data: a\n\n")]),
        stream([send(
            "id: 1\ndata: b\n\ndata: c\n\nid: 2\ndata: unfinished\n",
        )]),
        stream([send("data: d\n\n")]),
        stream([send("id: ключ\n\n")]),
        stream([send("id: 3\0\n\n: x\n\n")]),
        stream([send("id\n\n")]),
    ]);
    all(&mut script.source()).await;
    assert_eq!(
        ids(&script.last_event_ids()),
        [
            None,
            None,
            Some("1"),
            Some("1"),
            Some("ключ"),
            Some("ключ"),
            None
        ]
    );
}

// Clauses: id-across-connections
#[tokio::test(start_paused = true)]
async fn events_have_the_last_event_id() {
    let script = Script::new([
        stream([send("id: 1\ndata: a\n\n")]),
        stream([send("data: b\n\n")]),
    ]);
    let mut messages = script.source().into_messages();
    for _ in 0..2 {
        let message = messages.next().await.unwrap().unwrap();
        assert_eq!(message.last_event_id(), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn there_may_be_one_from_before() {
    let script = Script::new([]);
    let mut source = script.source().resume_after(EventId::from(41u64));
    all(&mut source).await;
    let mut request = request();
    request
        .headers_mut()
        .insert("last-event-id", "40".parse().unwrap());
    all(&mut EventSource::new(script.clone(), request)).await;
    assert_eq!(ids(&script.last_event_ids()), [Some("41"), Some("40")]);
}

// Clauses: unsendable-id
#[tokio::test(start_paused = true)]
async fn an_id_that_no_header_can_hold_is_reported() {
    let script = Script::new([
        stream([send("id: \u{1b}[31m\ndata: a\n\n")]),
        stream([send("data: b\n\n")]),
        stream([send("id: 2\ndata: c\n\n")]),
    ]);
    let mut source = script.source();
    let mut unsendable = Vec::new();
    let mut data = String::new();
    while let Some(event) = source.next().await {
        match event {
            SourceEvent::Message(event) => data.push_str(event.data()),
            SourceEvent::Error(ClientError::UnsendableId(id)) => unsendable.push(id),
            _ => {}
        }
    }
    assert_eq!(data, "abc");
    assert_eq!(
        unsendable,
        [(); 2].map(|()| EventId::from_static("\u{1b}[31m"))
    );
    assert_eq!(ids(&script.last_event_ids()), [None, None, None, Some("2")]);
}
