//! Bursts larger than what is retained: who is served while the publisher still publishes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http_body_util::BodyExt;
use tower_sse::Event;
use tower_sse::hub::{Hub, Subscription};

use crate::support::blocking::block_on;

const RING: u64 = 1_024;

/// When a test gives up; then it closes the hub, so that its readers end.
const PATIENCE: Duration = Duration::from_secs(60);

fn hub() -> Hub {
    let retain = usize::try_from(RING).unwrap();
    Hub::builder()
        .epoch(36)
        .retain_events(retain)
        .announce_place(false)
        .build()
}

/// What a subscriber has been sent.
#[derive(Debug, Default)]
struct Received {
    events: u64,
    /// The number of the last.
    last: u64,
    gaps: u64,
}

impl Received {
    /// Reads a frame, in which each event follows the one before it, or a gap event that says where
    /// it goes on.
    fn read(&mut self, frame: &[u8]) {
        let text = std::str::from_utf8(frame).unwrap();
        for block in text.split_terminator("\n\n") {
            let number = block.lines().find_map(|line| line.strip_prefix("id: 10-"));
            let number: u64 = number.unwrap().parse().unwrap();
            if block.starts_with("event: gap\n") {
                assert!(number > self.last, "no gap at {number}");
                self.gaps += 1;
            } else {
                assert_eq!(number, self.last + 1, "a gap that was not told");
                self.events += 1;
            }
            self.last = number;
        }
    }

    /// Waits for a frame; whether there was one.
    fn next(&mut self, body: &mut Subscription) -> bool {
        let frame = block_on(body.frame());
        frame.is_some_and(|frame| {
            self.read(&frame.unwrap().into_data().unwrap());
            true
        })
    }
}

/// What a subscriber that was not polled during the burst is sent after it.
fn assert_stalled(hub: &Hub, mut stalled: Subscription) {
    let total = hub.stats().published;
    let mut received = Received::default();
    while let Some(Some(frame)) = stalled.frame().now_or_never() {
        received.read(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!((received.gaps, received.last), (1, total));
    assert_eq!(received.events, RING);
}

#[test]
fn subscribers_that_keep_up_lose_nothing() {
    const EVENTS: u64 = 20 * RING;
    let hub = hub();
    let stalled = hub.subscribe().unwrap();
    let places = [const { AtomicU64::new(0) }; 2];
    thread::scope(|scope| {
        for place in &places {
            let mut body = hub.subscribe().unwrap();
            scope.spawn(move || {
                let mut received = Received::default();
                while received.last < EVENTS {
                    assert!(received.next(&mut body));
                    place.store(received.last, Ordering::Release);
                }
                assert_eq!((received.events, received.gaps), (EVENTS, 0));
            });
        }
        let deadline = Instant::now() + PATIENCE;
        for n in 1..=EVENTS {
            hub.publish(Event::new("x"));
            // However the threads are scheduled, the readers can keep up: the next event takes none away
            // that one of them has not had. The hub does not know.
            let keeps_up = |place: &AtomicU64| place.load(Ordering::Acquire) + RING > n;
            while !places.iter().all(keeps_up) {
                if Instant::now() > deadline {
                    hub.close();
                    panic!("not served while {n} events were published: {places:?}");
                }
                thread::yield_now();
            }
        }
    });
    assert_eq!(hub.stats().lagged, 0);
    assert_stalled(&hub, stalled);
    assert_eq!(hub.stats().lagged, 1);
}

#[test]
fn subscribers_are_served_while_the_burst_lasts() {
    const READERS: usize = 3;
    const FRAMES: usize = 50;
    let hub = hub();
    let stalled = hub.subscribe().unwrap();
    let frames = [const { AtomicUsize::new(0) }; READERS];
    let received = thread::scope(|scope| {
        let readers = frames.each_ref().map(|frames| {
            let mut body = hub.subscribe().unwrap();
            scope.spawn(move || {
                let mut received = Received::default();
                while received.next(&mut body) {
                    frames.fetch_add(1, Ordering::Relaxed);
                }
                received
            })
        });
        let deadline = Instant::now() + PATIENCE;
        let served = || frames.iter().map(|frames| frames.load(Ordering::Relaxed));
        // It never pauses, and ends only once each has been served many times.
        while served().any(|frames| frames < FRAMES) || hub.stats().published < 20 * RING {
            for _ in 0..RING {
                hub.publish(Event::new("x"));
            }
            if Instant::now() > deadline {
                hub.close();
                panic!("frames served: {:?}", served().collect::<Vec<_>>());
            }
        }
        hub.close();
        readers.map(|reader| reader.join().unwrap())
    });
    let total = hub.stats().published;
    for received in received {
        println!("{total} published, {received:?}");
        assert_eq!(received.last, total);
        assert!(received.events >= RING);
    }
    assert_stalled(&hub, stalled);
}
