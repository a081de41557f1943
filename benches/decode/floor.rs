//! The least work for streams as regular as these: lines that end in LF and are of known length up to
//! their value, found with one search each; one check for UTF-8 of each block, with simdutf8; a copy of
//! what a chunk's end has cut. No limits, no CR, no NUL, no ID from earlier events.

use std::ops::Range;

use bytes::Bytes;

use super::Contestant;

#[derive(Default)]
struct Block {
    event_type: Option<Range<usize>>,
    id: Range<usize>,
    data: Option<Range<usize>>,
    len: usize,
}

impl Block {
    #[inline(always)]
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut block = Self::default();
        let mut at = 0;
        loop {
            let end = at + memchr::memchr(b'\n', &bytes[at..])?;
            match bytes[at] {
                b'd' => match &mut block.data {
                    None => block.data = Some(at + 6..end),
                    // Joined below.
                    Some(data) => data.end = end,
                },
                b'e' => block.event_type = Some(at + 7..end),
                b'i' => block.id = at + 4..end,
                b'\n' => {
                    block.len = end + 1;
                    return Some(block);
                }
                _ => {}
            }
            at = end + 1;
        }
    }

    #[inline(always)]
    fn give(&self, bytes: &[u8], each: &mut impl FnMut(&[u8], &[u8], &[u8])) {
        let Some(data) = &self.data else { return };
        let text = simdutf8::basic::from_utf8(&bytes[..self.len]).expect("text");
        let event_type = self.event_type.clone();
        let event_type = event_type.map_or("message", |at| &text[at]);
        let (data, id) = (&text[data.clone()], &text[self.id.clone()]);
        if memchr::memchr(b'\n', data.as_bytes()).is_some() {
            let data = data.replace("\ndata: ", "\n");
            return each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
        }
        each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
    }
}

/// Calls the closure with each block, and whether it had to be joined. The closure returns the length
/// of the first block, or `None` without a whole one.
fn blocks(chunks: &[Bytes], mut block: impl FnMut(&Bytes, usize, Option<&[u8]>) -> Option<usize>) {
    let mut tail: Vec<u8> = Vec::new();
    for chunk in chunks {
        let mut at = 0;
        if !tail.is_empty() {
            let end = match (tail.last(), chunk.first()) {
                (Some(b'\n'), Some(b'\n')) => Some(1),
                _ => memchr::memmem::find(chunk, b"\n\n").map(|end| end + 2),
            };
            tail.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            let Some(end) = end else { continue };
            block(chunk, 0, Some(&tail));
            tail.clear();
            at = end;
        }
        while let Some(len) = block(chunk, at, None) {
            at += len;
        }
        tail.extend_from_slice(&chunk[at..]);
    }
}

pub(super) struct Lent;

impl Contestant for Lent {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        blocks(chunks, |chunk, at, joined| {
            let bytes = joined.unwrap_or(&chunk[at..]);
            let block = Block::of(bytes)?;
            block.give(bytes, &mut each);
            Some(block.len)
        });
    }
}

pub(super) struct Owned;

impl Contestant for Owned {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        blocks(chunks, |chunk, at, joined| {
            let block = Block::of(joined.unwrap_or(&chunk[at..]))?;
            // A reference to the chunk, or an allocation.
            let bytes = match joined {
                Some(joined) => Bytes::copy_from_slice(joined),
                None => chunk.slice(at..at + block.len),
            };
            block.give(&bytes, &mut each);
            Some(block.len)
        });
    }
}
