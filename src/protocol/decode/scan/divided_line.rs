//! A line that is split over several chunks.

use super::{Found, Scanner};
use crate::protocol::decode::field::{Field, milliseconds};
use crate::protocol::decode::limit::LimitExceeded;
use crate::protocol::decode::line_end::find_end;

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
