use std::sync::Arc;

use bytes::Bytes;

use super::State;
use super::cursors::Seat;
use crate::hub::packed::{Packed, Span, Track, Tracks};

/// The compressed form of a frame, which several subscribers share.
pub(super) type SharedPacked = Arc<Packed>;

/// What the compressed form of a frame takes besides its bytes, roughly.
const OVERHEAD: usize = 512;

/// The number of bytes that the compressed form of a frame counts for. Deflate hardly ever makes
/// anything longer.
pub(super) fn size(len: usize) -> usize {
    len + OVERHEAD
}

/// The compressed forms of frames.
impl State {
    /// The place of the subscriber in the log.
    pub(in crate::hub) fn place(&self, seat: &Seat) -> u64 {
        self.cursors[seat.cursor].place
    }

    /// The compressed form of a frame that the subscriber at `from` has just taken. It is not made
    /// here.
    pub(in crate::hub) fn pack(
        &mut self,
        seat: &Seat,
        from: u64,
        block: (&Bytes, Option<&Bytes>),
        tracks: &Arc<Tracks>,
    ) -> Arc<Packed> {
        let to = self.place(seat);
        let group = &mut self.groups[seat.group];
        let track = group
            .track
            .get_or_insert_with(|| Track::new(tracks.clone()));
        let span = Span {
            from,
            to,
            subscribers: group.subscribers,
        };
        let new = || Arc::new(Packed::new(block, span, track.clone()));
        let Some(frames) = &mut group.frames else {
            return new();
        };
        let Some(frame) = frames.find(from, block.0) else {
            return new();
        };
        if let Some(packed) = &frame.packed {
            return packed.clone();
        }
        let packed = frame.packed.insert(new()).clone();
        let size = size(frame.block.len());
        frames.count_packed(size);
        self.frames += size;
        packed
    }
}
