//! The event that was found in a chunk that does not begin with a whole block of the simplest form.

use std::ops::Range;

use bytes::{Buf, Bytes};
use bytestring::ByteString;

use super::last_id::LastId;
use super::message::MessageEvent;
use super::pending::Pending;
use super::text::{BlockText, share};
use super::whole_block::Parts;

/// An event that has been found, as text and positions in it, until it is taken.
///
/// It stays in the decoder, so that the event is built in the place where the caller wants it. A
/// result that contains the event would be written field by field and then moved, and loads that are
/// wider than the stores just before them have to wait for the stores: 25 % of `CRLF`, 16 KiB, stream,
/// in benches/decode.
#[derive(Debug, Clone, Default)]
pub(super) struct FoundEvent {
    /// `None` is dropped without a call.
    block: Option<ByteString>,
    parts: Parts,
}

impl FoundEvent {
    /// Sets the event that was just dispatched, and takes it out of the chunk with everything before
    /// `len`.
    #[inline]
    pub(super) fn set(
        &mut self,
        chunk: &mut Bytes,
        parts: Parts,
        len: usize,
        pending: &mut Pending,
        last_id: &mut LastId,
    ) {
        let in_chunk =
            parts.data.is_some() && (parts.event_type.is_some() || pending.event_type().is_empty());
        let kept = match in_chunk {
            true if pending.has_more_lines() => self.join(chunk, &parts, pending),
            true => self.share(chunk, &parts),
            false => false,
        };
        if !kept {
            self.gather(chunk, parts, pending, last_id);
        }
        chunk.advance(len);
    }

    /// Sets the event, which shares the chunk's memory, if it is UTF-8. Returns whether it is.
    #[inline]
    fn share(&mut self, chunk: &Bytes, parts: &Parts) -> bool {
        let Some(block) = share(chunk, parts.from..parts.end) else {
            return false;
        };
        self.block = Some(block);
        self.parts = parts.clone();
        true
    }

    /// Sets the event, whose data is several lines, if it is UTF-8. Returns whether it is.
    #[inline(never)]
    fn join(&mut self, chunk: &[u8], parts: &Parts, pending: &Pending) -> bool {
        let block = BlockText::check(chunk, parts.from..parts.end);
        let (Some(block), Some(first)) = (block, &parts.data) else {
            return false;
        };
        let get = |at: &Option<Range<usize>>| at.as_ref().map_or("", |at| block.get(at));
        let (event_type, id) = (get(&parts.event_type), get(&parts.id));
        let mut text = pending.joined_lines(block, first, event_type.len() + id.len());
        let data = text.len();
        text.push_str(event_type);
        let event_type = text.len();
        text.push_str(id);
        self.parts = Parts {
            from: 0,
            end: text.len(),
            data: Some(0..data),
            event_type: Some(data..event_type),
            id: parts.id.as_ref().map(|_| event_type..text.len()),
            has_id: parts.has_id,
            retry: parts.retry,
        };
        self.block = Some(ByteString::from(text));
        true
    }

    /// Sets the event of this [whole block](Parts::whole), copied.
    #[inline]
    pub(super) fn copy(
        &mut self,
        block: &[u8],
        parts: Parts,
        pending: &mut Pending,
        last_id: &mut LastId,
    ) {
        match BlockText::check(block, parts.from..parts.end) {
            Some(text) => {
                self.block = Some(text.copy());
                self.parts = parts;
            }
            None => {
                pending.clear_for_whole();
                self.gather(block, parts, pending, last_id);
            }
        }
    }

    /// Sets the event that was just dispatched and is all in this block, copied.
    #[inline]
    pub(super) fn copy_scanned(
        &mut self,
        block: &[u8],
        parts: Parts,
        pending: &mut Pending,
        last_id: &mut LastId,
    ) {
        match parts.data {
            Some(_) if !pending.has_more_lines() => self.copy(block, parts, pending, last_id),
            Some(_) if self.join(block, &parts, pending) => {}
            _ => self.gather(block, parts, pending, last_id),
        }
    }

    /// Sets the event that was just dispatched, if its parts are not in one place or not UTF-8.
    #[inline(never)]
    fn gather(&mut self, chunk: &[u8], parts: Parts, pending: &mut Pending, last_id: &mut LastId) {
        if let Some(id) = parts.id {
            last_id.set_repaired(&chunk[id]);
        }
        let id = last_id.short().filter(|_| parts.has_id);
        let (block, data, event_type) = gather(chunk, parts.data, parts.event_type, id, pending);
        self.parts = Parts {
            from: 0,
            end: block.len(),
            data: Some(0..data),
            event_type: Some(data..event_type),
            id: id.map(|_| event_type..block.len()),
            ..parts
        };
        self.block = Some(block);
    }

    #[inline(always)]
    pub(super) fn take(&mut self, last_id: &mut LastId) -> MessageEvent {
        let block = self.block.take().unwrap_or_default();
        MessageEvent::of_block(block, self.parts.clone(), last_id)
    }

    /// Its data and its type.
    pub(super) fn texts(&self) -> (&[u8], &[u8]) {
        let text = |at: &Range<usize>| at.start - self.parts.from..at.end - self.parts.from;
        let parts = Parts {
            data: self.parts.data.as_ref().map(text),
            event_type: self.parts.event_type.as_ref().map(text),
            ..Parts::default()
        };
        let block = self
            .block
            .as_ref()
            .map_or(&b""[..], |block| block.as_bytes());
        let data = parts.data.clone().map_or(&b""[..], |at| &block[at]);
        (data, parts.event_type(block))
    }
}

/// The data, the type and an ID, one after the other, and the positions where data and type end.
fn gather(
    chunk: &[u8],
    data: Option<Range<usize>>,
    event_type: Option<Range<usize>>,
    id: Option<&str>,
    pending: &mut Pending,
) -> (ByteString, usize, usize) {
    if let Some(data) = data {
        pending.push_data_lines(chunk, data);
    }
    if let Some(event_type) = event_type {
        pending.set_event_type(&chunk[event_type]);
    }
    let (text, data, event_type) = pending.take_texts(id.unwrap_or_default());
    pending.clear_block();
    if pending.is_large() {
        pending.release();
    }
    (text.into(), data, event_type)
}
