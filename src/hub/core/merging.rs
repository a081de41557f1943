use bytes::Bytes;

use super::State;
use super::frames::{FRAME, Frame};
use super::log::Entry;
use super::visiting::Range;
use super::wake_list::Wakes;
use crate::protocol::Block;

/// Frames: the events of a range, merged into one block that others at the same place share.
impl State {
    /// Merges the events of the range into a frame, as far as they fit.
    pub(super) fn merge(&mut self, range: Range, wakes: &mut Wakes) -> Frame {
        let mut marks = std::mem::take(&mut self.marks);
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut first: Option<&Entry> = None;
        let (mut events, mut transient, mut border) = (0, false, false);
        let to = self.visit(range, &mut marks, |entry| {
            let (head, payload) = entry.block.parts();
            match first {
                None => first = Some(entry),
                // Every frame ends where a segment ends.
                Some(_) if entry.border => {
                    border = true;
                    return false;
                }
                // An event with a shared payload is sent alone.
                Some(first) if payload.is_some() || first.block.parts().1.is_some() => {
                    return false;
                }
                Some(first) => {
                    if bytes.is_empty() {
                        if first.block.len() + head.len() > FRAME {
                            return false;
                        }
                        bytes.extend_from_slice(first.block.parts().0);
                    } else if bytes.len() + head.len() > FRAME {
                        return false;
                    }
                    bytes.extend_from_slice(head);
                }
            }
            events += 1;
            transient |= entry.transient;
            true
        });
        let begins = first.is_some_and(|first| first.border);
        let block = match first {
            Some(first) if bytes.is_empty() => first.block.clone(),
            // Copied to its exact size, which is not known in advance: reserved memory counts.
            _ => Block::from_shared(Bytes::copy_from_slice(&bytes)),
        };
        (self.marks, self.bytes) = (marks, bytes);
        let frame = Frame {
            from: range.from,
            to,
            events,
            block,
            made: self.losses,
            transient,
            sealed: to < range.until,
            whole: begins && border,
            #[cfg(feature = "compression")]
            packed: None,
        };
        // An empty one is skipped, and not sent.
        if range.live && events > 0 {
            self.share(range.group, &frame, wakes);
        }
        frame
    }

    /// Caches a frame for others at the same place, if the group has other subscribers.
    fn share(&mut self, index: usize, frame: &Frame, wakes: &mut Wakes) {
        let group = &mut self.groups[index];
        // Sharing the block of a shared payload saves no copy, but its compressed form is shared.
        let has_payload = frame.block.parts().1.is_some();
        if group.subscribers < 2 || (has_payload && !group.is_packed()) {
            return;
        }
        let frames = group.frames.get_or_insert_default();
        self.frames -= frames.bytes();
        frames.remember(frame.clone(), group.lost_to, wakes);
        self.frames += frames.bytes();
        if !std::mem::replace(&mut frames.queued, true) {
            self.framed.push_back(index);
        }
        while self.frames > self.frames_limit {
            let Some(index) = self.framed.pop_front() else {
                return;
            };
            let group = self.groups.get_mut(index);
            let Some(frames) = group.and_then(|group| group.frames.as_mut()) else {
                continue;
            };
            let before = frames.bytes();
            if frames.forget_one(wakes) {
                self.framed.push_back(index);
            } else {
                frames.queued = false;
            }
            self.frames -= before - frames.bytes();
        }
    }
}
