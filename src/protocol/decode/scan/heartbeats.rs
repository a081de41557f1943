//! Chunks with only comments between events, such as heartbeats.

use super::Scanner;
use crate::protocol::decode::line_end::find_end;
use crate::protocol::decode::whole_block::comment_lines;

impl Scanner {
    /// Takes a chunk that only contains comments and empty lines, if no event has begun. Returns
    /// whether it did. The last comment may be incomplete, and the first may have begun in the
    /// previous chunk.
    ///
    /// Otherwise nothing has changed, and the scan reads it.
    // 40 % of `heartbeats, 16 B`, lent, in benches/decode.
    #[inline]
    pub(super) fn heartbeats(&mut self, chunk: &[u8]) -> bool {
        let in_comment = self.pending.is_inside_comment();
        let is_between = match chunk.first() {
            None => false,
            // Nothing else has to be done first, but the comment may be inside a block.
            Some(_) if in_comment => self.lengths.is_at_block(),
            Some(first) => matches!(first, b':' | b'\n') && self.is_at_block(),
        };
        is_between && self.take_heartbeats(chunk, in_comment)
    }

    fn take_heartbeats(&mut self, chunk: &[u8], in_comment: bool) -> bool {
        let max_line = self.lengths.max_line();
        let mut rest = chunk;
        if in_comment {
            let end = find_end(chunk, 0);
            let len = self.lengths.line() + end.unwrap_or(chunk.len());
            if len > max_line {
                return false;
            }
            match end {
                Some(end) if chunk[end] == b'\n' => rest = &chunk[end + 1..],
                Some(_) => return false,
                None => {
                    self.lengths.set_line(len);
                    return true;
                }
            }
        }
        // Without a preceding line that counts, they do not end anything.
        while let [b'\n', after @ ..] = rest {
            rest = after;
        }
        rest = &rest[comment_lines(rest, max_line)..];
        match rest {
            [] => {}
            [b':', comment @ ..] if rest.len() <= max_line && find_end(comment, 0).is_none() => {}
            _ => return false,
        }
        self.lengths.set_line(rest.len());
        self.pending.set_inside_comment(!rest.is_empty());
        true
    }
}
