use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::{self, FromStr};

use bytes::Bytes;

use super::error::InvalidText;
use super::find::find;
use super::text::Text;

const WHAT: &str = "event type";

/// The number of words of text stored inline. The last byte is the length. Most types are literals,
/// which use none of these.
const INLINE: usize = 3;

const BREAKS: [u8; 2] = [b'\r', b'\n'];

/// An event's type: the name that a page listens for, as in `addEventListener("goal", ...)`.
///
/// It is any text without CR and LF. An empty type is equivalent to no type: the browser dispatches
/// a `message` ([9.2.6]). A literal is not copied. Other text of up to 23 bytes is stored inline,
/// and clones share longer text.
///
/// ```
/// use tower_sse::EventType;
///
/// const GOAL: EventType = EventType::from_static("goal");
/// assert_eq!(GOAL, "goal");
/// assert_eq!("card".parse::<EventType>()?, "card");
/// assert!(EventType::try_from("goal\r\ndata: injected").is_err());
/// # Ok::<(), tower_sse::InvalidText>(())
/// ```
///
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Clone)]
pub struct EventType(Text<INLINE>);

impl EventType {
    /// `message`, the type of an event without a type.
    ///
    /// ```
    /// # use tower_sse::{Event, EventType};
    /// let event = Event::new("x").with_type(EventType::MESSAGE);
    /// assert_eq!(event.encode(), "event: message\ndata: x\n\n");
    /// ```
    pub const MESSAGE: Self = Self(Text::Static("message"));

    /// Creates a type from a literal.
    ///
    /// # Panics
    ///
    /// If the text has a CR or LF; in a `const`, that fails the build.
    ///
    /// ```
    /// # use tower_sse::EventType;
    /// const TYPE: EventType = EventType::from_static("card");
    /// assert_eq!(TYPE, "card");
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use tower_sse::EventType;
    /// const TYPE: EventType = EventType::from_static("two\nlines");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match check(text.as_bytes()) {
            Ok(()) => Self(Text::Static(text)),
            Err(_) => panic!("an event type has no CR or LF"),
        }
    }

    /// Returns the type as text.
    ///
    /// ```
    /// # use tower_sse::EventType;
    /// assert_eq!(EventType::from_static("goal").as_str(), "goal");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the type as UTF-8 bytes; cheaper than [`as_str`](Self::as_str).
    ///
    /// ```
    /// # use tower_sse::EventType;
    /// assert_eq!(EventType::from_static("goal").as_bytes(), b"goal");
    /// ```
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl EventType {
    /// A literal, up to its first line break.
    #[inline]
    pub(in crate::protocol) fn literal(text: &'static str) -> Self {
        Self(Text::Static(Self::first_line(text)))
    }

    /// The text up to its first line break.
    #[inline]
    pub(in crate::protocol) fn first_line(text: &str) -> &str {
        match find(BREAKS, text.as_bytes()) {
            None => text,
            Some(end) => &text[..end],
        }
    }

    /// Creates a type from the value of an `event` field that the decoder has found to be UTF-8.
    #[inline]
    pub(in crate::protocol) fn copy_checked(text: &[u8]) -> Self {
        Self(Text::copy_checked(text))
    }
}

#[inline]
const fn check(text: &[u8]) -> Result<(), InvalidText> {
    match find(BREAKS, text) {
        None => Ok(()),
        Some(at) => Err(InvalidText::character_at(WHAT, text[at], at)),
    }
}

impl From<&EventType> for EventType {
    fn from(event_type: &EventType) -> Self {
        event_type.clone()
    }
}

impl TryFrom<&str> for EventType {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: &str) -> Result<Self, InvalidText> {
        check(text.as_bytes())?;
        Ok(Self(Text::copy(text)))
    }
}

impl FromStr for EventType {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::try_from(text)
    }
}

impl TryFrom<String> for EventType {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<&String> for EventType {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: &String) -> Result<Self, InvalidText> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<Cow<'_, str>> for EventType {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidText> {
        match text {
            Cow::Borrowed(text) => Self::try_from(text),
            Cow::Owned(text) => Self::try_from(text),
        }
    }
}

impl TryFrom<Bytes> for EventType {
    type Error = InvalidText;

    fn try_from(bytes: Bytes) -> Result<Self, InvalidText> {
        check(&bytes)?;
        match str::from_utf8(&bytes) {
            Ok(text) => Ok(Self(Text::copy(text))),
            Err(error) => Err(InvalidText::not_utf8(WHAT, error.valid_up_to())),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventType").field(&self.0).finish()
    }
}

impl PartialEq for EventType {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for EventType {}

impl Hash for EventType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for EventType {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for EventType {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
