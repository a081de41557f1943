use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::compression::gzip::Checksum;

/// A part of a segment, which begins and ends at a byte border.
#[derive(Debug, Clone)]
pub(super) struct SharedPiece {
    pub(super) bytes: Bytes,
    pub(super) step: PieceNumber,
    /// The checksum of the segment up to the end of this piece.
    pub(super) checksum: Checksum,
}

/// A piece's place: the number of its segment, and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PieceNumber {
    segment: NonZeroU64,
    index: u32,
}

impl PieceNumber {
    /// The beginning of a new segment. No two segments have the same number, wherever they are.
    pub(super) fn begin() -> Self {
        static SEGMENTS: AtomicU64 = AtomicU64::new(0);
        let before = SEGMENTS.fetch_add(1, Ordering::Relaxed);
        Self {
            segment: NonZeroU64::MIN.saturating_add(before),
            index: 0,
        }
    }

    /// The next piece of the segment. `None` after the last that can be numbered.
    pub(super) fn following(self) -> Option<Self> {
        let index = self.index.checked_add(1)?;
        Some(Self { index, ..self })
    }

    pub(super) fn begins_segment(self) -> bool {
        self.index == 0
    }
}
