//! A type of 12 bytes, a text ID of 15, or of 36 as a UUID has, which each contestant is given as text for
//! each event, and JSON of 120.

use std::hint::black_box;

use actix_web_lab::sse as actix;
use axum::response::sse as axum;
use bytes::Bytes;
use bytestring::ByteString;
use sse_stream::Sse;
use support::Side::{Axum, Floor, Ours, Peer};
use support::events::{self, EVENT_TYPE, TYPE};
use support::peers;
use support::{Case, Text};
use tower_sse::{Block, Data, Event};

use super::{FAR, add, may_have_break, through_actix, through_axum};

pub(super) fn all() {
    let (id, data) = (Text::new(&events::id(7)), Text::new(&events::json(7)));
    borrowed("encode/typical", id, data);
    let uuid = Text::new("0190b0de-7ac4-7b4a-9f3c-2f1d5e8a6b07");
    borrowed("encode/typical, UUID", uuid, data);
    owned(id, data);
    in_branches(id, data);
    number(1_234_567, data);
    text_or_number(id, 1_234_567, data);
}

fn borrowed(title: &'static str, id: Text, data: Text) {
    let id = move || black_box(id.get());
    let data = move || black_box(data.get());
    let mut case = Case::new(title, 1);
    let expected = (TYPE.to_owned(), id().to_owned(), data().to_owned());
    let axum = through_axum(move || peers::axum(id(), data()));
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || peers::sse_stream(id(), data()).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || peers::actix(id(), data()));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let russe = || peers::russe_bytes(peers::russe(id(), data()));
    add(&mut case, ("russe", Peer), &expected, russe);
    let event = || peers::ours(id(), data().to_owned()).encode().into_bytes();
    add(&mut case, ("Event of a String", Ours), &expected, event);
    let event = || peers::ours(id(), data()).encode().into_bytes();
    add(&mut case, ("Event of a &str", Ours), &expected, event);
    let fixed = || {
        let event = peers::ours(id(), Data::from_static(data()));
        event.encode().into_bytes()
    };
    let name = "Event of a &'static str";
    add(&mut case, (name, Ours), &expected, fixed);
    let block = || Block::write(|out| peers::ours_written(out, id(), data())).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    let of_string = || {
        let data = data().to_owned();
        floor(id(), &data)
    };
    add(&mut case, ("floor, String", Floor), &expected, of_string);
    add(&mut case, ("floor", Floor), &expected, || {
        floor(id(), data())
    });
    case.run();
}

/// A copy into one exact allocation, of text in which what it must not have is looked for.
fn floor(id: &str, data: &str) -> Bytes {
    let (id, data) = (id.as_bytes(), data.as_bytes());
    // A NUL is found only in short text.
    assert!(id.len() < 1024 && data.len() < FAR);
    let fixed = "event: \nid: \ndata: \n\n".len() + TYPE.len();
    let mut out = Vec::with_capacity(fixed + id.len() + data.len());
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(TYPE.as_bytes());
    out.extend_from_slice(b"\nid: ");
    out.extend_from_slice(id);
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
    assert!(!may_have_break(id) && !may_have_break(data));
    Bytes::from(out)
}

/// From a `String` that is made within the time and given away.
fn owned(id: Text, data: Text) {
    let id = move || black_box(id.get());
    let data = move || black_box(data.get()).to_owned();
    let mut case = Case::new("encode/typical, owned", 1);
    let expected = (TYPE.to_owned(), id().to_owned(), data());
    let axum = through_axum(move || peers::axum(id(), &data()));
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || peers::sse_stream(id(), data()).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || peers::actix(id(), data()));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let russe = || peers::russe_bytes(peers::russe(id(), data()));
    add(&mut case, ("russe", Peer), &expected, russe);
    let event = || peers::ours(id(), data()).encode().into_bytes();
    add(&mut case, ("Event", Ours), &expected, event);
    let block = || Block::write(|out| peers::ours_written(out, id(), &data())).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    add(&mut case, ("floor", Floor), &expected, || {
        floor(id(), &data())
    });
    case.run();
}

