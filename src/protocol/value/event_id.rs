use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::{self, FromStr};

use bytes::Bytes;

use super::checked_text::checked_text;
use super::error::{Checked, InvalidText};
use super::find::{find, has_below};
use super::piece::Piece;
use super::text::Text;
use super::words::{Words, halves, sixteen};

const INVALID: [u8; 3] = [b'\0', b'\r', b'\n'];
/// Greater than each of them.
const SMALL: u64 = b'\r' as u64 + 1;

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
        find(INVALID, text)
    }

    /// Text of up to sixteen bytes; zero if it is longer, empty or not a valid ID, which has no NUL.
    // Checked and copied in one call, and in registers: `benches/encode`, "typical", `Event` of a
    // `String`: 56 ns, and 66 in two calls with the rest inlined.
    #[inline(never)]
    fn short(text: &[u8]) -> u128 {
        if text.is_empty() || text.len() > 16 {
            return 0;
        }
        let words = sixteen(text);
        // What is beyond the text must not look like a small byte.
        let beyond = (u128::MAX << (8 * text.len() - 8)) << 8;
        let (low, high) = halves(words | beyond);
        if (has_below(SMALL, low) || has_below(SMALL, high)) && Self::fault(text).is_some() {
            return 0;
        }
        words
    }

    /// Text of 17 to 39 bytes; `None` if it is shorter, longer or not a valid ID.
    // Sixteen bytes at a time, which stay in registers until the event is built. `benches/encode`,
    // "typical, UUID", `Event` of a `String`: 42.5 ns, and 49.6 in one call.
    #[inline(always)]
    fn medium(text: &[u8]) -> Option<Words<INLINE>> {
        let (first, rest) = text.split_first_chunk::<16>()?;
        let (second, third) = rest.split_at_checked(16).unwrap_or((rest, b""));
        if second.is_empty() || third.len() > 7 {
            return None;
        }
        let parts = [first, second, third].map(Self::short);
        if parts[0] == 0 || parts[1] == 0 || (parts[2] == 0 && !third.is_empty()) {
            return None;
        }
        Some(Words::of_sixteens(parts, text.len()))
    }

    #[inline(never)]
    fn long(text: &str) -> Result<Self, InvalidText> {
        Self::check(text.as_bytes())?;
        Ok(Self(Text::copy(text)))
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
        let words = Self::short(text.as_bytes());
        if words != 0 {
            return Ok(Self(Text::Inline(Words::of_sixteen(words, text.len()))));
        }
        if let Some(words) = Self::medium(text.as_bytes()) {
            return Ok(Self(Text::Inline(words)));
        }
        // Not returned as it is, so that a short ID is not built in memory like this one.
        match Self::long(text) {
            Ok(Self(text)) => Ok(Self(text)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the standard says, byte by byte.
    fn naive(text: &str) -> Result<(), (Option<char>, usize)> {
        if text.len() > EventId::MAX_LEN {
            return Err((None, EventId::MAX_LEN));
        }
        let invalid = |(_, c): &(usize, char)| ['\0', '\r', '\n'].contains(c);
        let found = text.char_indices().find(invalid);
        found.map_or(Ok(()), |(at, c)| Err((Some(c), at)))
    }

    fn check(text: &str) {
        let found = EventId::try_from(text);
        match naive(text) {
            Ok(()) => assert_eq!(found.unwrap().as_str(), text),
            Err(expected) => {
                let error = found.unwrap_err();
                assert_eq!((error.character(), error.position()), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn text_of_any_length_is_checked_and_kept() {
        // Neighbours of what is looked for, in value, with the highest bit, and in two bytes.
        const CHARACTERS: [char; 12] = [
            '\0', '\r', '\n', '\u{1}', '\t', '\u{b}', '\u{c}', '\u{e}', ' ', '\u{8a}', '\u{8d}',
            'x',
        ];
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let rounds = if cfg!(miri) { 200 } else { 50_000 };
        for _ in 0..rounds {
            // Mostly what is valid.
            let first = [0, 3, 3, 3, 3, 3, 3, 8][random(8)];
            let len = random(44);
            let text: String = (0..len)
                .map(|_| CHARACTERS[first + random(CHARACTERS.len() - first)])
                .collect();
            check(&text);
        }
        for len in [
            0,
            1,
            15,
            16,
            17,
            39,
            40,
            EventId::MAX_LEN,
            EventId::MAX_LEN + 1,
        ] {
            check(&"x".repeat(len));
        }
    }
}
