use std::error::Error;
use std::fmt;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidText {
    what: &'static str,
    problem: Problem,
    position: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Character(char),
    NotUtf8,
    TooLong { len: usize },
}

impl InvalidText {
    pub(in crate::protocol) const fn character_at(
        what: &'static str,
        byte: u8,
        position: usize,
    ) -> Self {
        Self {
            what,
            problem: Problem::Character(byte as char),
            position,
        }
    }

    pub(in crate::protocol) const fn not_utf8(what: &'static str, position: usize) -> Self {
        Self {
            what,
            problem: Problem::NotUtf8,
            position,
        }
    }

    pub(in crate::protocol) const fn too_long(what: &'static str, len: usize, max: usize) -> Self {
        Self {
            what,
            problem: Problem::TooLong { len },
            position: max,
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
            Problem::Character(character) => Some(character),
            Problem::NotUtf8 | Problem::TooLong { .. } => None,
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
        self.position
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
        matches!(self.problem, Problem::TooLong { .. })
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            problem,
            position,
        } = self;
        let c = match problem {
            Problem::Character(c) => *c,
            Problem::NotUtf8 => return write!(f, "{what} is not UTF-8 from byte {position} on"),
            Problem::TooLong { len } => {
                return write!(
                    f,
                    "{what} is {len} bytes long, over the limit of {position}"
                );
            }
        };
        let name = match c {
            '\0' => " (null)",
            '\n' => " (line feed)",
            '\r' => " (carriage return)",
            _ => "",
        };
        write!(
            f,
            "{what} contains U+{:04X}{name} at byte {position}",
            u32::from(c)
        )
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
