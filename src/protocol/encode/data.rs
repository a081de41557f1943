use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::data_lines::DataLines;
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
/// | a literal ([`Data::from_static`]) | none |
/// | `&str`, `&String` | a copy; up to 38 bytes are kept in place |
/// | `String`, `Box<str>`, `Cow<str>` | moved, a borrowed `Cow` copied; up to 38 bytes are kept in place |
/// | `Arc<str>` | shared, never copied; up to 38 bytes are kept in place |
/// | `Bytes` ([`TryFrom`]) | a check for UTF-8; shared, never copied |
/// | lines, one by one ([`Data::lines`], [`DataLines`]) | written straight into the encoded lines |
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
pub struct Data(Repr);

#[derive(Clone)]
pub(super) enum Repr {
    /// As given, line breaks and all.
    Text(Text),
    /// As it goes out: whole `data: ...` lines and the empty one after them.
    Lines(Bytes),
}

impl Data {
    /// Text known when the program is written, which is never copied before it is encoded.
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// const BYE: Data = Data::from_static("back in a minute");
    /// assert_eq!(Event::new(BYE).encode(), "data: back in a minute\n\n");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Text(Text::Static(text)))
    }

    #[inline]
    pub(super) fn repr(&self) -> &Repr {
        &self.0
    }

    /// Whole `data: ...` lines and the empty one after them.
    pub(super) fn from_encoded(lines: Vec<u8>) -> Self {
        Self(Repr::Lines(Bytes::from(lines.into_boxed_slice())))
    }

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
        Ok(Self::from_encoded(lines))
    }

    /// Each item as a line, or as several if it has line breaks; see [`DataLines`].
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// let data = Data::lines(["selector #score", "elements <b>2 : 1</b>"]);
    /// assert_eq!(
    ///     Event::new(data).encode(),
    ///     "data: selector #score\ndata: elements <b>2 : 1</b>\n\n",
    /// );
    /// ```
    pub fn lines<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Self {
        lines.into_iter().collect::<DataLines>().into()
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
        write_data(&mut lines, |out| serde_json::to_writer(out, value))
            .map_err(JsonError::writing)?;
        Ok(Self::from_encoded(lines))
    }
}

impl From<&str> for Data {
    #[inline]
    fn from(text: &str) -> Self {
        Self(Repr::Text(Text::copy(text)))
    }
}

impl From<&String> for Data {
    #[inline]
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Data {
    #[inline]
    fn from(text: String) -> Self {
        Self(Repr::Text(Text::from(text)))
    }
}

impl From<Cow<'_, str>> for Data {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<Box<str>> for Data {
    fn from(text: Box<str>) -> Self {
        Self::from(String::from(text))
    }
}

impl From<Arc<str>> for Data {
    fn from(text: Arc<str>) -> Self {
        struct Shared(Arc<str>);

        impl AsRef<[u8]> for Shared {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        let text = Text::Shared(Bytes::from_owner(Shared(text)));
        Self(Repr::Text(text.compact()))
    }
}

impl From<char> for Data {
    fn from(c: char) -> Self {
        Self::from(&*c.encode_utf8(&mut [0; 4]))
    }
}

impl TryFrom<Vec<u8>> for Data {
    type Error = InvalidText;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidText> {
        Self::try_from(Bytes::from(bytes))
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
