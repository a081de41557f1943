//! The events that the contestants send, and a reader for what they made of them.

use tower_sse::EventType;

/// The type of the typical event, 12 bytes.
pub const TYPE: &str = "score-update";
pub const EVENT_TYPE: EventType = EventType::from_static(TYPE);

/// Text of one line.
pub fn text(len: usize) -> String {
    "The quick brown fox jumps over the lazy dog. "
        .chars()
        .cycle()
        .take(len)
        .collect()
}

/// The data of the typical event: JSON of 120 bytes.
pub fn json(n: usize) -> String {
    let json = format!(
        r#"{{"match":7,"minute":{:02},"home":"Borussia","away":"Eintracht","score":[{},0],"scorer":"Somebody Else","note":"{n:011}"}}"#,
        n % 90,
        n % 10,
    );
    assert_eq!(json.len(), 120);
    json
}

/// The ID of the typical event, 15 bytes of text, as they come from a database.
pub fn id(n: usize) -> String {
    let id = format!("0b4c-{n:010}");
    assert_eq!(id.len(), 15);
    id
}

/// How many different IDs and data there are.
pub const DIFFERENT: usize = 64;

/// Typical events' IDs and data, one word of size. The IDs are text that each contestant takes as
/// such text is taken in its API; what it checks there is its own choice.
#[derive(Clone, Copy)]
pub struct Typical(&'static [(String, String); DIFFERENT]);

impl Typical {
    /// Leaks them.
    pub fn new() -> Self {
        let all = std::array::from_fn(|n| (id(n), json(n)));
        Self(Box::leak(Box::new(all)))
    }

    pub fn id(self, n: u64) -> &'static str {
        &self.0[index(n)].0
    }

    pub fn data(self, n: u64) -> &'static str {
        &self.0[index(n)].1
    }

    /// The first `count` of them, as they should be read.
    pub fn expected(self, count: u64) -> Vec<Read> {
        let event = |n| (TYPE.into(), self.id(n).into(), self.data(n).into());
        (0..count).map(event).collect()
    }
}

impl Default for Typical {
    fn default() -> Self {
        Self::new()
    }
}

fn index(n: u64) -> usize {
    usize::try_from(n % DIFFERENT as u64).expect("small")
}

/// An event's type, ID and data, empty where there is none.
pub type Read = (String, String, String);

/// What a browser would dispatch, by a plain reading of the standard.
///
/// # Panics
///
/// If the stream is not made of whole blocks of known fields.
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

/// How many bytes these events take: every contestant puts a blank after the colon.
pub fn encoded_len(events: &[Read]) -> usize {
    let field = |name: &str, value: &str| match value {
        "" => 0,
        _ => name.len() + ": \n".len() + value.len(),
    };
    let data = |data: &str| {
        let lines = data.split('\n').map(|line| "data: \n".len() + line.len());
        lines.sum::<usize>()
    };
    let block = |(event_type, id, text): &Read| {
        field("event", event_type) + field("id", id) + data(text) + "\n".len()
    };
    events.iter().map(block).sum()
}

/// Compares a stream with what was to be sent, event by event and by its length, not counting the
/// comment that a body may begin with.
///
/// # Panics
///
/// If they differ.
pub fn check(name: &str, stream: &[u8], expected: &[Read]) {
    assert_eq!(read(stream), expected, "{name}");
    let rest = stream.strip_prefix(b":\n").unwrap_or(stream);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    assert_eq!(rest.len(), encoded_len(expected), "{name}");
}
