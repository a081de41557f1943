//! The decoder beside its peers, in nanoseconds per event.
//!
//! Events are read as text: type, data and last event ID, as the peers hand them out. `lent` is
//! `decode_ref`, `owned` is `decode`, `stream` is `EventStream`, which is what `sse-stream`, `sseer`
//! and `eventsource-stream` are too; `lent, bytes` does not ask for text. eventsource-client is given
//! a transport that answers from memory.
//!
//! Each contestant's events are compared with what was sent before anything is timed, and their
//! number and length each time; a contestant with wrong results gets no figure.

mod floor;
mod ours;
mod peers;

use std::fmt::Write as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use support::Side::{self, Floor, Ours, Peer};
use support::events::{TYPE, Typical};
use support::{Case, rounds, selected};

/// A way to read a stream that has come in chunks.
trait Contestant: 'static {
    /// Calls the closure with the type, the data and the last event ID of each event.
    fn run(&self, chunks: &[Bytes], each: impl FnMut(&[u8], &[u8], &[u8]));
}

/// Type, data, ID.
type Seen = (String, String, String);

struct Load {
    name: &'static str,
    /// What `text` has of them.
    units: usize,
    text: String,
}

fn main() {
    let loads = loads();
    for load in &loads {
        for (name, size) in [
            ("16 B", 16),
            ("1,400 B", 1_400),
            ("16 KiB", 16 << 10),
            ("whole", usize::MAX),
        ] {
            // Peers take seconds for a line of 4,096 chunks.
            let endless = size == 16 && load.name.ends_with("KiB line");
            let title = format!("decode/{}, {name}", load.name);
            let wanted = rounds().is_some() || size == 1_400;
            if wanted && !endless && selected(&title) {
                compare(title, load, size);
            }
        }
    }
}

fn loads() -> Vec<Load> {
    let events = Typical::new();
    let mut typical = String::new();
    for n in 0..4_000 {
        let (id, data) = (support::events::id(n), events.data(n as u64));
        _ = write!(typical, "event: {TYPE}\nid: {id}\ndata: {data}\n\n");
    }
    let token = format!("data: {}\n\n", "0123456789".repeat(20));
    let line = |kib: usize| format!("data: {}\n\n", "0123456789abcdef".repeat(64 * kib));
    let event = format!("event: {TYPE}\nid: 7\n{}", line(8));
    let half = "0123456789".repeat(6);
    let two = format!("id: 7\ndata: {half}\ndata: {half}\n\n");
    let lines = |count| {
        let line = format!("data: {}\n", "0123456789abcdef".repeat(4));
        format!("{}\n", line.repeat(count))
    };
    // As other servers write the same stream.
    let crlf = typical.replace('\n', "\r\n");
    let no_space = typical
        .replace("event: ", "event:")
        .replace("id: ", "id:")
        .replace("data: ", "data:");
    let other = format!(
        "event: {TYPE}\nid: 7\ndata: {}\n\n",
        "Müller, 日本 🦀 ".repeat(6)
    );
    let load = |name, units, text| Load { name, units, text };
    vec![
        load("typical", 4_000, typical),
        load("token", 4_000, token.repeat(4_000)),
        load("8 KiB event", 120, event.repeat(120)),
        load("12 KiB line", 80, line(12).repeat(80)),
        load("64 KiB line", 16, line(64).repeat(16)),
        load("2 lines", 4_000, two.repeat(4_000)),
        load("10 lines", 400, lines(10).repeat(400)),
        load("64 lines", 200, lines(64).repeat(200)),
        load("CRLF", 4_000, crlf),
        load("no space", 4_000, no_space),
        load(
            "heartbeats",
            100_000,
            format!("{}data: x\n\n", ":\n\n".repeat(100_000)),
        ),
        load(
            "keep-alive",
            40_000,
            format!("{}data: x\n\n", ": keep-alive\n\n".repeat(40_000)),
        ),
        load("not ASCII", 4_000, other.repeat(4_000)),
    ]
}

