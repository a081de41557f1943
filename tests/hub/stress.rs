//! Everything at once on real threads: publishers, readers that come, stall, leave, are ended and resume,
//! lingers, publishers that wait, readers of prefixes, with filters and of topics that change, and a
//! watch. Each topic's events are counted, so that a reader knows of each whether it is the next.
//!
//! Two seconds by default; `STRESS_SECONDS=3600` for an hour.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http_body_util::BodyExt;
use tower_sse::hub::{Handle, Hub, LagPolicy, Outcome, Subscription, Watch};
use tower_sse::{Event, EventId};

use crate::support::blocking::{after, block_on};
use crate::support::rng::Rng;

const TOPICS: [&str; 8] = ["", "a", "a/1", "a/2", "b", "b/1", "b/1/x", "c"];
const PREFIXES: [&str; 4] = ["a/", "b", "", "none"];
const PUBLISHERS: u64 = 3;
const READERS: u64 = 5;
const OWNERS: usize = 4;

struct Stress {
    hub: Hub,
    lag: LagPolicy,
    /// How many events each topic has had. Held while one is published, so that the hub's order is
    /// that of the counts.
    counts: Vec<Mutex<u64>>,
    over: AtomicBool,
    received: AtomicU64,
    gaps: AtomicU64,
    longest_publish: AtomicU64,
}

impl Stress {
    fn publish(&self, rng: &mut Rng) {
        let at = rng.below(TOPICS.len());
        let topic = self.hub.topic(TOPICS[at]);
        if rng.one_in(10) {
            topic.publish_transient(Event::new("transient"));
            return;
        }
        let pad = if rng.one_in(50) {
            20_000
        } else {
            rng.below(100)
        };
        let mut count = self.counts[at].lock().unwrap();
        *count += 1;
        let event = Event::new(format!("{at} {count} {}", "x".repeat(pad)));
        let start = Instant::now();
        topic.publish(event);
        let time = u64::try_from(start.elapsed().as_micros()).unwrap();
        self.longest_publish.fetch_max(time, Ordering::Relaxed);
    }

    fn publisher(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        while !self.over.load(Ordering::Relaxed) {
            for _ in 0..1 + rng.below(40) {
                self.publish(&mut rng);
            }
            match rng.below(4) {
                0 => thread::sleep(Duration::from_micros(rng.next() % 500)),
                1 => {
                    let patience = after(Duration::from_millis(2));
                    block_on(self.hub.caught_up(200).or_after(patience));
                }
                2 => _ = self.hub.caught_up(50).now_or_never(),
                _ => thread::yield_now(),
            }
        }
    }

    fn linger(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        while !self.over.load(Ordering::Relaxed) {
            let time = Duration::from_micros(rng.next() % 2_000);
            let linger = self.hub.linger_with_timer(time, after);
            let end = after(Duration::from_millis(rng.next() % 20));
            block_on(select(Box::pin(linger), end));
            thread::sleep(Duration::from_millis(rng.next() % 20));
        }
    }

    /// Ends readers by their owners, and looks at topics.
    fn ender(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        let mut keeping = Box::pin(self.hub.keep_time_with_timer(after));
        while !self.over.load(Ordering::Relaxed) {
            let owner = rng.below(OWNERS).to_string();
            self.hub.owner(&owner).end();
            let stats = self.hub.topic(TOPICS[rng.below(TOPICS.len())]).stats();
            assert!(stats.lag <= stats.retained);
            assert!(self.hub.owner(&owner).subscriptions() as u64 <= READERS);
            let end = after(Duration::from_millis(rng.next() % 5));
            block_on(select(&mut keeping, end));
        }
    }

    fn reader(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        while !self.over.load(Ordering::Relaxed) {
            let mut reader = Reader::new(self, &mut rng);
            for _ in 0..10 {
                let mut body = reader.connect();
                for _ in 0..rng.below(60) {
                    if !reader.read(&mut body, Duration::from_millis(1)) {
                        break;
                    }
                    if rng.one_in(30) {
                        thread::sleep(Duration::from_millis(rng.next() % 10));
                    }
                    if reader.moves && rng.one_in(4) {
                        reader.steer(&body.handle(), &mut rng);
                    }
                }
            }
        }
        // Nothing is published any more: all of it arrives, and wakes the reader.
        let mut reader = Reader::new(self, &mut rng);
        reader.last = EventId::from_static("10-0");
        reader.owner = None;
        let mut body = reader.connect();
        let end = Instant::now() + Duration::from_secs(120);
        while !reader.has_all() {
            assert!(Instant::now() < end, "{:?} is all that came", reader.seen);
            reader.read(&mut body, Duration::from_millis(50));
        }
    }
}

struct Reader<'a> {
    stress: &'a Stress,
    topics: Vec<&'static str>,
    prefix: Option<&'static str>,
    /// Its topics change, and have.
    moves: bool,
    moved: bool,
    /// Of each topic, after which counts it was left, and up to which it was not followed again.
    pauses: HashMap<usize, Vec<(u64, u64)>>,
    filtered: bool,
    /// And how many milliseconds it has.
    owner: Option<(usize, u64)>,
    last: EventId,
    /// Of each topic, the last event's count, and whether the next one has to follow it.
    seen: HashMap<usize, (u64, bool)>,
}

