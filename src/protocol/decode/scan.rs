use std::borrow::Cow;
use std::ops::Range;
use std::str;
use std::time::Duration;

use super::decoder::Decoder;
use super::field::{Field, milliseconds};
use super::limit::{Limit, LimitExceeded};
use super::line_end::{Skipped, find_end, find_far_end, is_ascii};
use super::whole_block::Parts;

/// What a scan has come to.
pub(super) enum Found {
    /// Its parts are where [`Parts`] says, or else in the pending buffers.
    Event,
    /// It is in this range, or else in the pending buffer.
    Comment(Option<Range<usize>>),
    /// The chunk's end.
    Nothing,
}

impl Decoder {
    /// Reads a block that is all in the chunk, as nearly all are, and begins at its start: its parts,
    /// and where the next one begins.
    ///
    /// What this does not take, [`scan`](Self::scan) does; a block is looked at twice at most.
    #[inline(always)]
    pub(super) fn whole(&mut self, chunk: &[u8]) -> Option<(Parts, usize)> {
        let at_block = self.block_len == 0
            && self.start.is_at_line()
            && !self.pending.is_inside_line()
            && !self.skipping;
        if !at_block {
            return None;
        }
        let (mut parts, end) = Parts::whole(chunk)?;
        if end > self.max_line.min(self.max_event) || !is_utf8(&chunk[..end]) {
            return None;
        }
        if let Some(id) = &parts.id {
            self.last_id.set(&chunk[id.clone()]);
        }
        if parts.event_type.as_ref().is_none_or(Range::is_empty) {
            parts.event_type = None;
            self.pending.clear_event_type();
        }
        Some((parts, end + 1))
    }

    /// Takes a chunk that has nothing but more of the data that the last one broke off in; whether it
    /// was one.
    #[inline(always)]
    pub(super) fn more_data(&mut self, chunk: &[u8]) -> bool {
        let room = self.max_event.saturating_sub(self.block_len);
        let more = self.pending.is_inside_data()
            && find_end(chunk, 0).is_none()
            && self.line_len + chunk.len() <= room.min(self.max_line);
        if more {
            self.line_len += chunk.len();
            self.pending.push_data(chunk);
        }
        more
    }

