use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;

use bytes::Bytes;

use super::block::Block;
use super::data_writer::DataWriter;
use super::encode::Encode;
use super::event::{Copies, Event};
use super::event_writer::EventWriter;
use super::fields::{Fields, grow, only_text, reserve, shareable};
use super::id_ref::IdRef;
use super::lines::{Breaks, END, write_data};
use super::scratch::with_scratch;
use super::type_ref::TypeRef;

/// Writes events straight into a frame, from borrowed data and without an [`Event`](crate::Event).
///
/// Each call writes a complete block, so everything written is always complete. [`Block::write`]
/// and `SseBody::writer` pass one to their closures.
///
/// ```
/// use tower_sse::Block;
///
/// let block = Block::write(|out| {
///     out.data("kick-off");
///     out.typed("score").id(1).data("1 : 0");
///     out.comment("still here");
/// });
/// assert_eq!(
///     block,
///     "data: kick-off\n\nevent: score\nid: 1\ndata: 1 : 0\n\n: still here\n\n",
/// );
/// ```
#[derive(Default)]
pub struct Writer {
    buffer: Vec<u8>,
    /// Chunks to send before the buffer. Boxed because they are rare, and moving and dropping a
    /// writer is part of the cost of a small block.
    #[expect(clippy::box_collection, reason = "a word instead of four")]
    chunks: Option<Box<VecDeque<Bytes>>>,
    /// A frame made elsewhere, to send before the chunks. An `Option`, because dropping an empty
    /// `Bytes` costs a call.
    whole: Option<Bytes>,
    /// The length of the last frame of several blocks, as an estimate for the next one.
    usual: usize,
}

