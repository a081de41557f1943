//! Data and nothing else.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix_web_lab::sse as actix;
use axum::response::sse as axum;
use bytes::Bytes;
use sse_stream::Sse;
use support::Side::{Axum, Floor, Ours, Peer};
use support::events::{Read, check, text};
use support::peers::{russe_bytes, russe_data};
use support::{Case, Text};
use tower_sse::{Block, Data, Event};

use super::{FAR, add, may_have_break, through_actix, through_axum};

fn expected(data: &str) -> Read {
    (String::new(), String::new(), data.to_owned())
}

/// A copy into one exact allocation, of text in which a line break is looked for.
fn floor(text: &str) -> Bytes {
    let text = text.as_bytes();
    assert!(text.len() < FAR);
    let mut out = Vec::with_capacity(text.len() + 8);
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(text);
    out.extend_from_slice(b"\n\n");
    assert!(!may_have_break(text));
    Bytes::from(out)
}

/// The same for several lines: each break is looked for once, and each line is copied once. `memchr`
/// looks for them, with a call for each line: no bound for a search that needs no calls.
fn floor_of_lines(text: &str) -> Bytes {
    let text = text.as_bytes();
    assert!(memchr::memchr(b'\r', text).is_none());
    let mut ends = [0; 64];
    let mut breaks = 0;
    for (end, at) in ends.iter_mut().zip(memchr::memchr_iter(b'\n', text)) {
        *end = at + 1;
        breaks += 1;
    }
    let mut out = Vec::with_capacity(text.len() + 6 * breaks + 8);
    let mut from = 0;
    for end in &ends[..breaks] {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&text[from..*end]);
        from = *end;
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&text[from..]);
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

fn floor_for(text: &str) -> fn(&str) -> Bytes {
    match text.contains('\n') {
        true => floor_of_lines,
        false => floor,
    }
}

/// From a `&str`.
pub(super) fn borrowed(title: &str, data: &str) {
    let (floor, expected) = (floor_for(data), expected(data));
    let data = Text::new(data);
    let mut case = Case::new(title, 1);
    let axum = through_axum(move || axum::Event::default().data(black_box(data.get())));
    add(&mut case, ("axum", Axum), &expected, axum);

    let sse_stream = || Sse::default().data(black_box(data.get())).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);

    let actix = through_actix(move || actix::Data::new(black_box(data.get())));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);

    let russe = || russe_bytes(russe_data(black_box(data.get())));
    add(&mut case, ("russe", Peer), &expected, russe);

    let event = || {
        Event::new(black_box(data.get()).to_owned())
            .encode()
            .into_bytes()
    };
    add(&mut case, ("Event of a String", Ours), &expected, event);

    let event = || Event::new(black_box(data.get())).encode().into_bytes();
    add(&mut case, ("Event of a &str", Ours), &expected, event);

    let fixed = || {
        Event::from_static(black_box(data.get()))
            .encode()
            .into_bytes()
    };
    let name = "Event of a &'static str";
    add(&mut case, (name, Ours), &expected, fixed);

    let block = || Block::write(|out| out.data(black_box(data.get()))).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);

    let of_string = move || {
        let text = black_box(data.get()).to_owned();
        floor(&text)
    };
    add(&mut case, ("floor, String", Floor), &expected, of_string);
    let least = move || floor(black_box(data.get()));
    add(&mut case, ("floor", Floor), &expected, least);
    case.run();
}

/// From a `String` that is made within the time, as `format!` makes one, and given away.
pub(super) fn owned(title: &str, data: &str) {
    let (floor, expected) = (floor_for(data), expected(data));
    let data = Text::new(data);
    let owned = move || black_box(data.get()).to_owned();
    let mut case = Case::new(title, 1);
    let axum = through_axum(move || axum::Event::default().data(owned()));
    add(&mut case, ("axum", Axum), &expected, axum);

    let sse_stream = || Sse::default().data(owned()).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);

    let actix = through_actix(move || actix::Data::new(owned()));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);

    let russe = || russe_bytes(russe_data(owned()));
    add(&mut case, ("russe", Peer), &expected, russe);

    let event = || Event::new(owned()).encode().into_bytes();
    add(&mut case, ("Event", Ours), &expected, event);

    let block = || Block::write(|out| out.data(&owned())).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    add(&mut case, ("floor", Floor), &expected, move || {
        floor(&owned())
    });
    case.run();
}

/// A payload that the event takes over, made before the clock starts; or the same payload sent
/// repeatedly, in the form that each contestant shares best.
pub(super) fn long(title: &str, len: usize) {
    let data: &'static str = text(len).leak();
    let expected = [expected(data)];
    let owned = || data.to_owned();

    let mut case = Case::new(format!("{title}, owned"), 1);
    // axum and sse-stream copy in any case; what they are given is dropped within the time.
    let given = Arc::new(Mutex::new(String::new()));
    let taken = given.clone();
    let mut axum = through_axum(move || {
        axum::Event::default().data(std::mem::take(&mut *taken.lock().unwrap()))
    });
    let mut axum = move |text| {
        *given.lock().unwrap() = text;
        axum()
    };
    check("axum", &axum(owned()), &expected);
    case.add_consuming("axum", Axum, owned, axum);
    let sse_stream = |text: String| Sse::default().data(text).encode().unwrap();
    check("sse-stream", &sse_stream(owned()), &expected);
    case.add_consuming("sse-stream", Peer, owned, sse_stream);
    let given = Rc::new(RefCell::new(String::new()));
    let taken = given.clone();
    let mut actix = through_actix(move || actix::Data::new(taken.take()));
    let mut actix = move |text| {
        given.replace(text);
        actix()
    };
    check("actix-web-lab", &actix(owned()), &expected);
    case.add_consuming("actix-web-lab", Peer, owned, actix);
    let russe = |text: String| russe_bytes(russe_data(text));
    check("russe", &russe(owned()), &expected);
    case.add_consuming("russe", Peer, owned, russe);
    let chunks = |text: String| chunks(Event::new(text).encode());
    check("Event", &chunks(owned()).concat(), &expected);
    case.add_consuming("Event", Ours, owned, chunks);
    case.run();

    let mut case = Case::new(format!("{title}, shared"), 1);
    let axum = through_axum(move || axum::Event::default().data(black_box(data)));
    add(&mut case, ("axum", Axum), &expected[0], axum);
    let sse_stream = || Sse::default().data(black_box(data)).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected[0], sse_stream);
    let shared = bytestring::ByteString::from(data);
    let russe_shared = shared.clone();
    let actix = through_actix(move || actix::Data::new(black_box(&shared).clone()));
    add(&mut case, ("actix-web-lab", Peer), &expected[0], actix);
    let russe = move || russe_bytes(russe_data(black_box(&russe_shared).clone()));
    add(&mut case, ("russe", Peer), &expected[0], russe);
    let shared = Data::try_from(Bytes::from(data.to_owned())).unwrap();
    let event = move || self::chunks(Event::new(black_box(&shared).clone()).encode());
    check("Event", &event().concat(), &expected);
    case.add("Event", Ours, event);
    case.run();
}

/// The chunks as a body sends them, with room for all on the stack.
fn chunks(block: Block) -> [Bytes; 3] {
    let mut chunks = block.into_chunks();
    std::array::from_fn(|_| chunks.next().unwrap_or_default())
}
