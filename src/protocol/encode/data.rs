use std::fmt;

use bytes::Bytes;

use super::lines::{Display, write_data};
use crate::protocol::value::InvalidText;
#[cfg(feature = "json")]
use crate::protocol::value::JsonError;
use crate::protocol::value::Text;

/// An event's data: any text at all.
///
/// CR, LF and CRLF each are one line break and arrive as LF, as the standard normalises them;
/// everything else arrives as it was, leading spaces, trailing newlines and emptiness included.
///
/// | from | cost |
/// |---|---|
/// | `&'static str` | none |
/// | `String` | moved; up to 38 bytes are kept in place |
/// | `Bytes` ([`TryFrom`]) | a check for UTF-8; shared, never copied |
/// | anything that displays ([`Data::display`]) | written straight into the encoded lines |
/// | anything that serialises (`Data::json`, feature `json`) | written straight into the encoded lines |
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::{Data, Event};
///
/// let data = Data::try_from(Bytes::from_static(b"from a socket"))?;
/// assert_eq!(Event::new(data).encode(), "data: from a socket\n\n");
///
/// let error = Data::try_from(Bytes::from_static(b"ab\xff")).unwrap_err();
/// assert_eq!(error.to_string(), "data is not UTF-8 from byte 2 on");
/// # Ok::<(), tower_sse::InvalidText>(())
/// ```
#[derive(Clone)]
pub struct Data(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    /// As given, line breaks and all.
    Text(Text),
    /// As it goes out: whole `data: ...` lines and the empty one after them.
    Lines(Bytes),
}

impl Data {
    /// Bytes that the caller knows to be UTF-8.
    pub(in crate::protocol) fn from_utf8(bytes: Bytes) -> Self {
        Self(Repr::Text(Text::Shared(bytes)))
    }

    /// Whatever the value displays, written straight into the encoded lines.
    ///
    /// # Errors
    ///
    /// If the value's `Display` reports an error, that error.
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// let data = Data::display(format_args!("{} : {}", 2, 1))?;
    /// assert_eq!(Event::new(data).encode(), "data: 2 : 1\n\n");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn display(value: impl fmt::Display) -> Result<Self, fmt::Error> {
        use fmt::Write as _;

        let mut lines = Vec::with_capacity(128);
        write_data(&mut lines, |out| write!(Display(out), "{value}"))?;
        Ok(Self(Repr::Lines(Bytes::from(lines.into_boxed_slice()))))
    }

    /// The value as JSON, written straight into the encoded lines.
    ///
    /// # Errors
    ///
    /// If the value cannot be serialised, with the serialiser's reason.
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// let data = Data::json(&[2, 1])?;
    /// assert_eq!(Event::new(data).encode(), "data: [2,1]\n\n");
    /// # Ok::<(), tower_sse::JsonError>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        let mut lines = Vec::with_capacity(128);
        write_data(&mut lines, |out| serde_json::to_writer(out, value)).map_err(JsonError)?;
        Ok(Self(Repr::Lines(Bytes::from(lines.into_boxed_slice()))))
    }
}

impl From<&'static str> for Data {
    #[inline]
    fn from(text: &'static str) -> Self {
        Self(Repr::Text(Text::from(text)))
    }
}

impl From<String> for Data {
    #[inline]
    fn from(text: String) -> Self {
        Self(Repr::Text(Text::from(text)))
    }
}

impl TryFrom<Bytes> for Data {
    type Error = InvalidText;

    fn try_from(bytes: Bytes) -> Result<Self, InvalidText> {
        let text = Text::from_utf8(bytes).map_err(|at| InvalidText::not_utf8("data", at))?;
        Ok(Self(Repr::Text(text)))
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => f.debug_tuple("Data").field(text).finish(),
            Repr::Lines(lines) => f.debug_tuple("Data").field(lines).finish(),
        }
    }
}
