//! Chunks with only comments between events, such as heartbeats.

use super::{Detour, Scanner};
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
        let may_be = match chunk.first() {
            Some(b':' | b'\n') => true,
            first => in_comment && first.is_some(),
        };
        may_be
            && self.lengths.is_at_block()
            && (in_comment || !self.pending.is_inside_line())
            && self.start.is_at_line()
            && self.detour == Detour::None
            && !self.tail.has_begun()
            && self.take_heartbeats(chunk, in_comment)
    }

    fn take_heartbeats(&mut self, chunk: &[u8], in_comment: bool) -> bool {
        let max_line = self.lengths.max_line();
        let mut at = 0;
        if in_comment {
            let end = find_end(chunk, 0);
            let len = self.lengths.line() + end.unwrap_or(chunk.len());
            if len > max_line {
                return false;
            }
            match end {
                Some(end) if chunk[end] == b'\n' => at = end + 1,
                Some(_) => return false,
                None => {
                    self.lengths.set_line(len);
                    return true;
                }
            }
        }
        // Without a preceding line that counts, they do not end anything.
        while chunk.get(at) == Some(&b'\n') {
            at += 1;
        }
        at += comment_lines(&chunk[at..], max_line);
        let rest = &chunk[at..];
        match rest.first() {
            None => {
                self.lengths.set_line(0);
                self.pending.set_inside_comment(false);
                true
            }
            Some(b':') if rest.len() <= max_line && find_end(rest, 0).is_none() => {
                self.lengths.set_line(rest.len());
                self.pending.set_inside_comment(true);
                true
            }
            Some(_) => false,
        }
    }
}
