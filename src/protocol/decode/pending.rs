mod lines;

use std::borrow::Cow;
use std::ops::Range;

use super::data_buffer::DataBuffer;
use super::field::{Field, is_id};
use super::scan::Detour;
use super::text::check;
use super::whole_block::Parts;
use crate::protocol::value::EventId;

/// The maximum capacity in bytes of a reused buffer for anything but data.
const KEEP: usize = 8 * 1024;

/// The part of an incomplete block that the chunks so far contained.
///
/// A buffer's content is only valid while its `has_` flag is set, so that dispatched fields can
/// still be lent. Buffers are reused unless they are [large](Self::is_large).
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    line: Line,
    /// The name or value of the incomplete line, unless it is data.
    scratch: Vec<u8>,
    data: DataBuffer,
    /// The positions of the chunk's lines of data after the one in [`Parts::data`], while none is
    /// pending.
    lines: Vec<Range<usize>>,
    event_type: Vec<u8>,
    id: Vec<u8>,
    has_data: bool,
    has_event_type: bool,
    has_id: bool,
    retry: Option<u64>,
}

/// The place within a line where the last chunk ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    /// At its start.
    #[default]
    Start,
    /// In the possible name of a field.
    Name,
    /// Right after the colon, where one space is not part of the value.
    Colon(Field),
    Value(Field),
    /// In a comment that is not kept.
    Comment,
    /// In an unknown field or the rest of a dropped line, which are not kept.
    Ignored,
}

impl Pending {
    #[inline]
    pub(super) fn is_inside_line(&self) -> bool {
        self.line != Line::Start
    }

    #[inline]
    pub(super) fn is_inside_data(&self) -> bool {
        self.line == Line::Value(Field::Data)
    }

    /// Whether the line is a comment that is not kept.
    #[inline]
    pub(super) fn is_inside_comment(&self) -> bool {
        self.line == Line::Comment
    }

    /// Sets whether the place is inside such a comment or at the start of a line.
    #[inline]
    pub(super) fn set_inside_comment(&mut self, is_inside: bool) {
        self.line = match is_inside {
            true => Line::Comment,
            false => Line::Start,
        };
    }

    /// Whether the block, or the line, has more than comments so far.
    pub(super) fn is_inside_event(&self) -> bool {
        let in_comment = matches!(self.line, Line::Comment | Line::Value(Field::Comment));
        self.has_data
            || self.has_event_type
            || self.has_id
            || (self.is_inside_line() && !in_comment)
    }

    /// Adds more of the data that the line contains.
    #[inline]
    pub(super) fn push_data(&mut self, piece: &[u8]) {
        self.data.push(piece);
    }