    /// Reads on from `pos`, up to an event's end.
    #[inline(never)]
    pub(super) fn scan<const COMMENTS: bool>(
        &mut self,
        chunk: &[u8],
        pos: &mut usize,
        parts: &mut Parts,
    ) -> Result<Found, LimitExceeded> {
        if let Skipped::FalseBom(len) = self.start.skip(chunk, pos) {
            if len > 0 {
                self.pending.skip_line();
                self.line_len = len;
            }
        }
        if self.skipping && !self.skip_block(chunk, pos) {
            return Ok(Found::Nothing);
        }
        if self.pending.is_inside_line() {
            if let Some(found) = self.resume::<COMMENTS>(chunk, pos)? {
                return Ok(found);
            }
        }
        parts.from = *pos;
        loop {
            let from = *pos;
            let rest = &chunk[from..];
            let (common, end) = match rest {
                [] => {
                    self.keep(chunk, parts);
                    return Ok(Found::Nothing);
                }
                [b'\n' | b'\r', ..] => {
                    *pos = self.start.after(chunk, from);
                    // Without a line before it, it ends nothing.
                    if self.block_len > 0 && self.dispatch(chunk, from, parts) {
                        return Ok(Found::Event);
                    }
                    parts.from = *pos;
                    continue;
                }
                [b':', ..] if !COMMENTS && self.block_len == 0 => {
                    let len = self.skip_comments(rest);
                    if len > 0 {
                        *pos = from + len;
                        parts.from = *pos;
                        continue;
                    }
                    let end = find_end(chunk, from);
                    if end.is_none() {
                        // There is nothing to keep yet of a block that begins with a comment.
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
                self.keep(chunk, parts);
                *pos = chunk.len();
                self.push::<COMMENTS>(rest)?;
                return Ok(Found::Nothing);
            };
            *pos = self.start.after(chunk, end);
            self.count(end - from)?;
            self.block_len += end - from + 1;
            let (field, at) = match common {
                Some((field, at)) => (field, from + at),
                None => {
                    let (field, value) = Field::split(&chunk[from..end]);
                    (field, end - value.len())
                }
            };
            match field {
                Field::Data => self.data_line(chunk, parts, at..end),
                Field::Event => parts.event_type = Some(at..end),
                Field::Id => {
                    if !chunk[at..end].contains(&0) {
                        parts.id = Some(at..end);
                    }
                }
                Field::Retry => self.retry(&chunk[at..end]),
                Field::Comment if COMMENTS => {
                    self.keep(chunk, parts);
                    return Ok(Found::Comment(Some(from + 1..end)));
                }
                Field::Comment | Field::Unknown => {}
            }
        }
    }

    /// How long the blocks are that begin here and are one short comment each, which is what
    /// heartbeats are.
    #[inline]
    fn skip_comments(&self, chunk: &[u8]) -> usize {
        let room = self.max_line.min(self.max_event);
        let mut at = 0;
        while let Some(b':') = chunk.get(at) {
            if chunk[at..].starts_with(b":\n\n") && room > 0 {
                at += 3;
                continue;
            }
            match find_end(chunk, at + 1) {
                Some(end) if end - at <= room && chunk[end..].starts_with(b"\n\n") => at = end + 2,
                _ => break,
            }
        }
        at
    }

    /// Reads on in a line that a chunk before has begun.
    fn resume<const COMMENTS: bool>(
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
        // Before the limit is looked at, so that the rest of the line is not taken for a line.
        *pos = end;
        if self.pending.is_inside_ignored() {
            let len = self.line_len + (end - from);
            self.count(len)?;
            *pos = self.start.after(chunk, end);
            self.block_len += len + 1;
            self.line_len = 0;
            self.pending.end_ignored();
            return Ok(None);
        }
        self.push::<COMMENTS>(&chunk[from..end])?;
        *pos = self.start.after(chunk, end);
        self.block_len += self.line_len + 1;
        self.line_len = 0;
        match self.pending.end_line() {
            Field::Retry => {
                self.reconnection_time = milliseconds(self.pending.value())
                    .map(Duration::from_millis)
                    .or(self.reconnection_time);
                self.pending.clear_value();
            }
            Field::Comment if COMMENTS => return Ok(Some(Found::Comment(None))),
            _ => {}
        }
        Ok(None)
    }

    /// Keeps a piece of a line whose end is not in the chunk.
    fn push<const COMMENTS: bool>(&mut self, piece: &[u8]) -> Result<(), LimitExceeded> {
        self.count(self.line_len + piece.len()).inspect_err(|_| {
            self.pending.skip_line();
        })?;
        self.line_len += piece.len();
        self.pending.push::<COMMENTS>(piece);
        Ok(())
    }

    /// Looks whether a line of this length, or at least of this length, is allowed.
    #[inline]
    fn count(&mut self, line_len: usize) -> Result<(), LimitExceeded> {
        let room = self.max_event.saturating_sub(self.block_len);
        if line_len <= room.min(self.max_line) {
            return Ok(());
        }
        self.skipping = true;
        // The one that is met first, whatever the chunks are.
        Err(if self.max_line <= room {
            LimitExceeded {
                limit: Limit::Line,
                max: self.max_line,
            }
        } else {
            LimitExceeded {
                limit: Limit::Event,
                max: self.max_event,
            }
        })
    }

    /// Drops lines up to the empty one; whether it was in the chunk.
    #[cold]
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
            self.pending.clear();
            if is_empty {
                self.skipping = false;
                self.line_len = 0;
                self.block_len = 0;
                return true;
            }
        }
    }

