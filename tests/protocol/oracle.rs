//! Whatever can be built arrives as it was, as the standard reads it.

use std::time::Duration;

use bytes::Bytes;
use tower_sse::{Block, Data, Event, EventId, EventType};

use crate::support::oracle::{Message, interpret};
use crate::support::rng::Rng;

/// Pieces that text is made of: all that has a meaning in an event stream, and some that has none.
const PIECES: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\0",
    ":",
    "a",
    "data",
    "data: ",
    "id: 7",
    "event:",
    "retry: 1",
    "\u{feff}",
    "é",
    "火",
    "🎉",
    "\u{2028}",
    "0123456789abcdef0123456789abcdef",
];

fn text(rng: &mut Rng) -> String {
    let mut text: String = (0..rng.below(12)).map(|_| *rng.pick(PIECES)).collect();
    if rng.one_in(20) {
        text = text.repeat(rng.below(200));
    }
    text
}

fn line(rng: &mut Rng, not: &[char]) -> String {
    text(rng).replace(not, "")
}

fn id(rng: &mut Rng) -> String {
    let mut id = line(rng, &['\n', '\r', '\0']);
    while id.len() > EventId::MAX_LEN {
        id.pop();
    }
    id
}

/// The standard's newline normalisation: each of the three is one line feed.
fn normalise(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

struct Sent {
    event: Event,
    text: String,
    id: Option<String>,
    event_type: Option<String>,
    retry: Option<u64>,
}

fn event(rng: &mut Rng) -> Sent {
    let text = text(rng);
    let mut event = match rng.below(4) {
        0 => Event::new(text.clone()),
        1 => Event::new(Data::try_from(Bytes::from(text.clone())).unwrap()),
        2 => Event::display(&text).unwrap(),
        // In pieces, so that pairs are split over them.
        _ => Event::display(Pieces(&text)).unwrap(),
    };
    let id = rng.one_in(2).then(|| id(rng));
    if let Some(id) = &id {
        event = event.with_id(EventId::try_from(id.as_str()).unwrap());
    }
    let event_type = rng.one_in(2).then(|| line(rng, &['\n', '\r']));
    if let Some(event_type) = &event_type {
        event = event.with_type(EventType::try_from(event_type.as_str()).unwrap());
    }
    let retry = rng.one_in(4).then(|| rng.next() >> rng.below(64));
    if let Some(retry) = retry {
        event = event.with_retry(Duration::from_millis(retry));
    }
    if rng.one_in(4) {
        event = event.with_comment(self::text(rng));
    }
    Sent {
        event,
        text,
        id,
        event_type,
        retry,
    }
}

struct Pieces<'a>(&'a str);

impl std::fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| std::fmt::Write::write_char(f, c))
    }
}

// Clauses: lines-written
#[test]
fn every_event_arrives_as_it_was_sent() {
    let rng = &mut Rng::new(0x5EED);
    for _ in 0..2_000 {
        let sent: Vec<Sent> = (0..rng.below(8)).map(|_| event(rng)).collect();
        let mut expected = Vec::new();
        let (mut last_event_id, mut reconnection_time) = (String::new(), None);
        for sent in &sent {
            if let Some(id) = &sent.id {
                last_event_id.clone_from(id);
            }
            reconnection_time = sent.retry.or(reconnection_time);
            expected.push(Message {
                event_type: match sent.event_type.as_deref() {
                    None | Some("") => "message".to_owned(),
                    Some(event_type) => event_type.to_owned(),
                },
                data: normalise(&sent.text),
                last_event_id: last_event_id.clone(),
                id: sent.id.clone(),
                retry: sent.retry,
            });
        }
        let one_by_one: Vec<Bytes> = sent
            .iter()
            .map(|sent| Block::from(&sent.event).into_bytes())
            .collect();
        let together = Block::write(|out| {
            for (n, sent) in sent.iter().enumerate() {
                if n % 2 == 0 {
                    out.push(sent.event.clone());
                } else {
                    out.push(Block::from(&sent.event));
                }
            }
        });
        assert_eq!(together.into_bytes(), one_by_one.concat());
        let read = interpret(&one_by_one.concat());
        assert_eq!(read.events, expected);
        assert_eq!(read.last_event_id, last_event_id);
        assert_eq!(read.reconnection_time, reconnection_time);
    }
}

#[test]
fn the_writer_writes_what_events_are() {
    let rng = &mut Rng::new(0xF00D);
    for _ in 0..2_000 {
        let text = text(rng);
        let id = EventId::try_from(id(rng)).unwrap();
        let event_type = EventType::try_from(line(rng, &['\n', '\r'])).unwrap();
        let event = Event::new(text.clone())
            .with_id(id.clone())
            .with_type(event_type.clone());
        let expected = event.encode();
        assert_eq!(
            Block::write(|out| out.typed(&event_type).id(&id).data(&text)),
            expected
        );
        assert_eq!(
            Block::write(|out| out.id(&id).typed(&event_type).display(&text).unwrap()),
            expected
        );
        assert_eq!(
            Block::write(|out| out.data(&text)),
            Event::new(text.clone()).encode()
        );
        assert_eq!(
            Block::write(|out| out.comment(&text)),
            Event::comment(text.clone()).encode()
        );
    }
}
