//! Encode, decode, equal: for every event that can be built.

use std::time::Duration;

use bytes::Bytes;
use tower_sse::{Block, Data, Event, EventId, EventType};

use crate::heard::check;
use crate::support::oracle::{Interpretation, Message};
use crate::support::{chunks, rng::Rng};

const TEXTS: &[&str] = &[
    "",
    " ",
    "  ",
    "x",
    ":",
    "\n",
    "\r",
    "\r\n",
    "\n\r",
    "\n\n",
    " x",
    "x ",
    "data: y",
    "id: 9",
    "\0",
    "\u{feff}",
    "ö",
    "日本語",
    "🦀",
    "\u{2028}",
    "\t",
    "{\"a\":[1,2]}",
    "a long piece of text that goes past what is kept in place",
];

fn text(rng: &mut Rng, without: &[char]) -> String {
    let mut text = String::new();
    for _ in 0..rng.below(4) {
        let piece: &&str = rng.pick(TEXTS);
        text.push_str(piece);
    }
    if rng.one_in(200) {
        text.push_str(&"long ".repeat(rng.below(40_000)));
    }
    text.retain(|c| !without.contains(&c));
    text
}

/// The longest ID that the text begins with.
fn event_id(text: &str) -> EventId {
    let len = (0..=EventId::MAX_LEN).rev();
    let len = { len }.find(|len| text.is_char_boundary(*len));
    EventId::try_from(&text[..len.unwrap_or(0)]).unwrap()
}

/// CR and CRLF arrive as LF; nothing else changes.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn event(rng: &mut Rng, out: &mut Interpretation) -> Event {
    let mut data = None;
    let mut event = match rng.below(8) {
        0 => Event::comment(comment(rng, out)),
        1 => {
            let time = rng.next() >> rng.below(64);
            out.reconnection_time = Some(time);
            Event::retry(Duration::from_millis(time))
        }
        kind => {
            let text = text(rng, &[]);
            data = Some(normal(&text));
            Event::new(match kind {
                2 | 3 => Data::display(&text).unwrap(),
                4 | 5 => Data::try_from(Bytes::from(text)).unwrap(),
                _ => Data::from(text),
            })
        }
    };
    if rng.one_in(6) && data.is_some() {
        event = event.with_comment(comment(rng, out));
    }
    let (mut own_id, mut retry) = (None, None);
    if rng.one_in(6) && data.is_some() {
        out.reconnection_time = Some(rng.next());
        retry = out.reconnection_time;
        event = event.with_retry(Duration::from_millis(retry.unwrap()));
    }
    if rng.one_in(2) {
        let id = match rng.below(3) {
            0 => EventId::EMPTY,
            1 => EventId::from(rng.next()),
            _ => event_id(&text(rng, &['\0', '\r', '\n'])),
        };
        out.last_event_id = id.to_string();
        own_id = Some(id.to_string());
        event = event.with_id(id);
    }
    let mut event_type = String::new();
    if rng.one_in(2) {
        event_type = text(rng, &['\r', '\n']);
        event = event.with_type(EventType::try_from(&*event_type).unwrap());
    }
    if let Some(data) = data {
        if event_type.is_empty() {
            event_type.push_str("message");
        }
        out.events.push(Message {
            event_type,
            data,
            last_event_id: out.last_event_id.clone(),
            id: own_id,
            retry,
        });
    }
    event
}

fn comment(rng: &mut Rng, out: &mut Interpretation) -> String {
    let text = text(rng, &[]);
    // Each line is a comment, behind the space that the encoder writes; none is one without it.
    if text.is_empty() {
        out.comments.push(String::new());
    } else {
        out.comments
            .extend(normal(&text).split('\n').map(|line| format!(" {line}")));
    }
    text
}

#[test]
fn every_event_arrives_as_it_was() {
    for seed in 0..1_500 {
        let mut rng = Rng::new(seed);
        let mut wanted = Interpretation::default();
        let mut bytes = Vec::new();
        let mut framed = Vec::new();
        for _ in 0..rng.below(12) {
            let event = event(&mut rng, &mut wanted);
            bytes.extend_from_slice(&event.clone().encode().into_bytes());
            framed.push(event);
        }
        let block = Block::write(|out| framed.into_iter().for_each(|event| out.push(event)));
        assert_eq!(block.into_bytes(), bytes);

        let most = 1 + rng.below(200);
        check(&wanted, &chunks::of(bytes.len().max(1), &bytes));
        check(&wanted, &chunks::random(&mut rng, most, &bytes));
    }
}