/// As handlers build events whose parts are optional.
fn in_branches(id: Text, data: Text) {
    let id = move || black_box(Some(id.get()));
    let kind = move || black_box(Some(TYPE));
    let data = move || black_box(data.get());
    let mut case = Case::new("encode/typical, in branches", 1);
    let expected = (TYPE.to_owned(), id().unwrap().to_owned(), data().to_owned());

    let axum = through_axum(move || {
        let mut event = axum::Event::default().data(data());
        if let Some(id) = id() {
            event = event.id(id);
        }
        if let Some(kind) = kind() {
            event = event.event(kind);
        }
        event
    });
    add(&mut case, ("axum", Axum), &expected, axum);

    let sse_stream = || {
        let mut event = Sse::default().data(data());
        if let Some(id) = id() {
            event = event.id(id);
        }
        if let Some(kind) = kind() {
            event = event.event(kind);
        }
        event.encode().unwrap()
    };
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);

    let actix = through_actix(move || {
        let mut event = actix::Data::new(data());
        if let Some(id) = id() {
            event.set_id(id);
        }
        if let Some(kind) = kind() {
            event.set_event(kind);
        }
        event
    });
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);

    let russe = || {
        let mut message = peers::russe_data(data());
        message.id = id().map(ByteString::from);
        message.event = kind().map(ByteString::from_static);
        peers::russe_bytes(message)
    };
    add(&mut case, ("russe", Peer), &expected, russe);

    let branches = || {
        let mut event = Event::new(data().to_owned());
        if let Some(id) = id() {
            event = event.try_with_id(id).unwrap();
        }
        if let Some(kind) = kind() {
            event = event.with_type(kind);
        }
        event.encode().into_bytes()
    };
    add(&mut case, ("Event", Ours), &expected, branches);

    let chain = || {
        let id = id().unwrap();
        peers::ours(id, data().to_owned()).encode().into_bytes()
    };
    add(&mut case, ("Event in one chain", Ours), &expected, chain);
    // Of the same values as the branches. What is evaluated while there is an event may panic.
    let chain = || {
        let event = Event::new(data().to_owned()).try_with_id(id().unwrap());
        let event = event.unwrap().with_type(kind().unwrap());
        event.encode().into_bytes()
    };
    add(
        &mut case,
        ("Event in one chain, any type", Ours),
        &expected,
        chain,
    );
    let least = || {
        let data = data().to_owned();
        floor(id().unwrap(), &data)
    };
    add(&mut case, ("floor", Floor), &expected, least);
    case.compare("Event", "Event in one chain");
    case.run();
}

/// With a number for an ID, which the peers' users format.
fn number(number: u64, data: Text) {
    let number = move || black_box(number);
    let data = move || black_box(data.get());
    let mut case = Case::new("encode/typical, number as ID", 1);
    let expected = (TYPE.to_owned(), number().to_string(), data().to_owned());
    let axum = through_axum(move || peers::axum(itoa::Buffer::new().format(number()), data()));
    add(&mut case, ("axum", Axum), &expected, axum);
    let sse_stream = || {
        let event = peers::sse_stream(itoa::Buffer::new().format(number()), data());
        event.encode().unwrap()
    };
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || peers::actix(itoa::Buffer::new().format(number()), data()));
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let russe = || {
        let message = peers::russe(itoa::Buffer::new().format(number()), data());
        peers::russe_bytes(message)
    };
    add(&mut case, ("russe", Peer), &expected, russe);
    let event = || {
        let event = Event::new(data().to_owned()).with_type(TYPE);
        event.with_id(number()).encode().into_bytes()
    };
    add(&mut case, ("Event of a String", Ours), &expected, event);
    let fixed = || {
        let event = Event::from_static(data()).with_type(TYPE);
        event.with_id(number()).encode().into_bytes()
    };
    let name = "Event of a &'static str";
    add(&mut case, (name, Ours), &expected, fixed);
    let block =
        || Block::write(|out| out.typed(&EVENT_TYPE).id(number()).data(data())).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    case.run();
}

/// What a text ID costs beside a number.
fn text_or_number(id: Text, number: u64, data: Text) {
    let id = move || black_box(id.get());
    let number = move || black_box(number);
    let data = move || black_box(data.get());
    let mut case = Case::new("encode/typical, text or number as ID", 1);
    let text = (TYPE.to_owned(), id().to_owned(), data().to_owned());
    let digits = (TYPE.to_owned(), number().to_string(), data().to_owned());

    let event = || peers::ours(id(), data().to_owned()).encode().into_bytes();
    add(&mut case, ("Event, text", Ours), &text, event);
    let event = || {
        let event = Event::new(data().to_owned()).with_type(TYPE);
        event.with_id(number()).encode().into_bytes()
    };
    add(&mut case, ("Event, number", Ours), &digits, event);
    let block = || Block::write(|out| peers::ours_written(out, id(), data())).into_bytes();
    add(&mut case, ("Block::write, text", Ours), &text, block);
    let block =
        || Block::write(|out| out.typed(&EVENT_TYPE).id(number()).data(data())).into_bytes();
    add(&mut case, ("Block::write, number", Ours), &digits, block);
    case.compare("Event, text", "Event, number");
    case.compare("Block::write, text", "Block::write, number");
    case.run();
}
