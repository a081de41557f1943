use std::collections::VecDeque;
use std::error::Error;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use futures_util::stream::{self, FusedStream, StreamExt};
use http::HeaderMap;
use http_body::Frame;
use http_body_util::StreamBody;
use tower_sse::body::EventStreamError;
use tower_sse::{Decoder, EventId, EventStream};

use crate::script::{Act, Acts, send};
use crate::support::chunks;

#[tokio::test]
async fn bodies_of_any_data() {
    let data = || Bytes::from("data: a\r").chain(Bytes::from("\n\r\ndata: b\n\n"));
    let body = StreamBody::new(stream::iter([Ok::<_, std::io::Error>(Frame::data(data()))]));
    let events: Vec<_> = EventStream::new(body)
        .map(|event| event.unwrap().data().to_owned())
        .collect()
        .await;
    assert_eq!(events, ["a", "b"]);

    let data = VecDeque::from(b"data: a\n\ndata: \xF0\x9F\xA6\x80\n\n".to_vec());
    let body = StreamBody::new(stream::iter([Ok::<_, std::io::Error>(Frame::data(data))]));
    let events: Vec<_> = EventStream::new(body)
        .map(|event| event.unwrap().data().to_owned())
        .collect()
        .await;
    assert_eq!(events, ["a", "🦀"]);
}

#[tokio::test]
async fn a_chain_of_bytes_is_not_copied() {
    let first = Bytes::from(b"data: first\n\n".to_vec());
    let second = Bytes::from(b"data: second\n\n".to_vec());
    let body = StreamBody::new(stream::iter([Ok::<_, std::io::Error>(Frame::data(
        first.clone().chain(second.clone()),
    ))]));
    let mut events = EventStream::new(body);
    for chunk in [first, second] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.data_bytes().as_ptr(), chunk[6..].as_ptr());
    }
}

#[tokio::test]
async fn byte_by_byte_with_trailers_and_empty_frames() {
    let frames = chunks::of(1, b"id: 1\ndata: a\n\nretry: 5\n\ndata: unfinished\n")
        .into_iter()
        .flat_map(|chunk| [Frame::data(chunk), Frame::data(Bytes::new())])
        .chain([Frame::trailers(HeaderMap::new())]);
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, std::io::Error>)));
    let mut events = EventStream::new(body);
    assert_eq!(events.next().await.unwrap().unwrap().data(), "a");
    assert!(!events.is_terminated());
    assert!(events.next().await.is_none());
    assert!(events.is_terminated());
    assert!(events.next().await.is_none());
    assert_eq!(events.last_event_id(), EventId::from(1u64));
    assert_eq!(events.reconnection_time().unwrap().as_millis(), 5);
}

#[tokio::test]
async fn errors_are_told_apart() {
    let body = Acts::new([
        send("data: too long\n\ndata: ok\n\nda"),
        Act::Break,
        send("ta: no\n\n"),
    ]);
    let mut events = EventStream::with_decoder(body, Decoder::new().max_line_len(10));
    let limit = events.next().await.unwrap().unwrap_err();
    assert!(matches!(limit, EventStreamError::Limit(_)));
    assert_eq!(events.next().await.unwrap().unwrap().data(), "ok");
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the event stream's body failed");
    assert_eq!(error.source().unwrap().to_string(), "broken");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_never_ends_lets_others_run() {
    let frames = stream::repeat_with(|| Ok::<_, std::io::Error>(Frame::data(Bytes::from(":\n\n"))));
    let mut events = EventStream::new(StreamBody::new(frames));
    assert!(events.next().now_or_never().is_none());
}
