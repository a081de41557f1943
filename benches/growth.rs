//! What the hub's costs do as it grows: topics and groups, herds of clients that resume, publishers.
//!
//! There is no peer: figures stand alone, or beside the same at 1,000.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::Body;
use support::{median, rounds, row, selected};
use tower_sse::{Event, EventId, Hub, SseBody, Subscription};

type Followed = Pin<Box<SseBody<Subscription>>>;

/// Sizes in a full run, and where only results are checked.
struct Size {
    topics: [usize; 3],
    herd: usize,
    events: usize,
    published: usize,
    rounds: usize,
}

fn main() {
    let size = match rounds() {
        Some(_) => Size {
            topics: [1_000, 10_000, 100_000],
            herd: 10_000,
            events: 10_000,
            published: 200_000,
            rounds: 5,
        },
        None => Size {
            topics: [10, 20, 50],
            herd: 20,
            events: 50,
            published: 500,
            rounds: 1,
        },
    };
    if selected("growth/topics and groups") {
        groups(&size);
    }
    if selected("growth/publishing to topics") {
        topics(&size);
    }
    if selected("growth/herd") {
        herd("one place", &size, |_| 0);
        herd("many places", &size, |n| n);
    }
    if selected("growth/publisher under a herd") {
        under_a_herd(&size);
    }
    if selected("growth/two publishers") {
        publishers(&size);
    }
}

fn event() -> Event {
    Event::new("0123456789".repeat(12))
}

