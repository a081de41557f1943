//! The least work for the loads of one line of data: a check for UTF-8 of each chunk as a whole, a search
//! for the end of each event's data, whose beginning is known, and a copy of what a chunk's end has cut.
//! There are no limits, no fields to tell apart, no CR and no NUL.

use std::ops::Range;

use bytes::Bytes;

use super::Contestant;

/// Where typical events have their type, their ID and their data.
const TYPE: Range<usize> = 7..19;
const ID: Range<usize> = 24..39;
const DATA: usize = 46;
/// And where those without a type and an ID do.
const DATA_ALONE: usize = 6;

/// Gives an event to the closure, and returns its length; `None` if its end is not there.
#[inline(always)]
fn event(bytes: &[u8], each: &mut impl FnMut(&[u8], &[u8], &[u8])) -> Option<usize> {
    let is_typical = *bytes.first()? == b'e';
    let from = if is_typical { DATA } else { DATA_ALONE };
    let end = from + memchr::memchr(b'\n', bytes.get(from..)?)?;
    if end + 1 >= bytes.len() {
        return None;
    }
    let data = &bytes[from..end];
    match is_typical {
        true => each(&bytes[TYPE], data, &bytes[ID]),
        false => each(b"message", data, b""),
    }
    Some(end + 2)
}

/// Where the event ends that has begun before this chunk.
fn end(before: &[u8], chunk: &[u8]) -> Option<usize> {
    if before.ends_with(b"\n") && chunk.starts_with(b"\n") {
        return Some(1);
    }
    let mut ends = memchr::memchr_iter(b'\n', chunk);
    ends.find(|at| chunk.get(at + 1) == Some(&b'\n'))
        .map(|at| at + 2)
}

/// `keep` takes each whole event as a chunk's part, or else as a copy, and returns what keeps it.
fn run<K>(
    chunks: &[Bytes],
    mut each: impl FnMut(&[u8], &[u8], &[u8]),
    keep: impl Fn(&Bytes, Option<&[u8]>) -> K,
) {
    let mut cut: Vec<u8> = Vec::new();
    for chunk in chunks {
        simdutf8::basic::from_utf8(chunk).expect("text, cut between characters");
        let mut at = 0;
        if !cut.is_empty() {
            let end = end(&cut, chunk);
            cut.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            let Some(end) = end else { continue };
            let kept = keep(chunk, Some(&cut));
            event(&cut, &mut each).expect("whole");
            drop(kept);
            cut.clear();
            at = end;
        }
        loop {
            let kept = keep(chunk, None);
            let Some(len) = event(&chunk[at..], &mut each) else {
                break;
            };
            drop(kept);
            at += len;
        }
        cut.extend_from_slice(&chunk[at..]);
    }
}

pub(super) struct Lent;

impl Contestant for Lent {
    fn run(&self, chunks: &[Bytes], each: impl FnMut(&[u8], &[u8], &[u8])) {
        run(chunks, each, |_, _| ());
    }
}

/// With one more reference to the chunk for each event, or an allocation.
pub(super) struct Owned;

impl Contestant for Owned {
    fn run(&self, chunks: &[Bytes], each: impl FnMut(&[u8], &[u8], &[u8])) {
        run(chunks, each, |chunk, copy| {
            std::hint::black_box(copy.map_or_else(|| chunk.clone(), Bytes::copy_from_slice))
        });
    }
}
