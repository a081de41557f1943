//! The entries of the stream: writing and reading their fields.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::new_entry::NewEntry;
use crate::hub::delivery::Delivery;
use crate::hub::foreign::{id_of, key_of};
use crate::hub::outer::{LogEntry, Stored};
use crate::protocol::{Data, Event, EventType};

/// An entry that has been read.
#[derive(Debug, Clone)]
pub(super) struct StreamEntry {
    pub(super) entry: LogEntry,
    /// The size of its fields in bytes.
    pub(super) size: usize,
    /// A hash of its fields. It differs if another entry has been given the same ID.
    pub(super) print: u64,
    /// It is not an entry that the hub understands, and is skipped.
    pub(super) is_skipped: bool,
}

impl StreamEntry {
    pub(super) fn key(&self) -> u128 {
        self.entry.key
    }

    pub(super) fn is_loss(&self) -> bool {
        matches!(self.entry.what, Stored::Lost)
    }
}

/// Writes the fields of a new entry.
pub(super) fn write_entry(cmd: &mut Cmd, entry: &NewEntry) {
    cmd.arg("topic").arg(&entry.topic);
    let parts = entry.event.as_ref().map(Event::parts);
    let parts = parts.unwrap_or_default();
    if let Some(event_type) = parts.event_type {
        cmd.arg("event").arg(event_type);
    }
    if let Some(data) = parts.data {
        cmd.arg("data").arg(&*data);
    }
    if let Some(key) = &entry.key {
        cmd.arg("key").arg(&**key);
    }
    if entry.last {
        cmd.arg("last").arg("1");
    }
    if let Some(retry) = parts.retry {
        cmd.arg("retry").arg(retry);
    }
    if let Some(comment) = parts.comment {
        cmd.arg("comment").arg(comment);
    }
}

/// Returns the entries of a reply in their order, or `None` if it is not a list of entries.
pub(super) fn read_entries(value: Value) -> Option<Vec<StreamEntry>> {
    match value {
        Value::Array(entries) => entries.into_iter().map(read_entry).collect(),
        Value::Nil => Some(Vec::new()),
        _ => None,
    }
}

/// Returns the entries of a reply to `XREAD` for one stream, or `None` if it is none. RESP3 answers
/// with a map.
pub(super) fn read_stream(value: Value) -> Option<Vec<StreamEntry>> {
    let entries = match value {
        Value::Nil => return Some(Vec::new()),
        Value::Map(streams) => streams.into_iter().next()?.1,
        Value::Array(streams) => match streams.into_iter().next()? {
            Value::Array(stream) => stream.into_iter().nth(1)?,
            _ => return None,
        },
        _ => return None,
    };
    read_entries(entries)
}

/// Returns the key of an entry, if the reply is an entry's ID.
pub(super) fn read_key(value: &Value) -> Option<u128> {
    match value {
        Value::BulkString(id) => key_of(std::str::from_utf8(id).ok()?),
        Value::SimpleString(id) => key_of(id),
        _ => None,
    }
}

fn read_entry(value: Value) -> Option<StreamEntry> {
    let Value::Array(parts) = value else {
        return None;
    };
    let mut parts = parts.into_iter();
    let key = read_key(&parts.next()?)?;
    let fields = read_fields(parts.next()?);
    let mut print = DefaultHasher::new();
    let mut size = 64;
    for (name, value) in &fields {
        (name, value).hash(&mut print);
        size += name.len() + value.len();
    }
    let what = read_what(Some(key), fields);
    Some(StreamEntry {
        is_skipped: what.is_none(),
        entry: LogEntry {
            key,
            what: what.unwrap_or(Stored::Place),
        },
        size,
        print: print.finish(),
    })
}

pub(super) type EntryField = (Vec<u8>, Vec<u8>);

fn read_fields(value: Value) -> Vec<EntryField> {
    let bytes = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        Value::Okay => Some(b"OK".to_vec()),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        _ => None,
    };
    let mut fields = Vec::new();
    match value {
        Value::Array(parts) => {
            let mut parts = parts.into_iter().map(bytes);
            while let (Some(Some(name)), Some(Some(value))) = (parts.next(), parts.next()) {
                fields.push((name, value));
            }
        }
        Value::Map(parts) => {
            let parts = parts.into_iter();
            fields.extend(parts.filter_map(|(name, value)| Some((bytes(name)?, bytes(value)?))));
        }
        _ => {}
    }
    fields
}

