//! Creating events that were just dispatched from the positions of their parts.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use bytestring::ByteString;

use super::{Beside, MessageEvent};
use crate::protocol::decode::last_id::LastId;
use crate::protocol::decode::pending::Pending;
use crate::protocol::decode::text::{BlockText, share};
use crate::protocol::decode::whole_block::Parts;

impl MessageEvent {
    /// The text of the block that was just dispatched, which shares the chunk's memory; `None` if
    /// it has parts elsewhere, or is not UTF-8.
    #[inline]
    pub(in crate::protocol::decode) fn text(
        chunk: &Bytes,
        parts: &Parts,
        pending: &Pending,
    ) -> Option<ByteString> {
        let in_chunk =
            parts.data.is_some() && (parts.event_type.is_some() || pending.event_type().is_empty());
        match in_chunk {
            true => share(chunk, parts.from..parts.end),
            false => None,
        }
    }

    /// The event of this [whole block](Parts::whole), copied.
    #[inline(never)]
    pub(in crate::protocol::decode) fn copy(
        block: &[u8],
        parts: Parts,
        pending: &mut Pending,
        last_id: &mut LastId,
    ) -> Self {
        match BlockText::check(block, parts.from..parts.end) {
            Some(block) => Self::of_block(block.copy(), parts, last_id),
            None => {
                pending.clear_event_type();
                let mut block = Bytes::copy_from_slice(block);
                Self::gathered(&mut block, parts, 0, pending, last_id)
            }
        }
    }

    /// The event that was just dispatched, with the [text](Self::text) of its block.
    //
    // Inlined, so that it is built in the caller's place from values in registers. An event that is
    // written field by field and then copied takes 1.5 times as long: loads that are wider than the
    // stores just before them have to wait for the stores.
    #[inline(always)]
    pub(in crate::protocol::decode) fn of_block(
        block: ByteString,
        parts: Parts,
        last_id: &mut LastId,
    ) -> Self {
        let from = parts.from;
        let at = |at: Range<usize>| at.start - from..at.end - from;
        let id = parts.id.map(at);
        if let Some(id) = &id {
            last_id.set(&block[id.clone()]);
        }
        Self {
            beside: beside(parts.has_id, id.is_some(), parts.retry, last_id),
            block,
            data: parts.data.map_or(0..0, at),
            event_type: parts.event_type.map_or(0..0, at),
            id,
        }
    }

    /// The event that was just dispatched, taken out of the chunk with everything before `len`, if
    /// it has no [text](Self::text).
    #[inline(never)]
    pub(in crate::protocol::decode) fn gathered(
        chunk: &mut Bytes,
        parts: Parts,
        len: usize,
        pending: &mut Pending,
        last_id: &mut LastId,
    ) -> Self {
        if let Some(id) = parts.id {
            last_id.set_repaired(&chunk[id]);
        }
        let id = last_id.short().filter(|_| parts.has_id);
        let (block, data, event_type) = gather(chunk, parts.data, parts.event_type, id, pending);
        let id = id.map(|_| event_type..block.len());
        chunk.advance(len);
        Self {
            beside: beside(parts.has_id, id.is_some(), parts.retry, last_id),
            block,
            data: 0..data,
            event_type: data..event_type,
            id,
        }
    }
}

/// The fields of an event that are not in its block.
#[inline]
fn beside(
    has_id: bool,
    is_in_block: bool,
    retry: Option<u64>,
    last_id: &mut LastId,
) -> Option<Arc<Beside>> {
    if retry.is_some() || (has_id && !is_in_block) {
        return Some(Arc::new(Beside {
            last_event_id: Box::from(last_id.as_str()),
            own: has_id,
            retry,
        }));
    }
    match is_in_block {
        true => None,
        false => last_id.share(),
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
        pending.set_data(&chunk[data]);
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