impl Writer {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self::with_usual(0)
    }

    /// A writer whose frame probably takes as much as the last one, with its `usual`.
    #[inline]
    pub(crate) const fn with_usual(usual: usize) -> Self {
        Self {
            buffer: Vec::new(),
            chunks: None,
            whole: None,
            usual,
        }
    }

    /// The length of the last frame of several blocks, for the next writer.
    #[inline]
    pub(crate) const fn usual(&self) -> usize {
        self.usual
    }

    /// Writes an event with only this data. Line breaks make several data lines.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// assert_eq!(Block::write(|out| out.data("two\nlines")), "data: two\ndata: lines\n\n");
    /// ```
    // `benches/encode`, "16 B", `Block::write`: 17.1 ns, and 21.9 if left to the compiler.
    #[inline(always)]
    pub fn data(&mut self, text: &str) {
        if self.usual == 0 && self.buffer.capacity() == 0 {
            self.buffer = only_text(text.as_bytes()).into_vec();
        } else {
            self.fields(&Fields::of_text(text.as_bytes()));
        }
    }

    /// Begins an event without a type or an ID, whose data is written line by line.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| {
    ///     let mut data = out.begin_data();
    ///     data.line("one");
    ///     data.line("two");
    ///     data.finish();
    /// });
    /// assert_eq!(block, "data: one\ndata: two\n\n");
    /// ```
    pub fn begin_data(&mut self) -> DataWriter<'_> {
        self.start().begin_data()
    }

    /// Writes an event whose data is a value's `Display` output.
    ///
    /// # Errors
    ///
    /// If the value's `Display` reports an error; nothing is written then.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.display(format_args!("{}%", 50)).unwrap());
    /// assert_eq!(block, "data: 50%\n\n");
    /// ```
    pub fn display(&mut self, value: impl fmt::Display) -> fmt::Result {
        self.start().display(value)
    }

    /// Writes an event whose data is a value as JSON.
    ///
    /// # Errors
    ///
    /// If the value cannot be serialized; nothing is written then.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.json(&[1, 2]).unwrap());
    /// assert_eq!(block, "data: [1,2]\n\n");
    /// ```
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), crate::protocol::value::JsonError> {
        self.start().json(value)
    }

    /// Begins an event of this type, a literal or an [`EventType`](crate::EventType). A call that
    /// sets its data completes it.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| out.typed("goal").data("1 : 0"));
    /// assert_eq!(block, "event: goal\ndata: 1 : 0\n\n");
    /// ```
    #[inline]
    pub fn typed<'a>(&'a mut self, event_type: impl Into<TypeRef<'a>>) -> EventWriter<'a> {
        self.start().typed(event_type)
    }

    /// Begins an event with this ID. A call that sets its data completes it.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// assert_eq!(Block::write(|out| out.id(7u64).data("x")), "id: 7\ndata: x\n\n");
    /// ```
    #[inline]
    pub fn id<'a>(&'a mut self, id: impl Into<IdRef<'a>>) -> EventWriter<'a> {
        self.start().id(id)
    }

    /// Writes only a comment. Line breaks make several comment lines.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// assert_eq!(Block::write(|out| out.comment("two\nlines")), ": two\n: lines\n\n");
    /// ```
    pub fn comment(&mut self, text: &str) {
        self.fields(&Fields {
            comment: Some(text.as_bytes()),
            ..Fields::NONE
        });
    }

    /// Writes an event or a block made elsewhere.
    ///
    /// ```
    /// # use tower_sse::{Block, Event};
    /// assert_eq!(Block::write(|out| out.push(Event::new("x"))), "data: x\n\n");
    /// ```
    #[inline]
    pub fn push(&mut self, item: impl Encode) {
        item.encode_into(self);
    }

    /// Writes a block in chunks of its own, without a copy, and without an allocation for a single
    /// one.
    #[inline]
    pub(crate) fn push_whole(&mut self, block: Block) {
        match block.into_parts() {
            (head, None) if self.is_empty() => self.whole = Some(head),
            (head, payload) => {
                let chunks = self.chunks.get_or_insert_default();
                if !self.buffer.is_empty() {
                    chunks.push_back(Bytes::from(std::mem::take(&mut self.buffer)));
                }
                chunks.push_back(head);
                if let Some(payload) = payload {
                    chunks.extend([payload, Bytes::from_static(END)]);
                }
            }
        }
    }

    #[inline]
    fn start(&mut self) -> EventWriter<'_> {
        EventWriter::new(self)
    }

    #[inline]
    pub(super) fn fields(&mut self, fields: &Fields<'_>) {
        fields.encode(&mut self.buffer, self.usual);
    }

    /// Writes fields with data from the closure, or nothing if it fails or panics.
    #[inline]
    pub(super) fn lines<E>(
        &mut self,
        head: &Fields<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<Breaks, E>,
    ) -> Result<(), E> {
        if self.buffer.capacity() == 0 {
            return with_scratch(|scratch| {
                head.encode_head(scratch);
                write_data(scratch, write)?;
                reserve(&mut self.buffer, scratch.len(), self.usual);
                self.buffer.extend_from_slice(scratch);
                Ok(())
            });
        }
        if self.buffer.len() == self.buffer.capacity() {
            grow(&mut self.buffer, 0, self.usual);
        }
        let mut begun = Begun::new(&mut self.buffer);
        head.encode_head(begun.buffer);
        write_data(begun.buffer, write)?;
        begun.whole = begun.buffer.len();
        Ok(())
    }

    /// Adds the payload as a chunk of its own, between the contents of the buffer and whatever
    /// follows.
    #[cold]
    fn share(&mut self, fields: &Fields<'_>, payload: Bytes) {
        fields.encode_before_text(&mut self.buffer);
        self.push_shared(payload);
    }

    fn push_shared(&mut self, payload: Bytes) {
        let head = Bytes::from(std::mem::take(&mut self.buffer));
        let chunks = self.chunks.get_or_insert_default();
        chunks.push_back(head);
        chunks.push_back(payload);
        self.buffer.extend_from_slice(END);
    }

    /// Whether a frame of this many bytes, or a chunk of its own, is ready to be sent.
    #[inline]
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        self.buffer.len() >= limit || self.chunks.is_some() || self.whole.is_some()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.chunks.is_none() && self.whole.is_none()
    }

    /// Whether it is empty and holds no memory.
    #[inline]
    pub(crate) fn is_new(&self) -> bool {
        self.buffer.capacity() == 0 && self.chunks.is_none() && self.whole.is_none()
    }

    /// The number of bytes waiting to be sent.
    pub(crate) fn len(&self) -> usize {
        let chunks = self.chunks.iter().flat_map(|chunks| chunks.iter());
        let chunks = self.whole.iter().chain(chunks);
        self.buffer.len() + chunks.map(Bytes::len).sum::<usize>()
    }

    #[inline]
    pub(crate) fn next_chunk(&mut self) -> Option<Bytes> {
        if self.whole.is_some() {
            return self.whole.take();
        }
        let chunks = self.chunks.as_mut()?;
        let chunk = chunks.pop_front();
        if chunks.is_empty() {
            self.chunks = None;
        }
        chunk
    }

    /// The next chunk to send; the buffer comes last.
    // Inlined, because a frame that each caller passes on through memory costs more than its event.
    // `benches/body.rs`: 364 instructions per frame with a block, and 394 if left to the compiler.
    #[inline(always)]
    pub(crate) fn next_frame(&mut self) -> Option<Bytes> {
        if let Some(chunk) = self.next_chunk() {
            return Some(chunk);
        }
        if self.buffer.is_empty() {
            return None;
        }
        if self.buffer.len() < self.buffer.capacity() {
            // Bounded, because one huge event says nothing about later frames.
            self.usual = self.buffer.len().min(64 * 1024);
        }
        Some(Bytes::from(std::mem::take(&mut self.buffer)))
    }

    // `benches/encode.rs`, `Block::write`: 497 instructions, and 520 if left to the compiler.
    #[inline(always)]
    pub(super) fn into_bytes(self) -> Bytes {
        // Empty fields are dropped first. Dropped after the `Bytes` is created, they would cause it
        // to be stored in memory and loaded again at once, and the load waits for the stores.
        // `benches/encode`, "16 B", `Block::write`: 11.8 ns, and 18.4 otherwise.
        let Self {
            buffer,
            chunks,
            whole,
            ..
        } = self;
        drop(whole);
        // Returns unused capacity: a block may be kept for long, and `Bytes` would allocate to keep
        // track of the capacity.
        Bytes::from(match chunks {
            None => buffer.into_boxed_slice(),
            Some(chunks) => concat(*chunks, &buffer),
        })
    }
}