impl<'a> Reader<'a> {
    fn new(stress: &'a Stress, rng: &mut Rng) -> Self {
        Self {
            stress,
            topics: TOPICS.into_iter().filter(|_| rng.one_in(3)).collect(),
            prefix: rng.one_in(3).then(|| PREFIXES[rng.below(PREFIXES.len())]),
            moves: rng.one_in(2),
            moved: false,
            pauses: HashMap::new(),
            filtered: rng.one_in(5),
            owner: (!rng.one_in(3)).then(|| (rng.below(OWNERS), 1 + rng.next() % 30)),
            last: EventId::EMPTY,
            seen: HashMap::new(),
        }
    }

    fn follows(&self, topic: &str) -> bool {
        let prefix = self.prefix.is_some_and(|prefix| topic.starts_with(prefix));
        prefix || self.topics.contains(&topic)
    }

    /// Follows or leaves a topic. Nothing is published to it meanwhile, so that it is known from which
    /// event on that counts.
    fn steer(&mut self, handle: &Handle, rng: &mut Rng) {
        let at = rng.below(TOPICS.len());
        let topic = TOPICS[at];
        let follows = self.follows(topic);
        let count = self.stress.counts[at].lock().unwrap();
        let steered = if follows {
            handle.leave(topic)
        } else {
            handle.follow(topic)
        };
        if !steered {
            assert!(self.owner.is_some(), "not over");
            return;
        }
        // From now on it names what it follows.
        self.topics = TOPICS.into_iter().filter(|t| self.follows(t)).collect();
        self.prefix = None;
        self.moved = true;
        let pauses = self.pauses.entry(at).or_default();
        if follows {
            self.topics.retain(|other| *other != topic);
            pauses.push((*count, u64::MAX));
        } else {
            self.topics.push(topic);
            match pauses.last_mut() {
                // What came before it was left may be unread.
                Some((_, until)) => *until = *count,
                None => {
                    pauses.push((0, *count));
                    self.seen.entry(at).or_insert((*count, true));
                }
            }
        }
    }

    fn connect(&mut self) -> Subscription {
        if std::mem::take(&mut self.moved) {
            // What was left before it is replayed too, if it is followed now.
            self.seen.clear();
            self.pauses.clear();
        }
        let hub = &self.stress.hub;
        let mut subscriber = hub.subscriber().topics(self.topics.iter().copied());
        if let Some(prefix) = self.prefix {
            subscriber = subscriber.prefix(prefix);
        }
        if self.filtered {
            subscriber = subscriber.filter(|delivery| delivery.id().is_some());
        }
        if let Some((owner, time)) = self.owner {
            let end = Instant::now() + Duration::from_millis(time);
            subscriber = subscriber.owner(owner.to_string()).end_at(end);
        }
        let body = subscriber.after(self.last.clone()).subscribe().unwrap();
        match body.outcome() {
            Outcome::Resumed(_) => {}
            Outcome::Fresh => self.seen.clear(),
            Outcome::Gap => self.gap(),
            other => panic!("{other:?} after {}", self.last),
        }
        body
    }

    fn gap(&mut self) {
        self.stress.gaps.fetch_add(1, Ordering::Relaxed);
        self.seen
            .values_mut()
            .for_each(|(_, follows)| *follows = false);
        // Of the others any may come next.
        for at in 0..TOPICS.len() {
            self.seen.entry(at).or_insert((0, false));
        }
    }

