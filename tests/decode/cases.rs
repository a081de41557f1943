//! Every case on which a published decoder fails, and the standard's own.
//!
//! What is wanted stands here by hand; `check_every_way` holds it against the oracle as well.

use bytes::Bytes;

use crate::heard::{check, check_every_way};
use crate::support::oracle::interpret;

/// `(type, data, last event ID)` of each event.
#[track_caller]
fn events(stream: impl AsRef<[u8]>, wanted: &[(&str, &str, &str)]) {
    let heard = check_every_way(stream.as_ref());
    let events: Vec<_> = heard
        .events
        .iter()
        .map(|event| (&*event.event_type, &*event.data, &*event.last_event_id))
        .collect();
    assert_eq!(events, wanted);
}

/// The data of each event.
#[track_caller]
fn data(stream: impl AsRef<[u8]>, wanted: &[&str]) {
    let heard = check_every_way(stream.as_ref());
    let data: Vec<_> = heard.events.iter().map(|event| &*event.data).collect();
    assert_eq!(data, wanted);
}

#[track_caller]
fn last_event_id(stream: impl AsRef<[u8]>, wanted: &str) {
    assert_eq!(check_every_way(stream.as_ref()).last_event_id, wanted);
}

#[track_caller]
fn retry(stream: impl AsRef<[u8]>, wanted: Option<u64>) {
    assert_eq!(check_every_way(stream.as_ref()).reconnection_time, wanted);
}

// Clauses: line-ends
#[test]
fn line_ends() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = [
            "event: e", "data: a", "data: b", "id: 1", "", "data: c", "", "",
        ]
        .join(end);
        events(stream, &[("e", "a\nb", "1"), ("message", "c", "1")]);
    }
    // Each LF after a CR belongs to it; a second one does not.
    data(
        "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\n\r\n",
        &["a", "b", "c", "d"],
    );
    data("\r\n\r\r\n\ndata: a\n\r", &["a"]);
    data("data: a\r\rdata: b\r\n\r\ndata: c\n\n", &["a", "b", "c"]);
    // No other character ends a line.
    data(
        "data: a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}f\n\n",
        &["a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}f"],
    );
}

// Clauses: line-ends
#[test]
fn a_cr_dispatches_at_once() {
    let mut decoder = tower_sse::Decoder::new();
    let mut first = Bytes::from_static(b"data: a\r\r");
    assert_eq!(decoder.decode(&mut first).unwrap().unwrap().data(), "a");
    let mut second = Bytes::from_static(b"\ndata: b\r\n\r");
    assert_eq!(decoder.decode(&mut second).unwrap().unwrap().data(), "b");
    let mut nothing = Bytes::new();
    assert!(decoder.decode(&mut nothing).unwrap().is_none());
    let mut third = Bytes::from_static(b"\ndata: c\n\n");
    assert_eq!(decoder.decode(&mut third).unwrap().unwrap().data(), "c");
}

