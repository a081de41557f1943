//! Data written line by line, beside a naive twin that does it character by character.

use std::fmt::Write as _;

use tower_sse::protocol::{DataLines, DataWriter};
use tower_sse::{Block, Data, Event, EventId};

use crate::support::oracle::{Message, interpret};
use crate::support::rng::Rng;

const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\0",
    ":",
    "a",
    "data: ",
    "id: 7",
    "event: forged",
    "retry: 1",
    "\u{feff}",
    "火",
    "elements <div>",
    "\n\nid: 9\ndata: forged\n\n",
];

/// What users do.
#[derive(Debug)]
enum Act {
    Line(String),
    Write(String),
}

fn acts(rng: &mut Rng) -> Vec<Act> {
    let text = |rng: &mut Rng| (0..rng.below(5)).map(|_| *rng.pick(PIECES)).collect();
    let acts = (0..rng.below(6)).map(|_| match rng.below(2) {
        0 => Act::Line(text(rng)),
        _ => Act::Write(text(rng)),
    });
    acts.collect()
}

/// The lines, by the words of the documentation.
#[derive(Default)]
struct Naive {
    lines: Vec<String>,
    is_open: bool,
    after_cr: bool,
}

impl Naive {
    fn end(&mut self) {
        (self.is_open, self.after_cr) = (false, false);
    }

    fn open(&mut self) -> &mut String {
        if !self.is_open {
            self.lines.push(String::new());
            self.is_open = true;
        }
        self.lines.last_mut().unwrap()
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            let second_half = std::mem::take(&mut self.after_cr) && c == '\n';
            match c {
                '\n' if second_half => {}
                '\n' | '\r' => {
                    self.open();
                    self.is_open = false;
                    self.after_cr = c == '\r';
                }
                c => self.open().push(c),
            }
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Write(text) => self.write(text),
            Act::Line(text) => {
                self.end();
                self.write(text);
                self.open();
                self.end();
            }
        }
    }
}

fn write(data: &mut DataWriter<'_>, acts: &[Act]) {
    for act in acts {
        match act {
            Act::Line(text) => data.line(text),
            Act::Write(text) => data.write_str(text).unwrap(),
        }
    }
}

#[test]
fn every_line_arrives_and_nothing_else() {
    let rng = &mut Rng::new(0xDA7A);
    for _ in 0..5_000 {
        let acts = acts(rng);
        let mut naive = Naive::default();
        let mut lines = DataLines::new();
        for act in &acts {
            naive.act(act);
            match act {
                Act::Line(text) => lines.line(text),
                Act::Write(text) => lines.write_str(text).unwrap(),
            }
        }
        let text = naive.lines.join("\n");
        let event = Event::new(text.as_str())
            .with_id(EventId::from_static("7"))
            .with_type("patch");
        let expected = event.encode();
        assert_eq!(
            Event::new(lines).with_id(7).with_type("patch").encode(),
            expected,
            "{acts:?}"
        );
        let block = Block::write(|out| {
            let mut data = out.typed("patch").id(7).begin_data();
            write(&mut data, &acts);
            data.finish();
        });
        assert_eq!(block, expected, "{acts:?}");

        let read = interpret(&block.into_bytes());
        let message = Message {
            event_type: "patch".to_owned(),
            data: text,
            last_event_id: "7".to_owned(),
            id: Some("7".to_owned()),
            retry: None,
        };
        assert_eq!(read.events, [message], "{acts:?}");
        assert_eq!((read.comments.len(), read.reconnection_time), (0, None));

        let alone: Vec<&str> = naive.lines.iter().map(String::as_str).collect();
        let event = Event::new(naive.lines.join("\n"));
        assert_eq!(Event::new(Data::lines(alone)).encode(), event.encode());
    }
}

#[test]
fn what_is_not_finished_is_not_written() {
    let rng = &mut Rng::new(0xD209);
    for _ in 0..200 {
        let (first, second) = (acts(rng), acts(rng));
        let block = Block::write(|out| {
            out.data("before");
            let mut data = out.id(1).begin_data();
            write(&mut data, &first);
            drop(data);
            let mut data = out.begin_data();
            write(&mut data, &second);
            std::mem::forget(data);
            out.data("after");
        });
        assert_eq!(block, "data: before\n\ndata: after\n\n");
    }
}

#[test]
fn writeln_writes_lines() {
    let mut lines = DataLines::new();
    writeln!(lines, "selector #score").unwrap();
    writeln!(lines, "mode inner").unwrap();
    lines.extend(["elements <b>", "elements </b>"]);
    assert_eq!(
        Event::new(lines).encode(),
        "data: selector #score\ndata: mode inner\ndata: elements <b>\ndata: elements </b>\n\n"
    );
}
