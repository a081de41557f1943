use std::fmt;

use super::data_writer::DataWriter;
use super::fields::{Fields, Payload};
use super::id_ref::IdRef;
#[cfg(feature = "json")]
use super::json::write_json;
use super::lines::{Breaks, Display};
use super::type_ref::TypeRef;
use super::writer::Writer;
use crate::protocol::value::TypePiece;

/// An event begun by a [`Writer`] and completed by [`data`](Self::data),
/// [`display`](Self::display), `json` or [`begin_data`](Self::begin_data). If it is dropped before
/// that, nothing is written.
///
/// ```
/// use tower_sse::Block;
///
/// let block = Block::write(|out| {
///     let event = out.id(7u64);
///     drop(event);
///     out.id(8u64).data("x");
/// });
/// assert_eq!(block, "id: 8\ndata: x\n\n");
/// ```
#[must_use = "nothing is written before the data is"]
pub struct EventWriter<'a> {
    writer: &'a mut Writer,
    event_type: Option<TypeRef<'a>>,
    id: Option<IdRef<'a>>,
}

impl<'a> EventWriter<'a> {
    #[inline]
    pub(super) fn new(writer: &'a mut Writer) -> Self {
        Self {
            writer,
            event_type: None,
            id: None,
        }
    }

    /// Sets the event's type, a literal or an [`EventType`](crate::EventType).
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.id(7).typed("goal").data("1 : 0"));
    /// assert_eq!(block, "event: goal\nid: 7\ndata: 1 : 0\n\n");
    /// ```
    #[inline]
    pub fn typed(mut self, event_type: impl Into<TypeRef<'a>>) -> Self {
        self.event_type = Some(event_type.into());
        self
    }

    /// Sets the event's ID, an integer or an [`EventId`](crate::EventId); see [`IdRef`].
    ///
    /// ```
    /// # use tower_sse::{Block, EventId, EventType};
    /// let (goal, id) = (EventType::from_static("goal"), EventId::from_static("seven"));
    /// let block = Block::write(|out| out.typed(&goal).id(&id).data("1 : 0"));
    /// assert_eq!(block, "event: goal\nid: seven\ndata: 1 : 0\n\n");
    /// ```
    #[inline]
    pub fn id(mut self, id: impl Into<IdRef<'a>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Writes the event with this text as data.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.id(7u64).data("two\nlines"));
    /// assert_eq!(block, "id: 7\ndata: two\ndata: lines\n\n");
    /// ```
    #[inline]
    pub fn data(self, text: &str) {
        self.end(|writer, head| {
            writer.fields(&Fields {
                data: Payload::Text(text.as_bytes()),
                ..*head
            });
        });
    }

    /// Begins data that is written line by line.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| {
    ///     let mut data = out.id(7).begin_data();
    ///     data.line("selector #score");
    ///     data.line("elements <b>2 : 1</b>");
    ///     data.finish();
    /// });
    /// assert_eq!(block, "id: 7\ndata: selector #score\ndata: elements <b>2 : 1</b>\n\n");
    /// ```
    pub fn begin_data(self) -> DataWriter<'a> {
        DataWriter::new(self)
    }

    /// Writes the event with complete data lines and the empty line after them.
    pub(super) fn encoded(self, lines: &[u8]) {
        self.end(|writer, head| {
            writer.fields(&Fields {
                data: Payload::Lines(lines),
                ..*head
            });
        });
    }

    /// Writes the event with a value's `Display` output as data, straight into the frame.
    ///
    /// # Errors
    ///
    /// If the value's `Display` reports an error; nothing is written then.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.id(7u64).display(format_args!("{}%", 50)).unwrap());
    /// assert_eq!(block, "id: 7\ndata: 50%\n\n");
    /// ```
    pub fn display(self, value: impl fmt::Display) -> fmt::Result {
        use fmt::Write as _;
        self.lines(|out| write!(Display(out), "{value}").map(|()| Breaks::Unknown))
    }

    /// Writes the event with a value as JSON as data, straight into the frame.
    ///
    /// # Errors
    ///
    /// If the value cannot be serialized; nothing is written then.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.id(7u64).json(&[1, 2]).unwrap());
    /// assert_eq!(block, "id: 7\ndata: [1,2]\n\n");
    /// ```
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(
        self,
        value: &T,
    ) -> Result<(), crate::protocol::value::JsonError> {
        self.lines(|out| write_json(out, value))
    }

    #[inline]
    fn lines<E>(self, write: impl FnOnce(&mut Vec<u8>) -> Result<Breaks, E>) -> Result<(), E> {
        self.end(|writer, head| writer.lines(head, write))
    }

    #[inline]
    fn end<R>(self, end: impl FnOnce(&mut Writer, &Fields<'_>) -> R) -> R {
        let mut number = itoa::Buffer::new();
        let id = self.id.as_ref().map(|id| id.bytes(&mut number));
        let event_type = self.event_type.as_ref().map_or(&b""[..], TypeRef::as_bytes);
        end(
            self.writer,
            &Fields {
                event_type: TypePiece::Slice(event_type),
                id,
                ..Fields::NONE
            },
        )
    }
}

impl fmt::Debug for EventWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWriter")
            .field("event_type", &self.event_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
