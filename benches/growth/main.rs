//! What the hub's costs do as it grows: topics and groups, herds of clients that resume, publishers.
//!
//! There is no peer: a figure stands alone, or is compared with the same work at a smaller size.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::Body;
use support::{median, rounds, row, selected};
use tower_sse::{Event, EventId, Hub, SseBody, Subscription};

type Followed = Pin<Box<SseBody<Subscription>>>;

/// Sizes in a full run, and where only results are checked.
struct Size {
    /// How many topics and groups, the smallest first.
    topics: [usize; 4],
    /// How many operations are timed together.
    batch: usize,
    herd: usize,
    events: usize,
    published: usize,
    rounds: usize,
}

fn main() {
    let size = match rounds() {
        Some(_) => Size {
            topics: [1, 10, 1_000, 100_000],
            batch: 10_000,
            herd: 10_000,
            events: 10_000,
            published: 200_000,
            rounds: 5,
        },
        None => Size {
            topics: [1, 10, 20, 50],
            batch: 20,
            herd: 20,
            events: 50,
            published: 500,
            rounds: 1,
        },
    };
    if selected("growth/own topics") {
        own_topics(&size);
    }
    if selected("growth/own and shared topics") {
        shared_topics(&size);
    }
    if selected("growth/leaving") {
        leaving("own topics", &size, false);
        leaving("own and shared topics", &size, true);
    }
    if selected("growth/longest wait") {
        longest_wait(&size);
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

/// Prints the figures for each size, and rows for those that are compared with a smaller one.
fn compare(title: &str, sizes: &[usize; 4], figures: &[Vec<f64>; 4]) {
    println!("{title}");
    for (size, figures) in sizes.iter().zip(figures) {
        print(&size.to_string(), "ns", median(figures.clone()));
    }
    for (small, large) in [(0, 2), (0, 3), (2, 3)] {
        let rounds = figures[small].iter().zip(&figures[large]);
        let ratio = median(rounds.map(|(small, large)| small / large).collect());
        row::print(
            &format!("{title}/{} beside {}", sizes[large], sizes[small]),
            median(figures[large].clone()),
            median(figures[small].clone()),
            ratio,
            &sizes[small].to_string(),
        );
    }
}

/// As many topics, each with a subscriber, which may follow a shared topic besides.
struct Audience {
    hub: Hub,
    names: Vec<String>,
    followed: Vec<Followed>,
}

impl Audience {
    fn new(count: usize, shared: bool) -> Self {
        let hub = Hub::builder().retain_events(1_000).build();
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        let followed = names.iter().map(|own| {
            let subscriber = hub.subscriber().topic(own.as_str());
            let subscriber = if shared {
                subscriber.topic("shared")
            } else {
                subscriber
            };
            let mut body = Box::pin(subscriber.subscribe().unwrap().into_body());
            drain(&mut body);
            body
        });
        let followed = followed.collect();
        Self {
            hub,
            names,
            followed,
        }
    }

    /// What it costs to publish to one's topic and to poll the one subscriber that follows it.
    fn publish_to_each(&mut self, batch: usize) -> f64 {
        let count = self.names.len();
        // All over the topics, so that none is hot because its neighbour was.
        let step = (count / batch).max(1);
        let start = Instant::now();
        for n in 0..batch {
            let n = n * step % count;
            self.hub.topic(&self.names[n]).publish(event());
            assert!(drain(&mut self.followed[n]) > 120);
        }
        start.elapsed().as_nanos() as f64 / batch as f64
    }

    /// What it takes to publish to all, and to poll all: in nanoseconds.
    fn broadcast(&mut self) -> (f64, f64) {
        let start = Instant::now();
        self.hub.topic("shared").publish(event());
        let published = start.elapsed().as_nanos() as f64;
        for body in &mut self.followed {
            assert!(drain(body) > 120);
        }
        (published, start.elapsed().as_nanos() as f64 - published)
    }
}

fn own_topics(size: &Size) {
    let mut audiences = size.topics.map(|count| Audience::new(count, false));
    let mut own: [Vec<f64>; 4] = Default::default();
    for _ in 0..size.rounds {
        for (own, audience) in own.iter_mut().zip(&mut audiences) {
            own.push(audience.publish_to_each(size.batch));
        }
    }
    compare("growth/own topics", &size.topics, &own);
}

fn shared_topics(size: &Size) {
    let mut audiences = size.topics.map(|count| Audience::new(count, true));
    let mut own: [Vec<f64>; 4] = Default::default();
    let mut shared: [Vec<f64>; 4] = Default::default();
    let (mut publishes, mut polls) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        for (n, audience) in audiences.iter_mut().enumerate() {
            own[n].push(audience.publish_to_each(size.batch));
            let (mut published, mut polled) = (0.0, 0.0);
            let times = (size.batch / size.topics[n]).max(1);
            for _ in 0..times {
                let (publish, poll) = audience.broadcast();
                (published, polled) = (published + publish, polled + poll);
            }
            let deliveries = (times * size.topics[n]) as f64;
            shared[n].push((published + polled) / deliveries);
            if n == size.topics.len() - 1 {
                publishes.push(published / 1e6 / times as f64);
                polls.push(polled / 1e6 / times as f64);
            }
        }
    }
    compare("growth/own and shared topics, own", &size.topics, &own);
    let title = "growth/own and shared topics, shared";
    compare(title, &size.topics, &shared);
    for (name, figures) in [("publish", publishes), ("polls", polls)] {
        let figure = median(figures);
        print(&format!("a broadcast's {name}, to all"), "ms", figure);
        row::alone(&format!("{title}/{name}, ms"), figure);
    }
}

/// How long it takes until all subscribers have gone.
fn leaving(name: &str, size: &Size, shared: bool) {
    let mut figures = Vec::new();
    for _ in 0..size.rounds.min(3) {
        let Audience { hub, followed, .. } = Audience::new(size.topics[3], shared);
        let start = Instant::now();
        drop(followed);
        figures.push(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(hub.stats().subscribers, 0);
    }
    let figure = median(figures);
    println!("growth/leaving: {} subscribers of {name}", size.topics[3]);
    print("all", "ms", figure);
    row::alone(&format!("growth/leaving/{name}, ms"), figure);
}

/// How long a cheap call waits for the lock at most while subscribers come, are published to, and leave.
/// What the machine adds is in the row in which nothing is done with the hub.
fn longest_wait(size: &Size) {
    const PHASES: [&str; 4] = ["nothing", "coming", "a broadcast", "leaving"];
    let mut audience = Audience::new(1, true);
    let (hub, phase) = (audience.hub.clone(), AtomicUsize::new(0));
    let mut longest = [0.0_f64; 4];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            phase.store(1, Ordering::Release);
            for n in 1..size.topics[3] {
                let subscriber = audience.hub.subscriber().topic("shared");
                let own = subscriber.topic(format!("own/{n}")).subscribe();
                audience.followed.push(Box::pin(own.unwrap().into_body()));
                drain(&mut audience.followed[n]);
            }
            phase.store(2, Ordering::Release);
            for _ in 0..size.rounds {
                audience.broadcast();
            }
            phase.store(3, Ordering::Release);
            audience.followed.clear();
            phase.store(4, Ordering::Release);
        });
        while let Some(longest) = longest.get_mut(phase.load(Ordering::Acquire)) {
            let start = Instant::now();
            assert!(hub.stats().subscribers <= size.topics[3]);
            *longest = longest.max(start.elapsed().as_secs_f64() * 1e3);
        }
    });
    println!("growth/longest wait");
    for (phase, longest) in PHASES.into_iter().zip(longest) {
        print(phase, "ms", longest);
        row::alone(&format!("growth/longest wait/{phase}, ms"), longest);
    }
}

