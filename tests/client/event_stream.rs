use std::collections::VecDeque;
use std::error::Error;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use futures_util::stream::{self, FusedStream, StreamExt};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tower_sse::body::EventStreamError;
use tower_sse::timer::TokioTimer;
use tower_sse::{Decoder, EventId, EventStream};

use crate::script::{Act, Acts, send};
use crate::support::chunks;
use crate::support::rng::Rng;

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

fn response(
    status: u16,
    content_type: &str,
    acts: impl IntoIterator<Item = Act>,
) -> Response<Acts> {
    let response = Response::builder().status(status);
    let response = response.header(CONTENT_TYPE, content_type);
    response.body(Acts::new(acts)).unwrap()
}

const SSE: &str = "text/event-stream; charset=utf-8";

#[tokio::test(start_paused = true)]
async fn a_response_is_checked() {
    let good = response(200, SSE, [send("data: a\n\n")]);
    let mut events = EventStream::from_response(good).await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().data(), "a");

    for (status, content_type, said) in [
        (404, SSE, "404 Not Found"),
        (204, SSE, "204 No Content"),
        (201, SSE, "201 Created"),
        (200, "text/html", "200 OK with Content-Type \"text/html\""),
    ] {
        let acts = [
            send("be"),
            Act::Wait(Duration::from_secs(60)),
            send("cause"),
        ];
        let rejection = EventStream::from_response(response(status, content_type, acts))
            .await
            .unwrap_err();
        assert_eq!(
            rejection.to_string(),
            format!("the response is not an event stream: {said}")
        );
        assert_eq!(rejection.body(), "because");
    }

    let mut encoded = response(200, SSE, [send("\u{1f}"), Act::Stall]);
    encoded
        .headers_mut()
        .insert(CONTENT_ENCODING, "br".parse().unwrap());
    let rejection = EventStream::from_response(encoded).await.unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "the response is not an event stream: 200 OK with Content-Encoding \"br\", not decoded",
    );
    assert!(rejection.body().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_body_is_bounded() {
    const MUCH: &[u8] = &[b'x'; 3_000];
    let much = response(500, SSE, (0..1_000).map(|_| Act::Send(MUCH)));
    let rejection = EventStream::from_response(much).await.unwrap_err();
    assert_eq!(rejection.body().len(), 4_096);

    let start = tokio::time::Instant::now();
    let stalls = response(500, SSE, [send("half"), Act::Stall]);
    let rejection = EventStream::from_response_with_timer(stalls, TokioTimer)
        .await
        .unwrap_err();
    assert_eq!(rejection.body(), "half");
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[tokio::test]
async fn chunks_of_any_type_and_cut_anywhere() {
    let text = "\u{feff}id: 1\ndata: grüße\ndata: 🦀\n\nevent: x\r\ndata: b\r\n\r\ndata: c\n\n";
    let expected: Vec<_> = EventStream::new(http_body_util::Full::<Bytes>::from(text))
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(expected.len(), 3);
    let mut rng = Rng::new(7);
    for _ in 0..500 {
        let chunks = chunks::random(&mut rng, 9, text.as_bytes());
        let vecs = chunks
            .iter()
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
        let events = EventStream::from_stream(stream::iter(vecs));
        let events: Vec<_> = events.map(Result::unwrap).collect().await;
        assert_eq!(events, expected);
    }
    let strings = stream::iter([Ok("data: a\n".to_owned()), Ok("\n".to_owned()), Err("gone")]);
    let mut events = EventStream::from_stream(strings);
    assert_eq!(events.next().await.unwrap().unwrap().data(), "a");
    assert!(matches!(
        events.next().await,
        Some(Err(EventStreamError::Body("gone")))
    ));
    assert!(events.next().await.is_none());
}

/// Whether a text ends inside an event, by looking at its lines.
fn is_cut(text: &str) -> bool {
    let block = text.rsplit_once("\n\n").map_or(text, |(_, rest)| rest);
    let (lines, unfinished) = block.rsplit_once('\n').unwrap_or(("", block));
    let counts = |line: &str| ["data", "event", "id"].contains(&line.split(':').next().unwrap());
    let is_comment = unfinished.is_empty() || unfinished.starts_with(':');
    lines.lines().any(counts) || !is_comment
}

#[tokio::test]
async fn a_cut_is_told_at_every_byte() {
    let text = "data: a\n\n: beat\nretry: 5\nid: 7\ndata: b\n\nevent: x\ndata\n\n:\nretry: 9\n";
    for at in 0..=text.len() {
        let body = http_body_util::Full::<Bytes>::from(&text.as_bytes()[..at]);
        let mut events = EventStream::new(body);
        while events.next().await.is_some() {}
        assert_eq!(events.was_cut(), is_cut(&text[..at]), "{:?}", &text[..at]);
    }
    // A body that fails is told as well.
    for (acts, cut) in [
        ([send("data: a\n\n"), Act::Break], false),
        ([send("data: a"), Act::Break], true),
    ] {
        let mut events = EventStream::new(Acts::new(acts));
        assert!(!events.was_cut());
        while events.next().await.is_some() {}
        assert_eq!(events.was_cut(), cut);
    }
}

#[tokio::test]
async fn a_terminator_ends_it() {
    let collect = async |text: &'static str, by_type: bool| {
        let events = EventStream::new(Acts::new([send(text), Act::Break]));
        let events = if by_type {
            events.until_type("done")
        } else {
            events.until("[DONE]")
        };
        let events = events.map(|event| match event {
            Ok(event) => event.data().to_owned(),
            Err(error) => error.to_string(),
        });
        events.collect::<Vec<_>>().await
    };
    assert_eq!(
        collect("data: a\n\ndata: [DONE]\n\ndata: b\n\n", false).await,
        ["a"]
    );
    assert_eq!(
        collect("data: a\n\nevent: done\ndata: {}\n\ndata: b\n\n", true).await,
        ["a"]
    );
    let failed = "the event stream's body failed";
    for near in [
        "data: [DONE]\n",
        "data:  [DONE]\n\n",
        "data: [DONE]\ndata\n\n",
        "event: [DONE]\n\n",
    ] {
        assert_eq!(collect(near, false).await.last().unwrap(), failed);
    }

    let whole = EventStream::new(Acts::new([send("data: a\n\n")])).until("[DONE]");
    let all: Vec<_> = whole.collect().await;
    assert!(matches!(
        &all[..],
        [Ok(_), Err(EventStreamError::Unterminated)]
    ));
}
