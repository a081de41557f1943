use super::limit::{Limit, LimitExceeded};

/// 1 MiB has proved too small in practice.
const DEFAULT_MAX: usize = 16 * 1024 * 1024;

/// The lengths of the line and the event so far, and their limits.
#[derive(Debug, Clone)]
pub(super) struct Lengths {
    /// The length of the incomplete line so far.
    line: usize,
    /// The length of the complete lines that count in the incomplete block, including one end each.
    block: usize,
    /// The length of the last block.
    last: usize,
    max_line: usize,
    max_event: usize,
    /// The smaller one.
    max_block: usize,
}

impl Lengths {
    pub(super) fn set_max_line(&mut self, bytes: usize) {
        self.max_line = bytes;
        self.max_block = self.max_line.min(self.max_event);
    }

    pub(super) fn set_max_event(&mut self, bytes: usize) {
        self.max_event = bytes;
        self.max_block = self.max_line.min(self.max_event);
    }

    #[inline]
    pub(super) fn max_line(&self) -> usize {
        self.max_line
    }

    /// Whether no line since the last empty one counts, so that no event has begun.
    #[inline]
    pub(super) fn is_at_block(&self) -> bool {
        self.block == 0
    }

    /// The length of the last block that the scan has read.
    pub(super) fn last_block(&self) -> usize {
        self.last
    }

    /// The length up to which a block is within both limits, whatever its lines.
    #[inline]
    pub(super) fn max_block(&self) -> usize {
        self.max_block
    }

    /// Adds a complete line within one chunk. `counts` says whether it counts towards the event.
    #[inline]
    pub(super) fn whole_line(&mut self, len: usize, counts: bool) -> Result<(), LimitExceeded> {
        self.check(len, counts)?;
        if counts {
            self.block += len + 1;
        }
        Ok(())
    }

    /// Sets the length of the block's complete lines, which is within both limits.
    pub(super) fn begin(&mut self, len: usize) {
        self.block = len;
    }

    /// Adds a piece of an incomplete line that is not yet known to count.
    pub(super) fn unknown(&mut self, len: usize) {
        self.line += len;
    }

    /// Adds a piece of an incomplete line.
    #[inline]
    pub(super) fn piece(&mut self, len: usize, counts: bool) -> Result<(), LimitExceeded> {
        self.check(self.line + len, counts)?;
        self.line += len;
        Ok(())
    }

    /// Adds a [`piece`](Self::piece) of a line that counts, only if it fits the limits.
    #[inline]
    pub(super) fn fits(&mut self, len: usize) -> bool {
        let fits = self.line + len <= self.room().min(self.max_line);
        if fits {
            self.line += len;
        }
        fits
    }

    /// The length of the incomplete line so far.
    #[inline]
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Sets the length so far of a line that does not count and is within its limit; 0 at its end.
    #[inline]
    pub(super) fn set_line(&mut self, len: usize) {
        self.line = len;
    }

    /// Ends the incomplete line.
    pub(super) fn end_line(&mut self, counts: bool) -> Result<(), LimitExceeded> {
        let len = std::mem::take(&mut self.line);
        self.whole_line(len, counts)
    }

    #[inline]
    pub(super) fn end_block(&mut self) {
        self.last = std::mem::take(&mut self.block);
    }

    /// Resets block and line.
    pub(super) fn clear(&mut self) {
        self.line = 0;
        self.block = 0;
    }

    #[inline]
    fn room(&self) -> usize {
        self.max_event.saturating_sub(self.block)
    }

    /// Fails if a line with this length so far is already too long.
    #[inline]
    fn check(&self, line: usize, counts: bool) -> Result<(), LimitExceeded> {
        let room = if counts { self.room() } else { usize::MAX };
        if line <= room.min(self.max_line) {
            return Ok(());
        }
        // The smaller limit, so that the error does not depend on how the stream is split.
        Err(if self.max_line <= room {
            LimitExceeded::new(Limit::Line, self.max_line)
        } else {
            LimitExceeded::new(Limit::Event, self.max_event)
        })
    }
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            line: 0,
            block: 0,
            last: 0,
            max_line: DEFAULT_MAX,
            max_event: DEFAULT_MAX,
            max_block: DEFAULT_MAX,
        }
    }
}
