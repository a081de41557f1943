use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::data::Repr;
use super::event::Event;
use super::fields::{Fields, millis, shareable};
use super::lines::END;
use super::writer::Writer;

/// One or more encoded events, ready to be sent and shared.
///
/// Clones share the bytes, so one block can be sent by any number of bodies. A body accepts a
/// stream of blocks just as a stream of events. A block cannot be created from unchecked bytes.
///
/// ```
/// use tower_sse::{Block, Event, EventId};
///
/// let block = Block::from(Event::new("x"));
/// assert_eq!(block, "data: x\n\n");
///
/// // From borrowed text, with one allocation.
/// let id = EventId::from(7u64);
/// let text = String::from("y");
/// assert_eq!(Block::write(|out| out.id(&id).data(&text)), "id: 7\ndata: y\n\n");
/// ```
#[derive(Clone)]
pub struct Block {
    /// Everything, or everything before the shared payload.
    head: Bytes,
    /// A payload that was long enough to share. [`END`] follows it.
    payload: Option<Bytes>,
}

impl Block {
    /// The shortest heartbeat: a comment line, `:`, which every client ignores.
    ///
    /// It is a line and not a block: it is not followed by an empty line, and becomes part of the
    /// next block. An empty line would tell the client to dispatch an event, which by the standard
    /// does nothing without data. But clients with a last event ID, such as the official Python SDK
    /// of OpenAI, then dispatch an event with empty data.
    ///
    /// ```
    /// assert_eq!(tower_sse::Block::HEARTBEAT, ":\n");
    /// ```
    pub const HEARTBEAT: Self = Self {
        head: Bytes::from_static(b":\n"),
        payload: None,
    };

    /// Creates a block from the events that the closure writes, from borrowed data and without an
    /// [`Event`].
    ///
    /// A single block of text costs one exactly sized allocation.
    ///
    /// ```
    /// use tower_sse::Block;
    ///
    /// let block = Block::write(|out| {
    ///     out.typed("token").data("Once");
    ///     out.typed("token").data(" upon");
    /// });
    /// assert_eq!(block, "event: token\ndata: Once\n\nevent: token\ndata:  upon\n\n");
    /// ```
    #[inline]
    pub fn write(write: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::new();
        write(&mut writer);
        Self {
            head: writer.into_bytes(),
            payload: None,
        }
    }

    #[inline(always)]
    pub(super) fn of(event: &Event) -> Self {
        Self::of_fields(&event.fields(), event.data())
    }

    // Inlined up to `encoded`: neither the `Event` nor the `Bytes` is built in memory. The `Bytes`
    // would be stored word by word and loaded in pairs of words, which has to wait for the stores.
    #[inline(always)]
    pub(super) fn of_fields(fields: &Fields<'_>, data: Option<&Repr>) -> Self {
        let (head, payload) = Self::parts_of(fields, data);
        Self::new(head, payload)
    }

    #[inline(always)]
    pub(super) fn new(head: Box<[u8]>, payload: Option<Bytes>) -> Self {
        Self {
            head: Bytes::from(head),
            payload,
        }
    }

    #[inline(always)]
    pub(super) fn parts_of(fields: &Fields<'_>, data: Option<&Repr>) -> (Box<[u8]>, Option<Bytes>) {
        match data.and_then(shareable) {
            Some(payload) => (Self::before_text(fields), Some(payload.clone())),
            None => (fields.encoded(), None),
        }
    }

    #[cold]
    fn before_text(fields: &Fields<'_>) -> Box<[u8]> {
        let mut head = Vec::new();
        fields.encode_before_text(&mut head);
        head.into_boxed_slice()
    }

    /// Returns its size on the wire in bytes.
    ///
    /// ```
    /// # use tower_sse::{Block, Event};
    /// assert_eq!(Block::from(Event::new("x")).len(), "data: x\n\n".len());
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len()
            + self
                .payload
                .as_ref()
                .map_or(0, |payload| payload.len() + END.len())
    }

    /// Returns `true` if it has no bytes, as after a closure that wrote nothing.
    ///
    /// ```
    /// assert!(tower_sse::Block::write(|_| ()).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Converts the block into contiguous bytes, which copies them if the block shares its payload.
    ///
    /// ```
    /// # use tower_sse::{Block, Event};
    /// assert_eq!(Block::from(Event::new("x")).into_bytes(), "data: x\n\n");
    /// ```
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.payload {
            None => self.head,
            Some(_) => self.concat(),
        }
    }

    fn concat(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.len());
        for chunk in self.into_chunks() {
            bytes.extend_from_slice(&chunk);
        }
        bytes.freeze()
    }

    /// Converts the block into its chunks: one, or three if the payload is shared and not copied
    /// (one line of 32 KiB or more).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_sse::{Data, Event};
    ///
    /// let payload = Bytes::from("x".repeat(1 << 20));
    /// let event = Event::new(Data::try_from(payload.clone())?);
    /// let chunks: Vec<Bytes> = event.encode().into_chunks().collect();
    /// assert_eq!(chunks[1].as_ptr(), payload.as_ptr());
    /// # Ok::<(), tower_sse::InvalidText>(())
    /// ```
    pub fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        let end = self.payload.is_some().then_some(Bytes::from_static(END));
        let head = (!self.head.is_empty()).then_some(self.head);
        head.into_iter().chain(self.payload).chain(end)
    }
}

impl Block {
    /// Comment lines and an optional reconnection time, without the empty line that ends a block:
    /// they become part of the next block. See [`HEARTBEAT`](Self::HEARTBEAT).
    pub(crate) fn lines(comment: &str, retry: Option<Duration>) -> Self {
        let mut head = Vec::new();
        let fields = Fields {
            comment: Some(comment.as_bytes()),
            retry: retry.map(millis),
            ..Fields::NONE
        };
        fields.encode_head(&mut head);
        Self {
            head: Bytes::from(head),
            payload: None,
        }
    }

    /// Whole blocks, one after the other.
    #[inline]
    pub(crate) fn from_shared(head: Bytes) -> Self {
        Self {
            head,
            payload: None,
        }
    }

    /// Changes the bytes before the shared payload in place. Returns `false` if they are shared, or
    /// if the closure does.
    pub(crate) fn patch_head(&mut self, patch: impl FnOnce(&mut [u8]) -> bool) -> bool {
        match std::mem::take(&mut self.head).try_into_mut() {
            Ok(mut head) => {
                let patched = patch(&mut head);
                self.head = head.freeze();
                patched
            }
            Err(head) => {
                self.head = head;
                false
            }
        }
    }

    /// All bytes, or the bytes before the shared payload, and that payload.
    #[inline]
    pub(crate) fn parts(&self) -> (&Bytes, Option<&Bytes>) {
        (&self.head, self.payload.as_ref())
    }

    #[inline]
    pub(crate) fn into_parts(self) -> (Bytes, Option<Bytes>) {
        (self.head, self.payload)
    }
}

impl From<Event> for Block {
    fn from(event: Event) -> Self {
        event.encode()
    }
}

impl From<&Event> for Block {
    fn from(event: &Event) -> Self {
        Self::of(event)
    }
}

impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.clone().into_bytes() == other.clone().into_bytes()
    }
}

impl Eq for Block {}

impl PartialEq<str> for Block {
    fn eq(&self, other: &str) -> bool {
        self.clone().into_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Block {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("Block");
        debug.field(&self.head);
        if let Some(payload) = &self.payload {
            debug.field(payload);
        }
        debug.finish()
    }
}
