use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::str;
use std::sync::Arc;

use bytes::Bytes;

use super::data_lines::DataLines;
use super::discard::discard;
use super::fields::{Payload, SHARE};
#[cfg(feature = "json")]
use super::json::write_json;
use super::lines::{Breaks, Display, write_data};
use super::scratch::with_scratch;
#[cfg(feature = "json")]
use crate::protocol::value::JsonError;
use crate::protocol::value::{Checked, InvalidText, Words};

/// An event's data, which can be any text.
///
/// CR, LF and CRLF are each one line break and arrive as LF, as the standard normalizes them.
/// Everything else arrives unchanged, including leading spaces, trailing newlines and empty data.
///
/// | from | cost |
/// |---|---|
/// | a literal ([`Data::from_static`]) | none |
/// | `&str`, `&String` | a copy; up to 15 bytes are kept in place |
/// | `String`, `Box<str>`, `Cow<str>` | moved; a borrowed `Cow` is copied |
/// | `Arc<str>` | shared, never copied |
/// | `Bytes` ([`TryFrom`]) | a check for UTF-8; shared, never copied |
/// | lines, one by one ([`Data::lines`], [`DataLines`]) | written straight into the encoded lines |
/// | anything that displays ([`Data::display`]) | written straight into the encoded lines |
/// | anything that serializes (`Data::json`, feature `json`) | written straight into the encoded lines |
///
/// Cloning copies text that was moved in or written by [`Data::lines`], `display` and `json`, as
/// encoding does. Text of 32 KiB or more, which is not copied when it is encoded, is shared.
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

/// Three words, like a `String`, because events are moved while they are built. `benches/encode`,
/// "16 B", `Event` of a `String`: 28.6 ns, and 41.4 with five words and a `Bytes` for the `String`.
#[derive(Clone)]
pub(super) enum Repr {
    Static(&'static str),
    Inline(Words<2>),
    /// Shorter than [`SHARE`].
    Owned(String),
    /// Shorter than [`SHARE`].
    Arc(Arc<str>),
    /// UTF-8 of any length.
    Shared(Box<Bytes>),
    /// Encoded: complete `data: ...` lines and the empty line after them.
    Lines(Box<[u8]>),
}

impl Repr {
    fn shared(text: Bytes) -> Self {
        Self::Shared(Box::new(text))
    }

    /// The text as given, or the encoded lines.
    #[inline]
    pub(super) fn payload(&self) -> Payload<'_> {
        Payload::Text(match self {
            Self::Static(text) => text.as_bytes(),
            Self::Inline(words) => words.as_bytes(),
            Self::Owned(text) => text.as_bytes(),
            Self::Arc(text) => text.as_bytes(),
            Self::Shared(text) => text,
            Self::Lines(lines) => return Payload::Lines(lines),
        })
    }
}

impl Data {
    /// Creates data from a literal, which is never copied before it is encoded.
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// const BYE: Data = Data::from_static("back in a minute");
    /// assert_eq!(Event::new(BYE).encode(), "data: back in a minute\n\n");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }

    #[inline]
    pub(super) fn repr(&self) -> &Repr {
        &self.0
    }

    /// Drops the data where it is; see [`discard`].
    #[inline(always)]
    pub(super) fn discard(&mut self) {
        match &mut self.0 {
            Repr::Static(_) | Repr::Inline(_) => {}
            Repr::Owned(text) => drop(mem::take(text)),
            other => discard(Some(mem::replace(other, Repr::Static("")))),
        }
    }

    /// Complete `data: ...` lines and the empty line after them.
    pub(super) fn from_encoded(lines: Vec<u8>) -> Self {
        Self(Repr::Lines(lines.into_boxed_slice()))
    }

    /// The encoded lines, if the data is in that form.
    #[inline(always)]
    pub(super) fn into_encoded(self) -> Option<Box<[u8]>> {
        match self.0 {
            Repr::Lines(lines) => Some(lines),
            _ => None,
        }
    }

    /// Bytes that the caller knows to be UTF-8.
    pub(in crate::protocol) fn from_utf8(bytes: Bytes) -> Self {
        Self(Repr::shared(bytes))
    }

    /// Creates data from a value's `Display` output, written straight into the encoded lines.
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

        Self::written(|out| write!(Display(out), "{value}").map(|()| Breaks::Unknown))
    }

    /// Creates data with each item as a line, or as several if it has line breaks; see
    /// [`DataLines`].
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

    /// Creates data from a value as JSON, written straight into the encoded lines.
    ///
    /// # Errors
    ///
    /// If the value cannot be serialized, with the serializer's reason.
    ///
    /// ```
    /// use tower_sse::{Data, Event};
    ///
    /// let data = Data::json(&[2, 1])?;
    /// assert_eq!(Event::new(data).encode(), "data: [2,1]\n\n");
    /// # Ok::<(), tower_sse::JsonError>(())
    /// ```
    #[cfg(feature = "json")]
    #[inline(always)]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        Self::written(|out| write_json(out, value))
    }

    // Only the lines are out of line: see `discard`. `benches/encode`, "JSON struct", `Event::json`:
    // 95 ns, and 119 with an event that is moved.
    #[inline(always)]
    fn written<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<Breaks, E>) -> Result<Self, E> {
        match encoded(write) {
            Ok(lines) => Ok(Self(Repr::Lines(lines))),
            Err(error) => Err(error),
        }
    }
}

#[cold]
#[inline(never)]
fn shared(text: String) -> Box<Bytes> {
    Box::new(Bytes::from(text))
}

/// The lines, in one exact allocation.
#[inline(never)]
fn encoded<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<Breaks, E>) -> Result<Box<[u8]>, E> {
    with_scratch(|lines| {
        write_data(lines, write)?;
        Ok(Box::from(lines.as_slice()))
    })
}

impl From<&str> for Data {
    #[inline]
    fn from(text: &str) -> Self {
        if text.len() > Words::<2>::MAX_LEN {
            return Self::from(text.to_owned());
        }
        Self(Repr::Inline(Words::short(text.as_bytes())))
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
        if text.len() >= SHARE {
            return Self(Repr::Shared(shared(text)));
        }
        Self(Repr::Owned(text))
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
        struct SharedText(Arc<str>);

        impl AsRef<[u8]> for SharedText {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        if text.len() >= SHARE {
            return Self::from_utf8(Bytes::from_owner(SharedText(text)));
        }
        Self(Repr::Arc(text))
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
        match str::from_utf8(&bytes) {
            Ok(_) => Ok(Self::from_utf8(bytes)),
            Err(error) => Err(InvalidText::not_utf8(Checked::Data, error.valid_up_to())),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Payload::Text(text) | Payload::Lines(text)) = self.0.payload() else {
            return f.write_str("Data");
        };
        f.debug_tuple("Data")
            .field(&String::from_utf8_lossy(text))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encode::event::Event;

    #[test]
    fn borrowed_text_is_encoded_like_owned_text() {
        const CHARACTERS: [char; 8] = ['a', ' ', '\n', '\r', '\t', '\0', 'ü', 'z'];
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let rounds = if cfg!(miri) { 100 } else { 10_000 };
        for _ in 0..rounds {
            let len = random(20);
            let text: String = (0..len).map(|_| CHARACTERS[random(8)]).collect();
            let (borrowed, owned) = (Data::from(text.as_str()), Data::from(text.clone()));
            assert_eq!(matches!(borrowed.repr(), Repr::Inline(_)), text.len() <= 15);
            assert_eq!(
                Event::new(borrowed).encode(),
                Event::new(owned).encode(),
                "{text:?}"
            );
        }
    }
}
