use std::error::Error;
use std::fmt;

use super::event_id::EventId;

/// An error returned for text that is not a valid event ID, event type or data.
///
/// The message names the offending character and its position, or the length and the limit.
///
/// ```
/// use tower_sse::EventType;
///
/// let error = EventType::try_from("go\nal").unwrap_err();
/// assert_eq!(error.to_string(), "event type contains U+000A (line feed) at byte 2");
/// assert_eq!((error.character(), error.position()), (Some('\n'), 2));
/// ```
// Two words, which are returned in registers: an ID that shares its place with a larger error, or with
// one of other parts than words, is built in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidText {
    problem: Problem,
    /// The position, or the length if that is the problem.
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Problem {
    IdHasNull,
    IdHasLineFeed,
    IdHasCarriageReturn,
    IdIsNotUtf8,
    IdIsTooLong,
    TypeHasLineFeed,
    TypeHasCarriageReturn,
    TypeIsNotUtf8,
    DataIsNotUtf8,
}

/// What is not valid.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) enum Checked {
    EventId,
    EventType,
    Data,
}

impl InvalidText {
    /// An ID with a NUL, LF or CR.
    pub(in crate::protocol) const fn in_id(byte: u8, at: usize) -> Self {
        let problem = match byte {
            b'\0' => Problem::IdHasNull,
            b'\n' => Problem::IdHasLineFeed,
            _ => Problem::IdHasCarriageReturn,
        };
        Self { problem, at }
    }

    /// A type with an LF or CR.
    pub(in crate::protocol) const fn in_type(byte: u8, at: usize) -> Self {
        let problem = match byte {
            b'\n' => Problem::TypeHasLineFeed,
            _ => Problem::TypeHasCarriageReturn,
        };
        Self { problem, at }
    }

    pub(in crate::protocol) const fn not_utf8(what: Checked, at: usize) -> Self {
        let problem = match what {
            Checked::EventId => Problem::IdIsNotUtf8,
            Checked::EventType => Problem::TypeIsNotUtf8,
            Checked::Data => Problem::DataIsNotUtf8,
        };
        Self { problem, at }
    }

    /// An ID of this length.
    pub(in crate::protocol) const fn too_long(len: usize) -> Self {
        Self {
            problem: Problem::IdIsTooLong,
            at: len,
        }
    }

    /// Returns the character that is not allowed; `None` if the bytes are not UTF-8, or the text is
    /// too long.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use tower_sse::{Data, EventId};
    /// assert_eq!(EventId::try_from("7\0").unwrap_err().character(), Some('\0'));
    /// assert_eq!(Data::try_from(Bytes::from_static(b"\xff")).unwrap_err().character(), None);
    /// ```
    #[must_use]
    pub fn character(&self) -> Option<char> {
        match self.problem {
            Problem::IdHasNull => Some('\0'),
            Problem::IdHasLineFeed | Problem::TypeHasLineFeed => Some('\n'),
            Problem::IdHasCarriageReturn | Problem::TypeHasCarriageReturn => Some('\r'),
            Problem::IdIsNotUtf8
            | Problem::IdIsTooLong
            | Problem::TypeIsNotUtf8
            | Problem::DataIsNotUtf8 => None,
        }
    }

    /// Returns the position of the problem, in bytes from the start of the text. In text that is
    /// too long, that is the first byte over the limit.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert_eq!(EventId::try_from("zürich\n").unwrap_err().position(), 7);
    /// ```
    #[must_use]
    pub fn position(&self) -> usize {
        match self.problem {
            Problem::IdIsTooLong => EventId::MAX_LEN,
            _ => self.at,
        }
    }

    /// Returns `true` if the text is longer than allowed, whatever it contains.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// let error = EventId::try_from("7".repeat(5000)).unwrap_err();
    /// assert!(error.is_too_long());
    /// assert_eq!(error.to_string(), "event ID is 5000 bytes long, over the limit of 4096");
    /// assert_eq!(error.position(), EventId::MAX_LEN);
    /// ```
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.problem == Problem::IdIsTooLong
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            Problem::IdHasNull
            | Problem::IdHasLineFeed
            | Problem::IdHasCarriageReturn
            | Problem::IdIsNotUtf8
            | Problem::IdIsTooLong => "event ID",
            Problem::TypeHasLineFeed | Problem::TypeHasCarriageReturn | Problem::TypeIsNotUtf8 => {
                "event type"
            }
            Problem::DataIsNotUtf8 => "data",
        };
        let at = self.at;
        let found = match self.character() {
            Some('\0') => "U+0000 (null)",
            Some('\n') => "U+000A (line feed)",
            Some(_) => "U+000D (carriage return)",
            None if self.is_too_long() => {
                let max = EventId::MAX_LEN;
                return write!(f, "{what} is {at} bytes long, over the limit of {max}");
            }
            None => return write!(f, "{what} is not UTF-8 from byte {at} on"),
        };
        write!(f, "{what} contains {found} at byte {at}")
    }
}

impl Error for InvalidText {}

/// An error returned if a value cannot be serialized as JSON, or data is not the expected JSON. The
/// reason is the error's [`source`](Error::source).
///
/// ```
/// use std::collections::HashMap;
/// use std::error::Error;
/// use tower_sse::{Data, MessageEvent};
///
/// let error = Data::json(&HashMap::from([((1, 2), 3)])).unwrap_err();
/// assert_eq!(error.to_string(), "the data cannot be serialized as JSON");
/// assert_eq!(error.source().unwrap().to_string(), "key must be a string");
///
/// let error = MessageEvent::new("[2, true]").json::<Vec<u32>>().unwrap_err();
/// assert_eq!(error.to_string(), "the data is not the expected JSON");
/// ```
#[cfg(feature = "json")]
#[derive(Debug)]
pub struct JsonError {
    problem: &'static str,
    reason: serde_json::Error,
}

#[cfg(feature = "json")]
impl JsonError {
    pub(in crate::protocol) fn writing(reason: serde_json::Error) -> Self {
        Self {
            problem: "the data cannot be serialized as JSON",
            reason,
        }
    }

    pub(in crate::protocol) fn reading(reason: serde_json::Error) -> Self {
        Self {
            problem: "the data is not the expected JSON",
            reason,
        }
    }
}

#[cfg(feature = "json")]
impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem)
    }
}

#[cfg(feature = "json")]
impl Error for JsonError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_text_is_two_words() {
        assert_eq!(size_of::<InvalidText>(), 2 * size_of::<usize>());
        assert_eq!(size_of::<Result<(), InvalidText>>(), 2 * size_of::<usize>());
    }
}
