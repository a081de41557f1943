//! What readers make of heartbeats and preludes: nothing at all, whatever they have seen before.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use tower_sse::body::KeepAliveBody;
use tower_sse::{Block, Decoder, Event, EventId, KeepAlive, Prelude, SseBody};

use crate::support::oracle::{Message, interpret};

const SECOND: Duration = Duration::from_secs(1);

/// An event of the ID 7, or after that one.
fn message(data: &str, id: Option<&str>) -> Message {
    Message {
        event_type: "message".to_owned(),
        data: data.to_owned(),
        last_event_id: "7".to_owned(),
        id: id.map(str::to_owned),
        retry: None,
    }
}

/// The events of a stream, by our decoder and by the standard's letter, and the reconnection time.
fn read(stream: &Bytes) -> (Vec<Message>, Option<u64>) {
    let mut decoder = Decoder::new();
    let mut chunk = stream.clone();
    let mut events = Vec::new();
    while let Some(event) = decoder.decode(&mut chunk).unwrap() {
        let mut message = message(event.data(), event.id());
        message.event_type = event.event_type().to_owned();
        message.last_event_id = event.last_event_id().to_owned();
        let retry = event.retry();
        message.retry = retry.map(|time| u64::try_from(time.as_millis()).unwrap());
        events.push(message);
    }
    let retry = decoder.reconnection_time();
    let retry = retry.map(|time| u64::try_from(time.as_millis()).unwrap());
    let oracle = interpret(stream);
    assert_eq!(
        (&oracle.events, oracle.reconnection_time),
        (&events, retry),
        "{stream:?}"
    );
    (events, retry)
}

/// What openai 3.52, anthropic 2.11 and httpx-sse 0.4.3 for Python do at an empty line: an event
/// unless event type, data, last event ID and retry are all empty, and the ID stays.
fn empty_lines_that_dispatch_by_mistake(stream: &Bytes) -> usize {
    let (mut any, mut has_id, mut has_data, mut mistakes) = (false, false, false, 0);
    for line in std::str::from_utf8(stream).unwrap().lines() {
        match line.split_once(':') {
            Some(("data", _)) => (any, has_data) = (true, true),
            Some(("id", id)) => has_id = !id.trim().is_empty(),
            Some(("event" | "retry", _)) => any = true,
            _ if line.is_empty() => {
                mistakes += usize::from((any || has_id) && !has_data);
                (any, has_data) = (false, false);
            }
            _ => {}
        }
    }
    mistakes
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_events_is_dispatched() {
    for prelude in [
        None,
        Some(Prelude::new()),
        Some(Prelude::new().retry(2 * SECOND)),
        Some(Prelude::new().retry(2 * SECOND).padding()),
    ] {
        for keep_alive in [KeepAlive::new(), KeepAlive::new().text("still\nhere")] {
            let events = async_stream([Event::new("a").with_id(7u64), Event::new("b")]);
            let body = SseBody::new(events)
                .keep_alive(keep_alive)
                .prelude(prelude.clone());
            let stream = body.collect().await.unwrap().to_bytes();
            let beats = stream.windows(2).filter(|w| w == b"\n:").count();
            assert!(beats >= 6, "{stream:?}");
            let (events, retry) = read(&stream);
            let mut first = message("a", Some("7"));
            first.retry = retry;
            assert_eq!(events, [first, message("b", None)]);
            let has_retry = stream.starts_with(b":\nretry") || stream.starts_with(b":  ");
            assert_eq!(retry, has_retry.then_some(2000), "{stream:?}");
            assert_eq!(empty_lines_that_dispatch_by_mistake(&stream), 0);
        }
    }
}

/// One event after each minute of silence, and a minute before the end.
fn async_stream<const N: usize>(events: [Event; N]) -> impl futures_core::Stream<Item = Event> {
    use futures_util::StreamExt;
    let minute = || async { tokio::time::sleep(60 * SECOND).await };
    let events = futures_util::stream::iter(events).then(move |event| async move {
        minute().await;
        event
    });
    let end = futures_util::stream::once(minute()).filter_map(|()| async { None });
    Box::pin(events.chain(end))
}

#[tokio::test(start_paused = true)]
async fn foreign_streams_get_no_empty_lines() {
    use futures_util::StreamExt;
    let frames = async_stream([Event::new("a").with_id(7u64), Event::new("b\nc")]);
    let frames = frames.map(|event| {
        let bytes = event.encode().into_bytes();
        Ok::<_, Infallible>(http_body::Frame::data(bytes))
    });
    let keep_alive = KeepAlive::new().text("proxy");
    let body = KeepAliveBody::new(StreamBody::new(frames), keep_alive);
    let stream = body.collect().await.unwrap().to_bytes();
    assert!(stream.ends_with(b": proxy\n: proxy\n"), "{stream:?}");
    let (events, _) = read(&stream);
    assert_eq!(events, [message("a", Some("7")), message("b\nc", None)]);
    assert_eq!(empty_lines_that_dispatch_by_mistake(&stream), 0);
}

#[test]
fn heartbeats_join_the_block_that_follows() {
    let block = Block::write(|out| {
        out.push(Block::HEARTBEAT);
        out.id(&EventId::from_static("7")).data("x");
        out.push(Block::HEARTBEAT);
        out.push(Block::HEARTBEAT);
        out.data("y");
    });
    assert_eq!(block, ":\nid: 7\ndata: x\n\n:\n:\ndata: y\n\n");
    let (events, _) = read(&block.into_bytes());
    assert_eq!(events, [message("x", Some("7")), message("y", None)]);
}
