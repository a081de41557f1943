use std::fmt;
use std::str;

use bytes::Bytes;

use super::digits::digits;

/// How many bytes of text are kept in place: what fits beside the two bytes of tag and length
/// without making `Text` larger than its largest form. A `u64` has 20 digits, a UUID 36 characters.
const INLINE: usize = 38;

/// UTF-8 text that clones without copying what is long.
///
/// A `Bytes` alone would do; static and short texts are kept apart because they are nearly all
/// there is in ids and types, and cost neither an allocation nor a call through a vtable here.
#[derive(Clone)]
pub(crate) enum Text {
    Static(&'static str),
    Inline { len: u8, bytes: [u8; INLINE] },
    Shared(Bytes),
}

impl Text {
    pub(crate) const EMPTY: Self = Self::Static("");

    /// The decimal digits of a number, kept in place.
    #[inline]
    pub(crate) fn number(n: u64) -> Self {
        let Some((digits, len)) = digits(n) else {
            return Self::inline(itoa::Buffer::new().format(n).as_bytes());
        };
        let mut bytes = [0; INLINE];
        bytes[..digits.len()].copy_from_slice(&digits);
        #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
        let len = len as u8;
        Self::Inline { len, bytes }
    }

    /// The digits of a number that may have a sign.
    pub(crate) fn signed(n: i64) -> Self {
        match u64::try_from(n) {
            Ok(n) => Self::number(n),
            Err(_) => Self::inline(itoa::Buffer::new().format(n).as_bytes()),
        }
    }

    /// Fails with the length of the part that is UTF-8.
    pub(crate) fn from_utf8(bytes: Bytes) -> Result<Self, usize> {
        match str::from_utf8(&bytes) {
            Ok(_) => Ok(Self::Shared(bytes)),
            Err(error) => Err(error.valid_up_to()),
        }
    }

    /// The same text, kept in place if it is short, so that it does not keep a larger buffer alive.
    pub(crate) fn compact(self) -> Self {
        match self {
            Self::Shared(bytes) if bytes.len() <= INLINE => Self::inline(&bytes),
            text => text,
        }
    }

    /// A copy of borrowed text.
    #[inline]
    pub(crate) fn copy(text: &str) -> Self {
        Self::copy_checked(text.as_bytes())
    }

    /// A copy of bytes that the caller has found to be UTF-8.
    #[inline]
    pub(crate) fn copy_checked(text: &[u8]) -> Self {
        if text.len() <= INLINE {
            Self::inline(text)
        } else {
            Self::Shared(Bytes::copy_from_slice(text))
        }
    }

    /// The caller has seen to it that `text` is UTF-8 and not longer than `INLINE`.
    #[inline]
    fn inline(text: &[u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most INLINE")]
        let len = text.len() as u8;
        // Written where it stays: bytes that have just been written one by one are slow to move.
        let mut inline = Self::Inline {
            len,
            bytes: [0; INLINE],
        };
        if let Self::Inline { bytes, .. } = &mut inline {
            bytes[..text.len()].copy_from_slice(text);
        }
        inline
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Static(text) => text.as_bytes(),
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Shared(bytes) => bytes,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            _ => str::from_utf8(self.as_bytes()).expect("checked by every constructor"),
        }
    }
}

impl From<&'static str> for Text {
    #[inline]
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Text {
    #[inline]
    fn from(text: String) -> Self {
        if text.len() <= INLINE {
            Self::inline(text.as_bytes())
        } else {
            Self::Shared(Bytes::from(text))
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.as_bytes(), other.as_bytes());
        // Comparing two empty slices may call memcmp on a dangling pointer, which is slow.
        a.len() == b.len() && (a.is_empty() || a == b)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_buffer_and_a_tag() {
        assert_eq!(size_of::<Text>(), size_of::<Bytes>() + size_of::<usize>());
        assert_eq!(size_of::<Option<Text>>(), size_of::<Text>());
    }

    #[test]
    fn numbers_and_short_copies_stay_in_place() {
        assert!(matches!(
            Text::number(u64::MAX),
            Text::Inline { len: 20, .. }
        ));
        assert!(matches!(
            Text::copy(&"x".repeat(INLINE)),
            Text::Inline { .. }
        ));
        assert!(matches!(
            Text::copy(&"x".repeat(INLINE + 1)),
            Text::Shared(_)
        ));
    }

    #[test]
    fn equality_is_of_the_text() {
        assert_eq!(Text::number(17), Text::Static("17"));
        assert_eq!(Text::from(String::new()), Text::EMPTY);
        assert_ne!(Text::Static("a"), Text::Static("b"));
    }
}
