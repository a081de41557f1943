//! What becomes an event, an ID and a type, as users have it in their hands.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use tower_sse::protocol::IdRef;
use tower_sse::{Block, Data, Event, EventId, EventType};

/// Short enough to be kept in place, and too long for that.
const TEXTS: [&str; 6] = [
    "",
    "goal",
    "fifteen bytes: ",
    "sixteen bytes: 1",
    "a text that is longer than what is kept in place",
    "é\r\n火",
];

#[test]
fn any_text_is_data() {
    for text in TEXTS {
        let owned = text.to_owned();
        let expected = Block::write(|out| out.data(text));
        for event in [
            Event::new(owned.as_str()),
            Event::new(&owned),
            Event::new(owned.clone()),
            Event::new(Cow::Borrowed(owned.as_str())),
            Event::new(Cow::<str>::Owned(owned.clone())),
            Event::new(Box::<str>::from(text)),
            Event::new(Arc::<str>::from(text)),
            Event::new(Data::from_static(text)),
            Event::from_static(text),
            Event::try_new(Bytes::from(owned.clone())).unwrap(),
            Event::try_new(owned.clone().into_bytes()).unwrap(),
            Event::try_new(text).unwrap(),
        ] {
            assert_eq!(event.encode(), expected, "{text:?}");
        }
    }
    assert_eq!(Event::new('火').encode(), "data: 火\n\n");
    assert_eq!(Event::new('\n').encode(), "data: \ndata: \n\n");
    let bad = Event::try_new(Bytes::from_static(b"ab\xff")).unwrap_err();
    assert_eq!(bad.position(), 2);
    assert!(Event::try_new(vec![0xff]).is_err());
}

#[test]
fn borrowed_text_need_not_outlive_the_event() {
    let event = {
        let text = "short lived ".repeat(10);
        Event::new(text.trim_end())
    };
    assert!(event.encode().into_bytes().ends_with(b"short lived\n\n"));
}

#[test]
fn a_long_arc_is_shared() {
    let text = Arc::<str>::from("x".repeat(1 << 20));
    let event = Event::new(Arc::clone(&text));
    assert_eq!(Arc::strong_count(&text), 2);
    let chunks: Vec<Bytes> = Block::from(&event).into_chunks().collect();
    assert_eq!(chunks[1].as_ptr(), text.as_ptr());
    drop((event, chunks));
    assert_eq!(Arc::strong_count(&text), 1);
}

#[test]
fn a_short_arc_is_shared_until_it_is_encoded() {
    let text = Arc::<str>::from("x");
    let event = Event::new(Arc::clone(&text));
    assert_eq!(Arc::strong_count(&text), 2);
    assert_eq!(Block::from(&event), "data: x\n\n");
    drop(event);
    assert_eq!(Arc::strong_count(&text), 1);
}

#[test]
fn clones_of_long_text_share_it() {
    let event = Event::new("x".repeat(32 * 1024));
    let [one, other] = [event.clone(), event].map(|event| {
        let chunks: Vec<Bytes> = event.encode().into_chunks().collect();
        chunks[1].as_ptr()
    });
    assert_eq!(one, other);
}

#[test]
fn every_integer_is_an_id() {
    let events = [
        (Event::new("x").with_id(7), "7"),
        (Event::new("x").with_id(-7), "-7"),
        (Event::new("x").with_id(u8::MAX), "255"),
        (Event::new("x").with_id(u16::MAX), "65535"),
        (Event::new("x").with_id(u32::MAX), "4294967295"),
        (Event::new("x").with_id(u64::MAX), "18446744073709551615"),
        (Event::new("x").with_id(usize::MAX), "18446744073709551615"),
        (Event::new("x").with_id(i8::MIN), "-128"),
        (Event::new("x").with_id(i16::MIN), "-32768"),
        (Event::new("x").with_id(i32::MIN), "-2147483648"),
        (Event::new("x").with_id(i64::MIN), "-9223372036854775808"),
        (Event::new("x").with_id(isize::MIN), "-9223372036854775808"),
        (Event::new("x").with_id(i64::MAX), "9223372036854775807"),
    ];
    for (event, id) in events {
        assert_eq!(event.id().unwrap(), id);
    }
    let blocks = [
        (Block::write(|out| out.id(7).data("x")), "7"),
        (Block::write(|out| out.id(-7).data("x")), "-7"),
        (Block::write(|out| out.id(u8::MAX).data("x")), "255"),
        (Block::write(|out| out.id(u16::MAX).data("x")), "65535"),
        (Block::write(|out| out.id(u32::MAX).data("x")), "4294967295"),
        (Block::write(|out| out.id(usize::MIN).data("x")), "0"),
        (Block::write(|out| out.id(i8::MIN).data("x")), "-128"),
        (Block::write(|out| out.id(i16::MIN).data("x")), "-32768"),
        (
            Block::write(|out| out.id(i64::MIN).data("x")),
            "-9223372036854775808",
        ),
        (
            Block::write(|out| out.id(isize::MAX).data("x")),
            "9223372036854775807",
        ),
    ];
    for (block, id) in blocks {
        assert_eq!(block, Event::new("x").try_with_id(id).unwrap().encode());
    }
}

