//! A block that is split at the end of a chunk: joined, and then read as if it had arrived
//! complete.
//!
//! This saves 30 % of `typical, 16 B`, lent, in benches/decode, and 10 % owned.

use super::field::{Field, is_id};
use super::line_end::find_end;
use super::text::pad;
use super::whole_block::{CutLine, Parts};

/// The maximum number of bytes that are joined. Longer blocks go to the scan, which does not keep
/// ignored input.
pub(super) const MAX: usize = if cfg!(fuzzing) { 512 } else { 16 * 1024 };

/// The size in bytes up to which a chunk's lines are looked at before it is known whether the block can
/// be joined, because that costs less than the scan.
const SMALL: usize = if cfg!(fuzzing) { 32 } else { 256 };

/// The size in bytes of a piece of a line from which copying it by itself costs less than searching
/// it once more.
pub(super) const LARGE: usize = if cfg!(fuzzing) { 16 } else { 64 };

/// The beginning of a block, from previous chunks.
///
/// All of its lines end in LF or CRLF and begin with the first letter of `data`, `event` or `id`. So it
/// has had no effect yet, and the scan can take it over at any time.
#[derive(Debug, Clone, Default)]
pub(super) struct DividedBlock {
    /// A dispatched block stays here, so that it can be lent, until another begins.
    block: Vec<u8>,
    has_begun: bool,
    place: TailEnd,
}

/// The place in a block where a chunk ended.
#[derive(Debug, Clone, Copy, Default)]
struct TailEnd {
    /// The start of the last line that has begun.
    line: usize,
    /// Whether a line begins at that place, or after the LF that must come next.
    at_line: bool,
    /// Whether the block ends in a CR, so that only an LF may come next.
    after_cr: bool,
    /// Whether only the scan can read the block: a line ends in CRLF, or is a second one of data.
    needs_scan: bool,
    /// Whether a line has begun with the first letter of `data`.
    has_data: bool,
}

/// The relation of a chunk to the block that has begun.
pub(super) enum Joined {
    /// The whole chunk is part of the block.
    More,
    /// The block ends in the chunk, at this position. Contains the block's parts in the joined
    /// bytes.
    Whole(Parts, usize),
    /// The block ends in the chunk, at this position, and is left to the scan, joined and complete.
    Other(usize),
    /// The chunk cannot be joined: the block has other lines, or is too long.
    Not,
}

impl DividedBlock {
    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    #[inline]
    pub(super) fn block(&self) -> &[u8] {
        &self.block
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        self.has_begun = false;
        std::mem::take(&mut self.block)
    }

    /// Returns the taken buffer, to reuse its capacity.
    pub(super) fn reuse(&mut self, block: Vec<u8>) {
        self.block = block;
    }

    /// Whether it contains more than ignored input.
    pub(super) fn is_inside_event(&self) -> bool {
        if !self.has_begun {
            return false;
        }
        let mut lines = self.block.split(|byte| *byte == b'\n').rev().peekable();
        let last = lines.next_if(|line| !line.ends_with(b"\r"));
        let unfinished = last.is_some_and(|line| !line.is_empty());
        let counts = |line: &[u8]| match Field::split(line.strip_suffix(b"\r").unwrap_or(line)) {
            (Field::Id, value) => is_id(value),
            (field, _) => field.counts(),
        };
        unfinished || lines.any(counts)
    }

    /// Begins with a small chunk, if it can be joined and only contains the beginning of a block.
    pub(super) fn begin(&mut self, chunk: &[u8], max: usize) -> bool {
        if chunk.is_empty() || chunk.len() >= SMALL || chunk.len() > max {
            return false;
        }
        self.clear();
        self.has_begun = self.reach(chunk, 0) == Some(chunk.len());
        if self.has_begun {
            self.block.extend_from_slice(chunk);
        }
        self.has_begun
    }

    /// Begins with a chunk that ends in this line. Returns whether it did.
    pub(super) fn begin_in_line(&mut self, chunk: &[u8], line: CutLine, max: usize) -> bool {
        let fits = chunk.len() <= max.min(MAX);
        if fits {
            self.clear();
            self.block.extend_from_slice(chunk);
            self.has_begun = true;
            self.place = TailEnd {
                line: line.at,
                has_data: line.has_data,
                ..TailEnd::default()
            };
        }
        fits
    }

    fn clear(&mut self) {
        self.block.clear();
        self.place = TailEnd::default();
    }

    /// Takes the beginning of a chunk that is more of the block: of a small chunk, all up to the empty
    /// line; of any other, what is more of the line that has begun. Returns its length, which may be
    /// 0.
    // Inlined: a call costs 10 % more for `64 lines, 16 B`, lent, in benches/decode, and 5 % owned.
    #[inline(always)]
    pub(super) fn more(&mut self, chunk: &[u8], max: usize) -> usize {
        let is_small = chunk.len() < LARGE;
        let len = match self.place.at_line {
            true if is_small => return self.more_lines(chunk, 0, max),
            true => return 0,
            false if is_inside_line(chunk) => chunk.len(),
            false => match find_end(chunk, 0) {
                None => chunk.len(),
                Some(end) if is_small => return self.more_lines(chunk, end + 1, max),
                Some(end) if end >= LARGE => end,
                Some(_) => return 0,
            },
        };
        if self.block.len() + len > max.min(MAX) {
            return 0;
        }
        push(&mut self.block, &chunk[..len]);
        len
    }

