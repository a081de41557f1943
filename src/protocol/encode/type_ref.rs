use crate::protocol::value::EventType;

/// An event type for a [`Writer`](super::Writer): a borrowed [`EventType`], or a literal, which is
/// cut at its first line break as by [`Event::with_type`](crate::Event::with_type).
///
/// ```
/// use tower_sse::{Block, EventType, protocol::TypeRef};
///
/// fn block<'a>(event_type: impl Into<TypeRef<'a>>) -> Block {
///     let event_type = event_type.into();
///     Block::write(|out| out.typed(event_type).data("x"))
/// }
/// assert_eq!(block("goal"), "event: goal\ndata: x\n\n");
/// let event_type = EventType::try_from(format!("match-{}", 7))?;
/// assert_eq!(block(&event_type), "event: match-7\ndata: x\n\n");
/// # Ok::<(), tower_sse::InvalidText>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TypeRef<'a>(TypeRepr<'a>);

#[derive(Debug, Clone, Copy)]
enum TypeRepr<'a> {
    Literal(&'static str),
    Type(&'a EventType),
}

impl TypeRef<'_> {
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self.0 {
            TypeRepr::Literal(text) => text.as_bytes(),
            TypeRepr::Type(event_type) => event_type.as_bytes(),
        }
    }
}

impl From<&'static str> for TypeRef<'_> {
    #[inline]
    fn from(text: &'static str) -> Self {
        Self(TypeRepr::Literal(EventType::first_line(text)))
    }
}

impl<'a> From<&'a EventType> for TypeRef<'a> {
    #[inline]
    fn from(event_type: &'a EventType) -> Self {
        Self(TypeRepr::Type(event_type))
    }
}