    #[inline]
    fn data_line(&mut self, chunk: &[u8], parts: &mut Parts, value: Range<usize>) {
        if parts.data.is_none() && !self.pending.has_data() {
            parts.data = Some(value);
            return;
        }
        if let Some(first) = parts.data.take() {
            self.pending.push_data_line(&chunk[first]);
        }
        self.pending.push_data_line(&chunk[value]);
    }

    fn retry(&mut self, value: &[u8]) {
        if let Some(time) = milliseconds(value) {
            self.reconnection_time = Some(Duration::from_millis(time));
        }
    }

    /// Copies what the chunk has of the block, as the chunk ends before the block does.
    fn keep(&mut self, chunk: &[u8], parts: &Parts) {
        if let Some(data) = &parts.data {
            self.pending.push_data_line(&chunk[data.clone()]);
        }
        if let Some(event_type) = &parts.event_type {
            self.pending.set_event_type(&chunk[event_type.clone()]);
        }
        if let Some(id) = &parts.id {
            self.pending.set_id(&chunk[id.clone()]);
        }
    }

    /// Ends the block at `end`; whether there is an event in it.
    #[inline]
    fn dispatch(&mut self, chunk: &[u8], end: usize, parts: &mut Parts) -> bool {
        self.block_len = 0;
        if parts.is_empty() && self.pending.is_empty() {
            return false;
        }
        // All that the chunk has of it at once, as it is ASCII as a rule.
        let ascii = is_ascii(&chunk[parts.from..end]);
        match &parts.id {
            Some(id) if ascii => self.last_id.set(&chunk[id.clone()]),
            Some(id) => {
                self.set_repaired_id(&chunk[id.clone()]);
                parts.id = None;
            }
            None if self.pending.has_id() => {
                let id = self.pending.take_id();
                self.set_repaired_id(&id);
                self.pending.put_id(id);
            }
            None => {}
        }
        let has_data = parts.data.is_some() || self.pending.has_data();
        if has_data {
            self.repair(chunk, parts, ascii);
        } else {
            // Neither belongs to the next block.
            parts.event_type = None;
            parts.id = None;
        }
        self.pending.clear_block();
        has_data
    }

    /// Sees to it that data and type are UTF-8, and that the type is not empty.
    #[inline]
    fn repair(&mut self, chunk: &[u8], parts: &mut Parts, ascii: bool) {
        match &parts.data {
            Some(_) if ascii => {}
            Some(data) => {
                if let Some(repaired) = repaired(&chunk[data.clone()]) {
                    parts.data = None;
                    self.pending.set_data(repaired);
                }
            }
            None => {
                if let Some(repaired) = repaired(self.pending.data()) {
                    self.pending.set_data(repaired);
                }
            }
        }
        match &parts.event_type {
            Some(event_type) if ascii && !event_type.is_empty() => {}
            Some(event_type) => {
                self.pending.set_event_type(&chunk[event_type.clone()]);
                parts.event_type = None;
                self.repair_event_type();
            }
            None if self.pending.has_event_type() => self.repair_event_type(),
            None => self.pending.clear_event_type(),
        }
    }

    fn set_repaired_id(&mut self, id: &[u8]) {
        match repaired(id) {
            None => self.last_id.set(id),
            Some(repaired) => self.last_id.set(repaired.as_bytes()),
        }
    }

    #[cold]
    fn repair_event_type(&mut self) {
        if let Some(repaired) = repaired(self.pending.event_type()) {
            self.pending.set_event_type(repaired.as_bytes());
        }
    }
}

#[inline]
fn is_utf8(text: &[u8]) -> bool {
    is_ascii(text) || str::from_utf8(text).is_ok()
}

/// The text with U+FFFD for each maximal subpart of an ill-formed sequence, if it is not UTF-8.
#[inline]
fn repaired(text: &[u8]) -> Option<String> {
    if is_ascii(text) {
        return None;
    }
    repaired_unless_utf8(text)
}

#[inline(never)]
fn repaired_unless_utf8(text: &[u8]) -> Option<String> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(repaired) => Some(repaired),
    }
}