/// A buffer to which user code is adding a block. If that fails or panics, only complete blocks
/// remain: a partial block would be read as fields.
struct Begun<'a> {
    buffer: &'a mut Vec<u8>,
    whole: usize,
}

impl<'a> Begun<'a> {
    #[inline]
    fn new(buffer: &'a mut Vec<u8>) -> Self {
        let whole = buffer.len();
        Self { buffer, whole }
    }
}

impl Drop for Begun<'_> {
    #[inline]
    fn drop(&mut self) {
        self.buffer.truncate(self.whole);
    }
}

// Not a `Bytes`, which would be returned in memory, and then the one above would be built there, too.
#[cold]
fn concat(chunks: VecDeque<Bytes>, buffer: &[u8]) -> Box<[u8]> {
    let mut all = Vec::from(chunks).concat();
    all.extend_from_slice(buffer);
    all.into_boxed_slice()
}

impl Encode for Event {
    #[inline(always)]
    fn encode_into(self, out: &mut Writer) {
        let mut event = ManuallyDrop::new(self);
        let mut copies = Copies::default();
        let fields = event.fields_with(&mut copies);
        match event.data().and_then(shareable) {
            None => out.fields(&fields),
            Some(payload) => out.share(&fields, payload.clone()),
        }
        event.discard();
    }
}

impl Encode for Block {
    #[inline]
    fn encode_into(self, out: &mut Writer) {
        let (head, payload) = self.into_parts();
        if let Some(payload) = payload {
            out.buffer.extend_from_slice(&head);
            out.push_shared(payload);
        } else {
            reserve(&mut out.buffer, head.len(), out.usual);
            out.buffer.extend_from_slice(&head);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(out: &mut Writer, blocks: usize) -> (usize, usize) {
        (0..blocks).for_each(|_| out.id(7).data("a text of some length"));
        let room = out.buffer.capacity();
        (room, out.next_frame().unwrap().len())
    }

    #[test]
    fn a_frame_as_long_as_the_last_has_exact_room_from_the_start() {
        let mut out = Writer::new();
        let (room, len) = frame(&mut out, 16);
        assert!(room > len);
        assert_eq!(frame(&mut out, 16), (len, len));
        // One block after many takes their room once.
        assert_eq!(frame(&mut out, 1), (len, len / 16));
        assert_eq!(frame(&mut out, 1), (len / 16, len / 16));
    }

    #[test]
    fn displayed_text_after_a_long_frame_begins_with_its_room() {
        let mut out = Writer::new();
        let (_, len) = frame(&mut out, 16);
        out.display("x").unwrap();
        assert_eq!(out.buffer.capacity(), len);
    }
}
