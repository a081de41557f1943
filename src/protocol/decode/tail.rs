//! A block that is split at the end of a chunk: joined, and then read as if it had arrived
//! complete.
//!
//! This saves 30 % of `typical, 16 B`, lent, in benches/decode, and 10 % owned.

use super::field::{Field, is_id};
use super::line_end::find_end;
use super::whole_block::{CutLine, Parts, Whole};

/// The maximum number of bytes that are joined. Longer blocks go to the scan, which does not keep
/// ignored input.
const MAX: usize = 4 * 1024;

/// The size in bytes below which joining a chunk costs less, even if the block turns out not to
/// have the simplest form.
const SMALL: usize = if cfg!(fuzzing) { 32 } else { 256 };

/// The size in bytes of a piece of a line from which copying it by itself costs less than searching
/// it once more.
pub(super) const LARGE: usize = if cfg!(fuzzing) { 16 } else { 64 };

/// The beginning of a block, from previous chunks.
///
/// All of its lines end in LF and begin with the first letter of `data`, `event` or `id`. So it has
/// had no effect yet, and the scan can take it over at any time.
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
    /// Whether a line begins at that place.
    at_line: bool,
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
    /// The chunk cannot be joined: the block does not have the simplest form, or is too long.
    Not,
}

/// How far a block extends in a chunk.
enum Reach {
    All(TailEnd),
    To(usize),
    /// The chunk has a line that may have an effect before the block's end; or it is not small, and
    /// has a second line of data, so that the block cannot be read by the first path.
    Other,
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
        let mut lines = self.block.split(|byte| *byte == b'\n').rev();
        let unfinished = lines.next().is_some_and(|line| !line.is_empty());
        let counts = |line| match Field::split(line) {
            (Field::Id, value) => is_id(value),
            (field, _) => field.counts(),
        };
        self.has_begun && (unfinished || lines.any(counts))
    }

    /// Begins with a chunk, if it can be joined and only contains the beginning of a block.
    pub(super) fn begin(&mut self, chunk: &[u8], max: usize) -> bool {
        let is_common = match chunk.first_chunk() {
            Some(start) => Field::common(*start).is_some(),
            None => !chunk.is_empty(),
        };
        if !is_common || chunk.len() > max.min(MAX) {
            return false;
        }
        let Reach::All(place) = reach(chunk, TailEnd::START) else {
            return false;
        };
        self.begin_at(chunk, place);
        true
    }

    /// Begins with a chunk that ends in this line. Returns whether it did.
    pub(super) fn begin_in_line(&mut self, chunk: &[u8], line: CutLine, max: usize) -> bool {
        let fits = chunk.len() <= max.min(MAX);
        if fits {
            let place = TailEnd {
                at_line: false,
                has_data: line.has_data,
            };
            self.begin_at(chunk, place);
        }
        fits
    }

    fn begin_at(&mut self, chunk: &[u8], place: TailEnd) {
        self.block.clear();
        self.block.extend_from_slice(chunk);
        self.has_begun = true;
        self.place = place;
    }

    /// Takes the beginning of a chunk that is more of the line that has begun. Returns its length,
    /// which is that of the chunk if the line does not end in it, and may be 0.
    // Inlined: a call costs 10 % more for `64 lines, 16 B`, lent, in benches/decode, and 5 % owned.
    #[inline(always)]
    pub(super) fn more_of_line(&mut self, chunk: &[u8], max: usize) -> usize {
        if self.place.at_line {
            return 0;
        }
        let len = match find_end(chunk, 0) {
            None => chunk.len(),
            Some(end) if end >= LARGE => end,
            Some(_) => return 0,
        };
        if self.block.len() + len > max.min(MAX) {
            return 0;
        }
        self.block.extend_from_slice(&chunk[..len]);
        len
    }

    /// Takes a chunk that only contains more of the block. Returns whether it did.
    pub(super) fn more(&mut self, chunk: &[u8], max: usize) -> bool {
        if self.block.len() + chunk.len() > max.min(MAX) {
            return false;
        }
        let Reach::All(place) = reach(chunk, self.place) else {
            return false;
        };
        self.block.extend_from_slice(chunk);
        self.place = place;
        true
    }

    /// Takes the part of the block in a chunk. After [`Joined::Not`], the block is unchanged.
    #[inline]
    pub(super) fn join(&mut self, chunk: &[u8], max: usize) -> Joined {
        match reach(chunk, self.place) {
            Reach::All(place) if self.block.len() + chunk.len() <= max.min(MAX) => {
                self.block.extend_from_slice(chunk);
                self.place = place;
                Joined::More
            }
            Reach::To(end) if self.block.len() + end <= max.min(MAX) => {
                let before = self.block.len();
                self.block.extend_from_slice(&chunk[..end]);
                if let Whole::Found(parts, _) = Parts::whole(&self.block) {
                    self.has_begun = false;
                    return Joined::Whole(parts, end);
                }
                self.block.truncate(before);
                Joined::Not
            }
            _ => Joined::Not,
        }
    }
}

impl TailEnd {
    const START: Self = Self {
        at_line: true,
        has_data: false,
    };
}

/// How far the block at the start of the chunk extends.
#[inline]
fn reach(chunk: &[u8], mut place: TailEnd) -> Reach {
    let mut from = 0;
    loop {
        match chunk.get(from) {
            None => return Reach::All(place),
            Some(_) if !place.at_line => {}
            Some(b'\n') => return Reach::To(from + 1),
            Some(b'd') if !place.has_data || chunk.len() < SMALL => place.has_data = true,
            Some(b'e' | b'i') => {}
            Some(_) => return Reach::Other,
        }
        match find_end(chunk, from) {
            None => {
                place.at_line = false;
                return Reach::All(place);
            }
            Some(end) if chunk[end] == b'\n' => from = end + 1,
            Some(_) => return Reach::Other,
        }
        place.at_line = true;
    }
}
