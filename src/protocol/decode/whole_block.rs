use std::ops::Range;

use super::field::Field;
use super::line_end::{find_end, find_far_end};

/// Where the parts of a block are in its chunk.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Where its first line in this chunk begins.
    pub(super) from: usize,
    pub(super) data: Option<Range<usize>>,
    pub(super) event_type: Option<Range<usize>>,
    pub(super) id: Option<Range<usize>>,
}

impl Parts {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.data.is_none() && self.event_type.is_none() && self.id.is_none()
    }

    /// Reads a block that stands whole at the chunk's start and is written as nearly everybody
    /// writes it: `name: value`, ends of line that are LF, one line of data. Its parts, and where its
    /// empty line is; `None` for any other.
    #[inline(always)]
    pub(super) fn whole(chunk: &[u8]) -> Option<(Self, usize)> {
        let mut parts = Self::default();
        let mut at = 0;
        loop {
            let (field, value) = Field::common(*chunk.get(at..)?.first_chunk()?)?;
            let value = at + value;
            let end = match field {
                Field::Data => find_far_end(chunk, value)?,
                _ => find_end(chunk, value)?,
            };
            match field {
                Field::Data if parts.data.is_none() => parts.data = Some(value..end),
                Field::Event => parts.event_type = Some(value..end),
                Field::Id if !chunk[value..end].contains(&0) => parts.id = Some(value..end),
                _ => return None,
            }
            match chunk[end..] {
                [b'\n', b'\n', ..] if parts.data.is_some() => return Some((parts, end + 1)),
                [b'\n', ..] => at = end + 1,
                _ => return None,
            }
        }
    }
}
