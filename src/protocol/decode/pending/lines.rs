//! The lines of data in one chunk. Only their positions are kept, until their block has been checked:
//! 20 % of `2 lines`, 16 KiB, in benches/decode.

use std::ops::Range;

use super::Pending;
use crate::protocol::decode::text::{BlockText, join, joined_len};
use crate::protocol::decode::whole_block::Parts;

/// The maximum number of lines whose positions are kept. A fuzzer's inputs are short, and should reach
/// the code for more lines too.
const MAX_LINES: usize = if cfg!(fuzzing) { 4 } else { 64 };

impl Pending {
    /// Adds a complete line of data.
    #[inline]
    pub(in crate::protocol::decode) fn data_line(
        &mut self,
        chunk: &[u8],
        parts: &mut Parts,
        value: Range<usize>,
    ) {
        if !self.has_data {
            if parts.data.is_none() {
                parts.data = Some(value);
                self.begin_lines();
                return;
            }
            if self.lines.len() < MAX_LINES {
                self.lines.push(value);
                return;
            }
            if let Some(first) = parts.data.take() {
                self.push_data_lines(chunk, first);
            }
        }
        self.push_data_line(&chunk[value]);
    }

    /// Copies the chunk's lines of data, of which this is the first.
    pub(in crate::protocol::decode) fn push_data_lines(
        &mut self,
        chunk: &[u8],
        first: Range<usize>,
    ) {
        self.push_data_line(&chunk[first]);
        // Put back, to reuse its capacity.
        let mut lines = std::mem::take(&mut self.lines);
        for line in lines.drain(..) {
            self.push_data_line(&chunk[line]);
        }
        self.lines = lines;
    }

    /// Begins the chunk's lines of data, of which [`Parts::data`] has the first.
    pub(in crate::protocol::decode) fn begin_lines(&mut self) {
        self.lines.clear();
    }

    /// Whether more lines of data follow the one in [`Parts::data`].
    ///
    /// Must only be called if there is one.
    #[inline]
    pub(in crate::protocol::decode) fn has_more_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Sets the data to that of the chunk's lines, which are joined.
    #[inline]
    pub(in crate::protocol::decode) fn join_lines(
        &mut self,
        block: BlockText<'_>,
        first: &Range<usize>,
    ) {
        self.data.join(block, first, &self.lines);
    }

    /// The data of the chunk's lines, with extra capacity.
    #[inline]
    pub(in crate::protocol::decode) fn joined_lines(
        &self,
        block: BlockText<'_>,
        first: &Range<usize>,
        room: usize,
    ) -> String {
        let mut text = String::with_capacity(joined_len(first, &self.lines) + room);
        join(&mut text, block, first, &self.lines);
        text
    }
}
