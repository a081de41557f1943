//! What was heard, in the oracle's words.
#![allow(dead_code, reason = "no target needs all of it")]

use bytes::Bytes;
use tower_sse::{Data, Decoder, Event, EventId, EventType};

#[path = "../support/oracle.rs"]
mod oracle;

/// Type, data, last event ID of each event; then the last event ID, and the reconnection time.
pub type Heard = (Vec<(String, String, String)>, String, Option<u64>);

pub fn wanted(stream: &[u8]) -> Heard {
    let heard = oracle::interpret(stream);
    let events = heard.events.into_iter();
    let events = events.map(|event| (event.event_type, event.data, event.last_event_id));
    (events.collect(), heard.last_event_id, heard.reconnection_time)
}

/// The sizes again and again; a byte at a time without any.
fn chunks<'a>(sizes: &'a [u8], mut stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let sizes = if sizes.is_empty() { &[1] } else { sizes };
    let mut sizes = sizes.iter().cycle().map(|size| usize::from(*size).max(1));
    std::iter::from_fn(move || {
        let (chunk, rest) = stream.split_at(sizes.next()?.min(stream.len()));
        stream = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

pub fn owned(sizes: &[u8], stream: &[u8]) -> Heard {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for chunk in chunks(sizes, stream) {
        let mut chunk = Bytes::copy_from_slice(chunk);
        while let Some(event) = decoder.decode(&mut chunk).unwrap() {
            let (event_type, data) = (event.event_type().into(), event.data().into());
            events.push((event_type, data, event.last_event_id().into()));
        }
    }
    end(events, &decoder)
}

pub fn lent(sizes: &[u8], stream: &[u8]) -> Heard {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for mut chunk in chunks(sizes, stream) {
        while let Some(event) = decoder.decode_ref(&mut chunk).unwrap() {
            let (event_type, data) = (event.event_type().into(), event.data().into());
            events.push((event_type, data, event.last_event_id().into()));
        }
    }
    end(events, &decoder)
}

fn end(events: Vec<(String, String, String)>, decoder: &Decoder) -> Heard {
    let time = decoder.reconnection_time().map(|time| time.as_millis());
    let time = time.map(|time| u64::try_from(time).unwrap());
    (events, decoder.last_event_id().to_string(), time)
}

/// An event's bytes, and what they have to be heard as; `None` if it cannot be built.
pub fn event(event_type: &str, id: &str, data: &str) -> Option<(Vec<u8>, Heard)> {
    let event = Event::new(Data::from(data.to_owned()))
        .with_type(EventType::try_from(event_type).ok()?)
        .with_id(EventId::try_from(id).ok()?);
    let event_type = if event_type.is_empty() { "message" } else { event_type };
    let data = data.replace("\r\n", "\n").replace('\r', "\n");
    let heard = (event_type.to_owned(), data, id.to_owned());
    Some((event.encode().into_bytes().to_vec(), (vec![heard], id.to_owned(), None)))
}
