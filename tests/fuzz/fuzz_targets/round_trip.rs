//! What goes in as an event comes out as the same event.
#![no_main]

#[path = "../heard.rs"]
mod heard;

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, String, String, String)| {
    let (sizes, event_type, id, data) = input;
    let Some((stream, wanted)) = heard::event(&event_type, &id, &data) else { return };
    assert_eq!(heard::owned(&sizes, &stream), wanted);
    assert_eq!(heard::lent(&sizes, &stream), wanted);
});
