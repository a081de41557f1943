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
use super::words::Words;

const WHAT: Checked = Checked::EventId;

/// The number of words of text stored inline. The last byte is the length. A `u64` has 20 digits, a
/// UUID 36 characters.
const INLINE: usize = 5;

/// An event's ID, which a browser sends back as `Last-Event-ID` when it reconnects.
///
/// It is any text of up to [`MAX_LEN`](Self::MAX_LEN) bytes without NUL, CR and LF ([9.2.6]: an ID
/// with a NUL is ignored, and the other two would end the field). An empty ID resets the client's
/// last event ID. IDs of up to 39 bytes are stored inline; clones share longer ones.
///
/// ```
/// use tower_sse::EventId;
///
/// const START: EventId = EventId::from_static("start");
/// assert_eq!(START, "start");
/// assert_eq!(EventId::from(42), "42");
/// assert_eq!("müller-7".parse::<EventId>()?, "müller-7");
/// assert!(EventId::try_from("7\ndata: injected").is_err());
/// # Ok::<(), tower_sse::InvalidText>(())
/// ```
///
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Clone)]
pub struct EventId(Text<INLINE>);

checked_text!(EventId, WHAT);

pub(in crate::protocol) type IdPiece<'a> = Piece<'a, INLINE>;
pub(in crate::protocol) type IdWords = Words<INLINE>;

impl EventId {
    /// The empty ID, which resets the client's last event ID.
    ///
    /// ```
    /// # use tower_sse::{Event, EventId};
    /// assert_eq!(Event::new("x").with_id(EventId::EMPTY).encode(), "id: \ndata: x\n\n");
    /// ```
    pub const EMPTY: Self = Self(Text::EMPTY);

    /// The maximum length of an ID in bytes: 4 KiB.
    ///
    /// Clients send the ID back in a header, and servers limit the size of headers. A longer ID
    /// would make every reconnection fail, and a browser would then give up. Therefore longer IDs
    /// cannot be created.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert!(EventId::try_from("7".repeat(EventId::MAX_LEN)).is_ok());
    /// assert!(EventId::try_from("7".repeat(EventId::MAX_LEN + 1)).is_err());
    /// ```
    pub const MAX_LEN: usize = 4096;

    /// Creates an ID from a literal.
    ///
    /// # Panics
    ///
    /// If the text has a NUL, CR or LF, or is longer than [`MAX_LEN`](Self::MAX_LEN); in a `const`, that
    /// fails the build.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// const ID: EventId = EventId::from_static("kick-off");
    /// assert_eq!(ID, "kick-off");
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use tower_sse::EventId;
    /// const ID: EventId = EventId::from_static("7\n");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match Self::check(text.as_bytes()) {
            Ok(()) => Self(Text::Static(text)),
            Err(_) => panic!("an event ID has at most 4096 bytes, and no NUL, CR or LF"),
        }
    }

    /// Returns the ID as text.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert_eq!(EventId::from(42u64).as_str(), "42");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the ID as UTF-8 bytes; cheaper than [`as_str`](Self::as_str).
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert_eq!(EventId::from(42u64).as_bytes(), b"42");
    /// ```
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns `true` if this is the empty ID.
    ///
    /// ```
    /// # use tower_sse::EventId;
    /// assert!(EventId::try_from("")?.is_empty());
    /// assert!(!EventId::from(0u64).is_empty());
    /// # Ok::<(), tower_sse::InvalidText>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl EventId {
    #[inline(always)]
    pub(in crate::protocol) fn piece(&self) -> IdPiece<'_> {
        self.0.piece()
    }

    /// Whether there is something to drop.
    #[inline(always)]
    pub(in crate::protocol) const fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Checks that the text is a valid ID.
    #[inline]
    pub(in crate::protocol) const fn check(text: &[u8]) -> Result<(), InvalidText> {
        match Self::fault(text) {
            None => Ok(()),
            Some(at) => Err(Self::error(text, at)),
        }
    }

    /// The position at which the text is not a valid ID.
    // Inlined for borrowed text: `benches/body`, "ready", writer form: 17.9 ns, and 20.2 with a
    // call.
    #[inline]
    const fn fault(text: &[u8]) -> Option<usize> {
        // Checked first, so that refusing long text takes no time.
        if text.len() > Self::MAX_LEN {
            return Some(Self::MAX_LEN);
        }
        find([b'\0', b'\r', b'\n'], text)
    }

    /// Like [`fault`](Self::fault), but not inlined, for text that is copied: otherwise the copy
    /// would not be inlined.
    #[inline(never)]
    fn fault_of_copy(text: &[u8]) -> Option<usize> {
        Self::fault(text)
    }

    #[cold]
    #[inline(never)]
    const fn error(text: &[u8], at: usize) -> InvalidText {
        if text.len() > Self::MAX_LEN {
            InvalidText::too_long(text.len())
        } else {
            InvalidText::in_id(text[at], at)
        }
    }

    /// Creates an ID from the value of an `id` field that the decoder has found to be UTF-8 and not
    /// too long.
    #[inline]
    pub(crate) fn copy_checked(text: &[u8]) -> Self {
        Self(Text::copy_checked(text))
    }
}

impl From<u64> for EventId {
    #[inline]
    fn from(number: u64) -> Self {
        Self(Text::number(number))
    }
}

impl From<i64> for EventId {
    #[inline]
    fn from(number: i64) -> Self {
        Self(Text::signed(number))
    }
}

impl From<u8> for EventId {
    #[inline]
    fn from(number: u8) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<u16> for EventId {
    #[inline]
    fn from(number: u16) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<u32> for EventId {
    #[inline]
    fn from(number: u32) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<usize> for EventId {
    #[inline]
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<i8> for EventId {
    #[inline]
    fn from(number: i8) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<i16> for EventId {
    #[inline]
    fn from(number: i16) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<i32> for EventId {
    #[inline]
    fn from(number: i32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<isize> for EventId {
    #[inline]
    fn from(number: isize) -> Self {
        Self::from(number as i64)
    }
}

impl TryFrom<&str> for EventId {
    type Error = InvalidText;

    #[inline(always)]
    fn try_from(text: &str) -> Result<Self, InvalidText> {
        // Not `check`, whose `Result` would be built in memory.
        match Self::fault_of_copy(text.as_bytes()) {
            None => Ok(Self(Text::copy(text))),
            Some(at) => Err(Self::error(text.as_bytes(), at)),
        }
    }
}
