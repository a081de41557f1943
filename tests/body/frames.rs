//! What leaves in one frame.

use std::convert::Infallible;

use bytes::Bytes;
use http_body::Body;
use tower_sse::{Block, Data, Event, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};

type Events = Script<Result<Event, Infallible>>;

fn numbered(from: u64, to: u64) -> impl Iterator<Item = Result<Event, Infallible>> {
    (from..to).map(|n| Ok(Event::new(format!("event number {n}")).with_id(n)))
}

#[test]
fn ready_events_leave_together_and_wait_for_nobody() {
    let (wakes, waker) = Wakes::new();
    let events = Events::new(numbered(0, 3));
    let mut body = Box::pin(SseBody::new(events.clone()));
    let frame = poll(&mut body, &waker).data();
    assert_eq!(
        frame,
        "id: 0\ndata: event number 0\n\n\
         id: 1\ndata: event number 1\n\n\
         id: 2\ndata: event number 2\n\n"
    );
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    events.push(Ok(Event::new("x")));
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    events.close();
    assert_eq!(poll(&mut body, &waker), Polled::End);
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn a_frame_ends_with_the_event_that_fills_it() {
    let (_, waker) = Wakes::new();
    for size in [1, 100, 8 * 1024] {
        let events = Events::new(numbered(0, 2_000));
        events.close();
        let mut body = Box::pin(SseBody::new(events).frame_size(size));
        let mut all = Vec::new();
        loop {
            match poll(&mut body, &waker) {
                Polled::Data(frame) => {
                    let events = frame.strip_suffix(b"\n\n").unwrap();
                    let before_last = events
                        .windows(2)
                        .rposition(|pair| pair == b"\n\n")
                        .map_or(0, |at| at + 2);
                    assert!(before_last < size, "{before_last} bytes, and more");
                    all.extend_from_slice(&frame);
                }
                Polled::End => break,
                other => panic!("{other:?}"),
            }
        }
        let expected: Vec<Bytes> = numbered(0, 2_000)
            .map(|event| event.unwrap().encode().into_bytes())
            .collect();
        assert_eq!(all, expected.concat());
    }
}

#[test]
fn a_lone_event_leaves_as_one_exact_allocation() {
    let (_, waker) = Wakes::new();
    let mut body = Box::pin(SseBody::new(Events::new(numbered(0, 1))));
    let frame = poll(&mut body, &waker).data();
    let (pointer, len) = (frame.as_ptr(), frame.len());
    let vec = Vec::from(frame);
    assert_eq!((vec.as_ptr(), vec.capacity()), (pointer, len));
}

#[test]
fn a_long_payload_is_shared_and_what_follows_leaves_with_its_end() {
    let (_, waker) = Wakes::new();
    let payload = Bytes::from("x".repeat(1 << 20));
    let long = Event::new(Data::try_from(payload.clone()).unwrap());
    let events = Events::new(numbered(0, 1).chain([Ok(long)]).chain(numbered(1, 2)));
    events.close();
    let mut body = Box::pin(SseBody::new(events));
    assert_eq!(
        poll(&mut body, &waker).data(),
        "id: 0\ndata: event number 0\n\ndata: "
    );
    let shared = poll(&mut body, &waker).data();
    assert_eq!(
        (shared.as_ptr(), shared.len()),
        (payload.as_ptr(), payload.len())
    );
    assert_eq!(
        poll(&mut body, &waker).data(),
        "\n\nid: 1\ndata: event number 1\n\n"
    );
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn blocks_and_written_items_are_bodies_too() {
    let (_, waker) = Wakes::new();
    let block = Block::from(Event::new("shared"));
    let blocks = Script::<Result<Block, Infallible>>::new([Ok(block.clone()), Ok(block)]);
    let mut body = Box::pin(SseBody::new(blocks));
    assert_eq!(
        poll(&mut body, &waker).data(),
        "data: shared\n\ndata: shared\n\n"
    );

    let items = Script::<Result<i32, &str>>::new([Ok(1), Ok(-1), Ok(3), Ok(0), Ok(9)]);
    let mut body = Box::pin(SseBody::writer(items, |n, out| match n {
        0 => Err("zero"),
        n if n < 0 => Ok(()),
        n => {
            out.display(n).unwrap();
            out.comment("counted");
            Ok(())
        }
    }));
    assert_eq!(
        poll(&mut body, &waker).data(),
        "data: 1\n\n: counted\n\ndata: 3\n\n: counted\n\n"
    );
    assert_eq!(poll(&mut body, &waker), Polled::Pending, "time to write");
    assert_eq!(poll(&mut body, &waker), Polled::Error("zero"));
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn items_that_write_nothing_do_not_keep_the_thread() {
    let (wakes, waker) = Wakes::new();
    let nothing = futures_util::stream::repeat(Ok::<_, Infallible>(()));
    let mut body = Box::pin(SseBody::writer(nothing, |(), _| Ok(())));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    assert_eq!(wakes.count(), 1);
}

#[test]
fn the_hints_are_those_of_what_is_there() {
    let (_, waker) = Wakes::new();
    let events = Events::new(numbered(0, 1));
    let mut body = Box::pin(SseBody::new(events.clone()).frame_size(1));
    assert!(!body.is_end_stream());
    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (0, None)
    );
    poll(&mut body, &waker).data();
    events.close();
    assert!(!body.is_end_stream());
    assert!(events.is_held());
    assert_eq!(poll(&mut body, &waker), Polled::End);
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), None);
    assert!(!events.is_held(), "what has ended is dropped");

    let mut default = Box::pin(SseBody::<Events>::default());
    assert!(default.is_end_stream());
    assert_eq!(poll(&mut default, &waker), Polled::End);
}
