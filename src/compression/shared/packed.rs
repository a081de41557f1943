use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::deflater::Deflater;
use super::shared_piece::{PieceNumber, SharedPiece};
use super::track::{Position, Track};
use crate::compression::gzip::Checksum;

/// Parts of at least this many bytes are compressed by themselves for subscribers that are out of
/// step. Smaller ones gain little.
const ALONE_MIN: usize = 512;

/// The maximum number of bytes compressed in one poll, which is also what a stored block can hold.
const PART_MAX: usize = 0xffff;

/// What follows a shared payload.
const PAYLOAD_END: &[u8] = b"\n\n";

/// Parts of at most this many bytes are compared. Longer ones are recognised by their address.
const COMPARED_MAX: usize = 2;

/// A frame that several subscribers get, and its compressed form, which the first of them makes.
#[derive(Debug)]
pub(crate) struct Packed {
    span: Span,
    track: Arc<Track>,
    parts: Box<[Part]>,
}

/// The part of a group's log that is in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The number of the group's subscribers.
    pub(crate) subscribers: usize,
}

#[derive(Debug)]
struct Part {
    /// Kept so that no other bytes can be at its address.
    plain: Bytes,
    piece: OnceLock<Option<SharedPiece>>,
    /// The same as a segment of its own.
    alone: OnceLock<Option<SharedPiece>>,
}

impl Packed {
    /// Prepares the compressed form of a block, given by its head and its shared payload.
    pub(crate) fn new(
        (head, payload): (&Bytes, Option<&Bytes>),
        span: Span,
        track: Arc<Track>,
    ) -> Self {
        let end = payload.map(|_| Bytes::from_static(PAYLOAD_END));
        let chunks = [Some(head.clone()), payload.cloned(), end];
        let parts = chunks.into_iter().flatten().flat_map(|mut chunk| {
            std::iter::from_fn(move || {
                let plain = chunk.split_to(chunk.len().min(PART_MAX));
                (!plain.is_empty()).then(|| Part::new(plain))
            })
        });
        Self {
            span,
            track,
            parts: parts.collect(),
        }
    }

    /// The index and the length of the part that these bytes begin with.
    pub(super) fn find(&self, rest: &Bytes) -> Option<(usize, usize)> {
        let index = self.parts.iter().position(|part| part.begins(rest))?;
        Some((index, self.parts.get(index)?.plain.len()))
    }

    /// The compressed form of a frame of one part, which is just these bytes, if it continues the
    /// segment with the piece `next` and exists already. Advances `next` then.
    #[inline]
    pub(super) fn whole(
        &self,
        plain: &[u8],
        next: &mut Option<PieceNumber>,
        segment: &mut Checksum,
    ) -> Option<Bytes> {
        let [part] = &*self.parts else { return None };
        let is_same = part.plain.as_ptr() == plain.as_ptr() && part.plain.len() == plain.len();
        let piece = part.piece.get().filter(|_| is_same)?.as_ref()?;
        if Some(piece.step) != *next {
            return None;
        }
        *next = piece.step.following();
        *segment = piece.checksum;
        Some(piece.bytes.clone())
    }

    pub(super) fn is_last(&self, index: usize) -> bool {
        index + 1 == self.parts.len()
    }

    /// The compressed form of a part, for a connection that can continue its segment with the piece
    /// `next`. `None` if it is not compressed, or only in a form of no use to that connection.
    pub(super) fn piece(&self, index: usize, next: Option<PieceNumber>) -> Option<SharedPiece> {
        let part = self.parts.get(index)?;
        let compress = || self.track.compress(&part.plain, self.position(index), next);
        if let Some(piece) = part.piece.get_or_init(compress) {
            if piece.step.begins_segment() || Some(piece.step) == next {
                return Some(piece.clone());
            }
            self.track.miss();
        }
        if part.plain.len() < ALONE_MIN {
            return None;
        }
        let alone = || Deflater::alone(&part.plain, self.track.settings(), self.span.subscribers);
        part.alone.get_or_init(alone).clone()
    }

    fn position(&self, index: usize) -> Position {
        Position {
            span: self.span,
            part: index,
            is_last: self.is_last(index),
        }
    }
}

impl Part {
    fn new(plain: Bytes) -> Self {
        Self {
            plain,
            piece: OnceLock::new(),
            alone: OnceLock::new(),
        }
    }

    fn begins(&self, rest: &Bytes) -> bool {
        let len = self.plain.len();
        let same = rest.as_ptr() == self.plain.as_ptr() && rest.len() >= len;
        same || (len <= COMPARED_MAX && rest.starts_with(&self.plain))
    }
}
