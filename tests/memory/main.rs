//! What the decoder and events keep: counted by an allocator, so this is a test binary of its own.

#[path = "../support/mod.rs"]
mod support;

mod events;

use std::alloc::System;
use std::sync::Mutex;

use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower_sse::{Decoder, EventId};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time counts.
static COUNTING: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const DEFAULT_MAX: usize = 16 * MIB;
/// What `Decoder` promises between events.
const SMALL: usize = 256 * KIB;

/// How much more is allocated than at the region's start.
fn kept(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated)
}

#[derive(Clone, Copy, Debug)]
enum View {
    Owned,
    Lent,
    WithComments,
}

const VIEWS: [View; 3] = [View::Owned, View::Lent, View::WithComments];

/// Feeds the bytes in chunks and drops all that is found.
fn feed(decoder: &mut Decoder, view: View, bytes: &[u8]) {
    feed_chunks(decoder, view, bytes, 16 * KIB);
}

fn feed_chunks(decoder: &mut Decoder, view: View, bytes: &[u8], size: usize) {
    for chunk in bytes.chunks(size) {
        match view {
            View::Lent => {
                let mut chunk = chunk;
                while decoder.decode_ref(&mut chunk).transpose().is_some() {}
            }
            View::Owned => {
                let mut chunk = Bytes::copy_from_slice(chunk);
                while decoder.decode(&mut chunk).transpose().is_some() {}
            }
            View::WithComments => {
                let mut chunk = Bytes::copy_from_slice(chunk);
                while decoder
                    .decode_with_comments(&mut chunk)
                    .transpose()
                    .is_some()
                {}
            }
        }
    }
}

fn line(name: &str, byte: u8, len: usize) -> Vec<u8> {
    [name.as_bytes(), &vec![byte; len], b"\n"].concat()
}

/// Large lines of each kind that is kept, or could be, none of which alone is longer than `max`.
fn large(max: usize) -> Vec<Vec<u8>> {
    let most = max - 10;
    let half = max / 2 - 20;
    vec![
        line("data: ", b'x', most),
        line("event: ", b'x', most),
        line("id: ", b'7', most),
        line("retry: ", b'0', most),
        line("name: ", b'x', most),
        [line("event: ", b'x', half), line("data: ", b'x', half)].concat(),
        [line("event: ", b'x', half), line("event: ", b'y', half)].concat(),
        [
            line("retry: ", b'0', half),
            line("id: ", b'7', 10),
            line("data: ", b'x', half - 20),
        ]
        .concat(),
        line("data: ", b'x', 60).repeat(max / 67),
        line("data: ", b'x', max / 40).repeat(39),
        // Repaired when it is dispatched.
        line("data: ", 0xFF, most),
        line("event: ", 0xFF, most),
        // Too long altogether.
        line("data: ", b'x', most).repeat(2),
    ]
}

#[test]
fn unfinished_events_are_bounded_and_finished_ones_given_back() {
    let _counting = COUNTING.lock();
    let max = 2 * MIB;
    for lines in large(max) {
        let name = String::from_utf8_lossy(&lines[..10]).into_owned();
        for view in VIEWS {
            let region = Region::new(ALLOCATOR);
            let check = |bound: usize, what: &str| {
                let kept = kept(&region);
                assert!(kept <= bound, "{name:?}, {view:?}, {what}: {kept}");
            };
            let mut decoder = Decoder::new().max_line_len(max).max_event_len(max);
            feed(&mut decoder, view, &lines);
            check(2 * max + SMALL, "unfinished");
            feed(&mut decoder, view, b"data\n\n");
            check(SMALL, "finished");
            feed(&mut decoder, view, b"data: x\n\n");
            check(SMALL, "after a small event");
            feed(&mut decoder, view, &lines);
            feed(&mut decoder, view, b"\ndata: x\n");
            check(SMALL + MIB, "inside a small event");
            decoder.end();
            check(SMALL, "ended");
            feed(&mut decoder, view, &lines);
            decoder.end();
            check(SMALL, "ended inside");
        }
    }
}