/// Publishing to one topic after another, which nobody follows.
fn topics(size: &Size) {
    let hubs = size.topics.map(|count| {
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        (Hub::builder().retain_events(1_000).build(), names)
    });
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..size.rounds {
        for (n, (hub, names)) in hubs.iter().enumerate() {
            let start = Instant::now();
            for name in names.iter().cycle().take(size.topics[3]) {
                hub.topic(name).publish(event());
            }
            figures[n].push(start.elapsed().as_nanos() as f64 / size.topics[3] as f64);
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

/// How long a publisher takes for an event while a herd of clients resumes on another thread, each
/// after a place of its own, and stays.
fn under_a_herd(size: &Size) {
    let mut times: Vec<f64> = Vec::new();
    // One herd is over too soon for a percentile.
    for _ in 0..size.rounds * 4 {
        let (hub, ids) = filled(size);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut clients = Vec::with_capacity(size.herd);
                for n in 0..size.herd {
                    let mut client = resume(&hub, &ids[n % size.events]);
                    assert!(drain(&mut client) > 120);
                    clients.push(client);
                }
                done.store(true, Ordering::Release);
                assert_eq!(hub.stats().subscribers, size.herd);
            });
            while !done.load(Ordering::Acquire) {
                let start = Instant::now();
                hub.publish(event());
                times.push(start.elapsed().as_secs_f64() * 1e3);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
    }
    times.sort_by(f64::total_cmp);
    let p99 = times[times.len() * 99 / 100];
    println!(
        "growth/publisher under a herd: {} events, {} resumes a herd",
        times.len(),
        size.herd
    );
    print("p99", "us", p99 * 1e3);
    print("longest", "us", times[times.len() - 1] * 1e3);
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
