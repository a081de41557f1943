use super::block::Block;
use super::event::Event;
use super::writer::Writer;

/// A value that can be written into a frame: an [`Event`] or a [`Block`].
///
/// Sealed, because the crate guarantees that every frame is valid.
///
/// ```
/// use tower_sse::{Block, Event, protocol::Encode};
///
/// fn twice(item: impl Encode + Clone) -> Block {
///     Block::write(|out| {
///         out.push(item.clone());
///         out.push(item);
///     })
/// }
/// assert_eq!(twice(Event::new("x")), "data: x\n\ndata: x\n\n");
/// assert_eq!(twice(Block::HEARTBEAT), ":\n:\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an `Event` nor a `Block`",
    label = "an `Event` or a `Block` is expected here",
    note = "for text: `Event::new(text)`; for a serializable value: `Event::json(&value)?`",
    note = "rebuild an event of another crate, such as `axum::response::sse::Event`, with `tower_sse::Event`"
)]
pub trait Encode: sealed::Sealed {
    /// Appends the bytes.
    ///
    /// ```
    /// # use tower_sse::{Block, Event, protocol::Encode};
    /// assert_eq!(Block::write(|out| Event::new("x").encode_into(out)), "data: x\n\n");
    /// ```
    fn encode_into(self, out: &mut Writer);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Event {}
    impl Sealed for super::Block {}
}
