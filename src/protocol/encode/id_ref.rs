use crate::protocol::value::{EventId, IdPiece, InvalidText};

/// An event ID for a [`Writer`](super::Writer): an integer, a borrowed [`EventId`], or borrowed text that is checked.
///
/// ```
/// use tower_sse::{Block, EventId, protocol::IdRef};
///
/// fn block(id: IdRef<'_>) -> Block {
///     Block::write(|out| out.id(id).data("x"))
/// }
/// assert_eq!(block(IdRef::from(7)), "id: 7\ndata: x\n\n");
/// assert_eq!(block(IdRef::from(&EventId::from_static("seven"))), "id: seven\ndata: x\n\n");
///
/// let text = format!("match-{}", 7);
/// assert_eq!(block(IdRef::try_from(text.as_str())?), "id: match-7\ndata: x\n\n");
/// assert!(IdRef::try_from("7\ndata: forged").is_err());
/// # Ok::<(), tower_sse::InvalidText>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct IdRef<'a>(IdRepr<'a>);

#[derive(Debug, Clone, Copy)]
enum IdRepr<'a> {
    Number(u64),
    Signed(i64),
    Id(&'a EventId),
    Text(&'a str),
}

impl IdRef<'_> {
    /// The ID's text. The text of a number is written into the buffer.
    #[inline]
    pub(super) fn bytes<'b>(&'b self, buffer: &'b mut itoa::Buffer) -> IdPiece<'b> {
        match self.0 {
            IdRepr::Number(n) => IdPiece::Slice(buffer.format(n).as_bytes()),
            IdRepr::Signed(n) => IdPiece::Slice(buffer.format(n).as_bytes()),
            IdRepr::Id(id) => id.piece(),
            IdRepr::Text(text) => IdPiece::Slice(text.as_bytes()),
        }
    }
}

impl From<u64> for IdRef<'_> {
    #[inline]
    fn from(number: u64) -> Self {
        Self(IdRepr::Number(number))
    }
}

impl From<i64> for IdRef<'_> {
    #[inline]
    fn from(number: i64) -> Self {
        Self(IdRepr::Signed(number))
    }
}

impl From<u8> for IdRef<'_> {
    #[inline]
    fn from(number: u8) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<u16> for IdRef<'_> {
    #[inline]
    fn from(number: u16) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<u32> for IdRef<'_> {
    #[inline]
    fn from(number: u32) -> Self {
        Self::from(u64::from(number))
    }
}

impl From<usize> for IdRef<'_> {
    #[inline]
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<i8> for IdRef<'_> {
    #[inline]
    fn from(number: i8) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<i16> for IdRef<'_> {
    #[inline]
    fn from(number: i16) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<i32> for IdRef<'_> {
    #[inline]
    fn from(number: i32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<isize> for IdRef<'_> {
    #[inline]
    fn from(number: isize) -> Self {
        Self::from(number as i64)
    }
}

impl<'a> TryFrom<&'a String> for IdRef<'a> {
    type Error = InvalidText;

    #[inline]
    fn try_from(text: &'a String) -> Result<Self, InvalidText> {
        Self::try_from(text.as_str())
    }
}

impl<'a> TryFrom<&'a str> for IdRef<'a> {
    type Error = InvalidText;

    #[inline]
    fn try_from(text: &'a str) -> Result<Self, InvalidText> {
        EventId::check(text.as_bytes())?;
        Ok(Self(IdRepr::Text(text)))
    }
}

impl<'a> From<&'a EventId> for IdRef<'a> {
    #[inline]
    fn from(id: &'a EventId) -> Self {
        Self(IdRepr::Id(id))
    }
}
