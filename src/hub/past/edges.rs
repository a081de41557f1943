//! The boundary between a page and the ring.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use http_body::Body;

use super::memory_log::{MemoryLog, PastNode};
use crate::body::SealedSource;
use crate::hub::foreign::id_of;
use crate::hub::outer::{PageFuture, Past};
use crate::hub::{Hub, LagPolicy, Start};
use crate::protocol::EventId;

/// Polls once, and returns whether that was the end.
type IsOver = Box<dyn FnMut(&mut Context<'_>) -> Poll<bool>>;

#[derive(Default)]
struct WakeCount(AtomicUsize);

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Pages that are read when they are requested and delivered later.
#[derive(Debug)]
struct EarlyPages(Arc<MemoryLog>);

impl Past for EarlyPages {
    fn page(&self, after: u128) -> PageFuture {
        let mut cx = Context::from_waker(Waker::noop());
        let mut page = Some(self.0.page(after).as_mut().poll(&mut cx));
        let mut late = true;
        Box::pin(std::future::poll_fn(move |_| {
            match std::mem::take(&mut late) {
                true => Poll::Pending,
                false => page.take().unwrap(),
            }
        }))
    }
}

#[test]
fn the_ring_passes_the_end_of_a_page_that_is_on_its_way() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        outer.entries.lock().unwrap().extend([(6, "a"), (7, "a")]);
        let settings = Hub::builder().retain_events(2).lag(LagPolicy::End);
        let past = Arc::new(EarlyPages(Arc::clone(&outer)));
        let mut node = PastNode {
            hub: settings.after_key(6).past(past).build(),
            at: 6,
        };
        let last = EventId::try_from(id_of(7).as_str()).unwrap();
        let mut body = node
            .hub
            .subscriber()
            .topic("a")
            .after(last)
            .subscribe()
            .unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        outer
            .entries
            .lock()
            .unwrap()
            .extend([(8, "a"), (9, "a"), (10, "a")]);
        node.feed(&outer, 4);
        // The page has nothing after 7, and the ring no longer has 7. The next page is read at
        // once, because no further event may wake the task.
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        assert_eq!(outer.pages.load(Ordering::Relaxed), 2);
        let frame = Pin::new(&mut body).poll_frame(&mut cx);
        let Poll::Ready(Some(Ok(frame))) = frame else {
            panic!("{frame:?}")
        };
        let text = frame.into_data().unwrap();
        assert_eq!(
            text.split(|byte| *byte == b'\n')
                .filter(|line| **line == *b"data: a")
                .count(),
            3
        );
    });
}

#[test]
fn what_the_ring_has_at_the_handover_does_not_wait_for_the_next_event() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        outer
            .entries
            .lock()
            .unwrap()
            .extend((5..9_000).map(|key| (key, "a")));
        let settings = Hub::builder().retain_events(10_000).lag(LagPolicy::End);
        let past = Arc::new(EarlyPages(Arc::clone(&outer)));
        let mut node = PastNode {
            hub: settings.after_key(7).past(past).build(),
            at: 7,
        };
        node.feed(&outer, usize::MAX);
        let last = EventId::try_from(id_of(5).as_str()).unwrap();
        let subscriber = node.hub.subscriber().prefix("a").after(last);
        let mut body = subscriber.subscribe().unwrap();
        // Unlike the no-op waker, it recognizes its clones.
        let waker = Waker::from(Arc::<WakeCount>::default());
        let mut cx = Context::from_waker(&waker);
        // For the page.
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        let (mut frames, mut events) = (0, 0);
        while let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(&mut cx) {
            let bytes = frame.unwrap().unwrap().into_data().unwrap();
            let lines = bytes.split(|byte| *byte == b'\n');
            events += lines.filter(|line| **line == *b"data: a").count();
            frames += 1;
        }
        assert!(frames > 2, "all in one");
        assert_eq!(events, 8_994);
    });
}