    /// Takes the beginning of a chunk as far as the block [reaches](Self::reach). Returns its length,
    /// which may be 0.
    #[inline(never)]
    fn more_lines(&mut self, chunk: &[u8], from: usize, max: usize) -> usize {
        let place = self.place;
        match self.reach(chunk, from) {
            Some(len) if self.block.len() + len <= max.min(MAX) => {
                push(&mut self.block, &chunk[..len]);
                len
            }
            _ => {
                self.place = place;
                0
            }
        }
    }

    /// Takes the part of the block in a chunk. After [`Joined::Not`], the bytes are those from before,
    /// and must not be joined with more.
    #[inline]
    pub(super) fn join(&mut self, chunk: &[u8], max: usize) -> Joined {
        let from = match self.place.at_line {
            true => Some(0),
            false => find_end(chunk, 0).map(|end| end + 1),
        };
        let reach = match from {
            Some(from) => self.reach(chunk, from),
            None => Some(chunk.len()),
        };
        let before = self.block.len();
        let Some(len) = reach.filter(|len| before + len <= max.min(MAX)) else {
            return Joined::Not;
        };
        self.block.extend_from_slice(&chunk[..len]);
        if len == chunk.len() {
            return Joined::More;
        }
        let last = self.place.line..self.block.len() - 1;
        // 5 % of `typical, 16 B`, owned, in benches/decode.
        pad(&mut self.block);
        let parts = match self.place.needs_scan {
            true => None,
            false => Parts::joined(&self.block, last),
        };
        let end = len + 1 + usize::from(chunk[len] == b'\r');
        match parts {
            Some(parts) => {
                self.has_begun = false;
                Joined::Whole(parts, end)
            }
            None => Joined::Other(end),
        }
    }

    /// Finds how far the block extends in a chunk, up to its empty line, and sets the place to that.
    /// Returns `None` if the chunk has a line that may have an effect before the block's end, or far in
    /// it another line of data, because the scan reads many lines as fast where they are.
    ///
    /// The first line that begins in the chunk does so at `from`.
    #[inline(always)]
    fn reach(&mut self, chunk: &[u8], mut from: usize) -> Option<usize> {
        let place = &mut self.place;
        if from > 0 {
            from = place.end_line(chunk, from - 1)?;
        } else if place.after_cr {
            match chunk.first() {
                None => return Some(0),
                Some(b'\n') => from = 1,
                Some(_) => return None,
            }
            place.after_cr = false;
        }
        place.at_line = true;
        loop {
            match chunk.get(from..)? {
                [] | [b'\n', ..] | [b'\r', b'\n', ..] => return Some(from),
                [b'd', ..] if !place.has_data || from < SMALL => {
                    place.needs_scan |= place.has_data;
                    place.has_data = true;
                }
                [b'e' | b'i', ..] => {}
                _ => return None,
            }
            place.line = self.block.len() + from;
            match find_end(chunk, from) {
                None => {
                    place.at_line = false;
                    return Some(chunk.len());
                }
                Some(end) => from = place.end_line(chunk, end)?,
            }
        }
    }
}

impl TailEnd {
    /// The position after a line that ends there, in LF or CRLF; `None` after any other end.
    #[inline(always)]
    fn end_line(&mut self, chunk: &[u8], end: usize) -> Option<usize> {
        if chunk[end] == b'\n' {
            return Some(end + 1);
        }
        self.needs_scan = true;
        match chunk.get(end + 1) {
            Some(b'\n') => Some(end + 2),
            Some(_) => None,
            None => {
                self.after_cr = true;
                Some(end + 1)
            }
        }
    }
}

/// Whether a piece of 16 to 32 bytes has none that is as small as a line's end; `false` for any other.
// 5 to 9 % of `16 B`, lent, in benches/decode.
#[inline(always)]
fn is_inside_line(piece: &[u8]) -> bool {
    let small = |word: &[u8; 16]| word.iter().fold(false, |any, byte| any | (*byte <= b'\r'));
    match (piece.first_chunk(), piece.last_chunk()) {
        (Some(first), Some(last)) if piece.len() <= 32 => !small(first) & !small(last),
        _ => false,
    }
}

/// Appends a piece.
///
/// One of 8 to 32 bytes, as most pieces of a line that is divided often, is copied as two words that
/// overlap or meet: a call would cost more.
// 5 to 8 % of `16 B` in benches/decode.
#[inline(always)]
fn push(block: &mut Vec<u8>, piece: &[u8]) {
    match piece.len() {
        16..=32 => push_words::<16>(block, piece),
        8..16 => push_words::<8>(block, piece),
        _ => block.extend_from_slice(piece),
    }
}

#[inline(always)]
fn push_words<const N: usize>(block: &mut Vec<u8>, piece: &[u8]) {
    if let (Some(first), Some(last)) = (piece.first_chunk::<N>(), piece.last_chunk::<N>()) {
        block.reserve(2 * N);
        block.extend_from_slice(first);
        block.truncate(block.len() + piece.len() - 2 * N);
        block.extend_from_slice(last);
    }
}
