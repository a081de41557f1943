use std::collections::{BTreeMap, VecDeque};

#[cfg(feature = "compression")]
use bytes::Bytes;

use super::wake_list::Wakes;
use crate::protocol::Block;

/// The maximum size of a frame with several events, in bytes.
pub(super) const FRAME: usize = 64 * 1024;

/// The maximum number of a topic's events in a frame.
pub(super) const PER_TOPIC: usize = 512;

/// The maximum number of frames that a group caches besides whole segments.
const RECENT: usize = 16;

/// The events between two places in a group's log, merged into one block.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) events: u64,
    pub(super) block: Block,
    /// The count of all losses when it was made.
    pub(super) made: u64,
    /// Whether it contains a transient event, which later subscribers must not get.
    pub(super) transient: bool,
    /// Whether it is final: it ends before an event that did not fit.
    pub(super) sealed: bool,
    /// Whether it spans a whole segment of the topic, so that subscribers that started from any
    /// place share it.
    pub(super) whole: bool,
    /// Its compressed form, once an encoder has asked for it.
    #[cfg(feature = "compression")]
    pub(super) packed: Option<super::packing::SharedPacked>,
}

/// A cache of the frames that a group's subscribers were given, for others at the same place.
#[derive(Debug, Default)]
pub(super) struct Frames {
    recent: VecDeque<Frame>,
    whole: BTreeMap<u64, Frame>,
    bytes: usize,
    /// Whether the group is in the queue of groups that drop frames when the cache is full.
    pub(super) queued: bool,
}

impl Frames {
    /// The frame that begins at this place, unless much more is pending by now. `head` is the end of
    /// what is pending.
    #[inline]
    pub(super) fn get(&self, from: u64, head: u64) -> Option<&Frame> {
        let recent = self.recent.iter().rev().find(|frame| frame.from == from);
        let frame = recent.or_else(|| self.whole.get(&from))?;
        // Rebuilt only when the pending events have doubled, so that the cost of copying stays
        // proportional.
        let worthwhile = !frame.sealed
            && head - frame.to >= (frame.to - from).max(4)
            && frame.block.len() < FRAME / 2;
        (!worthwhile).then_some(frame)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Caches a frame, and drops frames before `lost_to`.
    pub(super) fn remember(&mut self, frame: Frame, lost_to: u64, wakes: &mut Wakes) {
        let stale = |other: &Frame| other.from == frame.from || other.to <= lost_to;
        if self.recent.iter().any(stale) {
            let (gone, kept) = self.recent.drain(..).partition(stale);
            self.recent = kept;
            for frame in Vec::from(gone) {
                self.drop(frame, wakes);
            }
        }
        while let Some(oldest) = self.whole.first_entry().filter(|first| stale(first.get())) {
            let oldest = oldest.remove();
            self.drop(oldest, wakes);
        }
        self.bytes += frame.size();
        if frame.whole {
            if let Some(old) = self.whole.insert(frame.from, frame) {
                self.drop(old, wakes);
            }
            return;
        }
        if self.recent.len() == RECENT {
            if let Some(oldest) = self.recent.pop_front() {
                self.drop(oldest, wakes);
            }
        }
        self.recent.push_back(frame);
    }

    /// Drops the oldest frame. Returns `false` if there is none.
    pub(super) fn forget_one(&mut self, wakes: &mut Wakes) -> bool {
        let oldest = self.recent.pop_front();
        let oldest = oldest.or_else(|| self.whole.pop_first().map(|(_, frame)| frame));
        let some = oldest.is_some();
        if let Some(frame) = oldest {
            self.drop(frame, wakes);
        }
        some
    }

    /// Drops the frames that contain this event.
    pub(super) fn forget(&mut self, seq: u64, wakes: &mut Wakes) {
        let holds = |frame: &Frame| (frame.from..frame.to).contains(&seq);
        while let Some(at) = self.recent.iter().position(holds) {
            if let Some(frame) = self.recent.remove(at) {
                self.drop(frame, wakes);
            }
        }
        let whole = self.whole.range(..=seq).next_back();
        if let Some(from) = whole
            .filter(|(_, frame)| holds(frame))
            .map(|(from, _)| *from)
        {
            if let Some(frame) = self.whole.remove(&from) {
                self.drop(frame, wakes);
            }
        }
    }

    pub(super) fn clear(&mut self, wakes: &mut Wakes) {
        while self.forget_one(wakes) {}
    }

    fn drop(&mut self, frame: Frame, wakes: &mut Wakes) {
        self.bytes -= frame.size();
        wakes.drop_block(frame.block);
        #[cfg(feature = "compression")]
        wakes.drop_later(frame.packed.map(|packed| packed as _));
    }
}

impl Frame {
    /// The number of bytes that it counts for.
    fn size(&self) -> usize {
        #[cfg(feature = "compression")]
        if self.packed.is_some() {
            return self.block.len() + super::packing::size(self.block.len());
        }
        self.block.len()
    }
}

/// Compressed forms.
#[cfg(feature = "compression")]
impl Frames {
    /// The frame from this place on, if these very bytes are the head of its block.
    pub(super) fn find(&mut self, from: u64, head: &Bytes) -> Option<&mut Frame> {
        let mut recent = self.recent.iter_mut().rev();
        let recent = recent.find(|frame| frame.from == from);
        let frame = recent.or_else(|| self.whole.get_mut(&from))?;
        let own = frame.block.parts().0;
        (own.as_ptr() == head.as_ptr() && own.len() == head.len()).then_some(frame)
    }

    /// Counts the bytes of a compressed form.
    pub(super) fn count_packed(&mut self, size: usize) {
        self.bytes += size;
    }
}