// Clauses: byte-order-mark
#[test]
fn byte_order_mark() {
    data("\u{feff}data: a\n\n", &["a"]);
    data("\u{feff}\ndata: a\n\n", &["a"]);
    data("\u{feff}:\ndata: a\n\n", &["a"]);
    // The second one is part of a name.
    data("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]);
    data("\u{feff}\u{feff}data: a\ndata: b\n\n", &["b"]);
    // A late one as well.
    data("data: a\n\n\u{feff}data: b\n\n", &["a"]);
    data("\n\u{feff}data: b\ndata: c\n\n", &["c"]);
    data("data: \u{feff}a\n\n", &["\u{feff}a"]);
    // Parts of one are not one.
    data(b"\xEFdata: a\ndata: b\n\n", &["b"]);
    data(b"\xEF\xBBdata: a\ndata: b\n\n", &["b"]);
    data(b"\xEF\xBB\ndata: b\n\n", &["b"]);
    data(b"\xEF\r\r\ndata: b\n\n", &["b"]);
    data(b"\xEF\xBB\xBB\xBFdata: a\ndata: b\n\n", &["b"]);
    data(b"\xEF\xBB", &[]);
}

// Clauses: utf-8
#[test]
fn utf_8() {
    events(
        "event: größe\nid: ключ\ndata: 日本語 🦀\n\n",
        &[("größe", "日本語 🦀", "ключ")],
    );
    events(
        b"event: \xFF\nid: \xFFb\ndata: a\n\n",
        &[("\u{fffd}", "a", "\u{fffd}b")],
    );
    // Maximal subparts: one U+FFFD each, as the Encoding standard has it.
    data(b"data: \xF0\x9F\xA6\n\n", &["\u{fffd}"]);
    data(b"data: \xF0\x9F\xA6x\n\n", &["\u{fffd}x"]);
    data(
        b"data: \xF0\x9F\n\ndata: \xA6\x80\n\n",
        &["\u{fffd}", "\u{fffd}\u{fffd}"],
    );
    data(b"data: \xC0\xAF\n\n", &["\u{fffd}\u{fffd}"]);
    data(b"data: \xE0\x80\xAF\n\n", &["\u{fffd}\u{fffd}\u{fffd}"]);
    data(b"data: \xED\xA0\x80\n\n", &["\u{fffd}\u{fffd}\u{fffd}"]);
    data(
        b"data: \xF4\x90\x80\x80\n\n",
        &["\u{fffd}\u{fffd}\u{fffd}\u{fffd}"],
    );
    data(b"data: \xF5\xE2\x82\n\n", &["\u{fffd}\u{fffd}"]);
    data(b"data: \x80\ndata: ok\n\n", &["\u{fffd}\nok"]);
    // A cut sequence takes no line end, no colon and no space with it.
    data(b"data: a\xE2\x82\r\n\r\n", &["a\u{fffd}"]);
    data(b"data\xE2: a\ndata: b\n\n", &["b"]);
    data(b"data:\xE2 a\n\n", &["\u{fffd} a"]);
}

// Clauses: field-id, id-persists, id-without-data
#[test]
fn ids() {
    events(
        "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\ndata: d\n\n",
        &[
            ("message", "a", "1"),
            ("message", "b", "1"),
            ("message", "c", ""),
            ("message", "d", ""),
        ],
    );
    events(
        "id: 1\ndata: a\n\nid:\ndata: b\n\n",
        &[("message", "a", "1"), ("message", "b", "")],
    );
    // A block without data moves the last event ID and dispatches nothing.
    events("id: 7\n\ndata: a\n\n", &[("message", "a", "7")]);
    last_event_id("id: 7\n\n", "7");
    // Only an empty line does.
    last_event_id("id: 7\n\nid: 8\n", "7");
    // The last one counts, and one with a NUL does not.
    last_event_id("id: 1\nid: 2\n\n", "2");
    last_event_id("id: 1\nid: 2\0\n\n", "1");
    last_event_id("id: 1\n\nid: \0\n\n", "1");
    last_event_id("id: 1\n\nid: a\0b\ndata: x\n\n", "1");
    last_event_id("id:  two spaces\n\n", " two spaces");
    let long = "7".repeat(300);
    events(
        format!("id: {long}\ndata: a\n\ndata: b\n\n"),
        &[("message", "a", &long), ("message", "b", &long)],
    );
}

// Clauses: long-id
#[test]
fn an_id_that_is_too_long_is_ignored() {
    let longest = "7".repeat(tower_sse::EventId::MAX_LEN);
    last_event_id(format!("id: {longest}\n\n"), &longest);
    last_event_id(format!("id: 1\nid: {longest}7\n\n"), "1");
}

// Clauses: id-without-data
#[test]
fn an_id_alone_is_not_brought_back_later() {
    let chunks = ["id: 8\n\n", "id: 9\ndata: x\n\n", "data: a\ndata: b\n\n"];
    let stream = chunks.concat();
    let chunks = chunks.map(|chunk| Bytes::from_static(chunk.as_bytes()));
    let wanted = interpret(stream.as_bytes());
    assert_eq!(wanted.events[1].last_event_id, "9");
    check(&wanted, &chunks);
}

// Clauses: field-retry, huge-retry
#[test]
fn retry_times() {
    retry("retry: 1500\n\n", Some(1_500));
    retry("retry:1500\n\n", Some(1_500));
    // At once, without an empty line and without data.
    retry("retry: 1500\n", Some(1_500));
    retry("retry: 1500", None);
    retry("retry: 007\n", Some(7));
    retry("retry: 18446744073709551615\n", Some(u64::MAX));
    for ignored in [
        "+5",
        "-5",
        "5a",
        "",
        " 5",
        "5 ",
        "0x5",
        "5.5",
        "1e3",
        "٣",
        "18446744073709551616",
        "\0",
        "5\0",
    ] {
        retry(format!("retry: 3\nretry: {ignored}\n\n"), Some(3));
    }
    retry("retry: 3\nretry\n\n", Some(3));
    retry("Retry: 3\nretry : 4\n\n", None);
    data("retry: 3\ndata: a\n\n", &["a"]);
}

// Clauses: field-event, message, type-resets
#[test]
fn types() {
    events("event: goal\ndata: a\n\n", &[("goal", "a", "")]);
    events("event:\ndata: a\n\n", &[("message", "a", "")]);
    events("event\ndata: a\n\n", &[("message", "a", "")]);
    events("event: x\nevent:\ndata: a\n\n", &[("message", "a", "")]);
    events("event: x\nevent: y\ndata: a\n\n", &[("y", "a", "")]);
    // Without data it is forgotten.
    events("event: x\n\ndata: a\n\n", &[("message", "a", "")]);
    events(
        "event: x\ndata: a\n\ndata: b\n\n",
        &[("x", "a", ""), ("message", "b", "")],
    );
    events("event:  x \ndata: a\n\n", &[(" x ", "a", "")]);
    events("event: a:b\0c\ndata: a\n\n", &[("a:b\0c", "a", "")]);
}

// Clauses: colon, no-colon, field-data, empty-line
#[test]
fn data_lines() {
    data("data: YHOO\ndata: +2\ndata: 10\n\n", &["YHOO\n+2\n10"]);
    data("data\n\ndata\ndata\n\ndata:", &["", "\n"]);
    data("data:test\n\ndata: test\n\n", &["test", "test"]);
    data("data:  test\n\n", &[" test"]);
    data("data:\ttest\n\n", &["\ttest"]);
    data("data: \n\ndata:\n\n", &["", ""]);
    data("data: a\ndata\ndata: \ndata: b\n\n", &["a\n\n\nb"]);
    data("data: a: b\n\ndata::\n\n", &["a: b", ":"]);
    data("data: a\0b\n\n", &["a\0b"]);
    data("data: trailing space \n\n", &["trailing space "]);
}

// Clauses: other-fields
#[test]
fn names() {
    for ignored in [
        "Data: a",
        "DATA: a",
        " data: a",
        "data : a",
        "data\t: a",
        "datas: a",
        "dat: a",
        "d: a",
        "data\0: a",
        "comment: a",
        "comment",
        "x",
        "x: data: a",
        "\u{0}",
        "🦀: a",
        "message: a",
        "ev",
        "event\u{0}: a",
        "a very long name that goes on and on: a",
        "datadatadata",
    ] {
        data(format!("{ignored}\n\n"), &[]);
        data(format!("{ignored}\ndata: b\n\n"), &["b"]);
        data(format!("data: b\n{ignored}\n\n"), &["b"]);
    }
}

// Clauses: comment
#[test]
fn comments() {
    data(": data: a\n\n", &[]);
    data(":\n\n:\n\ndata: a\n:data: b\n\n", &["a"]);
    data(":::\n: :\ndata: a\n:\ndata: b\n\n", &["a\nb"]);
    data(b":\xFF\xC0\n\ndata: a\n\n", &["a"]);
}

// Clauses: end-of-file
#[test]
fn end_of_file_discards() {
    data("data: a\n\ndata: b\n", &["a"]);
    data("data: a\n\ndata: b", &["a"]);
    data("data: a\n", &[]);
    data("", &[]);
    last_event_id("id: 1", "");
}
