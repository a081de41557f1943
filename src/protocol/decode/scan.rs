mod detour;
mod divided_line;
mod heartbeats;
mod results;

use std::ops::Range;
use std::time::Duration;

pub(super) use self::detour::Detour;
use super::field::{Field, is_id, milliseconds};
use super::found::FoundEvent;
use super::last_id::LastId;
use super::lengths::Lengths;
use super::limit::LimitExceeded;
use super::line_end::{Skipped, StreamStart, find_end, find_far_end};
use super::pending::Pending;
use super::tail::{DividedBlock, Joined, LARGE};
use super::whole_block::{Parts, Whole, comment_lines};
use crate::protocol::value::EventId;

/// The decoder's position in the stream, and the paths by which it reads; see the [module](super).
#[derive(Debug, Clone, Default)]
pub(super) struct Scanner {
    start: StreamStart,
    pending: Pending,
    lengths: Lengths,
    detour: Detour,
    tail: DividedBlock,
    last_id: LastId,
    found: FoundEvent,
    begun: Option<BegunBlock>,
    reconnection_time: Option<Duration>,
}

/// The lines before a block's second line of data, where the first path gives up. The scan of the same
/// chunk always comes next, and begins after them: 10 to 15 % of `2 lines` in benches/decode.
///
/// Kept in the decoder, so that the first path's result does not grow.
#[derive(Debug, Clone)]
struct BegunBlock {
    parts: Parts,
    len: usize,
}

/// The result of a scan.
pub(super) enum Found {
    /// An event. Its parts are where [`Parts`] says, or in the pending buffers.
    Event,
    /// A comment, in this range or in the pending buffers.
    Comment(Option<Range<usize>>),
    /// The end of the chunk.
    Nothing,
}

/// The result of [`Scanner::whole`].
pub(super) enum BlockStart {
    /// The parts of a complete block, and the position of the next one.
    Whole(Parts, usize),
    /// The chunk is empty or ends in the block, and has been taken.
    Taken,
    /// Any other block, which is left to [`Scanner::scan`].
    Other,
}

// The state between chunks.
impl Scanner {
    pub(super) fn lengths(&mut self) -> &mut Lengths {
        &mut self.lengths
    }

    pub(super) fn resume_after(&mut self, id: &EventId) {
        self.last_id.set(id.as_str());
    }

    pub(super) fn end(&mut self) {
        self.begun = None;
        self.start = StreamStart::default();
        self.pending = Pending::default();
        self.tail = DividedBlock::default();
        self.lengths.clear();
        self.detour = Detour::None;
    }

    pub(super) fn last_event_id(&self) -> EventId {
        self.last_id.get()
    }

    pub(super) fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    pub(super) fn is_skipping(&self) -> bool {
        self.detour == Detour::Skip
    }

    pub(super) fn is_inside_event(&self) -> bool {
        self.is_skipping()
            || self.start.is_inside_bom()
            || self.pending.is_inside_event()
            || self.tail.is_inside_event()
    }
}

// The three paths.
impl Scanner {
    /// Reads a complete block at the start of the chunk, as nearly all are.
    ///
    /// Must only be called if the scan [is at a block](Self::is_at_block).
    // 15 % fewer instructions for `typical`, lent, in benches/decode than with `inline`.
    #[inline(always)]
    pub(super) fn whole(&mut self, chunk: &[u8]) -> BlockStart {
        match Parts::whole(chunk) {
            Whole::Found(parts, end) if end <= self.lengths.max_block() => {
                BlockStart::Whole(parts, end + 1)
            }
            Whole::Lines(parts, len) if len <= self.lengths.max_block() => {
                self.begun = Some(BegunBlock { parts, len });
                BlockStart::Other
            }
            Whole::Cut(line) if self.begin_in_line(chunk, line) => BlockStart::Taken,
            // Most chunks end with an event.
            _ if chunk.is_empty() => BlockStart::Taken,
            _ => BlockStart::Other,
        }
    }

    /// Whether the scan has nothing to do before it reads a block.
    #[inline]
    pub(super) fn is_at_block(&self) -> bool {
        !self.tail.has_begun()
            && self.lengths.is_at_block()
            && self.start.is_at_line()
            && !self.pending.is_inside_line()
            && self.detour == Detour::None
    }

    /// Takes a chunk of a single kind: heartbeats, or the beginning of a block. Returns whether it
    /// did.
    pub(super) fn take_all(&mut self, chunk: &[u8]) -> bool {
        self.begun.is_none() && (self.heartbeats(chunk) || self.begin_tail(chunk))
    }

    /// Takes a small chunk that only contains heartbeats. Returns whether it did.
    pub(super) fn small_heartbeats(&mut self, chunk: &[u8]) -> bool {
        chunk.len() < LARGE && self.heartbeats(chunk)
    }

    /// Takes a chunk that only contains the beginning of a block. Returns whether it did.
    fn begin_tail(&mut self, chunk: &[u8]) -> bool {
        self.is_at_block() && self.tail.begin(chunk, self.lengths.max_block())
    }

    /// Whether a block is being joined.
    #[inline]
    pub(super) fn is_joining(&self) -> bool {
        self.tail.has_begun()
    }

    /// Joins a chunk to the block that has begun. After [`Joined::Not`], no block is being joined.
    #[inline]
    pub(super) fn join(&mut self, chunk: &[u8]) -> Joined {
        let joined = self.tail.join(chunk, self.lengths.max_block());
        if matches!(joined, Joined::Not) {
            self.end_tail();
        }
        joined
    }