#[test]
fn text_at_run_time_is_checked() {
    let text = String::from("match-7");
    let event = || Event::new("x");
    for event in [
        event()
            .try_with_id(text.as_str())
            .unwrap()
            .try_with_type(text.as_str())
            .unwrap(),
        event()
            .try_with_id(&text)
            .unwrap()
            .try_with_type(&text)
            .unwrap(),
        event()
            .try_with_id(text.clone())
            .unwrap()
            .try_with_type(text.clone())
            .unwrap(),
        event()
            .try_with_id(Cow::Borrowed(&*text))
            .unwrap()
            .try_with_type(Cow::Borrowed(&*text))
            .unwrap(),
    ] {
        assert_eq!(event.encode(), "event: match-7\nid: match-7\ndata: x\n\n");
    }
    _ = event().try_with_id(7).unwrap();
    _ = event().try_with_type(EventType::MESSAGE).unwrap();
    let long = "7".repeat(EventId::MAX_LEN + 1);
    for bad in ["7\n", "7\r", "7\0", &long] {
        assert!(Event::new("x").try_with_id(bad).is_err());
        assert!(IdRef::try_from(bad).is_err());
        assert!(bad.parse::<EventId>().is_err());
    }
    for bad in ["goal\n", "go\ral"] {
        assert!(Event::new("x").try_with_type(bad).is_err());
        assert!(bad.parse::<EventType>().is_err());
    }
    let id = IdRef::try_from(&text).unwrap();
    assert_eq!(
        Block::write(|out| out.id(id).data("x")),
        "id: match-7\ndata: x\n\n"
    );
}

/// A type in a literal needs no ceremony, and cannot panic or get out of its field, leaked or not.
#[test]
fn a_literal_type_ends_at_its_first_line_break() {
    for (text, expected) in [
        ("goal", "event: goal\ndata: x\n\n"),
        ("goal\n", "event: goal\ndata: x\n\n"),
        ("goal\r\ndata: forged", "event: goal\ndata: x\n\n"),
        ("goal\rdata: forged", "event: goal\ndata: x\n\n"),
        ("\ndata: forged", "data: x\n\n"),
        ("", "data: x\n\n"),
    ] {
        let leaked: &'static str = text.to_owned().leak();
        assert_eq!(Event::new("x").with_type(leaked).encode(), expected);
        assert_eq!(Block::write(|out| out.typed(leaked).data("x")), expected);
    }
}

#[test]
fn ids_and_types_compare_with_text_in_both_directions() {
    let (id, event_type) = (EventId::from_static("a"), EventType::from_static("a"));
    let (text, owned) = ("a", "a".to_owned());
    assert!(id == *text && id == text && id == owned);
    assert!(*text == id && text == id && owned == id);
    assert!(event_type == *text && event_type == text && event_type == owned);
    assert!(*text == event_type && text == event_type && owned == event_type);
    assert!(id != "b" && event_type != "b");
    assert_eq!("a".parse::<EventId>().unwrap(), id);
    assert_eq!("a".parse::<EventType>().unwrap(), event_type);
    assert_eq!(Event::new("x").with_id(&id).id(), Some(&id));
    let event = Event::new("x").with_type(&event_type);
    assert_eq!(event.event_type(), Some(&event_type));
}