#[test]
fn events_in_one_chunk_are_given_back() {
    let _counting = COUNTING.lock();
    let max = 2 * MIB;
    for mut lines in large(max) {
        let name = String::from_utf8_lossy(&lines[..10]).into_owned();
        lines.push(b'\n');
        for view in VIEWS {
            let region = Region::new(ALLOCATOR);
            let mut decoder = Decoder::new().max_line_len(max).max_event_len(max);
            feed_chunks(&mut decoder, view, &lines, lines.len());
            feed(&mut decoder, view, b"data: x\n\n");
            let after = kept(&region);
            assert!(after <= SMALL, "{name:?}, {view:?}: {after}");
        }
    }
}

#[test]
fn large_lines_of_all_kinds_leave_nothing_at_the_default_limits() {
    let _counting = COUNTING.lock();
    let large = large(DEFAULT_MAX);
    for view in [View::Owned, View::Lent] {
        let region = Region::new(ALLOCATOR);
        let mut decoder = Decoder::new();
        for lines in &large {
            feed(&mut decoder, view, lines);
            feed(&mut decoder, view, b"\n");
        }
        for _ in 0..10 {
            feed(&mut decoder, view, b"id: 1\nevent: x\ndata: x\n\n");
        }
        let after = kept(&region);
        assert!(after <= SMALL, "{view:?}: {after}");
    }
}

#[test]
fn comments_and_other_names_are_not_buffered() {
    let _counting = COUNTING.lock();
    for stream in [
        line(":", b'x', 2 * MIB),
        line("name: ", b'x', 2 * MIB),
        b": ping\n".repeat(MIB),
        line("id: ", b'7', 2 * MIB),
    ] {
        for view in [View::Owned, View::Lent] {
            let region = Region::new(ALLOCATOR);
            let mut decoder = Decoder::new();
            feed(&mut decoder, view, &stream[..stream.len() - 1]);
            let unfinished = kept(&region);
            assert!(unfinished <= SMALL, "{view:?}: {unfinished}");
        }
    }
}

#[test]
fn a_comment_is_bounded_and_given_away() {
    let _counting = COUNTING.lock();
    let comment = line(":", b'x', 2 * MIB);
    let region = Region::new(ALLOCATOR);
    let mut decoder = Decoder::new();
    let (unfinished, end) = comment.split_at(comment.len() - 1);
    feed(&mut decoder, View::WithComments, unfinished);
    assert!(kept(&region) <= 4 * MIB + SMALL);
    feed(&mut decoder, View::WithComments, end);
    assert!(kept(&region) <= SMALL);
}

#[test]
fn small_limits_bound_memory_as_well() {
    let _counting = COUNTING.lock();
    let large = large(MIB);
    for view in VIEWS {
        let region = Region::new(ALLOCATOR);
        let mut decoder = Decoder::new().max_line_len(KIB).max_event_len(4 * KIB);
        for lines in &large {
            feed(&mut decoder, view, lines);
            let any = kept(&region);
            assert!(any <= SMALL, "{view:?}: {any}");
            feed(&mut decoder, view, b"\n");
        }
    }
}

#[test]
fn a_long_id_is_kept_once() {
    let _counting = COUNTING.lock();
    let id = "7".repeat(EventId::MAX_LEN);
    let region = Region::new(ALLOCATOR);
    let mut decoder = Decoder::new();
    let stream = format!("id: {id}\ndata: x\n\n{}", "data: x\n\n".repeat(10_000));
    let mut events = Vec::with_capacity(10_001);
    let vec = kept(&region);
    let mut chunk = Bytes::from(stream);
    let chunk_len = chunk.len();
    while let Some(event) = decoder.decode(&mut chunk).unwrap() {
        events.push(event);
    }
    assert_eq!(events.len(), 10_001);
    assert!(kept(&region) <= vec + chunk_len + SMALL);
}
