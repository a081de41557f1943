use std::ops::Range;

use super::field::{Field, is_id, starts};
use super::line_end::{NEAR, find_end, find_far_end, find_small};
use super::message::MESSAGE;

/// The positions of the parts of a block in its chunk.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// The start of its first line in this chunk.
    pub(super) from: usize,
    /// The end of its last line in this chunk. Set when it is dispatched.
    pub(super) end: usize,
    pub(super) data: Option<Range<usize>>,
    pub(super) event_type: Option<Range<usize>>,
    pub(super) id: Option<Range<usize>>,
    /// Whether the block has an ID, in the chunk or pending. Set when it is dispatched.
    pub(super) has_id: bool,
    /// The block's own reconnection time, in milliseconds. Set when it is dispatched.
    pub(super) retry: Option<u64>,
}

/// The result of [`Parts::whole`].
pub(super) enum Whole {
    /// The block's parts, and the position of its empty line.
    Found(Parts, usize),
    /// The chunk ends in a line, so far of the common form.
    Cut(CutLine),
    /// A second line of data begins at this position. Contains the parts before it.
    Lines(Parts, usize),
    /// Any other block.
    Other,
}

/// The line in which a chunk ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutLine {
    /// Where it begins.
    pub(super) at: usize,
    /// Whether it is data, or comes after data.
    pub(super) has_data: bool,
}

impl Parts {
    /// The data in the chunk.
    #[inline]
    pub(super) fn data<'a>(&self, chunk: &'a [u8]) -> &'a [u8] {
        self.data.clone().map_or(b"", |at| &chunk[at])
    }

    /// The type of a [whole](Self::whole) block.
    #[inline]
    pub(super) fn event_type<'a>(&self, chunk: &'a [u8]) -> &'a [u8] {
        match &self.event_type {
            Some(at) if !at.is_empty() => &chunk[at.clone()],
            _ => MESSAGE.as_bytes(),
        }
    }

    /// Reads a complete block of the common form at the start of the chunk: `name: value`, lines
    /// that end in LF, one line of data.
    // 12 % fewer instructions for `typical`, lent, in benches/decode than with `inline`.
    //
    // Each line is searched where its name is known, and what has been found is not looked at
    // again: 11 % fewer instructions for `typical`, lent, in benches/decode than if lines were
    // split into fields first.
    #[inline(always)]
    pub(super) fn whole(chunk: &[u8]) -> Whole {
        let mut parts = Self::default();
        let mut at = 0;
        loop {
            let Some(start) = chunk.get(at..).and_then(<[u8]>::first_chunk) else {
                return Whole::Other;
            };
            let start = u64::from_le_bytes(*start);
            let end = if starts(start, b"data: \0\0", 6) {
                if parts.data.is_some() {
                    return Whole::Lines(parts, at);
                }
                let Some(end) = find_far_end(chunk, at + 6) else {
                    return Whole::cut(at, true);
                };
                parts.data = Some(at + 6..end);
                end
            } else if starts(start, b"event: \0", 7) {
                let Some(end) = find_small(chunk, at + 7) else {
                    return Whole::cut(at, parts.data.is_some());
                };
                parts.event_type = Some(at + 7..end);
                end
            } else if starts(start, b"id: \0\0\0\0", 4) {
                let Some(end) = find_small(chunk, at + 4) else {
                    return Whole::cut(at, parts.data.is_some());
                };
                // The search of a few bytes would have found a NUL.
                if end > at + 4 + NEAR && !is_id(&chunk[at + 4..end]) {
                    return Whole::Other;
                }
                parts.id = Some(at + 4..end);
                end
            } else {
                return Whole::Other;
            };
            if chunk[end] != b'\n' {
                return Whole::Other;
            }
            at = end + 1;
            if parts.data.is_some() && chunk.get(at) == Some(&b'\n') {
                parts.end = end;
                parts.has_id = parts.id.is_some();
                return Whole::Found(parts, at);
            }
        }
    }

    /// Reads a block of the same form, of which the last line is known.
    #[inline]
    pub(super) fn joined(block: &[u8], last: Range<usize>) -> Option<Self> {
        let mut parts = Self::default();
        let mut at = 0;
        loop {
            let (field, value) = Field::common(*block.get(at..)?.first_chunk()?)?;
            let value = at + value;
            let end = match field {
                _ if at == last.start => last.end,
                Field::Data => find_far_end(block, value)?,
                _ => find_end(block, value)?,
            };
            match field {
                Field::Data if parts.data.is_none() => parts.data = Some(value..end),
                Field::Event => parts.event_type = Some(value..end),
                Field::Id if is_id(&block[value..end]) => parts.id = Some(value..end),
                _ => return None,
            }
            if at == last.start {
                parts.end = end;
                parts.has_id = parts.id.is_some();
                return parts.data.is_some().then_some(parts);
            }
            at = end + 1;
        }
    }
}

impl Whole {
    #[inline(always)]
    fn cut(at: usize, has_data: bool) -> Self {
        Self::Cut(CutLine { at, has_data })
    }
}

/// The length of the complete comment lines, such as heartbeats, at the start of the chunk, with an
/// empty line after each.
///
/// Must only be called if no event has begun, so that empty lines do not dispatch anything.
#[inline]
pub(super) fn comment_lines(chunk: &[u8], max_line: usize) -> usize {
    let mut rest = chunk;
    while let [b':', comment @ ..] = rest {
        // The lengths are not computed from the bytes read, so that the next read need not wait for
        // this one. 2.5 to 0.7 ns for `heartbeats, 16 KiB` in benches/decode.
        if max_line > 0 {
            let two = rest.strip_prefix(b":\n\n:\n\n");
            if let Some(after) = two.or_else(|| rest.strip_prefix(b":\n\n")) {
                rest = after;
                continue;
            }
        }
        match find_end(comment, 0) {
            Some(end) if end < max_line => match comment[end..] {
                [b'\n', b'\n', ref after @ ..] | [b'\n', ref after @ ..] => rest = after,
                _ => break,
            },
            _ => break,
        }
    }
    chunk.len() - rest.len()
}
