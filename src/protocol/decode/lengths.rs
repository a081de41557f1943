use super::limit::{Limit, LimitExceeded};

/// 1 MiB has proved too small for what people send.
const DEFAULT_MAX: usize = 16 * 1024 * 1024;

/// How long the line and the event are so far, and how long they may be.
#[derive(Debug, Clone)]
pub(super) struct Lengths {
    /// How much of the unfinished line has been seen.
    line: usize,
    /// How long the finished lines of the unfinished block are that count, with an end each.
    block: usize,
    max_line: usize,
    max_event: usize,
}

impl Lengths {
    pub(super) fn set_max_line(&mut self, bytes: usize) {
        self.max_line = bytes;
    }

    pub(super) fn set_max_event(&mut self, bytes: usize) {
        self.max_event = bytes;
    }

    #[inline]
    pub(super) fn max_line(&self) -> usize {
        self.max_line
    }

    /// Whether no line has counted since the last empty one, so that there is no event yet.
    #[inline]
    pub(super) fn is_at_block(&self) -> bool {
        self.block == 0
    }

    /// How long a block may be to be within both limits, whatever its lines are.
    #[inline]
    pub(super) fn max_block(&self) -> usize {
        self.max_line.min(self.max_event)
    }

    /// A line that is finished, and was begun in the same chunk; whether it counts towards the event.
    #[inline]
    pub(super) fn whole_line(&mut self, len: usize, counts: bool) -> Result<(), LimitExceeded> {
        self.check(len, counts)?;
        if counts {
            self.block += len + 1;
        }
        Ok(())
    }

    /// A piece of an unfinished line of which it is not known yet whether it counts.
    pub(super) fn unknown(&mut self, len: usize) {
        self.line += len;
    }

    /// A piece of an unfinished line.
    #[inline]
    pub(super) fn piece(&mut self, len: usize, counts: bool) -> Result<(), LimitExceeded> {
        self.check(self.line + len, counts)?;
        self.line += len;
        Ok(())
    }

    /// [`piece`](Self::piece) of a line that counts, only if there is room for it.
    #[inline]
    pub(super) fn fits(&mut self, len: usize) -> bool {
        let fits = self.line + len <= self.room().min(self.max_line);
        if fits {
            self.line += len;
        }
        fits
    }

    /// How much of the unfinished line has been seen.
    #[inline]
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// How much of a line has been seen that does not count, and is within its limit; 0 at its end.
    #[inline]
    pub(super) fn set_line(&mut self, len: usize) {
        self.line = len;
    }

    /// The end of the unfinished line.
    pub(super) fn end_line(&mut self, counts: bool) -> Result<(), LimitExceeded> {
        let len = std::mem::take(&mut self.line);
        self.whole_line(len, counts)
    }

    #[inline]
    pub(super) fn end_block(&mut self) {
        self.block = 0;
    }

    /// Forgets block and line.
    pub(super) fn clear(&mut self) {
        self.line = 0;
        self.block = 0;
    }

    #[inline]
    fn room(&self) -> usize {
        self.max_event.saturating_sub(self.block)
    }

    /// Fails if a line that has this length so far is too long already.
    #[inline]
    fn check(&self, line: usize, counts: bool) -> Result<(), LimitExceeded> {
        let room = if counts { self.room() } else { usize::MAX };
        if line <= room.min(self.max_line) {
            return Ok(());
        }
        // The smaller one, so that it is the same however the stream is cut.
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
            max_line: DEFAULT_MAX,
            max_event: DEFAULT_MAX,
        }
    }
}
