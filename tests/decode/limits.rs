use bytes::Bytes;
use tower_sse::Decoder;
use tower_sse::protocol::{Limit, LimitExceeded};

use crate::support::chunks;

/// Events and errors in order.
fn outcome(mut decoder: Decoder, chunks: &[Bytes]) -> Vec<Result<String, LimitExceeded>> {
    let mut out = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(item) = decoder.decode(&mut chunk).transpose() {
            out.push(item.map(|event| event.data().to_owned()));
        }
        assert!(chunk.is_empty());
    }
    out
}

/// The same outcome however the stream is cut; errors as the limits they name.
#[track_caller]
fn every_way(decoder: &Decoder, stream: &str) -> Vec<Result<String, Limit>> {
    let whole = outcome(
        decoder.clone(),
        &[Bytes::copy_from_slice(stream.as_bytes())],
    );
    for size in 1..=stream.len() {
        let cut = outcome(decoder.clone(), &chunks::of(size, stream.as_bytes()));
        assert_eq!(cut, whole, "chunks of {size}");
    }
    whole
        .into_iter()
        .map(|item| item.map_err(|error| error.limit()))
        .collect()
}

fn ok(data: &str) -> Result<String, Limit> {
    Ok(data.to_owned())
}

// Clauses: limits
#[test]
fn a_line_of_exactly_the_limit_passes() {
    let decoder = Decoder::new().max_line_len(7);
    assert_eq!(
        every_way(&decoder, "data: a\n\ndata: bb\n\ndata: c\r\n\r\n"),
        [ok("a"), Err(Limit::Line), ok("c")]
    );
}

// Clauses: limits
#[test]
fn an_event_of_exactly_the_limit_passes() {
    let decoder = Decoder::new().max_event_len(15);
    let stream = "data: a\ndata: b\n\ndata: a\ndata: bb\n\ndata: c\n\n";
    assert_eq!(
        every_way(&decoder, stream),
        [ok("a\nb"), Err(Limit::Event), ok("c")]
    );
}

#[test]
fn lines_that_are_not_kept_have_a_limit_too() {
    let decoder = Decoder::new().max_line_len(10);
    for line in [":2345678901", "xdata678901", "x:345678901", "12345678901"] {
        assert_eq!(
            every_way(&decoder, &format!("data: a\n{line}\n\ndata: b\n\n")),
            [Err(Limit::Line), ok("b")]
        );
    }
}

#[test]
fn fields_of_an_event_count_and_nothing_else() {
    let decoder = Decoder::new().max_event_len(30);
    for line in ["data", "data: a", "id: 1", "id: \0", "event: x", "retry: 1"] {
        let lines = format!("{line}\n").repeat(20);
        assert_eq!(
            every_way(&decoder, &format!("{lines}\ndata: b\n\n")),
            [Err(Limit::Event), ok("b")]
        );
    }
    for line in [":", ": ping", "xdata: a", "datas", "dat"] {
        let lines = format!("{line}\n").repeat(20);
        assert_eq!(
            every_way(&decoder, &format!("{lines}data: a\n{lines}data: b\n\n")),
            [ok("a\nb")]
        );
    }
}

#[test]
fn seventeen_mebibytes_of_comments_use_up_nothing() {
    let comments = Bytes::from(": ping\n".repeat(17 * 1024 * 1024 / 7));
    let chunk = Bytes::from_static;
    for chunks in [
        vec![comments.clone(), chunk(b"data: x\n\n")],
        vec![chunk(b"data: x\n"), comments, chunk(b"\n")],
    ] {
        assert_eq!(outcome(Decoder::new(), &chunks), [Ok("x".to_owned())]);
    }
}

#[test]
fn the_limit_met_first_is_named() {
    let decoder = Decoder::new().max_line_len(10).max_event_len(15);
    assert_eq!(every_way(&decoder, "data: abcdef\n\n"), [Err(Limit::Line)]);
    assert_eq!(
        every_way(&decoder, "data: a\ndata: bcdefgh\n\n"),
        [Err(Limit::Event)]
    );
}

#[test]
fn what_is_dropped_moves_nothing() {
    let mut decoder = Decoder::new().max_line_len(9);
    let mut chunk = Bytes::from("id: 1\n\nid: 2\ndata: too long\nid: 3\nretry: 4\n");
    let error = decoder.decode(&mut chunk).unwrap_err();
    assert_eq!((error.limit(), error.max()), (Limit::Line, 9));
    assert!(decoder.is_skipping());
    assert!(decoder.decode(&mut chunk).unwrap().is_none());
    assert!(decoder.is_skipping());
    let mut rest = Bytes::from("event: x\n\ndata: y\n\n");
    let event = decoder.decode(&mut rest).unwrap().unwrap();
    assert!(!decoder.is_skipping());
    assert_eq!(
        (event.event_type(), event.last_event_id()),
        ("message", "1")
    );
    assert_eq!(decoder.reconnection_time(), None);
}

#[test]
fn an_endless_line_is_one_error_and_no_memory() {
    let mut decoder = Decoder::new().max_line_len(1_000);
    let mut errors = 0;
    for _ in 0..10_000 {
        let mut chunk = Bytes::from_static(&[b'x'; 1_000]);
        errors += usize::from(decoder.decode(&mut chunk).is_err());
        assert!(decoder.decode(&mut chunk).unwrap().is_none());
    }
    assert_eq!(errors, 1);
    decoder.end();
    let mut chunk = Bytes::from("data: next stream\n\n");
    assert!(decoder.decode(&mut chunk).unwrap().is_some());
}

#[test]
fn sixteen_mebibytes_pass_by_default() {
    let line = |len: usize| [b"data: ", &vec![b'x'; len - 6][..], b"\n\n"].concat();
    let max = 16 * 1024 * 1024;
    let events = outcome(Decoder::new(), &chunks::of(64 * 1024, &line(max)));
    assert_eq!(events[0].as_ref().unwrap().len(), max - 6);
    let errors = outcome(Decoder::new(), &chunks::of(64 * 1024, &line(max + 1)));
    let error = errors[0].clone().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a line is longer than the limit of 16777216 bytes"
    );
    assert_eq!(errors.len(), 1);
}
