//! Creating events that were just dispatched from the positions of their parts.

use std::ops::Range;
use std::sync::Arc;

use bytestring::ByteString;

use super::{Beside, MessageEvent};
use crate::protocol::decode::last_id::LastId;
use crate::protocol::decode::whole_block::Parts;

impl MessageEvent {
    /// The event that was just dispatched, with the text of its block.
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
