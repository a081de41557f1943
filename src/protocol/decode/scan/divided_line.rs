//! A line that is split over several chunks.

use super::{Found, Scanner};
use crate::protocol::decode::field::{Field, milliseconds};
use crate::protocol::decode::limit::LimitExceeded;
use crate::protocol::decode::line_end::find_end;
use crate::protocol::decode::tail::MAX;
use crate::protocol::decode::whole_block::CutLine;

/// The sizes in bytes from which the piece of a line is not joined with the next ones: if the last block
/// was too long to be joined, and otherwise. The second is more than a packet has: blocks are worth
/// joining if their pieces are many.
const LONG: usize = if cfg!(fuzzing) { 48 } else { 512 };
const VERY_LONG: usize = if cfg!(fuzzing) { 96 } else { 1536 };

// The line in which a chunk ends, and more of it, without the scan.
impl Scanner {
    /// Takes a chunk that ends in a line, which therefore need not be searched for its end again.
    /// Returns whether it did.
    #[inline(never)]
    pub(super) fn begin_in_line(&mut self, chunk: &[u8], line: CutLine) -> bool {
        let max = self.lengths.max_block();
        let len = chunk.len() - line.at;
        let is_long = len >= LONG && self.lengths.last_block() > MAX;
        if line.at == 0 && line.has_data && (is_long || len >= VERY_LONG) {
            // Copied once, to where its text stays.
            return chunk.len() <= max && self.push::<false>(chunk).is_ok();
        }
        !is_long && self.tail.begin_in_line(chunk, line, max)
    }

    /// Takes the beginning of a chunk that is more of the block that is being joined, or of the data in
    /// which the last chunk ended. Returns its length, which is that of the chunk if it has nothing
    /// else, and may be 0.
    ///
    /// Most chunks of a few bytes are only more of a line, so this is the shortest path.
    #[inline(always)]
    pub(in crate::protocol::decode) fn more(&mut self, chunk: &[u8]) -> usize {
        match self.tail.has_begun() {
            true => self.tail.more(chunk, self.lengths.max_block()),
            false if self.pending.is_inside_data() => self.more_of_data(chunk),
            false => 0,
        }
    }

    /// Takes the beginning of a chunk that is more of the data in which the last chunk ended.
    /// Returns its length.
    #[inline]
    fn more_of_data(&mut self, chunk: &[u8]) -> usize {
        let len = find_end(chunk, 0).unwrap_or(chunk.len());
        if !self.lengths.fits(len) {
            return 0;
        }
        self.pending.push_data(&chunk[..len]);
        len
    }
}

impl Scanner {
    /// Continues a line that began in a previous chunk.
    pub(super) fn resume<const COMMENTS: bool>(
        &mut self,
        chunk: &[u8],
        pos: &mut usize,
    ) -> Result<Option<Found>, LimitExceeded> {
        let from = *pos;
        let Some(end) = find_end(chunk, from) else {
            *pos = chunk.len();
            self.push::<COMMENTS>(&chunk[from..])?;
            return Ok(Some(Found::Nothing));
        };
        // Done before the limit is checked, so that the rest of the line is not treated as a line.
        *pos = end;
        self.push::<COMMENTS>(&chunk[from..end])?;
        let field = self.pending.end_line();
        if let Err(limit) = self.lengths.end_line(field.counts()) {
            let limit = self.skip_event(limit);
            self.pending.skip_line();
            return Err(limit);
        }
        *pos = self.start.after(chunk, end);
        match field {
            Field::Retry => {
                let time = milliseconds(self.pending.value());
                self.pending.clear_value();
                self.retry(time);
            }
            Field::Comment if COMMENTS => return Ok(Some(Found::Comment(None))),
            // The comment began while comments were wanted.
            Field::Comment => drop(self.pending.take_value()),
            _ => {}
        }
        Ok(None)
    }

    /// Stores a piece of a line that does not end in the chunk, as far as it is kept.
    pub(super) fn push<const COMMENTS: bool>(&mut self, piece: &[u8]) -> Result<(), LimitExceeded> {
        let mut value = piece;
        let mut counts = self.pending.line_counts();
        if counts.is_none() {
            value = self.pending.push_name::<COMMENTS>(piece);
            counts = self.pending.line_counts();
        }
        let Some(counts) = counts else {
            // At most a few bytes.
            self.lengths.unknown(piece.len());
            return Ok(());
        };
        if let Err(limit) = self.lengths.piece(piece.len(), counts) {
            let limit = self.skip_event(limit);
            self.pending.skip_line();
            return Err(limit);
        }
        self.pending.push_value(value);
        Ok(())
    }
}
