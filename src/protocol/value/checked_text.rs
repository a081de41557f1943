//! What IDs and types have in common as checked text: conversions, comparisons and formatting.

/// Implements the traits of checked text for a type that wraps a [`Text`](super::text::Text), and
/// that has `check`, `as_str`, `as_bytes` and `TryFrom<&str>`.
macro_rules! checked_text {
    ($type:ident, $what:expr) => {
        impl From<&$type> for $type {
            fn from(text: &$type) -> Self {
                text.clone()
            }
        }

        impl FromStr for $type {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                Self::try_from(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidText;

            #[inline(always)]
            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::try_from(text.as_str())
            }
        }

        impl TryFrom<&String> for $type {
            type Error = InvalidText;

            #[inline(always)]
            fn try_from(text: &String) -> Result<Self, InvalidText> {
                Self::try_from(text.as_str())
            }
        }

        impl TryFrom<Cow<'_, str>> for $type {
            type Error = InvalidText;

            #[inline(always)]
            fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidText> {
                match text {
                    Cow::Borrowed(text) => Self::try_from(text),
                    Cow::Owned(text) => Self::try_from(text),
                }
            }
        }

        impl TryFrom<Bytes> for $type {
            type Error = InvalidText;

            fn try_from(bytes: Bytes) -> Result<Self, InvalidText> {
                Self::check(&bytes)?;
                match str::from_utf8(&bytes) {
                    Ok(text) => Ok(Self(Text::copy(text))),
                    Err(error) => Err(InvalidText::not_utf8($what, error.valid_up_to())),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.0).finish()
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl Eq for $type {}

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self == *other
            }
        }

        impl PartialEq<String> for $type {
            fn eq(&self, other: &String) -> bool {
                self == other.as_str()
            }
        }

        impl PartialEq<$type> for str {
            fn eq(&self, other: &$type) -> bool {
                other == self
            }
        }

        impl PartialEq<$type> for &str {
            fn eq(&self, other: &$type) -> bool {
                other == *self
            }
        }

        impl PartialEq<$type> for String {
            fn eq(&self, other: &$type) -> bool {
                other == self.as_str()
            }
        }
    };
}

pub(super) use checked_text;
