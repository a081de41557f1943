use std::fmt;
use std::str;
use std::sync::Arc;

use super::digits::digits;
use super::piece::Piece;
use super::words::Words;

/// UTF-8 text that stores up to `8 * W - 1` bytes inline, and shares longer text between clones.
///
/// An `Arc` alone would do. Static and short texts have their own forms because nearly all IDs and
/// types are such texts, and cost neither an allocation nor a reference count here.
// The tag is a whole word: the compiler would split a tag of one byte from the rest and then move
// the rest across its words. `benches/encode`, "typical", `Event` of a `String`: 39.5 ns, and 42.6.
#[derive(Clone)]
#[repr(u64)]
pub(super) enum Text<const W: usize> {
    Static(&'static str),
    Inline(Words<W>),
    Shared(Arc<str>),
}

impl<const W: usize> Text<W> {
    pub(super) const EMPTY: Self = Self::Static("");

    /// The decimal digits of a number, stored inline.
    #[inline]
    pub(super) fn number(n: u64) -> Self {
        let Some((digits, len)) = digits(n) else {
            return Self::copy(itoa::Buffer::new().format(n));
        };
        Self::Inline(Words::of_sixteen(digits, len))
    }

    /// The digits of a number, with its sign.
    pub(super) fn signed(n: i64) -> Self {
        match u64::try_from(n) {
            Ok(n) => Self::number(n),
            Err(_) => Self::copy(itoa::Buffer::new().format(n)),
        }
    }

    /// A copy of borrowed text.
    #[inline(always)]
    pub(super) fn copy(text: &str) -> Self {
        match Words::new(text.as_bytes()) {
            Some(words) => Self::Inline(words),
            None => Self::Shared(shared(text)),
        }
    }

    /// A copy of bytes that the caller knows to be UTF-8.
    #[inline]
    pub(super) fn copy_checked(text: &[u8]) -> Self {
        match Words::new(text) {
            Some(words) => Self::Inline(words),
            None => Self::Shared(shared(&String::from_utf8_lossy(text))),
        }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Static(text) => text.as_bytes(),
            Self::Inline(words) => words.as_bytes(),
            Self::Shared(text) => text.as_bytes(),
        }
    }

    #[inline(always)]
    pub(super) fn piece(&self) -> Piece<'_, W> {
        match self {
            Self::Static(text) => Piece::Slice(text.as_bytes()),
            Self::Inline(words) => Piece::Words(*words),
            Self::Shared(text) => Piece::Slice(text.as_bytes()),
        }
    }

    /// Whether there is something to drop.
    #[inline(always)]
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Inline(_) => {
                str::from_utf8(self.as_bytes()).expect("checked by every constructor")
            }
            Self::Shared(text) => text,
        }
    }
}

// Out of line, so that inline text need not be built in memory.
#[inline(never)]
fn shared(text: &str) -> Arc<str> {
    Arc::from(text)
}

impl<const W: usize> PartialEq for Text<W> {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.as_bytes(), other.as_bytes());
        // Comparing two empty slices may call memcmp on a dangling pointer, which is slow.
        a.len() == b.len() && (a.is_empty() || a == b)
    }
}

impl<const W: usize> fmt::Debug for Text<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Short = Text<3>;

    #[test]
    fn has_a_tag_and_its_words() {
        assert_eq!(size_of::<Short>(), 32);
        assert_eq!(size_of::<Option<Short>>(), 32);
        assert_eq!(size_of::<Option<Text<5>>>(), 48);
    }

    #[test]
    fn numbers_and_short_copies_stay_in_place() {
        assert!(matches!(Short::number(u64::MAX), Text::Inline(_)));
        assert!(matches!(Short::signed(i64::MIN), Text::Inline(_)));
        assert!(matches!(Short::copy(&"x".repeat(23)), Text::Inline(_)));
        assert!(matches!(Short::copy(&"x".repeat(24)), Text::Shared(_)));
    }

    #[test]
    fn equality_is_of_the_text() {
        assert_eq!(Short::number(17), Text::Static("17"));
        assert_eq!(Short::copy(""), Text::EMPTY);
        assert_ne!(Short::Static("a"), Text::Static("b"));
    }
}