    /// Takes the next piece of a line, without a line break, at the line's start or inside a name.
    /// Returns the part that belongs to a value.
    pub(super) fn push_name<'a, const COMMENTS: bool>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        if !COMMENTS && self.line == Line::Start && piece.first() == Some(&b':') {
            self.line = Line::Comment;
            return &[];
        }
        // Only as far as a known name can reach, so that a long name is not searched repeatedly.
        let most = piece.len().min(Field::MAX_NAME + 1 - self.scratch.len());
        match piece[..most].iter().position(|byte| *byte == b':') {
            Some(at) => {
                self.scratch.extend_from_slice(&piece[..at]);
                self.begin_value(Field::of(&self.scratch));
                &piece[at + 1..]
            }
            None if self.scratch.len() + most > Field::MAX_NAME => {
                self.skip_line();
                &[]
            }
            None => {
                self.scratch.extend_from_slice(piece);
                if !piece.is_empty() {
                    self.line = Line::Name;
                }
                &[]
            }
        }
    }

    /// Whether the line counts towards the event; `None` at its start and inside a name.
    #[inline]
    pub(super) fn line_counts(&self) -> Option<bool> {
        match self.line {
            Line::Start | Line::Name => None,
            Line::Colon(field) | Line::Value(field) => Some(field.counts()),
            Line::Comment | Line::Ignored => Some(false),
        }
    }

    /// Takes the next piece of a value.
    #[inline]
    pub(super) fn push_value(&mut self, mut piece: &[u8]) {
        if let Line::Colon(field) = self.line {
            let Some(first) = piece.first() else { return };
            if *first == b' ' {
                piece = &piece[1..];
            }
            self.line = Line::Value(field);
        }
        match self.line {
            Line::Value(Field::Data) => self.data.push(piece),
            Line::Value(Field::Id) => {
                // One byte more than an ID can have, which suffices to detect that it is too long.
                let most = (EventId::MAX_LEN + 1).saturating_sub(self.scratch.len());
                self.scratch
                    .extend_from_slice(&piece[..most.min(piece.len())]);
            }
            Line::Value(_) => self.scratch.extend_from_slice(piece),
            _ => {}
        }
    }

    fn begin_value(&mut self, field: Field) {
        self.scratch.clear();
        self.line = match field {
            // A comment's first space is part of the comment.
            Field::Comment => Line::Value(field),
            Field::Unknown => Line::Ignored,
            _ => Line::Colon(field),
        };
        if field == Field::Data {
            self.begin_data();
        }
    }

    /// Ends the line. [`value`](Self::value) then returns its value, if it is a `retry` field or a
    /// comment.
    #[inline]
    pub(super) fn end_line(&mut self) -> Field {
        if matches!(self.line, Line::Comment | Line::Ignored) {
            self.line = Line::Start;
            return Field::Unknown;
        }
        self.end_kept_line()
    }

    fn end_kept_line(&mut self) -> Field {
        let field = match std::mem::take(&mut self.line) {
            Line::Start | Line::Comment | Line::Ignored => Field::Unknown,
            Line::Name => {
                let field = Field::of(&self.scratch);
                self.scratch.clear();
                if field == Field::Data {
                    self.begin_data();
                }
                field
            }
            Line::Colon(field) | Line::Value(field) => field,
        };
        match field {
            Field::Event => {
                std::mem::swap(&mut self.event_type, &mut self.scratch);
                self.has_event_type = true;
            }
            Field::Id if is_id(&self.scratch) => {
                std::mem::swap(&mut self.id, &mut self.scratch);
                self.has_id = true;
            }
            // The caller reads the value.
            Field::Retry | Field::Comment => return field,
            Field::Id | Field::Data | Field::Unknown => {}
        }
        self.scratch.clear();
        field
    }

    /// The value of the `retry` field or comment that has ended.
    pub(super) fn value(&self) -> &[u8] {
        &self.scratch
    }

    pub(super) fn take_value(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }

    pub(super) fn clear_value(&mut self) {
        self.scratch.clear();
    }

    /// Ignores the rest of the line.
    pub(super) fn skip_line(&mut self) {
        self.scratch.clear();
        self.line = Line::Ignored;
    }

    /// Copies the part of the block in the chunk, because the chunk ends before the block does.
    pub(super) fn keep(&mut self, chunk: &[u8], parts: &Parts) {
        if let Some(data) = &parts.data {
            self.push_data_lines(chunk, data.clone());
        }
        if let Some(event_type) = &parts.event_type {
            self.set_event_type(&chunk[event_type.clone()]);
        }
        if let Some(id) = &parts.id {
            self.set_id(&chunk[id.clone()]);
        }
    }

    #[inline]
    fn push_data_line(&mut self, value: &[u8]) {
        self.begin_data();
        self.data.push(value);
    }

    #[inline]
    fn begin_data(&mut self) {
        if self.has_data {
            self.data.push_break();
        } else {
            self.data.begin();
            self.has_data = true;
        }
    }

    pub(super) fn set_event_type(&mut self, value: &[u8]) {
        self.event_type.clear();
        self.event_type.extend_from_slice(value);
        self.has_event_type = true;
    }

    /// Clears what must not be part of the [whole block](Parts::whole) that is being dispatched.
    #[inline]
    pub(super) fn clear_for_whole(&mut self) {
        self.clear_event_type();
        self.lines.clear();
    }

    /// Clears the type, because the event being dispatched has none.
    #[inline]
    pub(super) fn clear_event_type(&mut self) {
        self.event_type.clear();
    }

    pub(super) fn set_retry(&mut self, milliseconds: u64) {
        self.retry = Some(milliseconds);
    }

    fn set_id(&mut self, value: &[u8]) {
        self.id.clear();
        self.id.extend_from_slice(value);
        self.has_id = true;
    }

    #[inline]
    pub(super) fn has_data(&self) -> bool {
        self.has_data
    }

    #[inline]
    pub(super) fn has_event_type(&self) -> bool {
        self.has_event_type
    }

    #[inline]
    pub(super) fn has_id(&self) -> bool {
        self.has_id
    }

    /// The data, if wanted, and the type as text, with U+FFFD for each maximal subpart of an
    /// ill-formed sequence.
    #[inline]
    pub(super) fn texts(&mut self, with_data: bool, detour: &mut Detour) -> (&str, &str) {
        let data = match with_data {
            true => self.data.finish(detour),
            false => "",
        };
        if self.event_type.is_empty() {
            return (data, "");
        }
        if check(&self.event_type).is_none() {
            *detour = Detour::Release;
            let repaired = String::from_utf8_lossy(&self.event_type).into_owned();
            self.event_type = repaired.into_bytes();
        }
        (data, check(&self.event_type).unwrap_or_default())
    }

    /// Takes the data, followed by the type and the ID, and the positions where data and type end.
    pub(super) fn take_texts(&mut self, id: &str) -> (String, usize, usize) {
        let event_type = match self.event_type.is_empty() {
            true => Cow::Borrowed(""),
            false => String::from_utf8_lossy(&self.event_type),
        };
        let mut text = self.data.take(event_type.len() + id.len());
        let data = text.len();
        text.push_str(&event_type);
        let event_type = text.len();
        text.push_str(id);
        (text, data, event_type)
    }

    pub(super) fn event_type(&self) -> &[u8] {
        &self.event_type
    }

    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    #[inline]
    pub(super) fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// Resets the block, but not the line.
    #[inline]
    pub(super) fn clear_block(&mut self) {
        self.has_data = false;
        self.has_event_type = false;
        self.has_id = false;
        self.retry = None;
    }

    /// Whether the buffers are larger than most events need.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.data.is_large()
            || self.event_type.capacity() > KEEP
            || self.scratch.capacity() > KEEP
            || self.id.capacity() > KEEP
    }

    /// Releases large buffers, together with any dispatched content.
    pub(super) fn release(&mut self) {
        self.data.release();
        for buffer in [&mut self.event_type, &mut self.scratch, &mut self.id] {
            if buffer.capacity() > KEEP {
                *buffer = Vec::new();
            }
        }
    }
}
