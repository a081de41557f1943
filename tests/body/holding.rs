//! When what a body holds is dropped.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use futures_util::stream::{self, Stream, StreamExt};
use http_body::Body;
use tower_sse::{Event, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};

/// Writes down who was dropped.
#[derive(Clone, Default)]
struct Drops(Arc<Mutex<Vec<&'static str>>>);

impl Drops {
    fn guard(&self, name: &'static str) -> Guard {
        Guard(self.clone(), name)
    }

    fn seen(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

struct Guard(Drops, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push(self.1);
        assert_ne!(self.1, "panics");
    }
}

/// A stream of these items that is a guard itself.
fn guarded<I: Send + 'static, const N: usize>(
    drops: &Drops,
    items: [I; N],
) -> Box<dyn Stream<Item = I> + Send + Unpin> {
    let guard = drops.guard("stream");
    Box::new(stream::iter(items).inspect(move |_| _ = &guard))
}

#[test]
fn is_dropped_at_the_end_of_the_stream_and_after_it() {
    let (_, waker) = Wakes::new();
    let drops = Drops::default();
    let body = SseBody::new(guarded(&drops, [Event::new("x")])).hold(drops.guard("a"));
    let mut body = Box::pin(body.hold(drops.guard("b")));
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert_eq!(
        drops.seen(),
        ["stream", "a", "b"],
        "though the body is still there"
    );
    assert_eq!(poll(&mut body, &waker), Polled::End);
    drop(body);
    assert_eq!(drops.seen().len(), 3, "once");
}

#[test]
fn is_dropped_by_an_error_even_if_that_is_not_told() {
    let (_, waker) = Wakes::new();
    for tell in [false, true] {
        let drops = Drops::default();
        let body = SseBody::new(guarded(&drops, [Err::<Event, _>("gone")])).hold(drops.guard("a"));
        let mut body = Box::pin(if tell {
            body
        } else {
            body.on_error(Event::new("sorry"))
        });
        _ = poll(&mut body, &waker);
        assert_eq!(drops.seen(), ["stream", "a"]);
    }
}

#[test]
fn is_dropped_by_a_shutdown() {
    let (_, waker) = Wakes::new();
    let drops = Drops::default();
    let events = Script::<Result<Event, Infallible>>::new([]);
    let body = SseBody::new(events.clone()).hold(drops.guard("a"));
    let mut body = Box::pin(body.end_when(async {}).farewell(Event::new("bye")));
    assert_eq!(poll(&mut body, &waker).data(), "data: bye\n\n");
    assert_eq!(drops.seen(), ["a"]);
    assert!(!events.is_held());
}

#[test]
fn is_dropped_with_the_body_polled_or_not() {
    let (_, waker) = Wakes::new();
    for polled in [false, true] {
        let drops = Drops::default();
        let events = Script::<Result<Event, Infallible>>::new([]);
        let mut body = Box::pin(SseBody::new(events).hold(drops.guard("a")));
        if polled {
            assert_eq!(poll(&mut body, &waker), Polled::Pending);
        }
        assert!(drops.seen().is_empty());
        drop(body);
        assert_eq!(drops.seen(), ["a"]);
    }
}

#[cfg(feature = "tokio")]
#[test]
fn is_kept_when_the_body_gets_its_timer_or_its_box() {
    let (_, waker) = Wakes::new();
    let drops = Drops::default();
    let body = SseBody::new(guarded(&drops, [Event::new("x")])).hold(drops.guard("a"));
    let body = body.end_when(std::future::pending());
    let mut body = Box::pin(body.keep_alive(tower_sse::KeepAlive::default()).boxed());
    assert!(drops.seen().is_empty());
    assert_eq!(poll(&mut body, &waker).data(), ":\ndata: x\n\n");
    assert_eq!(drops.seen(), ["stream", "a"]);
}

#[test]
fn a_drop_that_panics_leaves_a_body_at_its_end() {
    let (_, waker) = Wakes::new();
    let drops = Drops::default();
    let body = SseBody::new(guarded(&drops, [Event::new("x")])).hold(drops.guard("panics"));
    let mut body = Box::pin(body.hold(drops.guard("after")));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut body, &waker))).is_err());
    assert_eq!(drops.seen(), ["stream", "panics", "after"]);
    // What the stream gave is not lost.
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, &waker), Polled::End);
    drop(body);
    assert_eq!(drops.seen().len(), 3);
}

#[test]
fn a_stream_that_panics_lets_go_when_the_body_is_dropped() {
    let (_, waker) = Wakes::new();
    let drops = Drops::default();
    let stream = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Event>> {
        panic!("in the stream")
    });
    let mut body = Box::pin(SseBody::new(stream).hold(drops.guard("a")));
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut body, &waker))).is_err());
    }
    assert!(drops.seen().is_empty());
    drop(body);
    assert_eq!(drops.seen(), ["a"]);
}
