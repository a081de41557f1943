use std::fmt;
use std::str;
use std::sync::Arc;

use super::digits::digits;

/// UTF-8 text of which up to `N` bytes are kept in place, and which clones without copying what is
/// longer.
///
/// An `Arc` alone would do; static and short texts are kept apart because they are nearly all there is
/// in IDs and types, and cost neither an allocation nor a count here. With tag and length, `N` bytes
/// should make whole words.
#[derive(Clone)]
pub(super) enum Text<const N: usize> {
    Static(&'static str),
    Inline { len: u8, bytes: [u8; N] },
    Shared(Arc<str>),
}

impl<const N: usize> Text<N> {
    pub(super) const EMPTY: Self = Self::Static("");

    /// The decimal digits of a number, kept in place.
    #[inline]
    pub(super) fn number(n: u64) -> Self {
        let Some((digits, len)) = digits(n) else {
            return Self::copy(itoa::Buffer::new().format(n));
        };
        let mut bytes = [0; N];
        bytes[..digits.len()].copy_from_slice(&digits);
        #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
        let len = len as u8;
        Self::Inline { len, bytes }
    }

    /// The digits of a number that may have a sign.
    pub(super) fn signed(n: i64) -> Self {
        match u64::try_from(n) {
            Ok(n) => Self::number(n),
            Err(_) => Self::copy(itoa::Buffer::new().format(n)),
        }
    }

    /// A copy of borrowed text.
    #[inline(always)]
    pub(super) fn copy(text: &str) -> Self {
        if text.len() <= N {
            Self::inline(text.as_bytes())
        } else {
            Self::Shared(Arc::from(text))
        }
    }

    /// A copy of bytes that the caller has found to be UTF-8.
    #[inline]
    pub(super) fn copy_checked(text: &[u8]) -> Self {
        if text.len() <= N {
            Self::inline(text)
        } else {
            Self::Shared(Arc::from(String::from_utf8_lossy(text)))
        }
    }

    /// The caller has seen to it that `text` is UTF-8 and not longer than `N`.
    #[inline(always)]
    fn inline(text: &[u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most N")]
        let len = text.len() as u8;
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text);
        Self::Inline { len, bytes }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Static(text) => text.as_bytes(),
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Shared(text) => text.as_bytes(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Inline { .. } => {
                str::from_utf8(self.as_bytes()).expect("checked by every constructor")
            }
            Self::Shared(text) => text,
        }
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.as_bytes(), other.as_bytes());
        // Comparing two empty slices may call memcmp on a dangling pointer, which is slow.
        a.len() == b.len() && (a.is_empty() || a == b)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Short = Text<22>;

    #[test]
    fn wastes_no_byte() {
        assert_eq!(size_of::<Short>(), 24);
        assert_eq!(size_of::<Option<Short>>(), 24);
        assert_eq!(size_of::<Option<Text<38>>>(), 40);
    }

    #[test]
    fn numbers_and_short_copies_stay_in_place() {
        assert!(matches!(
            Short::number(u64::MAX),
            Text::Inline { len: 20, .. }
        ));
        assert!(matches!(
            Short::signed(i64::MIN),
            Text::Inline { len: 20, .. }
        ));
        assert!(matches!(Short::copy(&"x".repeat(22)), Text::Inline { .. }));
        assert!(matches!(Short::copy(&"x".repeat(23)), Text::Shared(_)));
    }

    #[test]
    fn equality_is_of_the_text() {
        assert_eq!(Short::number(17), Text::Static("17"));
        assert_eq!(Short::copy(""), Text::EMPTY);
        assert_ne!(Short::Static("a"), Text::Static("b"));
    }
}
