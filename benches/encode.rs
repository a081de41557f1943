//! One event, from borrowed or owned text to the bytes on the wire.
//!
//! axum and actix-web-lab encode in their bodies only, so theirs are polled: a few nanoseconds of
//! the small events.

use std::cell::RefCell;
use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use ::axum::response::IntoResponse;
use ::axum::response::sse as axum;
use actix_web::body::MessageBody;
use actix_web_lab::sse as actix;
use bytes::Bytes;
use futures_util::stream;
use http_body::Body;
use serde::Serialize;
use sse_stream::Sse;
use tower_sse::{Block, Data, Event, EventId};

use support::Side::{self, Axum, Ours, Peer};
use support::events::{EVENT_TYPE, TYPE, read, text};
use support::{Case, events};

/// axum's bytes for the events that the closure makes.
fn through_axum(mut make: impl FnMut() -> axum::Event + Send + 'static) -> impl FnMut() -> Bytes {
    let events = stream::repeat_with(move || Ok::<_, Infallible>(make()));
    let mut body = axum::Sse::new(events).into_response().into_body();
    move || match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
        _ => unreachable!("always ready"),
    }
}

/// actix-web-lab's bytes for the events that the closure makes.
fn through_actix(mut make: impl FnMut() -> actix::Data + 'static) -> impl FnMut() -> Bytes {
    let events = stream::repeat_with(move || Ok::<_, Infallible>(make().into()));
    let mut body = actix::Sse::from_stream(events);
    move || match Pin::new(&mut body).poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(bytes))) => bytes,
        _ => unreachable!("always ready"),
    }
}

fn check(bytes: &[u8], expected: &events::Read) {
    assert_eq!(read(bytes), std::slice::from_ref(expected));
}

/// A contestant that has shown that it encodes the event.
fn add<'a>(
    case: &mut Case<'a>,
    (name, side): (&'static str, Side),
    expected: &events::Read,
    mut work: impl FnMut() -> Bytes + 'a,
) {
    check(&work(), expected);
    case.add(name, side, work);
}

fn data_only(data: &str) -> events::Read {
    (String::new(), String::new(), data.to_owned())
}

/// Data and nothing else, borrowed.
fn borrowed(title: &str, data: &'static str) {
    let mut case = Case::new(title, 1);
    let expected = data_only(data);
    let axum = through_axum(move || axum::Event::default().data(black_box(data)));
    add(&mut case, ("axum", Axum), &expected, axum);

    let sse_stream = || Sse::default().data(black_box(data)).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);

    let actix = through_actix(move || actix::Data::new(black_box(data)));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);

    let event = || Event::new(black_box(data).to_owned()).encode().into_bytes();
    add(&mut case, ("Event of a String", Ours), &expected, event);

    let event = || Event::new(black_box(data)).encode().into_bytes();
    add(&mut case, ("Event of a &str", Ours), &expected, event);

    let fixed = || Event::from_static(black_box(data)).encode().into_bytes();
    add(
        &mut case,
        ("Event of a &'static str", Ours),
        &expected,
        fixed,
    );

    let block = || Block::write(|out| out.data(black_box(data))).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    case.run();
}

/// A type, an ID that is a number or text from elsewhere, and 120 bytes.
fn typical() {
    let data: &'static str = text(120).leak();
    let number = 1_234_567_u64;
    let expected = (TYPE.to_owned(), number.to_string(), data.to_owned());

    let mut case = Case::new("typical: type, number as ID, 120 B", 1);
    let axum = through_axum(move || events::axum(black_box(number), black_box(data)).unwrap());
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || {
        events::sse_stream(black_box(number), black_box(data))
            .unwrap()
            .encode()
            .unwrap()
    };
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || events::actix_data(black_box(number), black_box(data)));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let event = || {
        let event = Event::new(black_box(data).to_owned())
            .with_type(EVENT_TYPE)
            .with_id(black_box(number));
        event.encode().into_bytes()
    };
    add(&mut case, ("Event of a String", Ours), &expected, event);
    let fixed = || {
        events::ours(black_box(number), Data::from_static(black_box(data)))
            .unwrap()
            .encode()
            .into_bytes()
    };
    add(
        &mut case,
        ("Event of a &'static str", Ours),
        &expected,
        fixed,
    );
    let block = || {
        Block::write(|out| {
            out.typed(&EVENT_TYPE)
                .id(black_box(number))
                .data(black_box(data));
        })
        .into_bytes()
    };
    add(&mut case, ("Block::write", Ours), &expected, block);
    case.run();

    let id = "2026-11-20T22:27:47Z-7";
    let expected = (TYPE.to_owned(), id.to_owned(), data.to_owned());
    let mut case = Case::new("typical: type, text as ID, 120 B", 1);
    let axum = through_axum(move || {
        axum::Event::default()
            .event(black_box(TYPE))
            .id(black_box(id))
            .data(black_box(data))
    });
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || {
        let event = Sse::default()
            .event(black_box(TYPE))
            .id(black_box(id))
            .data(black_box(data));
        event.encode().unwrap()
    };
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || {
        actix::Data::new(black_box(data))
            .event(black_box(TYPE))
            .id(black_box(id))
    });
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let event = || {
        let id = EventId::try_from(black_box(id)).unwrap();
        let event = Event::new(black_box(data).to_owned())
            .with_type(EVENT_TYPE)
            .with_id(id);
        event.encode().into_bytes()
    };
    add(&mut case, ("Event of a String", Ours), &expected, event);
    let block = || {
        let id = EventId::try_from(black_box(id)).unwrap();
        Block::write(|out| out.typed(&EVENT_TYPE).id(&id).data(black_box(data))).into_bytes()
    };
    add(&mut case, ("Block::write", Ours), &expected, block);
    case.run();
}

