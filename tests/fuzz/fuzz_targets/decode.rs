//! The decoder against the oracle and the naive model of its limits: in chunks of sizes that the input
//! says, and in chunks that end where lines end.
#![no_main]

#[path = "../../decode/heard.rs"]
#[allow(dead_code, reason = "no target needs all of it")]
mod heard;
#[path = "../support.rs"]
mod support;

use support::{chunks, limited::Limits};

libfuzzer_sys::fuzz_target!(|input: (Option<(u8, u8)>, Vec<u8>, Vec<u8>)| {
    let (limits, sizes, stream) = input;
    let limits = limits.map_or(Limits::NONE, |(max_line, max_event)| Limits {
        max_line: max_line.into(),
        max_event: max_event.into(),
    });
    heard::check_limited(limits, &stream, &chunks::of_sizes(&sizes, &stream));
    heard::check_limited(limits, &stream, &chunks::at_ends(&sizes, &stream));
});
