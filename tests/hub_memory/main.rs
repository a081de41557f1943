//! What a hub holds, by the allocator's own count: one test, so that nothing else allocates.

#[cfg(feature = "compression")]
mod compressed;

use std::alloc::System;
use std::pin::Pin;
use std::task::{Context, Waker};

use http_body::Body;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tower_sse::Event;
use tower_sse::hub::{Hub, Subscription};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that are allocated now.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn drain(body: &mut Subscription) -> usize {
    let mut bytes = 0;
    let mut cx = Context::from_waker(Waker::noop());
    while let std::task::Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(&mut cx) {
        bytes += frame.into_data().unwrap().len();
    }
    bytes
}

#[test]
fn memory_is_what_is_said_and_comes_back() {
    #[cfg(feature = "compression")]
    compressed::what_compression_takes_comes_back();
    what_subscribers_take_comes_back();
    what_owners_take_comes_back();
    what_subscribers_of_prefixes_take_comes_back();
    a_watch_is_bounded_and_comes_back();
    what_moves_take_comes_back();
    merged_frames_are_bounded();
    retained_bytes_are_what_is_held();
    topics_with_one_event_are_counted();
    a_transient_is_not_kept_for_nobody();
}

fn what_subscribers_take_comes_back() {
    const SUBSCRIBERS: usize = 100_000;
    let hub = Hub::new();
    let before = held();
    let mut bodies: Vec<_> = (0..SUBSCRIBERS)
        .map(|n| {
            hub.subscriber()
                .topic(format!("user/{n}"))
                .subscribe()
                .unwrap()
        })
        .collect();
    bodies.iter_mut().for_each(|body| _ = drain(body));
    let full = held() - before;
    println!("{} bytes for each of {SUBSCRIBERS}", full / SUBSCRIBERS);
    // The later ones go, then all.
    bodies.truncate(SUBSCRIBERS / 10);
    bodies.shrink_to_fit();
    let some = held() - before;
    assert!(some < full / 5, "{some} of {full}");
    drop(bodies);
    let left = held().saturating_sub(before);
    assert!(left < full / 20, "{left} of {full}");
}

/// A user each, half of whom leave and half of whom are ended; and then one with many.
fn what_owners_take_comes_back() {
    const OWNERS: usize = 100_000;
    let hub = Hub::new();
    let before = held();
    let at = std::time::Instant::now() + std::time::Duration::from_secs(3_600);
    let come = |name: String| {
        let subscriber = hub.subscriber().owner(name).end_at(at);
        subscriber.subscribe().unwrap()
    };
    let mut bodies: Vec<_> = (0..OWNERS).map(|n| come(format!("user/{n}"))).collect();
    bodies.iter_mut().for_each(|body| _ = drain(body));
    let full = held() - before;
    println!("{} bytes for each of {OWNERS} with an owner", full / OWNERS);
    for n in 0..OWNERS / 2 {
        assert_eq!(hub.owner(&format!("user/{n}")).end(), 1);
    }
    drop(bodies);
    let left = held().saturating_sub(before);
    assert!(left < full / 20, "{left} of {full}");

    let bodies: Vec<_> = (0..OWNERS).map(|_| come("one".to_owned())).collect();
    let full = held() - before;
    assert_eq!(hub.owner("one").end(), OWNERS);
    drop(bodies);
    let left = held().saturating_sub(before);
    assert!(left < full / 20, "{left} of {full}");
}

/// Each follows a topic of its own as well, so that all are in groups of their own.
fn what_subscribers_of_prefixes_take_comes_back() {
    const SUBSCRIBERS: usize = 2_000;
    const TOPICS: usize = 1_000;
    let hub = Hub::new();
    let publish = || {
        for n in 0..TOPICS {
            hub.topic(&format!("news/{n}")).publish(Event::new("x"));
        }
    };
    publish();
    let before = held();
    let subscribe = |n| hub.subscriber().topic(format!("user/{n}")).prefix("news/");
    let bodies: Vec<_> = (0..SUBSCRIBERS)
        .map(|n| subscribe(n).subscribe().unwrap())
        .collect();
    publish();
    let stats = hub.topic("news/7").stats();
    assert_eq!(stats.prefix_followers, SUBSCRIBERS);
    let full = held() - before;
    drop(bodies);
    let left = held() - before;
    println!("{full} bytes for subscribers of a prefix, {left} after them");
    // The second event of each topic, and a list of no more than a hundred groups.
    assert!(left < TOPICS * 1_600, "{left}");
    publish();
    let later = held() - before;
    assert!(later < TOPICS * 600, "{later}");
}