#[test]
fn what_the_ring_has_reaches_a_filtered_newcomer_without_a_further_event() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        let past = Arc::new(Arc::clone(&outer));
        let mut node = PastNode {
            hub: Hub::builder().after_key(6).past(past).build(),
            at: 6,
        };
        let entries = [(7, "a"), (8, "a")];
        outer.entries.lock().unwrap().extend(entries);
        node.feed(&outer, 2);
        let start = Start::After(id_of(7));
        let subscriber = node.hub.subscriber().topic("a").start(start);
        let mut body = subscriber.filter(|_| true).subscribe().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let frames = ["id: 0-7\n\n", "id: 0-8\ndata: a\n\n"];
        for wanted in frames {
            let frame = Pin::new(&mut body).poll_frame(&mut cx);
            let Poll::Ready(Some(Ok(frame))) = frame else {
                panic!("{frame:?} instead of {wanted:?}")
            };
            assert_eq!(frame.into_data().unwrap(), wanted);
        }
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
    });
}

#[test]
fn a_heartbeat_after_a_cut_does_not_tell_a_place_after_the_loss() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        let past = Arc::new(Arc::clone(&outer));
        let mut node = PastNode {
            hub: Hub::builder().after_key(6).past(past).build(),
            at: 6,
        };
        let subscriber = node.hub.subscriber().topic("a").filter(|_| false);
        let mut body = subscriber.subscribe().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        // Its place.
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        outer.entries.lock().unwrap().extend([(6, "b"), (7, "a")]);
        node.feed(&outer, 1);
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        // Another thread may do this before a heartbeat is sent.
        node.hub.cut(9);
        outer.entries.lock().unwrap().extend([(10, "b")]);
        node.at = 9;
        node.feed(&outer, 1);
        assert!(Pin::new(&mut body).place().is_none());
        let frame = Pin::new(&mut body).poll_frame(&mut cx);
        assert!(matches!(frame, Poll::Ready(None)));
    });
}

#[test]
fn a_heartbeat_after_a_move_does_not_tell_a_place_before_what_was_sent() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        let mut node = PastNode {
            hub: Hub::builder().after_key(6).build(),
            at: 6,
        };
        let subscriber = node.hub.subscriber().topics(["a", "b"]).after(id_of(6));
        let mut body = subscriber.filter(|_| true).subscribe().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let entries = [(6, "b"), (7, "b"), (8, "a"), (9, "b"), (10, "b")];
        outer.entries.lock().unwrap().extend(entries);
        node.feed(&outer, 2);
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        assert!(body.handle().leave("a"));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        node.feed(&outer, 2);
        assert!(Pin::new(&mut body).place().is_none());
    });
}

#[test]
fn a_close_ends_those_that_read_the_past() {
    crate::sync::run(|| {
        for stream in [false, true] {
            let outer = Arc::new(MemoryLog {
                polls: usize::MAX,
                ..MemoryLog::default()
            });
            let settings = Hub::builder().after_key(9).past(Arc::new(outer));
            let hub = settings.build();
            let body = hub
                .subscriber()
                .topic("a")
                .after(id_of(3))
                .subscribe()
                .unwrap();
            let wakes = Arc::new(WakeCount::default());
            let waker = Waker::from(Arc::clone(&wakes));
            let mut cx = Context::from_waker(&waker);
            let mut poll: IsOver = if stream {
                let mut stream = body.into_stream();
                Box::new(move |cx| Pin::new(&mut stream).poll_next(cx).map(|one| one.is_none()))
            } else {
                let mut body = body;
                Box::new(move |cx| Pin::new(&mut body).poll_frame(cx).map(|one| one.is_none()))
            };
            assert!(poll(&mut cx).is_pending() && poll(&mut cx).is_pending());
            assert_eq!(hub.stats().subscribers, 1);
            hub.close();
            assert!(wakes.0.load(Ordering::Relaxed) > 0);
            assert_eq!(poll(&mut cx), Poll::Ready(true));
            assert_eq!(hub.stats().subscribers, 0);
        }
    });
}