    /// Reads a frame, if one comes in time; false if it has been ended.
    fn read(&mut self, body: &mut Subscription, time: Duration) -> bool {
        let frame = match block_on(select(body.frame(), after(time))) {
            Either::Left((None, _)) => {
                assert!(self.owner.is_some(), "not over");
                return false;
            }
            Either::Left((Some(frame), _)) => frame.unwrap(),
            Either::Right(_) => return true,
        };
        let data = frame.into_data().unwrap();
        let text = std::str::from_utf8(&data).unwrap();
        for block in text.split_terminator("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(id) = field("id: ") {
                self.last = EventId::try_from(id).unwrap();
            }
            if field("event: ") == Some("gap") {
                self.gap();
                continue;
            }
            let Some(data) = field("data: ").filter(|data| *data != "transient") else {
                continue;
            };
            let mut words = data.split(' ');
            let mut number = || words.next().unwrap().parse::<u64>().unwrap();
            let (at, count) = (usize::try_from(number()).unwrap(), number());
            let pauses = self.pauses.get(&at).map_or(&[][..], Vec::as_slice);
            let own = pauses
                .iter()
                .all(|(from, to)| count <= *from || count > *to);
            let own = own && (!pauses.is_empty() || self.follows(TOPICS[at]));
            assert!(own, "{count} of {} is not its own", TOPICS[at]);
            if let Some((before, follows)) = self.seen.insert(at, (count, true)) {
                assert!(count > before, "{count} after {before}");
                // After the pauses that follow directly.
                let next = pauses.iter().fold(before + 1, |next, (from, to)| {
                    if next > *from {
                        next.max(to.saturating_add(1))
                    } else {
                        next
                    }
                });
                assert!(!follows || count == next, "{count} after {before}");
            }
            self.stress.received.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    fn has_all(&self) -> bool {
        TOPICS.iter().enumerate().all(|(at, topic)| {
            let count = *self.stress.counts[at].lock().unwrap();
            // What was lost before the reader came is gone, or all that was before a loss.
            let seen = self.seen.get(&at).map_or(0, |(count, _)| *count);
            let skipped = || self.stress.lag == LagPolicy::Newest || self.is_lost(at);
            !self.follows(topic) || seen == count || (seen == 0 && skipped())
        })
    }

    /// Whether nothing of a topic is retained.
    fn is_lost(&self, at: usize) -> bool {
        let place = EventId::from_static("10-0");
        let topic = self.stress.hub.subscriber().topic(TOPICS[at]).after(place);
        let mut topic = topic.subscribe().unwrap().into_stream();
        let next = || {
            futures_util::StreamExt::next(&mut topic)
                .now_or_never()
                .flatten()
        };
        !std::iter::from_fn(next).any(|delivery| delivery.is_ok())
    }
}

/// What a watch has told: of each topic, how many follow it.
struct Followers {
    watch: Watch,
    by_topic: HashMap<String, usize>,
}

impl Followers {
    fn look(&mut self) {
        let next = || {
            let change = futures_util::StreamExt::next(&mut self.watch);
            change.now_or_never().flatten()
        };
        for change in std::iter::from_fn(next) {
            let Ok(change) = change else {
                self.by_topic.clear();
                continue;
            };
            let now = change.followers();
            let before = if change.is_arrival() {
                now.checked_sub(1)
            } else {
                Some(now + 1)
            };
            let known = self.by_topic.insert(change.topic().to_owned(), now);
            assert!(
                known.is_none() || known == before,
                "{known:?} before {change:?}"
            );
        }
    }
}

#[test]
fn each_reader_gets_each_event_once_and_in_order_or_is_told() {
    run();
}

/// For `tests/integrations/lock` too, which measures.
pub(crate) fn run() {
    let seconds = std::env::var("STRESS_SECONDS").map_or(2, |seconds| seconds.parse().unwrap());
    let seed = std::env::var("STRESS_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut rng = Rng::new(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    // A short round may have few.
    let mut followed = HashSet::new();
    while Instant::now() < end {
        let lag = [LagPolicy::Oldest, LagPolicy::Newest][rng.below(2)];
        let stress = Stress {
            lag,
            hub: Hub::builder()
                .epoch(36)
                .lag(lag)
                .retain_events([50, 500, 5_000][rng.below(3)])
                .build(),
            counts: TOPICS.iter().map(|_| Mutex::new(0)).collect(),
            over: AtomicBool::new(false),
            received: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            longest_publish: AtomicU64::new(0),
        };
        let round = Duration::from_millis(500).min(end.saturating_duration_since(Instant::now()));
        let mut followers = Followers {
            watch: stress.hub.watch(),
            by_topic: HashMap::new(),
        };
        let seeds: Vec<_> = (0..PUBLISHERS + READERS + 3).map(|_| rng.next()).collect();
        thread::scope(|scope| {
            let (publishers, others) = seeds.split_at(usize::try_from(PUBLISHERS).unwrap());
            let (lingers, others) = others.split_at(2);
            let (enders, readers) = others.split_at(1);
            let stress = &stress;
            let mut running = Vec::new();
            for seed in publishers {
                running.push(scope.spawn(|| stress.publisher(*seed)));
            }
            for seed in lingers {
                running.push(scope.spawn(|| stress.linger(*seed)));
            }
            for seed in enders {
                running.push(scope.spawn(|| stress.ender(*seed)));
            }
            let followers = &mut followers;
            running.push(scope.spawn(move || {
                while !stress.over.load(Ordering::Relaxed) {
                    followers.look();
                    thread::yield_now();
                }
            }));
            for seed in readers {
                running.push(scope.spawn(|| stress.reader(*seed)));
            }
            thread::sleep(round);
            stress.over.store(true, Ordering::Relaxed);
            for thread in running {
                thread.join().unwrap();
            }
        });
        followers.look();
        followed.extend(followers.by_topic.keys().cloned());
        assert!(followers.by_topic.values().all(|count| *count == 0));
        println!(
            "{} received, {} gaps, the longest publish {} us, {:?}",
            stress.received.into_inner(),
            stress.gaps.into_inner(),
            stress.longest_publish.into_inner(),
            stress.hub.stats()
        );
        assert_eq!(stress.hub.stats().subscribers, 0);
    }
    assert!(followed.len() > 4, "{followed:?}");
}
