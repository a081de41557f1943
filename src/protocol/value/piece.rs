use super::words::Words;

/// The bytes of an ID or a type to encode. Words are copied, so that no pointer keeps what had them
/// in memory.
#[derive(Clone, Copy)]
pub(in crate::protocol) enum Piece<'a, const W: usize> {
    Slice(&'a [u8]),
    Words(Words<W>),
}

impl<const W: usize> Piece<'_, W> {
    #[inline(always)]
    pub(in crate::protocol) fn len(&self) -> usize {
        match self {
            Self::Slice(text) => text.len(),
            Self::Words(words) => words.len(),
        }
    }

    #[inline(always)]
    pub(in crate::protocol) fn is_empty(&self) -> bool {
        self.len() == 0
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
    pub(in crate::protocol) fn exact(&self) -> Piece<'_, W> {
        match self {
            Self::Slice(text) => Piece::Slice(text),
            Self::Words(words) => Piece::Slice(words.as_bytes()),
        }
    }
}