/// Drains it; the number of bytes.
fn drain(body: &mut Followed) -> usize {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut bytes = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(cx) {
        bytes += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    bytes
}

fn print(name: &str, unit: &str, value: f64) {
    println!("  {name:<44}{value:>12.1} {unit}");
}

/// Prints the figures for each size, and a row for the largest beside the smallest.
fn compare(title: &str, sizes: &[usize; 3], figures: &[Vec<f64>; 3]) {
    println!("{title}");
    for (size, figures) in sizes.iter().zip(figures) {
        print(&size.to_string(), "ns", median(figures.clone()));
    }
    let [small, _, large] = figures;
    let ratios = small.iter().zip(large).map(|(small, large)| small / large);
    let ratio = median(ratios.collect());
    let (large, small) = (median(large.clone()), median(small.clone()));
    row::print(
        &format!("{title}/{}", sizes[2]),
        large,
        small,
        ratio,
        &sizes[0].to_string(),
    );
}

/// Each subscriber follows a topic of its own and a shared one: as many topics and groups.
fn groups(size: &Size) {
    let mut hubs = size.topics.map(|count| {
        let hub = Hub::builder().retain_events(1_000).build();
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        let followed = names.iter().map(|own| {
            let subscriber = hub.subscriber().topic(own.as_str()).topic("shared");
            let mut body = Box::pin(subscriber.subscribe().unwrap().into_body());
            drain(&mut body);
            body
        });
        let followed: Vec<Followed> = followed.collect();
        (hub, names, followed)
    });
    let mut own: [Vec<f64>; 3] = Default::default();
    let mut shared: [Vec<f64>; 3] = Default::default();
    let some = size.topics[0];
    for _ in 0..size.rounds {
        for (n, (hub, names, followed)) in hubs.iter_mut().enumerate() {
            let step = names.len() / some;
            let start = Instant::now();
            for n in (0..names.len()).step_by(step) {
                hub.topic(&names[n]).publish(event());
                assert!(drain(&mut followed[n]) > 120);
            }
            let count = names.len().div_ceil(step);
            own[n].push(start.elapsed().as_nanos() as f64 / count as f64);

            let start = Instant::now();
            hub.topic("shared").publish(event());
            for body in followed.iter_mut() {
                assert!(drain(body) > 120);
            }
            shared[n].push(start.elapsed().as_nanos() as f64 / names.len() as f64);
        }
    }
    compare("growth/topics and groups, own", &size.topics, &own);
    compare("growth/topics and groups, shared", &size.topics, &shared);
}

/// Publishing to one topic after another, which nobody follows.
fn topics(size: &Size) {
    let hubs = size.topics.map(|count| {
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        (Hub::builder().retain_events(1_000).build(), names)
    });
    let mut figures: [Vec<f64>; 3] = Default::default();
    for _ in 0..size.rounds {
        for (n, (hub, names)) in hubs.iter().enumerate() {
            let start = Instant::now();
            for name in names.iter().cycle().take(size.topics[2]) {
                hub.topic(name).publish(event());
            }
            figures[n].push(start.elapsed().as_nanos() as f64 / size.topics[2] as f64);
        }
    }
    compare("growth/publishing to topics", &size.topics, &figures);
}

fn filled(size: &Size) -> (Hub, Vec<EventId>) {
    let hub = Hub::builder().retain_events(size.events + 1).build();
    let ids = (0..=size.events).map(|_| hub.publish(event()));
    let ids = ids.collect();
    (hub, ids)
}

fn resume(hub: &Hub, id: &EventId) -> Followed {
    let subscription = hub.subscriber().after(id.clone()).subscribe();
    Box::pin(subscription.unwrap().into_body())
}

/// As many clients come at once and resume after the event that `place` names.
fn herd(name: &str, size: &Size, place: impl Fn(usize) -> usize) {
    let mut figures = Vec::new();
    for _ in 0..size.rounds.min(3) {
        let (hub, ids) = filled(size);
        let start = Instant::now();
        let clients = (0..size.herd).map(|n| resume(&hub, &ids[place(n) % size.events]));
        let mut clients: Vec<Followed> = clients.collect();
        let read: Vec<usize> = clients.iter_mut().map(drain).collect();
        figures.push(start.elapsed().as_secs_f64() * 1e6 / size.herd as f64);
        for (n, read) in read.into_iter().enumerate() {
            let missed = size.events - place(n) % size.events;
            // An ID and a line's name besides.
            assert!(
                read >= missed * 128 && read < missed * 160 + 64,
                "{read} of {missed}"
            );
        }
    }
    let figure = median(figures);
    println!(
        "growth/herd from {name}: {} resumes of {} events",
        size.herd, size.events
    );
    print("each", "us", figure);
    row::alone(&format!("growth/herd/{name}, us"), figure);
}

/// How long a publisher takes for an event while clients resume on another thread.
fn under_a_herd(size: &Size) {
    let (hub, ids) = filled(size);
    let done = AtomicBool::new(false);
    let mut times: Vec<f64> = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let until = Instant::now() + Duration::from_secs(1);
            let mut n = 0;
            while n < size.herd && Instant::now() < until {
                drain(&mut resume(&hub, &ids[1 + n % (size.events / 2)]));
                n += 1;
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let start = Instant::now();
            hub.publish(event());
            times.push(start.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    times.sort_by(f64::total_cmp);
    let p99 = times[times.len() * 99 / 100];
    println!("growth/publisher under a herd: {} events", times.len());
    print("p99", "us", p99 * 1e3);
    row::alone("growth/publisher under a herd/p99, ms", p99);
}

/// The same number of events from one thread and from each of two.
fn publishers(size: &Size) {
    let mut figures: [Vec<f64>; 2] = Default::default();
    for _ in 0..size.rounds {
        for (threads, figures) in [1, 2].into_iter().zip(&mut figures) {
            let hub = Hub::new();
            let start = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for _ in 0..size.published {
                            hub.publish(event());
                        }
                    });
                }
            });
            let events = (threads * size.published) as f64;
            figures.push(start.elapsed().as_nanos() as f64 / events);
            assert!(
                hub.last_event_id()
                    .as_str()
                    .ends_with(&format!("-{events}"))
            );
        }
    }
    let [one, two] = &figures;
    let ratio = median(one.iter().zip(two).map(|(one, two)| one / two).collect());
    println!("growth/two publishers");
    print("one thread", "ns", median(one.clone()));
    print("two threads", "ns", median(two.clone()));
    let (one, two) = (median(one.clone()), median(two.clone()));
    row::print(
        "growth/two publishers/per event",
        two,
        one,
        ratio,
        "one thread",
    );
}
