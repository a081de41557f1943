//! The decoder against the oracle, in chunks of sizes that the first bytes say.
#![no_main]

#[path = "../heard.rs"]
mod heard;

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (sizes, stream) = input;
    let wanted = heard::wanted(&stream);
    assert_eq!(heard::owned(&sizes, &stream), wanted);
    assert_eq!(heard::lent(&sizes, &stream), wanted);
});
