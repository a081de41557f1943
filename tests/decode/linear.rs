//! A mebibyte of everything that could be looked at again and again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tower_sse::{Decoder, EventId};

/// A decoder that looks at a byte once for each chunk after it would need hours.
const DEADLINE: Duration = Duration::from_secs(600);
const LEN: usize = 1 << 20;

#[test]
fn every_input_takes_time_by_its_length() {
    let inputs: [&[u8]; 14] = [
        b"data: x",
        b"x",
        b":",
        b"\n",
        b"\r",
        b"\xEF\xBB\xBF",
        b"\xFF",
        b"data\n",
        b"event: x\n",
        b"id: x\n",
        b"id: \0\n",
        b":\n",
        b"data: x\n\n",
        b"retry: 1\n",
    ];
    let heads: [&[u8]; 3] = [b"", b"data: ", b"id: 1\ndata: x\nevent: "];
    let start = Instant::now();
    for input in inputs {
        for head in heads {
            let stream = Bytes::from([head, &input.repeat(LEN / input.len())].concat());
            for size in [7, 4_096, LEN] {
                let mut decoder = Decoder::new();
                let mut rest = stream.clone();
                while !rest.is_empty() {
                    let mut chunk = rest.split_to(size.min(rest.len()));
                    while decoder.decode(&mut chunk).unwrap().is_some() {}
                    assert!(start.elapsed() < DEADLINE, "{head:?}, {input:?} by {size}");
                }
            }
        }
    }
}

#[test]
fn a_long_id_is_not_copied_for_each_event() {
    let start = Instant::now();
    let id = "7".repeat(EventId::MAX_LEN);
    let stream = format!("id: {id}\n\n{}", "data: x\n\n".repeat(20_000));
    let mut decoder = Decoder::new();
    let mut chunk = Bytes::from(stream);
    let mut events = Vec::new();
    while let Some(event) = decoder.decode(&mut chunk).unwrap() {
        events.push(event);
    }
    assert_eq!(events.len(), 20_000);
    // The first event's too, as it is not the one that has the ID.
    let address = |n: usize| events[n].last_event_id().as_ptr();
    assert_eq!(events[19_999].last_event_id(), id);
    assert_eq!(address(19_999), address(0));
    assert!(start.elapsed() < DEADLINE);
}
