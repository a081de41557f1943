//! The two views of an event that has just been dispatched.

use std::ops::Range;

use bytes::{Buf, Bytes};

use super::decoder::Decoder;
use super::message::{MessageEvent, message_if_empty};
use super::message_ref::MessageRef;
use super::whole_block::Parts;

impl Decoder {
    /// The event that has just been dispatched.
    #[inline(always)]
    pub(super) fn lend<'a>(&'a self, chunk: &'a [u8], parts: &Parts) -> MessageRef<'a> {
        MessageRef {
            event_type: message_if_empty(match &parts.event_type {
                Some(event_type) => &chunk[event_type.clone()],
                None => self.pending.event_type(),
            }),
            data: match &parts.data {
                Some(data) => &chunk[data.clone()],
                None => self.pending.data(),
            },
            last_event_id: self.last_id.as_bytes(),
        }
    }

    /// The event that has just been dispatched, taken out of the chunk with all before `len`: with
    /// the chunk, if all of it is there.
    //
    // One place puts the event together, out of values that are in registers by then. An event that
    // is written field by field in two places and copied after that costs half as much again: loads
    // that are wider than the stores just before them have to wait for the stores.
    #[inline(always)]
    pub(super) fn own(&mut self, chunk: &mut Bytes, parts: Parts, len: usize) -> MessageEvent {
        let (block, data, event_type, id) = match (parts.data, parts.event_type) {
            (Some(data), event_type)
                if event_type.is_some() || self.pending.event_type().is_empty() =>
            {
                let event_type = event_type.unwrap_or(data.start..data.start);
                (chunk.clone(), data, event_type, parts.id)
            }
            (data, event_type) => {
                let (block, data) = self.gather(chunk, data, event_type);
                let event_type = data + self.pending.event_type().len();
                let id = self.last_id.short().map(|_| event_type..block.len());
                (block, 0..data, data..event_type, id)
            }
        };
        chunk.advance(len);
        let kept_id = match id {
            Some(_) => None,
            None => self.last_id.share(),
        };
        MessageEvent {
            block,
            data,
            event_type,
            id: id.unwrap_or(0..0),
            kept_id,
        }
    }

    /// Data, type and, unless it is long, last event ID, one after the other; and how long the data are.
    #[inline(never)]
    fn gather(
        &mut self,
        chunk: &[u8],
        data: Option<Range<usize>>,
        event_type: Option<Range<usize>>,
    ) -> (Bytes, usize) {
        if let Some(data) = data {
            self.pending.push_data_line(&chunk[data]);
        }
        if let Some(event_type) = event_type {
            self.pending.set_event_type(&chunk[event_type]);
        }
        let data = self.pending.data().len();
        let block = self
            .pending
            .take_data(self.last_id.short().unwrap_or_default());
        self.pending.clear_block();
        (block, data)
    }
}
