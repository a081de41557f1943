//! Whether a stream was cut in the middle of an event.

use bytes::Bytes;
use tower_sse::Decoder;

use crate::random::{at_ends, blocks};
use crate::support::chunks;
use crate::support::oracle::MAX_ID;
use crate::support::rng::Rng;

#[track_caller]
fn check(stream: impl AsRef<[u8]>, cut: bool) {
    let stream = stream.as_ref();
    for chunks in chunks::every_split(stream).chain([chunks::of(1, stream)]) {
        for comments in [false, true] {
            let mut decoder = Decoder::new();
            for chunk in &chunks {
                let mut chunk = chunk.clone();
                if comments {
                    while decoder.decode_with_comments(&mut chunk).unwrap().is_some() {}
                } else {
                    while decoder.decode(&mut chunk).unwrap().is_some() {}
                }
            }
            assert_eq!(decoder.is_inside_event(), cut, "{chunks:?}, {comments}");
            decoder.end();
            assert!(!decoder.is_inside_event());
        }
    }
}

#[test]
fn whole_events_and_what_stands_between_them_are_not_cut() {
    for stream in [
        "",
        "\u{feff}",
        "\n",
        "\r",
        ":",
        ": heartb",
        ":\n",
        ":\r\n: alive\r\n",
        ":\nretry: 2000\n",
        "x: y\n",
        "data: x\n\n",
        "data: x\r\r",
        "data: x\r\n\r\n",
        "id: 1\n\n",
        "data: x\n\n:\n",
        "data: x\n\n:\nretry: 2000\n",
        "data: x\n\n: cut comm",
        // Ignored, as are fields of other names.
        "id: \0\n",
        "id: \0\r",
        "dat: x\r\nidx: 7\r\n",
    ] {
        check(stream, false);
    }
}

#[test]
fn fields_and_unfinished_lines_are() {
    for stream in [
        "d",
        "data",
        "data: x",
        "data: x\n",
        "data: x\r\n",
        "data\n",
        "data: x\n:\n",
        "data: x\n: cut comm",
        "event: x\n",
        "id: 1\n",
        "id\n",
        "id\r",
        "dat\rid: 1\n",
        "dat\r\nid: 1\r\n",
        "retry: 20",
        "x",
        "x: ",
        "a long unknown name",
        ":\nretry: 2000\nid: 1\n",
        "data: x\n\nda",
        "data: x\n\ndata: [DONE]\n",
    ] {
        check(stream, true);
    }
    check(b"\xEF\xBB", true);
    check(b"\xEF\xBBx", true);
}

#[test]
fn an_event_that_is_being_skipped_is() {
    let mut decoder = Decoder::new().max_line_len(7);
    let mut chunk = Bytes::from("data: too long\n");
    assert!(decoder.decode(&mut chunk).is_err());
    assert!(decoder.decode(&mut chunk).unwrap().is_none());
    assert!(decoder.is_inside_event());
    let mut chunk = Bytes::from("\n");
    assert!(decoder.decode(&mut chunk).unwrap().is_none());
    assert!(!decoder.is_inside_event());
}

/// Whether something that matters stands after the last empty line.
fn is_cut(stream: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stream);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (finished, unfinished) = text.rsplit_once('\n').unwrap_or(("", &text));
    let block = finished.rsplit('\n').take_while(|line| !line.is_empty());
    let mut matters = !unfinished.is_empty() && !unfinished.starts_with(':');
    for line in block {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        matters |= match name {
            "data" | "event" => true,
            "id" => !value.contains('\0') && value.len() <= MAX_ID,
            _ => false,
        };
    }
    matters
}

#[test]
fn any_stream_cut_anywhere() {
    let mut cut = 0;
    for seed in 0..10_000 {
        let mut rng = Rng::new(seed);
        let mut stream = blocks(&mut rng);
        stream.truncate(rng.below(stream.len() + 1));
        let mut decoder = Decoder::new();
        let chunks = match rng.one_in(2) {
            true => chunks::random(&mut rng, 20, &stream),
            false => at_ends(&mut rng, &stream),
        };
        for mut chunk in chunks {
            while decoder.decode(&mut chunk).unwrap().is_some() {}
        }
        let wanted = is_cut(&stream);
        cut += usize::from(wanted);
        assert_eq!(decoder.is_inside_event(), wanted, "{stream:?}");
    }
    assert!((2_000..8_000).contains(&cut), "{cut} of 10,000");
}
