//! From bytes to text, as 9.2.5's *UTF-8 decode* has it.
//!
//! Checking a few bytes costs nearly as much as checking a whole block, so a block is checked once, and
//! its parts are slices of the text.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

/// How many bytes the check takes at once.
const STEP: usize = 64;

/// Up to how many bytes a block is short.
const SHORT: usize = 1024;

/// What a chunk has of a block, which is UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockText<'a> {
    text: &'a str,
    /// Where it begins in the chunk.
    from: usize,
}

impl<'a> BlockText<'a> {
    /// What stands there in the chunk, if it is UTF-8. The end is the chunk's, or that of a line.
    #[inline]
    pub(super) fn check(chunk: &'a [u8], at: Range<usize>) -> Option<Self> {
        let len = at.len();
        let rest = chunk.get(at.start..)?;
        // 18 % of `typical, 16 KiB`, lent, in benches/decode.
        let text = rest
            .get(..whole_steps(len))
            .and_then(check)
            .and_then(|text| text.get(..len));
        Some(Self {
            text: text.or_else(|| check(&rest[..len]))?,
            from: at.start,
        })
    }

    pub(super) fn copy(self) -> ByteString {
        ByteString::from(self.text)
    }

    /// The value that stands there in the chunk.
    #[inline]
    pub(super) fn get(self, at: &Range<usize>) -> &'a str {
        &self.text[at.start - self.from..at.end - self.from]
    }
}

/// What begins with what stands there in the chunk, as text that shares the chunk's memory, if it is
/// UTF-8. The end is the chunk's, or that of a line.
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

/// How many bytes are checked of a block: an incomplete step costs more than several whole ones, so
/// what follows a short block completes it, unless that cuts a character.
#[inline]
fn whole_steps(len: usize) -> usize {
    match len < SHORT {
        true => len.next_multiple_of(STEP),
        false => len,
    }
}

/// The bytes as text, if they are UTF-8.
#[inline]
pub(super) fn check(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}
