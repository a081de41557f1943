//! What the hub's costs do as it grows: topics and groups, herds of clients that resume, publishers.
//!
//! There is no peer: a figure stands alone, or is compared with the same work at a smaller size. Where
//! it grows with what no longer fits the caches, a floor says how much the least work grows.

mod floor;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use floor::{FloorHub, FloorLog, FloorRing};
use http_body::Body;
use support::{median, rounds, row, selected};
use tower_sse::{Event, EventId, Hub, SseBody, Subscription};

/// The events of each topic that a hub retains.
const RETAINED: usize = 1_000;

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
    if selected("growth/two readers") {
        readers(&size);
    }
}

fn event() -> Event {
    Event::new("0123456789".repeat(12))
}

/// Drains it; the number of bytes.
fn drain<B: Body<Data = Bytes, Error = Infallible>>(body: &mut Pin<Box<B>>) -> usize {
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

/// A hub, or the floor.
trait Publishes {
    type Body: Body<Data = Bytes, Error = Infallible>;

    /// Follows a topic, and the topic `shared` besides if it is set.
    fn follow(&self, topic: &str, shared: bool) -> Pin<Box<Self::Body>>;

    fn publish(&self, topic: &str);
}

impl Publishes for Hub {
    type Body = SseBody<Subscription>;

    fn follow(&self, topic: &str, shared: bool) -> Followed {
        let subscriber = self.subscriber().topic(topic);
        let subscriber = if shared {
            subscriber.topic("shared")
        } else {
            subscriber
        };
        Box::pin(subscriber.subscribe().unwrap().into_body())
    }

    fn publish(&self, topic: &str) {
        self.topic(topic).publish(event());
    }
}

/// As many topics, each with a subscriber, which may follow a shared topic besides.
struct Audience<H: Publishes> {
    hub: H,
    names: Vec<String>,
    followed: Vec<Pin<Box<H::Body>>>,
}

impl<H: Publishes> Audience<H> {
    fn new(hub: H, count: usize, shared: bool) -> Self {
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        let followed = names.iter().map(|own| {
            let mut body = hub.follow(own, shared);
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
            self.hub.publish(&self.names[n]);
            assert!(drain(&mut self.followed[n]) > 120);
        }
        start.elapsed().as_nanos() as f64 / batch as f64
    }

    /// What it takes to publish to all, and to poll all: in nanoseconds.
    fn broadcast(&mut self) -> (f64, f64) {
        let start = Instant::now();
        self.hub.publish("shared");
        let published = start.elapsed().as_nanos() as f64;
        for body in &mut self.followed {
            assert!(drain(body) > 120);
        }
        (published, start.elapsed().as_nanos() as f64 - published)
    }

    /// Broadcasts at least once, and about `batch` deliveries: the nanoseconds of each publish and of
    /// the polls that follow it.
    fn broadcast_to_all(&mut self, batch: usize) -> (f64, f64) {
        let times = (batch / self.names.len()).max(1);
        let (mut published, mut polled) = (0.0, 0.0);
        for _ in 0..times {
            let (publish, poll) = self.broadcast();
            (published, polled) = (published + publish, polled + poll);
        }
        (published / times as f64, polled / times as f64)
    }
}

fn hub() -> Hub {
    Hub::builder().retain_events(RETAINED).build()
}

fn own_topics(size: &Size) {
    let mut hubs = size.topics.map(|count| Audience::new(hub(), count, false));
    let mut floors = size
        .topics
        .map(|count| Audience::new(FloorHub::default(), count, false));
    let mut figures: [Vec<f64>; 4] = Default::default();
    let mut floor: [Vec<f64>; 4] = Default::default();
    for _ in 0..size.rounds {
        for n in 0..4 {
            figures[n].push(hubs[n].publish_to_each(size.batch));
            floor[n].push(floors[n].publish_to_each(size.batch));
        }
    }
    compare("growth/own topics", &size.topics, &figures);
    compare("growth/own topics, floor", &size.topics, &floor);
}

fn shared_topics(size: &Size) {
    let mut hubs = size.topics.map(|count| Audience::new(hub(), count, true));
    let mut floors = size
        .topics
        .map(|count| Audience::new(FloorHub::default(), count, true));
    let mut own: [Vec<f64>; 4] = Default::default();
    let mut shared: [Vec<f64>; 4] = Default::default();
    let mut own_floor: [Vec<f64>; 4] = Default::default();
    let mut shared_floor: [Vec<f64>; 4] = Default::default();
    let (mut publishes, mut polls) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        for n in 0..4 {
            own[n].push(hubs[n].publish_to_each(size.batch));
            let (published, polled) = hubs[n].broadcast_to_all(size.batch);
            shared[n].push((published + polled) / size.topics[n] as f64);
            if n == 3 {
                publishes.push(published / 1e6);
                polls.push(polled / 1e6);
            }
            own_floor[n].push(floors[n].publish_to_each(size.batch));
            let (published, polled) = floors[n].broadcast_to_all(size.batch);
            shared_floor[n].push((published + polled) / size.topics[n] as f64);
        }
    }
    let title = "growth/own and shared topics, own";
    compare(title, &size.topics, &own);
    compare(&format!("{title}, floor"), &size.topics, &own_floor);
    let title = "growth/own and shared topics, shared";
    compare(title, &size.topics, &shared);
    compare(&format!("{title}, floor"), &size.topics, &shared_floor);
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
        let audience = Audience::new(hub(), size.topics[3], shared);
        let Audience { hub, followed, .. } = audience;
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
    let mut audience = Audience::new(hub(), 1, true);
    let (hub, phase) = (audience.hub.clone(), AtomicUsize::new(0));
    let mut longest = [0.0_f64; 4];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            phase.store(1, Ordering::Release);
            for n in 1..size.topics[3] {
                let mut body = audience.hub.follow(&format!("own/{n}"), true);
                drain(&mut body);
                audience.followed.push(body);
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
    let mut logs = size.topics.map(|count| {
        let names: Vec<String> = (0..count).map(|n| format!("own/{n}")).collect();
        (hub(), FloorLog::new(&names, RETAINED), names)
    });
    let most = size.topics[3];
    let mut figures: [Vec<f64>; 4] = Default::default();
    let mut floors: [Vec<f64>; 4] = Default::default();
    for _ in 0..size.rounds {
        for (n, (hub, floor, names)) in logs.iter_mut().enumerate() {
            let start = Instant::now();
            for name in names.iter().cycle().take(most) {
                hub.topic(name).publish(event());
            }
            figures[n].push(start.elapsed().as_nanos() as f64 / most as f64);
            let start = Instant::now();
            for name in names.iter().cycle().take(most) {
                floor.publish(name);
            }
            floors[n].push(start.elapsed().as_nanos() as f64 / most as f64);
        }
    }
    compare("growth/publishing to topics", &size.topics, &figures);
    compare("growth/publishing to topics, floor", &size.topics, &floors);
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

/// One event after another to subscribers of one topic, who are polled by this thread, or half of
/// them by another, with some time for each delivery: the nanoseconds that a thread takes for it
/// besides.
fn deliver_on(threads: usize, size: &Size, other: Duration) -> f64 {
    let hub = hub();
    let share = size.batch / threads;
    let follow = |_| {
        let mut body = hub.follow("shared", false);
        drain(&mut body);
        body
    };
    let mut shares: Vec<Vec<Followed>> = (0..threads)
        .map(|_| (0..share).map(follow).collect())
        .collect();
    let mut mine = shares.pop().unwrap_or_default();
    let poll = |bodies: &mut Vec<Followed>| {
        for body in bodies {
            assert!(drain(body) > 120);
            let drained = Instant::now();
            while drained.elapsed() < other {}
        }
    };
    let (published, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wait = |counter: &AtomicUsize, count| {
        while counter.load(Ordering::Acquire) < count {
            std::hint::spin_loop();
        }
    };
    let times = size.rounds * 10;
    let mut total = Duration::ZERO;
    std::thread::scope(|scope| {
        for mut bodies in shares.drain(..) {
            let (published, done) = (&published, &done);
            scope.spawn(move || {
                for round in 1..=times {
                    wait(published, round);
                    poll(&mut bodies);
                    done.fetch_add(1, Ordering::Release);
                }
            });
        }
        for round in 1..=times {
            Publishes::publish(&hub, "shared");
            let start = Instant::now();
            published.store(round, Ordering::Release);
            poll(&mut mine);
            wait(&done, round * (threads - 1));
            total += start.elapsed();
        }
    });
    total.as_nanos() as f64 / (times * share) as f64 - other.as_nanos() as f64
}

/// The same subscribers polled by one thread, and by two: as fast as possible, and with the time
/// that a write to a socket takes.
fn readers(size: &Size) {
    for (name, write) in [("at once", 0), ("3 us each", 3_000)] {
        let mut figures: [Vec<f64>; 2] = Default::default();
        for _ in 0..size.rounds {
            for (n, figures) in figures.iter_mut().enumerate() {
                figures.push(deliver_on(n + 1, size, Duration::from_nanos(write)));
            }
        }
        let [one, two] = figures;
        let ratio = median(one.iter().zip(&two).map(|(one, two)| one / two).collect());
        println!("growth/two readers, {name}");
        let (one, two) = (median(one), median(two));
        print("one thread", "ns", one);
        print("each of two threads", "ns", two);
        let title = format!("growth/two readers/{name}");
        row::print(&title, two, one, ratio, "one thread");
    }
}

/// Publishes so many times on each of so many threads; the nanoseconds of each event.
fn on_threads(threads: usize, times: usize, publish: impl Fn() + Sync) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..times).for_each(|_| publish()));
        }
    });
    start.elapsed().as_nanos() as f64 / (threads * times) as f64
}

/// The same number of events from one thread and from each of two.
fn publishers(size: &Size) {
    let mut figures: [Vec<f64>; 2] = Default::default();
    let mut floors: [Vec<f64>; 2] = Default::default();
    for _ in 0..size.rounds {
        for n in 0..2 {
            let (threads, hub) = (n + 1, hub());
            let publish = || drop(hub.publish(event()));
            figures[n].push(on_threads(threads, size.published, publish));
            let last = format!("-{}", threads * size.published);
            assert!(hub.last_event_id().as_str().ends_with(&last));
            let ring = FloorRing::new(RETAINED);
            floors[n].push(on_threads(threads, size.published, || ring.publish()));
            assert_eq!(ring.len(), RETAINED.min(threads * size.published));
        }
    }
    for (title, [one, two]) in [
        ("growth/two publishers", figures),
        ("growth/two publishers, floor", floors),
    ] {
        let ratio = median(one.iter().zip(&two).map(|(one, two)| one / two).collect());
        println!("{title}");
        let (one, two) = (median(one), median(two));
        print("one thread", "ns", one);
        print("two threads", "ns", two);
        row::print(&format!("{title}/per event"), two, one, ratio, "one thread");
    }
}
