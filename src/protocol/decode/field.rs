//! The meaning of a line: [9.2.6]'s fields.
//!
//! [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

use super::line_end::has_nul;
use crate::protocol::value::EventId;

/// The field of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Event,
    Data,
    Id,
    Retry,
    Comment,
    /// Any other name: the field is ignored.
    Unknown,
}

impl Field {
    /// Whether such a line is part of an event, and counts towards its limit.
    #[inline]
    pub(super) fn counts(self) -> bool {
        !matches!(self, Self::Comment | Self::Unknown)
    }

    /// The length of the longest name that is not [`Field::Unknown`].
    pub(super) const MAX_NAME: usize = 5;

    /// The field with this name, which is the part of a line before its first colon.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"event" => Self::Event,
            b"data" => Self::Data,
            b"id" => Self::Id,
            b"retry" => Self::Retry,
            b"" => Self::Comment,
            _ => Self::Unknown,
        }
    }

    /// The field of a line that begins with these eight bytes, and the position of its value;
    /// `None` unless the line has the common form `name: value`.
    #[inline]
    pub(super) fn common(start: [u8; 8]) -> Option<(Self, usize)> {
        let start = u64::from_le_bytes(start);
        let is = |name, len| starts(start, name, len);
        if is(b"data: \0\0", 6) {
            Some((Self::Data, 6))
        } else if is(b"event: \0", 7) {
            Some((Self::Event, 7))
        } else if is(b"id: \0\0\0\0", 4) {
            Some((Self::Id, 4))
        } else {
            None
        }
    }

    /// Splits a line, which must not be empty.
    ///
    /// > If the line contains a U+003A COLON character (:), collect the characters on the line before
    /// > the first U+003A COLON character (:), and let field be that string. Collect the characters
    /// > on the line after the first U+003A COLON character (:), and let value be that string. If
    /// > value starts with a U+0020 SPACE character, remove it from value. [...] Otherwise, the string
    /// > is not empty but does not contain a U+003A COLON character (:): [...] using the whole line
    /// > as the field name, and the empty string as the field value.
    #[inline]
    pub(super) fn split(line: &[u8]) -> (Self, &[u8]) {
        // Matched by first letters, so that no line is searched for a colon.
        let (field, rest) = match line {
            [b'd', b'a', b't', b'a', rest @ ..] => (Self::Data, rest),
            [b'i', b'd', rest @ ..] => (Self::Id, rest),
            [b'e', b'v', b'e', b'n', b't', rest @ ..] => (Self::Event, rest),
            [b'r', b'e', b't', b'r', b'y', rest @ ..] => (Self::Retry, rest),
            [b':', comment @ ..] => return (Self::Comment, comment),
            _ => return (Self::Unknown, b""),
        };
        match rest {
            [b':', b' ', value @ ..] | [b':', value @ ..] => (field, value),
            [] => (field, b""),
            _ => (Self::Unknown, b""),
        }
    }
}

/// Whether these eight bytes of a line begin with the first `len` of the name.
#[inline(always)]
pub(super) fn starts(line: u64, name: &[u8; 8], len: usize) -> bool {
    (line ^ u64::from_le_bytes(*name)) << (64 - 8 * len) == 0
}

/// Whether the value of an `id` field is valid. The field is ignored otherwise.
///
/// > If the field value does not contain U+0000 NULL, then set the last event ID buffer to the field
/// > value. Otherwise, ignore the field.
///
/// A value of more than [`EventId::MAX_LEN`] bytes could not be sent back, and is ignored as well.
#[inline]
pub(super) fn is_id(value: &[u8]) -> bool {
    // U+FFFD has three bytes, and each byte is replaced by at most one.
    (value.len() <= EventId::MAX_LEN / 3 || is_short_enough(value)) && !has_nul(value)
}

#[cold]
fn is_short_enough(value: &[u8]) -> bool {
    value.len() <= EventId::MAX_LEN && String::from_utf8_lossy(value).len() <= EventId::MAX_LEN
}

/// The milliseconds of a `retry` field.
///
/// > If the field value consists of only ASCII digits, then interpret the field value as an integer
/// > in base ten [...] Otherwise, ignore the field.
///
/// An empty value, and a number that does not fit 64 bits, are ignored as well.
pub(super) fn milliseconds(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_a_name_agree() {
        for name in [
            "event", "data", "id", "retry", "", "Data", "dat", "datas", "ID", "comment", "x",
        ] {
            for rest in [":", ": ", ":v", ": v", ":  v", ""] {
                let line = format!("{name}{rest}");
                if line.is_empty() {
                    continue;
                }
                let (field, value) = Field::split(line.as_bytes());
                assert_eq!(field, Field::of(name.as_bytes()), "{line:?}");
                let long = format!("{line}\n       ");
                let start = long.as_bytes().first_chunk().unwrap();
                if let Some((common, at)) = Field::common(*start) {
                    assert_eq!(common, field, "{line:?}");
                    assert_eq!(&line.as_bytes()[at..], value, "{line:?}");
                } else {
                    assert!(!line.contains(": ") || field != Field::Data, "{line:?}");
                }
                if !matches!(field, Field::Unknown | Field::Comment) {
                    let value = std::str::from_utf8(value).unwrap();
                    let wanted = rest.strip_prefix(':').unwrap_or("");
                    assert_eq!(
                        value,
                        wanted.strip_prefix(' ').unwrap_or(wanted),
                        "{line:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn digits_only() {
        assert_eq!(milliseconds(b"0"), Some(0));
        assert_eq!(milliseconds(b"0005000"), Some(5_000));
        assert_eq!(milliseconds(b"18446744073709551615"), Some(u64::MAX));
        for value in [
            "",
            "+5",
            "-5",
            "5a",
            " 5",
            "5 ",
            "5.0",
            "18446744073709551616",
            "\u{665}",
        ] {
            assert_eq!(milliseconds(value.as_bytes()), None, "{value:?}");
        }
    }
}
