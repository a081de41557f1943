use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::{self, FromStr};

use bytes::Bytes;

use super::checked_text::checked_text;
use super::error::{Checked, InvalidText};
use super::find::find;
use super::piece::Piece;
use super::text::Text;

const WHAT: Checked = Checked::EventType;

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

checked_text!(EventType, WHAT);

pub(in crate::protocol) type TypePiece<'a> = Piece<'a, INLINE>;

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
        match Self::check(text.as_bytes()) {
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

    #[inline(always)]
    pub(in crate::protocol) fn piece(&self) -> TypePiece<'_> {
        self.0.piece()
    }

    /// Whether there is something to drop.
    #[inline(always)]
    pub(in crate::protocol) const fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Checks that the text is a valid type.
    #[inline]
    const fn check(text: &[u8]) -> Result<(), InvalidText> {
        match find(BREAKS, text) {
            None => Ok(()),
            Some(at) => Err(InvalidText::in_type(text[at], at)),
        }
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

impl TryFrom<&str> for EventType {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: &str) -> Result<Self, InvalidText> {
        Self::check(text.as_bytes())?;
        Ok(Self(Text::copy(text)))
    }
}
