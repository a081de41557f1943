//! Real threads: publishers and subscribers that come, go and come back, all at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use tower_sse::hub::{Hub, LagPolicy, Outcome};
use tower_sse::{Event, EventId};

use crate::support::blocking::block_on;

const PUBLISHERS: u64 = 3;
const EACH: u64 = 4_000;

fn hub() -> Hub {
    let retain = usize::try_from(PUBLISHERS * EACH).unwrap();
    Hub::builder()
        .epoch(36)
        .retain_events(retain)
        .retain_bytes(usize::MAX)
        .build()
}

/// The numbers in the IDs of a frame's events; an ID without data is not an event.
fn numbers(frame: &[u8]) -> impl Iterator<Item = u64> {
    let text = std::str::from_utf8(frame).unwrap();
    let events = text
        .split_terminator("\n\n")
        .filter(|block| block.contains("data: "));
    events.map(|block| {
        let id = block.lines().find_map(|line| line.strip_prefix("id: 10-"));
        id.unwrap().parse().unwrap()
    })
}

#[test]
fn everyone_gets_everything_once_and_in_order() {
    let hub = hub();
    let total = PUBLISHERS * EACH;
    thread::scope(|scope| {
        for _ in 0..PUBLISHERS {
            scope.spawn(|| {
                for n in 0..EACH {
                    hub.publish(Event::display(n).unwrap());
                    if n % 64 == 0 {
                        hub.caught_up(2_000).now_or_never();
                        thread::yield_now();
                    }
                }
            });
        }
        for reader in 0..4 {
            let hub = &hub;
            let from = EventId::from_static("10-0");
            scope.spawn(move || {
                let mut last = 0;
                let mut body = hub.resume(from).unwrap();
                let mut frames = 0;
                while last < total {
                    let frame = block_on(body.frame()).unwrap().unwrap();
                    for number in numbers(&frame.into_data().unwrap()) {
                        assert_eq!(number, last + 1);
                        last = number;
                    }
                    frames += 1;
                    // Some come back all the time.
                    if reader > 1 && frames % 5 == 0 {
                        let id = EventId::try_from(format!("10-{last}")).unwrap();
                        body = hub.resume(id).unwrap();
                        assert!(matches!(body.outcome(), Outcome::Resumed(_)));
                    }
                }
            });
        }
    });
    assert_eq!(hub.stats().subscribers, 0);
    assert_eq!(hub.stats().lagged, 0);
    assert_eq!(hub.stats().published, total);
}

#[test]
fn topics_come_and_go_and_leave_nothing() {
    let hub = Hub::builder()
        .retain_events(10)
        .retain_bytes(3_000)
        .lag(LagPolicy::Oldest)
        .build();
    let working = AtomicU64::new(2);
    thread::scope(|scope| {
        for worker in 0..2 {
            let (hub, working) = (&hub, &working);
            scope.spawn(move || {
                for n in 0..2_000 {
                    let topic = format!("room/{worker}/{n}");
                    let own = hub.subscriber().topic(&*topic).subscribe().unwrap();
                    let all = hub.subscriber().prefix(format!("room/{worker}/"));
                    let mut all = all.subscribe().unwrap().into_stream();
                    hub.topic(&topic).publish(Event::new("hello"));
                    hub.topic(&topic).publish_transient(Event::new("psst"));
                    let first = all.next().now_or_never().unwrap().unwrap();
                    // Ten events later it may be lost, which is said and not hidden.
                    if let Ok(first) = first {
                        assert!(first.topic().starts_with("room/"));
                    }
                    drop(own);
                }
                working.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let end = Instant::now() + Duration::from_secs(60);
            while working.load(Ordering::Relaxed) > 0 && Instant::now() < end {
                assert!(hub.stats().topics < 600);
                thread::yield_now();
            }
        });
    });
    for _ in 0..10 {
        hub.publish(Event::new("x"));
    }
    let stats = hub.stats();
    assert!(stats.subscribers == 0 && stats.retained < 15, "{stats:?}");
    // The last transient events of topics that are gone stay for a while.
    assert!(stats.topics <= 257, "{} topics", stats.topics);
}

#[test]
fn a_publisher_that_waits_makes_nobody_lag() {
    let hub = Hub::builder().retain_events(100).build();
    let received = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            let mut body = hub.subscribe().unwrap();
            let received = &received;
            scope.spawn(move || {
                let mut own = 0;
                while own < 5_000 {
                    let frame = block_on(body.frame()).unwrap().unwrap();
                    let data = frame.into_data().unwrap();
                    let count = String::from_utf8_lossy(&data).matches("data: ").count() as u64;
                    own += count;
                    received.fetch_add(count, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..5_000 {
            hub.publish(Event::new("x"));
            assert_eq!(block_on(hub.caught_up(90)), 0);
        }
    });
    assert_eq!(received.into_inner(), 15_000);
    assert_eq!(hub.stats().lagged, 0);
    assert_eq!(hub.stats().delivered, 15_000);
}
