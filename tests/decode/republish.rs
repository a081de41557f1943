//! An event that was received is sent on with what it had, and nothing more.

use bytes::Bytes;
use tower_sse::{Decoder, Event, EventId, MessageEvent};

use crate::random::blocks;
use crate::support::chunks;
use crate::support::oracle::{Message, interpret};
use crate::support::rng::Rng;

fn receive(chunks: impl IntoIterator<Item = Bytes>) -> Vec<MessageEvent> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for mut chunk in chunks {
        while let Some(event) = decoder.decode(&mut chunk).unwrap() {
            events.push(event);
        }
    }
    events
}

/// What the stream says, sent on.
fn send_on(stream: &'static str) -> Vec<Bytes> {
    let events = receive([Bytes::from_static(stream.as_bytes())]).into_iter();
    events
        .map(|event| Event::from(event).encode().into_bytes())
        .collect()
}

#[test]
fn an_event_without_an_id_does_not_get_its_predecessors() {
    let sent = send_on("id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n");
    assert_eq!(
        sent,
        ["id: 7\ndata: a\n\n", "data: b\n\n", "id: \ndata: c\n\n"]
    );
    // What was set before the event.
    let sent = send_on("id: 7\n\nretry: 5\n\nevent: x\n\ndata: b\n\n");
    assert_eq!(sent, ["data: b\n\n"]);
}

#[test]
fn a_resumed_client_misses_nothing() {
    let stream = "id: 7\ndata: a\n\ndata: b\n\n";
    let events: Vec<Event> = receive([Bytes::from(stream)])
        .into_iter()
        .map(Event::from)
        .collect();
    let seven = EventId::from(7u64);
    // A log is searched for the last event of the ID.
    let last = events.iter().rposition(|event| event.id() == Some(&seven));
    assert_eq!(events[last.unwrap() + 1..].len(), 1);
}

#[test]
fn type_and_reconnection_time_are_those_of_the_block() {
    let sent =
        send_on("event: goal\nretry: 5\ndata: a\n\nevent: message\ndata: b\n\nevent:\ndata: c\n\n");
    assert_eq!(
        sent,
        [
            "retry: 5\nevent: goal\ndata: a\n\n",
            "event: message\ndata: b\n\n",
            "data: c\n\n"
        ]
    );
}

#[test]
fn whatever_is_received_is_heard_again() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let stream = blocks(&mut rng);
        let received = receive(chunks::random(&mut rng, 20, &stream));
        let sent: Vec<u8> = received
            .into_iter()
            .flat_map(|event| Event::from(event).encode().into_bytes())
            .collect();
        // The IDs of blocks without data are not sent on.
        let without_last_id = |stream: &[u8]| -> Vec<Message> {
            let events = interpret(stream).events.into_iter();
            events
                .map(|event| Message {
                    last_event_id: String::new(),
                    ..event
                })
                .collect()
        };
        assert_eq!(
            without_last_id(&sent),
            without_last_id(&stream),
            "{stream:?}"
        );
    }
}

#[test]
fn an_event_built_is_an_event_received() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let stream = blocks(&mut rng);
        for event in receive(chunks::random(&mut rng, 20, &stream)) {
            let mut built = MessageEvent::new(event.data());
            if event.event_type() != "message" || rng.one_in(2) {
                let event_type = tower_sse::EventType::try_from(event.event_type()).unwrap();
                built = built.with_type(event_type);
            }
            built = match event.id() {
                Some(id) => built.with_id(EventId::try_from(id).unwrap()),
                None => built.with_last_event_id(EventId::try_from(event.last_event_id()).unwrap()),
            };
            if let Some(retry) = event.retry() {
                built = built.with_retry(retry);
            }
            assert_eq!(built, event);
            assert_eq!(format!("{built:?}"), format!("{event:?}"));
        }
    }
}