/// Interprets the fields of an entry. Returns `None` if the hub does not understand it. A transient
/// event has no key. If a field occurs more than once, the last one counts.
pub(super) fn read_what(key: Option<u128>, fields: Vec<EntryField>) -> Option<Stored> {
    let (mut topic, mut event_type, mut data) = (None, None, None);
    let (mut label, mut is_last, mut retry, mut comment) = (None, false, None, None);
    let mut mark = None;
    for (name, value) in fields {
        let text = |value| String::from_utf8(value).ok();
        match &*name {
            b"topic" => topic = Some(text(value)?),
            b"event" => event_type = Some(EventType::try_from(text(value)?).ok()?),
            b"data" => data = Some(Data::try_from(Bytes::from(value)).ok()?),
            b"key" => label = Some(Arc::<str>::from(text(value)?)),
            b"last" => is_last = true,
            b"retry" => retry = Some(text(value)?.parse::<u64>().ok()?),
            b"comment" => comment = Some(text(value)?),
            b"mark" => mark = Some(value),
            _ => {}
        }
    }
    match mark.as_deref() {
        None => {}
        Some(b"begin") => return Some(Stored::Begin),
        Some(b"lost") => return Some(Stored::Lost),
        Some(_) => return None,
    }
    let topic = Arc::<str>::from(topic.unwrap_or_default());
    if data.is_none() && comment.is_none() && retry.is_none() {
        return is_last.then_some(Stored::Finish(topic));
    }
    let mut event = data.map_or_else(Event::empty, Event::new);
    if let Some(event_type) = event_type {
        event = event.with_type(event_type);
    }
    if let Some(retry) = retry {
        event = event.with_retry(Duration::from_millis(retry));
    }
    if let Some(comment) = comment {
        event = event.with_comment(comment);
    }
    let block = event.encode_as(key.map(id_of).as_ref());
    Some(Stored::Event {
        delivery: Delivery::new(topic, block),
        label,
        is_last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(id: &str, fields: &[&str]) -> Value {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let fields = fields.iter().map(|field| text(field)).collect();
        Value::Array(vec![text(id), Value::Array(fields)])
    }

    fn read(fields: &[&str]) -> Stored {
        let entries = read_entries(Value::Array(vec![value("7-1", fields)])).unwrap();
        assert_eq!(entries[0].key(), (7 << 64) + 1);
        assert_eq!(
            entries[0].is_skipped,
            matches!(entries[0].entry.what, Stored::Place)
        );
        entries[0].entry.what.clone()
    }

    fn block(fields: &[&str]) -> (String, String) {
        match read(fields) {
            Stored::Event { delivery, .. } => {
                let topic = delivery.topic().to_owned();
                let bytes = delivery.into_block().into_bytes();
                (topic, String::from_utf8(bytes.to_vec()).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_is_what_its_fields_say_and_nothing_else() {
        let event = block(&["topic", "a", "event", "goal", "data", "1 : 0"]);
        assert_eq!(event.1, "event: goal\nid: 7-1\ndata: 1 : 0\n\n");
        assert_eq!(event.0, "a");
        let sly = block(&["data", "x\n\nid: 9-9\r\ny"]);
        assert_eq!(
            sly.1,
            "id: 7-1\ndata: x\ndata: \ndata: id: 9-9\ndata: y\n\n"
        );
        assert_eq!(sly.0, "");
        let rare = block(&["topic", "a", "comment", "c", "retry", "9", "other", "o"]);
        assert!(rare.1.contains("retry: 9\n") && rare.1.contains(": c\n"));
        for garbage in [
            &["topic", "a"][..],
            &[],
            &["event", "a\nb", "data", "x"],
            &["event", "a\rb", "data", "x"],
            &["data", "x", "retry", "soon"],
            &["mark", "other"],
            &["data"],
        ] {
            assert!(matches!(read(garbage), Stored::Place), "{garbage:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let event = Event::new("a\nb").with_type(EventType::from_static("goal"));
        let event = event.with_comment("c").with_retry(Duration::from_secs(1));
        let new = || NewEntry::new("match/7", event.clone());
        for entry in [new(), new().with_key("score".into()), new().last()] {
            let mut cmd = Cmd::new();
            write_entry(&mut cmd, &entry);
            let fields: Vec<String> = cmd
                .args_iter()
                .map(|arg| match arg {
                    redis::Arg::Simple(arg) => String::from_utf8(arg.to_vec()).unwrap(),
                    _ => panic!(),
                })
                .collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let Stored::Event {
                delivery,
                label,
                is_last,
            } = read(&fields)
            else {
                panic!();
            };
            assert_eq!(delivery.topic(), "match/7");
            let id = id_of((7 << 64) + 1);
            assert_eq!(delivery.into_block(), event.encode_as(Some(&id)));
            assert_eq!((is_last, label), (entry.last, entry.key));
        }
    }

    #[test]
    fn marks_and_ends_are_told_apart() {
        for mark in [&["mark", "lost"][..], &["mark", "lost", "from", "3-4"]] {
            assert!(matches!(read(mark), Stored::Lost));
        }
        assert!(
            matches!(read(&["topic", "a", "last", "1"]), Stored::Finish(topic) if &*topic == "a")
        );
    }

    #[test]
    fn both_protocols_say_which_stream_it_is() {
        let name = Value::BulkString(b"feed".to_vec());
        let entries = Value::Array(vec![value("7-1", &["data", "x"])]);
        let resp2 = Value::Array(vec![Value::Array(vec![name.clone(), entries.clone()])]);
        let resp3 = Value::Map(vec![(name, entries)]);
        for reply in [resp2, resp3] {
            assert_eq!(read_stream(reply).unwrap()[0].key(), (7 << 64) + 1);
        }
        assert!(read_stream(Value::Nil).unwrap().is_empty());
        assert!(read_stream(Value::Array(Vec::new())).is_none());
        assert!(read_stream(Value::Okay).is_none());
    }
}
