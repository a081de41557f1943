//! What an event is made of, for where it is written in another form.

use std::borrow::Cow;

use super::event::Event;
use super::fields::Payload;
use super::lines::DATA;
use crate::protocol::value::EventType;

/// An event's parts, without its ID.
#[derive(Debug, Default)]
pub(crate) struct EventParts<'a> {
    pub(crate) event_type: Option<&'a [u8]>,
    /// The lines of the data, as they were given or joined by LF.
    pub(crate) data: Option<Cow<'a, [u8]>>,
    pub(crate) retry: Option<u64>,
    pub(crate) comment: Option<&'a [u8]>,
}

impl Event {
    pub(crate) fn parts(&self) -> EventParts<'_> {
        let fields = self.fields();
        EventParts {
            event_type: self
                .event_type()
                .map(EventType::as_bytes)
                .filter(|name| !name.is_empty()),
            data: match fields.data {
                Payload::None => None,
                Payload::Text(text) => Some(Cow::Borrowed(text)),
                Payload::Lines(lines) => Some(Cow::Owned(joined(lines))),
            },
            retry: fields.retry,
            comment: fields.comment,
        }
    }
}

/// The text of encoded lines.
fn joined(lines: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.len());
    for (at, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        let Some(line) = line.strip_prefix(DATA) else {
            break;
        };
        if at > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encode::data::Data;

    #[test]
    fn parts_make_the_same_event_again() {
        for lines in [vec![""], vec!["a"], vec!["a", "", "b"], vec!["", ""]] {
            let event = Event::new(Data::lines(&lines)).with_type(EventType::from_static("x"));
            let parts = event.parts();
            assert_eq!(parts.event_type, Some(&b"x"[..]));
            let text = String::from_utf8(parts.data.unwrap().into_owned()).unwrap();
            assert_eq!(text, lines.join("\n"));
            let again = Event::new(text).with_type(EventType::from_static("x"));
            assert_eq!(again.encode(), event.clone().encode());
        }
        assert!(Event::comment("x").parts().data.is_none());
    }
}
