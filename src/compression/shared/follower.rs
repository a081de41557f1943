use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::packed::Packed;
use super::shared_piece::{PieceNumber, SharedPiece};
use crate::compression::gzip::{self, Checksum};
use crate::compression::handover::Offer;

/// The maximum number of bytes in a stored block that are copied, so that they make one chunk with
/// what belongs around them.
const COPIED_MAX: usize = 4 * 1024;

/// The number of bytes that are copied at the end of more. The others make a chunk of their own,
/// which shares their memory.
const COPIED_TAIL: usize = 16;

/// A connection's gzip stream, which consists of a hub's shared pieces where possible.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// The frame that was handed over and has not been sent in full.
    frame: Option<Arc<Packed>>,
    /// The piece that would continue the segment. `None` if something else was sent after the last
    /// piece.
    next: Option<PieceNumber>,
    /// The checksum of everything before the segment, and of what was sent of the segment.
    /// Combining the two costs more than sending a piece, so it is done once for each segment.
    before: Checksum,
    segment: Checksum,
    /// The number of bytes left of a stored block whose head was sent.
    stored: u16,
    has_begun: bool,
}

impl Follower {
    /// Takes what the body has offered.
    pub(crate) fn offered(&mut self, offer: Offer) {
        if let Offer::Frame(frame) = offer {
            self.frame = Some(frame);
        }
    }

    /// The next chunk of the stream, if it is the compressed form of just these bytes.
    #[inline]
    pub(crate) fn whole(&mut self, plain: &[u8]) -> Option<Bytes> {
        let frame = self.frame.as_ref().filter(|_| self.has_begun)?;
        let bytes = frame.whole(plain, &mut self.next, &mut self.segment)?;
        self.frame = None;
        Some(bytes)
    }

    /// Takes some of these bytes and returns the next chunk of the stream, from which they can be
    /// decoded at once. `None` if there are none.
    ///
    /// If nothing follows them, the chunk that contains the last of them ends the stream.
    pub(crate) fn next(&mut self, rest: &mut Bytes, end: bool) -> Option<Bytes> {
        let has_begun = std::mem::replace(&mut self.has_begun, true);
        let chunk = match (has_begun, rest.is_empty()) {
            (false, _) => gzip::HEADER,
            (true, false) => self.take(rest),
            (true, true) if end => Bytes::new(),
            (true, true) => return None,
        };
        if !end || !rest.is_empty() {
            return Some(chunk);
        }
        self.leave_segment();
        self.frame = None;
        Some(Bytes::from([&*chunk, &self.before.end()].concat()))
    }

    fn take(&mut self, rest: &mut Bytes) -> Bytes {
        if self.stored > 0 {
            let len = usize::from(std::mem::take(&mut self.stored));
            return rest.split_to(len.min(rest.len()));
        }
        let frame = self.frame.as_ref();
        let Some((index, len)) = frame.and_then(|frame| frame.find(rest)) else {
            let len = rest.len();
            return self.store(rest, len);
        };
        let piece = frame.and_then(|frame| frame.piece(index, self.next));
        if frame.is_some_and(|frame| frame.is_last(index)) {
            self.frame = None;
        }
        match piece {
            None => self.store(rest, len),
            Some(piece) => {
                rest.advance(len);
                self.send(piece)
            }
        }
    }

    fn send(&mut self, piece: SharedPiece) -> Bytes {
        if piece.step.begins_segment() {
            self.leave_segment();
        }
        self.next = piece.step.following();
        self.segment = piece.checksum;
        piece.bytes
    }

    /// Stores some of these bytes, at most `len`.
    fn store(&mut self, rest: &mut Bytes, len: usize) -> Bytes {
        self.leave_segment();
        let is_copied = len <= COPIED_MAX;
        let len = if is_copied { len } else { len - COPIED_TAIL };
        let len = u16::try_from(len).unwrap_or(u16::MAX);
        let plain = rest.slice(..usize::from(len).min(rest.len()));
        self.before.update(&plain);
        if *rest == gzip::HEARTBEAT {
            rest.clear();
            return gzip::STORED_HEARTBEAT;
        }
        let head = gzip::stored_head(len);
        if !is_copied {
            self.stored = len;
            return Bytes::copy_from_slice(&head);
        }
        _ = rest.split_to(plain.len());
        Bytes::from([&head, &*plain, &gzip::SYNC].concat())
    }

    fn leave_segment(&mut self) {
        self.before.append(std::mem::take(&mut self.segment));
        self.next = None;
    }
}
