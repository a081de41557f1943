//! The events that the contestants send, and a reader for what they made of them.

use std::convert::Infallible;

use ::axum::response::sse as axum;
use actix_web_lab::sse as actix;
use sse_stream::Sse;
use tower_sse::{Data, Event, EventType};

pub const TYPE: &str = "score";
pub const EVENT_TYPE: EventType = EventType::from_static(TYPE);

/// Text of one line.
pub fn text(len: usize) -> String {
    "The quick brown fox jumps over the lazy dog. "
        .chars()
        .cycle()
        .take(len)
        .collect()
}

/// An event's type, ID and data.
pub type Read = (String, String, String);

/// What a browser would dispatch, by a plain reading of the standard.
pub fn read(stream: &[u8]) -> Vec<Read> {
    let stream = std::str::from_utf8(stream).unwrap();
    let mut events = Vec::new();
    for block in stream.split_inclusive("\n\n") {
        let (mut event_type, mut id, mut data) = (String::new(), String::new(), Vec::new());
        for line in block.strip_suffix("\n\n").expect("whole events").lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("event", value) => event_type = value.to_owned(),
                ("id", value) => id = value.to_owned(),
                ("data", value) => data.push(value),
                _ => assert!(line.starts_with(':'), "unknown line {line:?}"),
            }
        }
        if !data.is_empty() {
            events.push((event_type, id, data.join("\n")));
        }
    }
    events
}

/// The typical event: a type, a number for an ID and 120 bytes of data.
pub fn ours(n: u64, text: impl Into<Data>) -> Result<Event, Infallible> {
    Ok(Event::new(text).with_type(EVENT_TYPE).with_id(n))
}

pub fn axum(n: u64, text: &'static str) -> Result<axum::Event, Infallible> {
    let mut id = itoa::Buffer::new();
    Ok(axum::Event::default()
        .event(TYPE)
        .id(id.format(n))
        .data(text))
}

pub fn sse_stream(n: u64, text: &'static str) -> Result<Sse, Infallible> {
    let mut id = itoa::Buffer::new();
    Ok(Sse::default().event(TYPE).id(id.format(n)).data(text))
}

pub fn actix(n: u64, text: &'static str) -> Result<actix::Event, Infallible> {
    Ok(actix_data(n, text).into())
}

pub fn actix_data(n: u64, text: &'static str) -> actix::Data {
    let mut id = itoa::Buffer::new();
    actix::Data::new(text).event(TYPE).id(id.format(n))
}
