//! The least work for the loads of one line of data: one search for the end of each event, one check for
//! UTF-8 of each byte, and one copy of what a chunk's end has cut, which is checked with its chunk if that is
//! long, and else as a whole. Where data, type and ID begin is known, so there are no limits, no fields to
//! tell apart and no NUL. A CR ends a line as an LF does, so lines are searched for both.

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::StreamBody;

use super::{Contestant, iter};

/// Where typical events have their type, their ID and their data.
const TYPE: Range<usize> = 7..19;
const ID: Range<usize> = 24..39;
const DATA: usize = 46;
/// And where those without a type and an ID do.
const DATA_ALONE: usize = 6;

/// From which length on a chunk is checked by itself, and a copy is given away instead of copied again.
const LONG: usize = 1_024;

/// Where the event's data begins.
fn data(bytes: &[u8]) -> usize {
    match bytes[0] == b'e' {
        true => DATA,
        false => DATA_ALONE,
    }
}

/// Gives a whole event to the closure.
#[inline(always)]
fn give(event: &[u8], each: &mut impl FnMut(&[u8], &[u8], &[u8])) {
    let from = data(event);
    let data = &event[from..event.len() - 2];
    match from == DATA {
        true => each(&event[TYPE], data, &event[ID]),
        false => each(b"message", data, b""),
    }
}

/// Where the first line ends. No call is made for a piece of 16 bytes.
#[inline(always)]
fn line_end(bytes: &[u8]) -> Option<usize> {
    const ONES: u128 = u128::from_ne_bytes([1; 16]);
    let Ok(bytes) = bytes.try_into() else {
        return memchr::memchr2(b'\n', b'\r', bytes);
    };
    let word = u128::from_le_bytes(bytes);
    let zeros = |word: u128| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let found = zeros(word ^ (ONES * b'\n' as u128)) | zeros(word ^ (ONES * b'\r' as u128));
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// The length of the event at the start of the bytes; `None` if its end is not there.
#[inline(always)]
fn whole(bytes: &[u8]) -> Option<usize> {
    let from = data(bytes.get(..1)?);
    let end = from + memchr::memchr2(b'\n', b'\r', bytes.get(from..)?)?;
    (end + 1 < bytes.len()).then_some(end + 2)
}

/// Where the event ends that has begun before this chunk.
#[inline(always)]
fn end(before: &[u8], chunk: &[u8]) -> Option<usize> {
    if before.ends_with(b"\n") && chunk.starts_with(b"\n") {
        return Some(1);
    }
    let mut at = 0;
    loop {
        at += line_end(&chunk[at..])? + 1;
        if chunk.get(at) == Some(&b'\n') {
            return Some(at + 1);
        }
    }
}

fn check(bytes: &[u8]) {
    simdutf8::basic::from_utf8(bytes).expect("text, cut between characters");
}

/// What has come of an event whose end has not.
#[derive(Default)]
struct Cut(Vec<u8>);

impl Cut {
    /// `keep` takes each whole event as a part of the chunk or as a copy, and returns what keeps it.
    #[inline(always)]
    fn read<K>(
        &mut self,
        chunk: &Bytes,
        each: &mut impl FnMut(&[u8], &[u8], &[u8]),
        keep: impl Fn(&Bytes) -> K,
        keep_copy: impl Fn(&mut Vec<u8>) -> K,
    ) {
        let Self(cut) = self;
        let is_long = chunk.len() >= LONG;
        if is_long {
            check(chunk);
        }
        let mut at = 0;
        if !cut.is_empty() {
            let end = end(cut, chunk);
            cut.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            let Some(end) = end else { return };
            if !is_long {
                check(cut);
            }
            give(cut, each);
            drop(keep_copy(cut));
            cut.clear();
            at = end;
        }
        while let Some(len) = whole(&chunk[at..]) {
            if !is_long {
                check(&chunk[at..at + len]);
            }
            give(&chunk[at..at + len], each);
            drop(keep(chunk));
            at += len;
        }
        cut.extend_from_slice(&chunk[at..]);
    }

    /// Keeps an event by one more reference to its chunk, or by an allocation of its own.
    #[inline(always)]
    fn read_owned(&mut self, chunk: &Bytes, each: &mut impl FnMut(&[u8], &[u8], &[u8])) {
        let keep = |chunk: &Bytes| black_box(chunk.clone());
        let keep_copy = |cut: &mut Vec<u8>| match cut.len() < LONG {
            true => black_box(Bytes::copy_from_slice(cut)),
            false => {
                let next = Vec::with_capacity(cut.len());
                black_box(Bytes::from(std::mem::replace(cut, next)))
            }
        };
        self.read(chunk, each, keep, keep_copy);
    }
}

/// For heartbeats and an event at the end of the last chunk: each is compared once.
pub(super) struct Heartbeats;

impl Contestant for Heartbeats {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        const HEARTBEAT: &[u8] = b":\n\n";
        let mut begun = 0;
        for chunk in chunks {
            let mut rest = chunk.strip_prefix(&HEARTBEAT[begun..]).unwrap_or(chunk);
            while let Some(after) = rest.strip_prefix(HEARTBEAT) {
                rest = after;
            }
            match HEARTBEAT.starts_with(rest) {
                true => begun = rest.len() % HEARTBEAT.len(),
                false => give(rest, &mut each),
            }
        }
    }
}

pub(super) struct Lent;

impl Contestant for Lent {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut cut = Cut::default();
        for chunk in chunks {
            cut.read(chunk, &mut each, |_| (), |_| ());
        }
    }
}

/// Is given the chunks, as the others are.
pub(super) struct Owned;

impl Contestant for Owned {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut cut = Cut::default();
        for chunk in chunks {
            let chunk = chunk.clone();
            cut.read_owned(&chunk, &mut each);
        }
    }
}

/// Takes them out of a body.
pub(super) struct OfBody;

impl Contestant for OfBody {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let frames = chunks.iter().cloned().map(Frame::data);
        let mut body = pin!(StreamBody::new(iter(frames.map(Ok::<_, Infallible>))));
        let cx = &mut Context::from_waker(Waker::noop());
        let mut cut = Cut::default();
        let mut next = || body.as_mut().poll_frame(cx);
        let mut polled = next();
        // The frame is read where it is. Moving what has just been written, in wider pieces than it was
        // written in, makes the reads wait.
        while let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(chunk) = frame.data_ref() {
                cut.read_owned(chunk, &mut each);
            }
            polled = next();
        }
    }
}
