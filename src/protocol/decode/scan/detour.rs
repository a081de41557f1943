//! Work to do before the next block is read, for instance after a block that was too long.

use super::Scanner;
use crate::protocol::decode::limit::LimitExceeded;
use crate::protocol::decode::line_end::find_end;
use crate::protocol::decode::pending::Pending;

/// Work to do before the next block is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::protocol::decode) enum Detour {
    #[default]
    None,
    /// Release the memory of a large event, which was lent until now.
    Release,
    /// Drop the rest of a block that was too long.
    Skip,
}

impl Scanner {
    /// Skips everything up to the next empty line.
    #[cold]
    pub(super) fn skip_event(&mut self, limit: LimitExceeded) -> LimitExceeded {
        self.pending = Pending::default();
        self.lengths.clear();
        self.detour = Detour::Skip;
        limit
    }

    /// Takes the detour. Returns whether a block begins after it.
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

    /// Drops lines up to the empty line. Returns whether that was in the chunk.
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
