//! Whether a stream was cut in the middle of an event.

use bytes::Bytes;
use tower_sse::Decoder;

use crate::support::chunks;

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
