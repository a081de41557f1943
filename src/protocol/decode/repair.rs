//! Text that was not UTF-8, as 9.2.5's *UTF-8 decode* has it.

use std::borrow::Cow;
use std::str;

use super::line_end::is_ascii;
use super::pending::Pending;
use super::whole_block::Parts;

/// Sees to it that data and type are UTF-8, and that the type is not empty.
#[inline]
pub(super) fn repair(chunk: &[u8], parts: &mut Parts, pending: &mut Pending, ascii: bool) {
    match &parts.data {
        Some(_) if ascii => {}
        Some(data) => {
            if let Some(repaired) = repaired(&chunk[data.clone()]) {
                parts.data = None;
                pending.set_data(repaired);
            }
        }
        None => {
            if let Some(repaired) = repaired(pending.data()) {
                pending.set_data(repaired);
            }
        }
    }
    match &parts.event_type {
        Some(event_type) if ascii && !event_type.is_empty() => {}
        Some(event_type) => {
            pending.set_event_type(&chunk[event_type.clone()]);
            parts.event_type = None;
            repair_event_type(pending);
        }
        None if pending.has_event_type() => repair_event_type(pending),
        None => pending.clear_event_type(),
    }
}

#[cold]
fn repair_event_type(pending: &mut Pending) {
    if let Some(repaired) = repaired(pending.event_type()) {
        pending.set_event_type(repaired.as_bytes());
    }
}

#[inline]
pub(super) fn is_utf8(text: &[u8]) -> bool {
    is_ascii(text) || str::from_utf8(text).is_ok()
}

/// The text with U+FFFD for each maximal subpart of an ill-formed sequence, if it is not UTF-8.
#[inline]
pub(super) fn repaired(text: &[u8]) -> Option<String> {
    if is_ascii(text) {
        return None;
    }
    repaired_unless_utf8(text)
}

#[inline(never)]
fn repaired_unless_utf8(text: &[u8]) -> Option<String> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(repaired) => Some(repaired),
    }
}
