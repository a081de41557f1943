use super::words::Words;

/// The bytes of an ID to encode, in words if it stores them in words.
#[derive(Clone, Copy)]
pub(in crate::protocol) enum Piece<'a, const W: usize> {
    Slice(&'a [u8]),
    Words(&'a Words<W>),
}

impl<'a, const W: usize> Piece<'a, W> {
    #[inline(always)]
    pub(in crate::protocol) fn len(&self) -> usize {
        match self {
            Self::Slice(text) => text.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// Appends the bytes, and temporarily up to seven more; see [`Words::push`].
    #[inline(always)]
    pub(in crate::protocol) fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Slice(text) => out.extend_from_slice(text),
            Self::Words(words) => words.push(out),
        }
    }

    /// The same bytes, in a form that needs no extra room.
    pub(in crate::protocol) fn exact(self) -> Self {
        match self {
            Self::Slice(_) => self,
            Self::Words(words) => Self::Slice(words.as_bytes()),
        }
    }
}
