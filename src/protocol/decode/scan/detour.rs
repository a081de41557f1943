//! What comes before the next block is read, as after one that was too long.

use super::Scanner;
use crate::protocol::decode::limit::LimitExceeded;
use crate::protocol::decode::line_end::find_end;
use crate::protocol::decode::pending::Pending;

/// What has to be done before the next block is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::protocol::decode) enum Detour {
    #[default]
    None,
    /// Give back the memory that a large event has needed, and that was lent out until now.
    Release,
    /// Drop what is left of a block that was too long.
    Skip,
}

impl Scanner {
    /// From here to the next empty line, nothing is read.
    #[cold]
    pub(super) fn skip_event(&mut self, limit: LimitExceeded) -> LimitExceeded {
        self.pending = Pending::default();
        self.lengths.clear();
        self.detour = Detour::Skip;
        limit
    }

    /// Whether it has come to a block.
    #[cold]
    pub(super) fn take_detour(&mut self, chunk: &[u8], pos: &mut usize) -> bool {
        if self.detour == Detour::Release {
            self.pending.release();
        } else if !self.skip_block(chunk, pos) {
            return false;
        }
        self.detour = Detour::None;
        true
    }

    /// Drops lines up to the empty one; whether it was in the chunk.
    fn skip_block(&mut self, chunk: &[u8], pos: &mut usize) -> bool {
        loop {
            let Some(end) = find_end(chunk, *pos) else {
                if *pos < chunk.len() {
                    *pos = chunk.len();
                    self.pending.skip_line();
                }
                return false;
            };
            let is_empty = end == *pos && !self.pending.is_inside_line();
            *pos = self.start.after(chunk, end);
            self.pending.end_line();
            if is_empty {
                return true;
            }
        }
    }
}
