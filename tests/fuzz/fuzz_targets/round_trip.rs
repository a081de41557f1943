//! What goes in as an event comes out as the same event.
#![no_main]

#[path = "../../decode/heard.rs"]
#[allow(dead_code, reason = "no target needs all of it")]
mod heard;
#[path = "../support.rs"]
mod support;

use support::chunks;
use support::oracle::{Interpretation, Message};
use tower_sse::{Data, Event, EventId, EventType};

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, String, String, String)| {
    let (sizes, event_type, id, data) = input;
    let Some((stream, wanted)) = event(&event_type, &id, &data) else { return };
    heard::check(&wanted, &chunks::of_sizes(&sizes, &stream));
});

/// An event's bytes, and what they have to be heard as; `None` if it cannot be built.
fn event(event_type: &str, id: &str, data: &str) -> Option<(Vec<u8>, Interpretation)> {
    let event = Event::new(Data::from(data.to_owned()))
        .with_type(EventType::try_from(event_type).ok()?)
        .with_id(EventId::try_from(id).ok()?);
    let message = Message {
        event_type: if event_type.is_empty() { "message" } else { event_type }.to_owned(),
        data: data.replace("\r\n", "\n").replace('\r', "\n"),
        last_event_id: id.to_owned(),
        id: Some(id.to_owned()),
        retry: None,
    };
    let wanted = Interpretation {
        events: vec![message],
        last_event_id: id.to_owned(),
        ..Interpretation::default()
    };
    Some((event.encode().into_bytes().to_vec(), wanted))
}
