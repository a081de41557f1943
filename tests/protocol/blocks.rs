//! The bytes of blocks, and how they share and allocate.

use std::time::Duration;

use bytes::Bytes;
use tower_sse::{Block, Data, Event, EventId, EventType};

#[test]
fn comments_and_retries_stand_alone_too() {
    assert_eq!(Event::comment("").encode(), ":\n\n");
    assert_eq!(
        Event::comment("a\r\nb\rc\n").encode(),
        ": a\n: b\n: c\n: \n\n"
    );
    assert_eq!(
        Event::retry(Duration::from_micros(1_999)).encode(),
        "retry: 1\n\n"
    );
    assert_eq!(Event::retry(Duration::ZERO).encode(), "retry: 0\n\n");
    assert_eq!(
        Event::retry(Duration::MAX).encode(),
        format!("retry: {}\n\n", u64::MAX).as_str()
    );
}

#[test]
fn an_empty_type_is_no_type() {
    assert_eq!(
        Event::new("x")
            .with_type(EventType::from_static(""))
            .encode(),
        "data: x\n\n"
    );
}

#[test]
fn a_lone_block_is_one_exact_allocation() {
    for text in ["x".repeat(100), "a\r\nb\n".repeat(100), String::new()] {
        let event = Event::new(text).with_id(7u64).with_type(EventType::MESSAGE);
        let bytes = event.encode().into_bytes();
        // A `Bytes` from an exact `Vec` gives the same allocation back.
        let (pointer, len) = (bytes.as_ptr(), bytes.len());
        let vec = Vec::from(bytes);
        assert_eq!((vec.as_ptr(), vec.capacity()), (pointer, len));
    }
}

#[test]
fn a_long_payload_is_shared_by_event_block_and_chunks() {
    let payload = Bytes::from("x".repeat(1 << 20));
    let event = Event::new(Data::try_from(payload.clone()).unwrap()).with_id(7u64);
    let block = event.clone().encode();
    assert_eq!(block.len(), "id: 7\ndata: \n\n".len() + payload.len());
    let chunks: Vec<Bytes> = block.clone().into_chunks().collect();
    assert_eq!(chunks.len(), 3);
    assert_eq!(chunks[0], "id: 7\ndata: ");
    assert_eq!(chunks[1].as_ptr(), payload.as_ptr());
    assert_eq!(chunks[2], "\n\n");
    assert_eq!(block.into_bytes(), chunks.concat());
    assert_eq!(
        Block::write(|out| out.push(event)).into_bytes(),
        chunks.concat()
    );
}

#[test]
fn a_long_payload_with_a_line_break_is_written_line_by_line() {
    let text = format!("{}\r\n{}", "x".repeat(1 << 20), "y".repeat(100));
    let block = Event::new(text.clone()).encode();
    let expected = format!("data: {}\n\n", text.replace("\r\n", "\ndata: "));
    assert_eq!(block, expected.as_str());
}

#[test]
fn a_failing_value_leaves_what_was_written_before() {
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half of it")?;
            Err(std::fmt::Error)
        }
    }
    assert!(Data::display(Fails).is_err());
    let block = Block::write(|out| {
        out.data("before");
        assert!(out.id(7u64).display(Fails).is_err());
        out.data("after");
    });
    assert_eq!(block, "data: before\n\ndata: after\n\n");
}

#[cfg(feature = "json")]
#[test]
fn json_strings_and_raw_json_keep_their_line_breaks() {
    assert_eq!(Event::json("a\nb").unwrap().encode(), "data: \"a\\nb\"\n\n");
    let pretty = serde_json::value::RawValue::from_string("{\n\"a\": 1\r\n}".to_owned()).unwrap();
    assert_eq!(
        Event::json(&pretty).unwrap().encode(),
        "data: {\ndata: \"a\": 1\ndata: }\n\n"
    );
    let block = Block::write(|out| {
        out.json(&f64::NAN).unwrap();
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        assert!(out.id(1u64).json(&keys).is_err());
    });
    assert_eq!(block, "data: null\n\n");
}

#[test]
fn a_dropped_beginning_writes_nothing() {
    let block = Block::write(|out| {
        #[expect(unused_must_use, reason = "that is the case here")]
        out.id(&EventId::EMPTY);
    });
    assert!(block.is_empty());
    assert_eq!(block.into_chunks().count(), 0);
}