/// Nobody polls it while 100,000 come and leave twice.
fn a_watch_is_bounded_and_comes_back() {
    let hub = Hub::new();
    let before = held();
    let (all, one) = (hub.watch(), hub.topic("user/7").watch());
    for _ in 0..2 {
        for n in 0..100_000 {
            let subscriber = hub.subscriber().topic(format!("user/{n}"));
            drop(subscriber.owner(format!("user/{n}")).subscribe().unwrap());
        }
    }
    let bytes = held() - before;
    println!("{bytes} bytes for a watch that is not polled");
    // Each with names of its own.
    assert!(bytes < 3 << 20, "{bytes}");
    drop((all, one));
    let left = held().saturating_sub(before);
    // What topics have lost is remembered a while.
    assert!(left < 1 << 10, "{left}");
}

/// Readers that are moved again and again, others that do not read, and those that go with moves before
/// them.
fn what_moves_take_comes_back() {
    const SUBSCRIBERS: usize = 1_000;
    let hub = Hub::builder().retain_events(10).build();
    let before = held();
    let come = |n: usize| {
        let subscriber = hub.subscriber().topic("home").owner((n % 2).to_string());
        subscriber.subscribe().unwrap()
    };
    let mut bodies: Vec<_> = (0..SUBSCRIBERS).map(come).collect();
    let (reading, stalled) = bodies.split_at_mut(SUBSCRIBERS / 2);
    let mut round = |n: usize, reads: bool| {
        for (at, body) in reading.iter_mut().enumerate() {
            let topic = if n % 2 == 0 {
                "home".to_owned()
            } else {
                format!("room/{at}")
            };
            assert!(body.handle().move_to([topic]));
            if reads {
                drain(body);
            }
        }
        hub.publish(Event::new("x"));
    };
    (0..2).for_each(|n| round(n, true));
    let settled = held() - before;
    (0..200).for_each(|n| round(n, true));
    let full = held() - before;
    assert!(full < settled + settled / 10, "{full} after {settled}");
    // As many as are kept, and then they end.
    let handles: Vec<_> = stalled.iter().map(Subscription::handle).collect();
    for n in 0..100 {
        for (at, handle) in handles.iter().enumerate() {
            let moved = handle.move_to([format!("room/{}", (at + n) % 100)]);
            assert_eq!(moved, n < 64);
        }
        hub.publish(Event::new("x"));
    }
    let queued = held() - before - full;
    let each = queued / (SUBSCRIBERS / 2) / 64;
    println!("{each} bytes for each move before one that does not read");
    assert!(each < 200);
    (0..50).for_each(|n| round(n, false));
    drop((bodies, handles));
    let left = held().saturating_sub(before);
    assert!(left < full / 20, "{left} of {full}");
}

fn merged_frames_are_bounded() {
    const RETAIN: usize = 4 << 20;
    let hub = Hub::builder()
        .retain_bytes(RETAIN)
        .retain_events(100_000)
        .build();
    let before = held();
    let mut bodies: Vec<_> = (0..500)
        .flat_map(|n| {
            [(); 2].map(|()| {
                hub.subscriber()
                    .topic(format!("room/{n}"))
                    .subscribe()
                    .unwrap()
            })
        })
        .collect();
    bodies.iter_mut().for_each(|body| _ = drain(body));
    let subscribed = held() - before;
    for round in 0..20 {
        for room in 0..500 {
            for n in 0..3 {
                let event = Event::new(format!("{round} {n} {}", "x".repeat(100)));
                hub.topic(&format!("room/{room}")).publish(event);
            }
        }
        bodies.iter_mut().for_each(|body| _ = drain(body));
    }
    // The log, and at most as much in frames, each with something around it.
    let more = held() - before - subscribed;
    assert!(more < 3 * RETAIN, "{more} bytes");
}

fn retained_bytes_are_what_is_held() {
    for len in [5, 100, 3_000] {
        let hub = Hub::builder()
            .retain_events(50_000)
            .retain_bytes(1 << 30)
            .build();
        let mut body = hub.subscribe().unwrap();
        drain(&mut body);
        let before = held();
        for _ in 0..40_000 {
            hub.publish(Event::new("x".repeat(len)));
        }
        let (said, held) = (hub.stats().retained_bytes, held() - before);
        let ratio = said as f64 / held as f64;
        println!("{len}: {said} said, {held} held");
        assert!((0.6..1.5).contains(&ratio), "{said} said, {held} held");
    }
}

fn topics_with_one_event_are_counted() {
    for name in ["user", "conversation/with/a/longer/name"] {
        let hub = Hub::builder().retain_bytes(1 << 30).build();
        let before = held();
        for n in 0..100_000 {
            hub.topic(&format!("{name}/{n}")).publish(Event::new("x"));
        }
        let (said, held) = (hub.stats().retained_bytes, held() - before);
        let ratio = said as f64 / held as f64;
        println!("topics of one event: {said} said, {held} held");
        assert!((0.8..1.3).contains(&ratio), "{said} said, {held} held");
    }
}

fn a_transient_is_not_kept_for_nobody() {
    let hub = Hub::new();
    let before = held();
    let body = hub.subscribe().unwrap();
    hub.publish_transient(Event::new("x".repeat(1 << 20)));
    drop(body);
    let left = held().saturating_sub(before);
    assert!(left < 100_000, "{left} bytes");
}
