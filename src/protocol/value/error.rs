use std::error::Error;
use std::fmt;

/// Text that cannot be what it was given for: an event ID, an event type, data.
///
/// The message names the offending character and where it stands.
///
/// ```
/// use tower_sse::EventType;
///
/// let error = EventType::try_from("go\nal").unwrap_err();
/// assert_eq!(error.to_string(), "event type has U+000A (line feed) at byte 2");
/// assert_eq!((error.character(), error.position()), (Some('\n'), 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidText {
    what: &'static str,
    character: Option<char>,
    position: usize,
}

impl InvalidText {
    pub(in crate::protocol) const fn character_at(
        what: &'static str,
        byte: u8,
        position: usize,
    ) -> Self {
        Self {
            what,
            character: Some(byte as char),
            position,
        }
    }

    pub(in crate::protocol) const fn not_utf8(what: &'static str, position: usize) -> Self {
        Self {
            what,
            character: None,
            position,
        }
    }

    /// The character that may not stand there; `None` if the bytes there are not UTF-8.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use tower_sse::{Data, EventId};
    /// assert_eq!(EventId::try_from("7\0").unwrap_err().character(), Some('\0'));
    /// assert_eq!(Data::try_from(Bytes::from_static(b"\xff")).unwrap_err().character(), None);
    /// ```
    #[must_use]
    pub fn character(&self) -> Option<char> {
        self.character
    }

    /// Where it stands, in bytes from the start of the text.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert_eq!(EventId::try_from("zürich\n").unwrap_err().position(), 7);
    /// ```
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            character,
            position,
        } = self;
        match character {
            Some('\0') => write!(f, "{what} has U+0000 (null) at byte {position}"),
            Some('\n') => write!(f, "{what} has U+000A (line feed) at byte {position}"),
            Some('\r') => write!(f, "{what} has U+000D (carriage return) at byte {position}"),
            Some(c) => write!(f, "{what} has U+{:04X} at byte {position}", u32::from(*c)),
            None => write!(f, "{what} is not UTF-8 from byte {position} on"),
        }
    }
}

impl Error for InvalidText {}

/// A value that could not be serialised as JSON.
///
/// ```
/// use std::collections::HashMap;
/// use tower_sse::Data;
///
/// let error = Data::json(&HashMap::from([((1, 2), 3)])).unwrap_err();
/// assert_eq!(error.to_string(), "data cannot be JSON: key must be a string");
/// ```
#[cfg(feature = "json")]
#[derive(Debug)]
pub struct JsonError(pub(in crate::protocol) serde_json::Error);

#[cfg(feature = "json")]
impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data cannot be JSON: {}", self.0)
    }
}

#[cfg(feature = "json")]
impl Error for JsonError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
