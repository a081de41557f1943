//! The two views of an event that has just been dispatched.

use std::ops::Range;

use bytes::Bytes;

use super::decode::Decoder;
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

    /// The event that has just been dispatched: with the chunk, if all of it is there.
    #[inline(always)]
    pub(super) fn own(&mut self, chunk: &Bytes, parts: Parts) -> MessageEvent {
        match (parts.data, parts.event_type) {
            (Some(data), event_type)
                if event_type.is_some() || self.pending.event_type().is_empty() =>
            {
                let kept_id = match parts.id {
                    Some(_) => None,
                    None => self.last_id.share(),
                };
                MessageEvent {
                    block: chunk.clone(),
                    data,
                    event_type: event_type.unwrap_or(0..0),
                    id: parts.id.unwrap_or(0..0),
                    kept_id,
                }
            }
            (data, event_type) => self.gather(chunk, data, event_type),
        }
    }

    fn gather(
        &mut self,
        chunk: &[u8],
        data: Option<Range<usize>>,
        event_type: Option<Range<usize>>,
    ) -> MessageEvent {
        if let Some(data) = data {
            self.pending.push_data_line(&chunk[data]);
        }
        if let Some(event_type) = event_type {
            self.pending.set_event_type(&chunk[event_type]);
        }
        let len = self.pending.data().len();
        let block = self.pending.take_data();
        self.pending.clear_block();
        MessageEvent {
            data: 0..len,
            event_type: len..block.len(),
            block,
            id: 0..0,
            kept_id: self.last_id.share(),
        }
    }
}