    /// Reads the joined block, which is complete. Returns the parts of its event, if it has one.
    #[inline(never)]
    pub(super) fn scan_joined(&mut self) -> Option<Parts> {
        let block = self.tail.take();
        let mut parts = Parts::default();
        let scanned = self.scan::<false>(&block, &mut 0, &mut parts);
        debug_assert!(scanned.is_ok(), "within the limits");
        self.tail.reuse(block);
        matches!(scanned, Ok(Found::Event)).then_some(parts)
    }

    /// Passes the joined bytes to the scan.
    pub(super) fn end_tail(&mut self) {
        if !self.tail.has_begun() {
            return;
        }
        let block = self.tail.take();
        let scanned = self.scan::<false>(&block, &mut 0, &mut Parts::default());
        debug_assert!(matches!(scanned, Ok(Found::Nothing)), "within the limits");
        self.tail.reuse(block);
    }

    /// Reads from `pos` up to an event's end.
    #[inline(never)]
    pub(super) fn scan<const COMMENTS: bool>(
        &mut self,
        chunk: &[u8],
        pos: &mut usize,
        parts: &mut Parts,
    ) -> Result<Found, LimitExceeded> {
        if let Skipped::FalseBom(seen) = self.start.skip(chunk, pos) {
            self.push::<COMMENTS>(seen)?;
        }
        if self.detour != Detour::None && !self.take_detour(chunk, pos) {
            return Ok(Found::Nothing);
        }
        if self.pending.is_inside_line() {
            if let Some(found) = self.resume::<COMMENTS>(chunk, pos)? {
                return Ok(found);
            }
        }
        parts.from = *pos;
        if let Some(begun) = self.begun.take() {
            debug_assert!(matches!(Parts::whole(chunk), Whole::Lines(_, len) if len == begun.len));
            *pos = begun.len;
            *parts = begun.parts;
            self.lengths.begin(begun.len);
            self.pending.begin_lines();
        }
        loop {
            let from = *pos;
            let rest = &chunk[from..];
            let (common, end) = match rest {
                [] => {
                    self.pending.keep(chunk, parts);
                    return Ok(Found::Nothing);
                }
                [b'\n' | b'\r', ..] => {
                    *pos = self.start.after(chunk, from);
                    // Without a preceding line that counts, it does not end anything.
                    if !self.lengths.is_at_block() && self.dispatch(chunk, from, parts) {
                        return Ok(Found::Event);
                    }
                    parts.from = *pos;
                    continue;
                }
                [b':', ..] if !COMMENTS && self.lengths.is_at_block() => {
                    let len = comment_lines(rest, self.lengths.max_line());
                    if len > 0 {
                        *pos = from + len;
                        parts.from = *pos;
                        continue;
                    }
                    let end = find_end(chunk, from);
                    if end.is_none() {
                        // Nothing has to be kept yet.
                        *pos = chunk.len();
                        self.push::<COMMENTS>(rest)?;
                        return Ok(Found::Nothing);
                    }
                    (None, end)
                }
                _ => match rest.first_chunk().and_then(|start| Field::common(*start)) {
                    Some((Field::Data, at)) => {
                        (Some((Field::Data, at)), find_far_end(chunk, from + at))
                    }
                    Some((field, at)) => (Some((field, at)), find_end(chunk, from + at)),
                    None => (None, find_end(chunk, from)),
                },
            };
            let Some(end) = end else {
                self.pending.keep(chunk, parts);
                *pos = chunk.len();
                self.push::<COMMENTS>(rest)?;
                return Ok(Found::Nothing);
            };
            *pos = self.start.after(chunk, end);
            let (field, at) = match common {
                Some((field, at)) => (field, from + at),
                None => {
                    let (field, value) = Field::split(&chunk[from..end]);
                    (field, end - value.len())
                }
            };
            let counts = common.is_some() || field.counts();
            if let Err(limit) = self.lengths.whole_line(end - from, counts) {
                return Err(self.skip_event(limit));
            }
            match field {
                Field::Data => self.pending.data_line(chunk, parts, at..end),
                Field::Event => parts.event_type = Some(at..end),
                Field::Id => {
                    if is_id(&chunk[at..end]) {
                        parts.id = Some(at..end);
                    }
                }
                Field::Retry => self.retry(milliseconds(&chunk[at..end])),
                Field::Comment if COMMENTS => {
                    self.pending.keep(chunk, parts);
                    return Ok(Found::Comment(Some(from + 1..end)));
                }
                Field::Comment | Field::Unknown => {}
            }
        }
    }
}

// The effects of lines and of the end of a block.
impl Scanner {
    fn retry(&mut self, milliseconds: Option<u64>) {
        if let Some(milliseconds) = milliseconds {
            self.reconnection_time = Some(Duration::from_millis(milliseconds));
            self.pending.set_retry(milliseconds);
        }
    }

    /// Ends the block at `end`. Returns whether it contains an event.
    #[inline]
    fn dispatch(&mut self, chunk: &[u8], end: usize, parts: &mut Parts) -> bool {
        self.lengths.end_block();
        parts.end = end;
        parts.has_id = parts.id.is_some() || self.pending.has_id();
        if parts.id.is_none() && self.pending.has_id() {
            self.last_id.set_repaired(self.pending.id());
        }
        let has_data = parts.data.is_some() || self.pending.has_data();
        if has_data {
            parts.retry = self.pending.retry();
            if parts.event_type.is_none() && !self.pending.has_event_type() {
                self.pending.clear_event_type();
            }
        } else {
            if let Some(id) = &parts.id {
                self.last_id.set_repaired(&chunk[id.clone()]);
            }
            // Neither applies to the next block.
            parts.event_type = None;
            parts.id = None;
        }
        self.pending.clear_block();
        if self.pending.is_large() {
            if has_data {
                self.detour = Detour::Release;
            } else {
                self.pending.release();
            }
        }
        has_data
    }
}
