//! Conversion of bytes to text, as 9.2.5's *UTF-8 decode* requires.
//!
//! Checking a few bytes costs nearly as much as checking a whole block, so a block is checked once,
//! and its parts are slices of the resulting text.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

/// The number of bytes that the check processes at once.
const STEP: usize = 64;

/// The maximum size of a short block in bytes.
const SHORT: usize = 1024;

/// The part of a block in a chunk, which is UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockText<'a> {
    /// Also contains what completes the last step.
    text: &'a str,
    len: usize,
    /// Its position in the chunk.
    from: usize,
}

impl<'a> BlockText<'a> {
    /// Checks this range of the chunk to be UTF-8. It must end with the chunk or with a line.
    #[inline]
    pub(super) fn check(chunk: &'a [u8], at: Range<usize>) -> Option<Self> {
        let len = at.len();
        let rest = chunk.get(at.start..)?;
        // 18 % of `typical, 16 KiB`, lent, in benches/decode.
        let text = rest.get(..whole_steps(len)).and_then(check);
        Some(Self {
            text: text.or_else(|| check(&rest[..len]))?,
            len,
            from: at.start,
        })
    }

    pub(super) fn copy(self) -> ByteString {
        ByteString::from(&self.text[..self.len])
    }

    /// The value in this range of the chunk.
    #[inline]
    pub(super) fn get(self, at: &Range<usize>) -> &'a str {
        &self.text[at.start - self.from..at.end - self.from]
    }
}

/// Text that begins with this range of the chunk and shares the chunk's memory, if it is UTF-8. The
/// range must end with the chunk or with a line.
#[inline]
pub(super) fn share(chunk: &Bytes, at: Range<usize>) -> Option<ByteString> {
    let whole_steps = at.start + whole_steps(at.len());
    if whole_steps <= chunk.len() {
        if let Ok(text) = ByteString::try_from(chunk.slice(at.start..whole_steps)) {
            return Some(text);
        }
    }
    ByteString::try_from(chunk.slice(at)).ok()
}

/// The number of bytes to check for a block: an incomplete step costs more than several complete
/// ones, so bytes after a short block complete the step, unless that splits a character.
#[inline]
fn whole_steps(len: usize) -> usize {
    match len < SHORT {
        true => len.next_multiple_of(STEP),
        false => len,
    }
}

/// Adds empty lines after a block, at least one, so that [`BlockText::check`] has whole steps.
pub(super) fn pad(block: &mut Vec<u8>) {
    block.resize((block.len() + 1).next_multiple_of(STEP), b'\n');
}

/// The length of the text that [`join`] appends.
#[inline]
pub(super) fn joined_len(first: &Range<usize>, lines: &[Range<usize>]) -> usize {
    let lines = lines.iter();
    lines.fold(first.len(), |len, line| len + 1 + line.len())
}

/// Appends lines of the block, separated by LFs.
#[inline]
pub(super) fn join(
    text: &mut String,
    block: BlockText<'_>,
    first: &Range<usize>,
    lines: &[Range<usize>],
) {
    text.push_str(block.get(first));
    for line in lines {
        text.push('\n');
        text.push_str(block.get(line));
    }
}

/// The bytes as text, if they are UTF-8.
#[inline]
pub(super) fn check(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}
