//! Foreign text that cannot be an ID, a type or data.

use bytes::Bytes;
use tower_sse::{Data, EventId, EventType, InvalidText, LastEventId};

fn at(error: &InvalidText) -> (Option<char>, usize) {
    (error.character(), error.position())
}

// Clauses: header-characters
#[test]
fn an_id_names_the_character_and_its_place() {
    for (text, bad, position) in [("\0", '\0', 0), ("ab\rc", '\r', 2), ("zürich\n", '\n', 7)] {
        for error in [
            EventId::try_from(text).unwrap_err(),
            EventId::try_from(text.to_owned()).unwrap_err(),
            EventId::try_from(Bytes::from(text)).unwrap_err(),
        ] {
            assert_eq!(at(&error), (Some(bad), position), "{text:?}");
        }
    }
    assert_eq!(
        EventId::try_from("a\0").unwrap_err().to_string(),
        "event ID contains U+0000 (null) at byte 1"
    );
}

#[test]
fn a_type_may_have_a_null_and_no_line_break() {
    assert_eq!(EventType::try_from("a\0b").unwrap().as_str(), "a\0b");
    for text in ["\n", "a\r", "goal\r\ndata: injected"] {
        assert!(EventType::try_from(text).is_err());
        assert!(EventType::try_from(text.to_owned()).is_err());
        assert!(EventType::try_from(Bytes::from(text)).is_err());
    }
    assert_eq!(
        EventType::try_from("a\r").unwrap_err().to_string(),
        "event type contains U+000D (carriage return) at byte 1"
    );
}

#[test]
fn bytes_have_to_be_utf8() {
    let bad = Bytes::from_static(b"abc\xF0\x9F");
    assert_eq!(at(&EventId::try_from(bad.clone()).unwrap_err()), (None, 3));
    assert_eq!(
        at(&EventType::try_from(bad.clone()).unwrap_err()),
        (None, 3)
    );
    let error = Data::try_from(bad).unwrap_err();
    assert_eq!(error.to_string(), "data is not UTF-8 from byte 3 on");
}

#[test]
fn every_form_of_the_same_text_is_equal() {
    for text in ["", "7", "a text that is longer than what is kept in place"] {
        let id = EventId::try_from(text).unwrap();
        assert_eq!(id, EventId::try_from(text.to_owned()).unwrap());
        assert_eq!(id, EventId::try_from(Bytes::from(text)).unwrap());
        assert_eq!(id.as_str(), text);
        assert_eq!(id.to_string(), text);
        let event_type = EventType::try_from(text).unwrap();
        assert_eq!(event_type, EventType::try_from(text.to_owned()).unwrap());
        assert_eq!(event_type, EventType::try_from(Bytes::from(text)).unwrap());
        assert_eq!(event_type.as_str(), text);
    }
    assert_eq!(
        EventId::from(u64::MAX),
        EventId::from_static("18446744073709551615")
    );
}

#[test]
fn an_id_is_never_longer_than_can_be_sent_back() {
    let longest = "é".repeat(EventId::MAX_LEN / 2);
    assert_eq!(EventId::try_from(longest.as_str()).unwrap(), *longest);
    let long = format!("{longest}\n");
    for error in [
        EventId::try_from(long.as_str()).unwrap_err(),
        EventId::try_from(long.clone()).unwrap_err(),
        EventId::try_from(Bytes::from(long.clone())).unwrap_err(),
    ] {
        assert!(error.is_too_long());
        assert_eq!(at(&error), (None, EventId::MAX_LEN));
        assert_eq!(
            error.to_string(),
            "event ID is 4097 bytes long, over the limit of 4096"
        );
    }
    let leaked: &'static str = Box::leak(long.into_boxed_str());
    assert!(std::panic::catch_unwind(|| EventId::from_static(leaked)).is_err());
    assert!(EventType::try_from("x".repeat(100_000)).is_ok());
    assert!(!EventId::try_from("\0").unwrap_err().is_too_long());
}

#[test]
fn readers_know_the_bound_of_ids() {
    assert_eq!(LastEventId::MAX_LEN, EventId::MAX_LEN);
    let query = |len| format!("lastEventId={}", "7".repeat(len));
    let last = LastEventId::from_query(&query(EventId::MAX_LEN), usize::MAX).unwrap();
    assert_eq!(last.unwrap().as_str().len(), EventId::MAX_LEN);
    let error = LastEventId::from_query(&query(EventId::MAX_LEN + 1), usize::MAX).unwrap_err();
    assert!(error.is_too_long());
    assert_eq!(
        error.to_string(),
        "Last-Event-ID is 4097 bytes long, over the limit of 4096"
    );
}
