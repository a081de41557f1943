//! A block that a chunk's end divides: joined, and then read as if it had come whole.
//!
//! This takes 30 % off `typical, 16 B`, lent, in benches/decode, and 10 % owned.

use super::field::{Field, is_id};
use super::line_end::find_end;
use super::whole_block::Parts;

/// Up to how many bytes are joined; longer blocks go to the scan, which keeps nothing that is ignored.
const MAX: usize = 4 * 1024;

/// The beginning of a block, as the chunks before had it.
///
/// All of its lines end in LF and begin with the first letter of `data`, `event` or `id`. So it has
/// changed nothing yet, and the scan can take it over at any time.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    /// A dispatched block stays here, to be lent, until another begins.
    block: Vec<u8>,
    has_begun: bool,
    /// Whether a line begins where it ends so far.
    at_line: bool,
}

/// How far a block goes in a chunk.
enum Reach {
    All,
    To(usize),
    /// There is a line in it that may change something before the block's end.
    Other,
}

impl Tail {
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

    /// Gives back what was taken, for its capacity.
    pub(super) fn reuse(&mut self, block: Vec<u8>) {
        self.block = block;
    }

    /// Whether there is more in it than what is ignored.
    pub(super) fn is_inside_event(&self) -> bool {
        let mut lines = self.block.split(|byte| *byte == b'\n').rev();
        let unfinished = lines.next().is_some_and(|line| !line.is_empty());
        let counts = |line| match Field::split(line) {
            (Field::Id, value) => is_id(value),
            (field, _) => field.counts(),
        };
        self.has_begun && (unfinished || lines.any(counts))
    }

    /// Begins with a chunk, if it is what is joined, and nothing but the beginning of a block.
    pub(super) fn begin(&mut self, chunk: &[u8], max: usize) -> bool {
        let is_common = match chunk.first_chunk() {
            Some(start) => Field::common(*start).is_some(),
            None => !chunk.is_empty(),
        };
        if !is_common || chunk.len() > max.min(MAX) || !matches!(reach(chunk, true), Reach::All) {
            return false;
        }
        self.block.clear();
        self.push(chunk);
        self.has_begun = true;
        true
    }

    /// Takes a chunk that has nothing but more of the line that has begun; whether it was one.
    #[inline]
    pub(super) fn more_of_line(&mut self, chunk: &[u8], max: usize) -> bool {
        let is_more = self.has_begun
            && !self.at_line
            && self.block.len() + chunk.len() <= max.min(MAX)
            && find_end(chunk, 0).is_none();
        if is_more {
            self.block.extend_from_slice(chunk);
        }
        is_more
    }

    /// Takes a chunk that has nothing but more of the block; whether it was one.
    #[inline]
    pub(super) fn more(&mut self, chunk: &[u8], max: usize) -> bool {
        let is_more = matches!(reach(chunk, self.at_line), Reach::All);
        let fits = self.block.len() + chunk.len() <= max.min(MAX);
        if is_more && fits {
            self.push(chunk);
        }
        is_more && fits
    }

    /// Takes what a chunk has of the block, if it has its end: where its parts are in the block, and
    /// where it ends in the chunk. `None` if it is not of the plainest form, or too long, and the block
    /// is then as it was.
    #[inline(never)]
    pub(super) fn join(&mut self, chunk: &[u8], max: usize) -> Option<(Parts, usize)> {
        let Reach::To(end) = reach(chunk, self.at_line) else {
            return None;
        };
        let before = self.block.len();
        if before + end > max.min(MAX) {
            return None;
        }
        self.block.extend_from_slice(&chunk[..end]);
        let whole = Parts::whole(&self.block);
        match &whole {
            Some(_) => self.has_begun = false,
            None => self.block.truncate(before),
        }
        whole.map(|(parts, _)| (parts, end))
    }

    #[inline]
    fn push(&mut self, chunk: &[u8]) {
        self.block.extend_from_slice(chunk);
        if let Some(last) = chunk.last() {
            self.at_line = *last == b'\n';
        }
    }
}

/// How far the block goes that the chunk begins with or in.
#[inline]
fn reach(chunk: &[u8], at_line: bool) -> Reach {
    let mut from = 0;
    let mut at_line = at_line;
    loop {
        match chunk.get(from) {
            None => return Reach::All,
            Some(b'\n') if at_line => return Reach::To(from + 1),
            Some(b'd' | b'e' | b'i') => {}
            Some(_) if at_line => return Reach::Other,
            Some(_) => {}
        }
        match find_end(chunk, from) {
            None => return Reach::All,
            Some(end) if chunk[end] == b'\n' => from = end + 1,
            Some(_) => return Reach::Other,
        }
        at_line = true;
    }
}
