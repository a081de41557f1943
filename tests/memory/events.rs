//! Events leave nothing, whatever becomes of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stats_alloc::Region;
use tower_sse::{Block, Data, Event, EventId, EventType};

use crate::support::rng::Rng;
use crate::{ALLOCATOR, COUNTING, KIB, kept};

/// Data of each kind that there is, in place and allocated.
fn data(rng: &mut Rng) -> Data {
    let text = "x\ny".repeat(*rng.pick(&[1, 40, 11_000]));
    match rng.below(7) {
        0 => Data::from_static("static"),
        1 => Data::from(text.as_str()),
        2 => Data::from(text),
        3 => Data::from(Arc::<str>::from(text)),
        4 => Data::try_from(Bytes::from(text)).unwrap(),
        5 => Data::lines([text]),
        _ => Data::display(text).unwrap(),
    }
}

fn text(rng: &mut Rng) -> String {
    "z".repeat(*rng.pick(&[1, 16, 30, 2_000]))
}

/// Panics where an ID or a type is made of it.
struct Panics;

impl From<Panics> for EventId {
    fn from(_: Panics) -> Self {
        std::panic::resume_unwind(Box::new(()));
    }
}

impl From<Panics> for EventType {
    fn from(_: Panics) -> Self {
        std::panic::resume_unwind(Box::new(()));
    }
}

/// Sets parts, some of them again.
fn set(rng: &mut Rng, mut event: Event) -> Event {
    for _ in 0..rng.below(5) {
        event = match rng.below(7) {
            0 => event.with_type("literal"),
            1 => event.with_id(7),
            2 => event.try_with_type(text(rng)).unwrap(),
            3 => event.try_with_id(text(rng)).unwrap(),
            4 => event.with_type(EventType::try_from(text(rng)).unwrap()),
            5 => event.with_retry(Duration::from_secs(1)),
            _ => event.with_comment(text(rng)),
        };
    }
    event
}

/// Encodes or drops the event, in each way there is.
fn consume(rng: &mut Rng, event: Event) {
    match rng.below(9) {
        0 => drop(event),
        1 => drop(event.encode()),
        2 => drop(Block::from(&event)),
        3 => drop(Block::write(|out| out.push(event))),
        4 => drop(event.clone().encode().into_bytes()),
        5 => assert!(event.try_with_id("two\nlines").is_err()),
        6 => assert!(event.try_with_type("two\nlines").is_err()),
        7 => assert!(catch_unwind(AssertUnwindSafe(|| event.with_id(Panics))).is_err()),
        _ => assert!(catch_unwind(AssertUnwindSafe(|| event.with_type(Panics))).is_err()),
    }
}

#[test]
fn an_event_leaves_nothing() {
    let _counting = COUNTING.lock();
    let mut rng = Rng::new(2026);
    let mut round = || {
        let event = match rng.below(8) {
            0 => Event::comment(text(&mut rng)),
            _ => Event::new(data(&mut rng)),
        };
        let event = set(&mut rng, event);
        consume(&mut rng, event);
    };
    // What is kept once, such as the thread's buffer.
    (0..100).for_each(|_| round());
    let region = Region::new(ALLOCATOR);
    (0..2_000).for_each(|_| round());
    // The threads of other tests begin and end meanwhile.
    assert!(kept(&region) < 8 * KIB, "{}", kept(&region));
}