/// A payload that the event takes over: a `String`; or one that is sent again and again, in
/// whatever form the contestant shares best.
fn long(title: &str, len: usize) {
    let data: &'static str = text(len).leak();
    let expected = data_only(data);
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
    check(&axum(owned()), &expected);
    case.add_consuming("axum", Axum, owned, axum);
    let sse_stream = |text: String| Sse::default().data(text).encode().unwrap();
    check(&sse_stream(owned()), &expected);
    case.add_consuming("sse-stream", Peer, owned, sse_stream);
    let given = Rc::new(RefCell::new(String::new()));
    let taken = given.clone();
    let mut actix = through_actix(move || actix::Data::new(taken.take()));
    let mut actix = move |text| {
        given.replace(text);
        actix()
    };
    check(&actix(owned()), &expected);
    case.add_consuming("actix-web-lab", Peer, owned, actix);
    let chunks = |text: String| chunks(Event::new(text).encode());
    check(&chunks(owned()).concat(), &expected);
    case.add_consuming("Event", Ours, owned, chunks);
    case.run();

    let mut case = Case::new(format!("{title}, shared"), 1);
    let axum = through_axum(move || axum::Event::default().data(black_box(data)));
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || Sse::default().data(black_box(data)).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let shared = bytestring::ByteString::from(data);
    let actix = through_actix(move || actix::Data::new(black_box(&shared).clone()));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let shared = Data::try_from(Bytes::from(data.to_owned())).unwrap();
    let event = move || self::chunks(Event::new(black_box(&shared).clone()).encode());
    check(&event().concat(), &expected);
    case.add("Event", Ours, event);
    case.run();
}

/// The chunks as a body sends them, with room for all on the stack.
fn chunks(block: Block) -> [Bytes; 3] {
    let mut chunks = block.into_chunks();
    std::array::from_fn(|_| chunks.next().unwrap_or_default())
}

#[derive(Serialize)]
struct Score {
    home: &'static str,
    away: &'static str,
    goals: [u8; 2],
    minute: u16,
    scorer: Option<&'static str>,
    possession: f64,
}

fn json() {
    let score = Score {
        home: "Müller United",
        away: "Real \"Tower\"",
        goals: [2, 1],
        minute: 87,
        scorer: Some("Ada"),
        possession: 61.5,
    };
    let score: &'static Score = Box::leak(Box::new(score));
    let expected = data_only(&serde_json::to_string(score).unwrap());
    let mut case = Case::new("JSON struct", 1);
    let axum = through_axum(move || axum::Event::default().json_data(black_box(score)).unwrap());
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || {
        let data = serde_json::to_string(black_box(score)).unwrap();
        Sse::default().data(data).encode().unwrap()
    };
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || actix::Data::new_json(black_box(score)).unwrap());
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let event = || Event::json(black_box(score)).unwrap().encode().into_bytes();
    add(&mut case, ("Event::json", Ours), &expected, event);
    let block = || Block::write(|out| out.json(black_box(score)).unwrap()).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    case.run();
}

pub(crate) fn main() {
    borrowed("16 B", text(16).leak());
    typical();
    borrowed("token, 200 B", text(200).leak());
    borrowed("4 KiB", text(4096).leak());
    borrowed("64 KiB, borrowed", text(64 * 1024).leak());
    borrowed("64 lines of 64 B", vec![text(64); 64].join("\n").leak());
    long("64 KiB", 64 * 1024);
    long("1 MiB", 1024 * 1024);
    json();
}