fn compare(title: String, load: &Load, size: usize) {
    let text = Bytes::from(load.text.clone());
    let chunks: Vec<Bytes> = match size {
        usize::MAX => vec![text],
        // Allocations of their own, as they come from a socket.
        _ => text.chunks(size).map(Bytes::copy_from_slice).collect(),
    };
    let wanted = wanted(&load.text);
    let mut case = Case::new(title, load.units as u64);
    let case = &mut case;
    add(case, ("lent", Ours), ours::Lent, &chunks, &wanted);
    add(
        case,
        ("lent, bytes", Ours),
        ours::LentBytes,
        &chunks,
        &wanted,
    );
    add(case, ("owned", Ours), ours::Owned, &chunks, &wanted);
    add(case, ("stream", Ours), ours::OfBody, &chunks, &wanted);
    add(case, ("sse-core", Peer), peers::SseCore, &chunks, &wanted);
    add(
        case,
        ("sse-stream", Peer),
        peers::SseStream,
        &chunks,
        &wanted,
    );
    add(case, ("sseer", Peer), peers::Sseer, &chunks, &wanted);
    let name = "eventsource-stream";
    add(
        case,
        (name, Peer),
        peers::EventsourceStream,
        &chunks,
        &wanted,
    );
    let name = "eventsource-client";
    let client = peers::EventsourceClient::new(&chunks);
    add(case, (name, Peer), client, &chunks, &wanted);
    if ["typical", "token", "64 KiB line"].contains(&load.name) {
        add(case, ("floor", Floor), floor::Lent, &chunks, &wanted);
        let name = "floor, owned";
        add(case, (name, Floor), floor::Owned, &chunks, &wanted);
        let name = "floor, stream";
        add(case, (name, Floor), floor::OfBody, &chunks, &wanted);
    }
    if load.name == "heartbeats" && size < 32 << 10 {
        add(case, ("floor", Floor), floor::Heartbeats, &chunks, &wanted);
    }
    case.compare("stream", "owned");
    case.run();
}

fn add(
    case: &mut Case<'_>,
    (name, side): (&'static str, Side),
    contestant: impl Contestant,
    chunks: &[Bytes],
    wanted: &[Seen],
) {
    let mut seen: Vec<Seen> = Vec::new();
    contestant.run(chunks, |event_type, data, id| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        seen.push((text(event_type), text(data), text(id)));
    });
    if seen != *wanted {
        assert!(side != Ours, "{name} gets them wrong");
        println!("  {name} gets them wrong");
        return;
    }
    let len = |(event_type, data, id): &Seen| event_type.len() + data.len() + id.len();
    let total = (wanted.len(), wanted.iter().map(len).sum::<usize>());
    let chunks = chunks.to_vec();
    case.add(name, side, move || {
        let (mut count, mut len) = (0, 0);
        contestant.run(&chunks, |event_type, data, id| {
            count += 1;
            len += event_type.len() + data.len() + id.len();
            black_box((event_type, data, id));
        });
        assert_eq!((count, len), total, "{name}");
    });
}

/// By the book, for loads that are simple.
fn wanted(text: &str) -> Vec<Seen> {
    let mut events = Vec::new();
    let mut id = String::new();
    let text = text.replace("\r\n", "\n");
    for block in text.split("\n\n") {
        let mut event_type = "message".to_owned();
        let mut data: Option<String> = None;
        for line in block.split('\n') {
            let field = line.split_once(':');
            match field.map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("event", value)) => event_type = value.to_owned(),
                Some(("id", value)) => id = value.to_owned(),
                Some(("data", value)) => match &mut data {
                    None => data = Some(value.to_owned()),
                    Some(data) => _ = write!(data, "\n{value}"),
                },
                _ => {}
            }
        }
        if let Some(data) = data {
            events.push((event_type, data, id.clone()));
        }
    }
    events
}

fn iter<I: Iterator>(items: I) -> futures_util::stream::Iter<I> {
    futures_util::stream::iter(items)
}

fn drain<S: Stream>(stream: S, mut each: impl FnMut(S::Item)) {
    let mut stream = pin!(stream);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match stream.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(item)) => each(item),
            Poll::Ready(None) => return,
            // A poll that has had its share, with the waker already called.
            Poll::Pending => {}
        }
    }
}
