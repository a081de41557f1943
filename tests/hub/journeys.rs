//! Clients that come back in each way there is, as a body, a long poll or a stream, until the hub is
//! closed at once or bit by bit, and after that. Each event of their topics reaches them once and in
//! order, or they are told, and only then.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::Either;
use http_body::Body;
use tower_sse::hub::{CloseOver, Deliveries, Hub, LagPolicy, Outcome, Start};
use tower_sse::{Event, EventId};

use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

const TOPICS: [&str; 5] = ["", "a", "a/1", "a/2", "b"];

struct Published {
    seq: u64,
    topic: &'static str,
    key: Option<usize>,
    id: EventId,
    /// A later event has its key.
    replaced: bool,
    lost: bool,
}

impl Published {
    fn is_retained(&self) -> bool {
        !self.lost && !self.replaced
    }
}

struct World {
    hub: Hub,
    lag: LagPolicy,
    /// How many events of a topic are retained.
    cap: usize,
    keeps_ids: bool,
    events: Vec<Published>,
    next: u64,
    finished: HashSet<&'static str>,
    /// The places that the hub's IDs stand for.
    places: HashMap<EventId, u64>,
    /// Where streams have been ended, the last of them where all have been.
    steps: Vec<u64>,
    closed: bool,
}

impl World {
    fn note_place(&mut self) {
        self.places.insert(self.hub.last_event_id(), self.next - 1);
    }

    fn publish(&mut self, topic: &'static str, rng: &mut Rng) {
        let seq = self.next;
        self.next += 1;
        let key = rng.one_in(4).then(|| rng.below(3));
        let finishes = key.is_none() && rng.one_in(8) && !self.finished.contains(topic);
        let mut event = Event::new(seq.to_string());
        if self.keeps_ids && rng.one_in(2) {
            // The later of two with the same ID counts.
            let id = format!("{topic}{}", rng.below(9));
            event = event.with_id(EventId::try_from(id).unwrap());
        }
        let to = self.hub.topic(topic);
        let id = match key {
            Some(key) => to.publish_latest(key.to_string(), event),
            None if finishes => to.finish(event),
            None => to.publish(event),
        };
        let of_topic = |e: &&mut Published| e.topic == topic && e.is_retained();
        let mut earlier = self.events.iter_mut().rev().filter(of_topic);
        if let Some(before) = earlier.find(|e| key.is_some() && e.key == key) {
            before.replaced = true;
        }
        self.events.push(Published {
            seq,
            topic,
            key,
            id,
            replaced: false,
            lost: false,
        });
        if self.events.iter_mut().filter(of_topic).count() > self.cap {
            let oldest = self.events.iter_mut().find(of_topic);
            oldest.unwrap().lost = true;
        }
        if finishes {
            self.finished.insert(topic);
        } else {
            self.finished.remove(topic);
        }
        self.note_place();
    }

    /// The place where all streams end by now.
    fn end(&self) -> u64 {
        let end = self.steps.last().filter(|_| self.closed);
        end.copied().unwrap_or(u64::MAX)
    }
}

type AnyBody = Pin<Box<dyn Body<Data = Bytes, Error = Infallible>>>;

enum Connection {
    Body(AnyBody),
    Stream(Deliveries),
}

/// What it has to be told first, if it is not known where it begins: a body tells, a stream begins with
/// whatever comes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    ToBeTold,
    Anywhere,
    After(u64),
}

struct Client {
    topics: Vec<&'static str>,
    prefix: Option<&'static str>,
    last: Option<EventId>,
    place: Place,
    /// It ends here.
    end: u64,
    /// The lost events of which it has been told, or that it was never to have.
    known: HashSet<u64>,
    connection: Option<Connection>,
    bytes: String,
    /// It is sent this event first, if it is new or has missed something.
    has_first: bool,
    /// It polls, and for how long: for ever, or not at all.
    polls: Option<bool>,
    /// Something else than a place has come.
    served: bool,
}

impl Client {
    fn new(rng: &mut Rng) -> Self {
        Self {
            topics: TOPICS.into_iter().filter(|_| rng.one_in(3)).collect(),
            prefix: rng.one_in(3).then(|| *rng.pick(&["", "a", "a/"])),
            last: None,
            place: Place::ToBeTold,
            end: u64::MAX,
            known: HashSet::new(),
            connection: None,
            bytes: String::new(),
            has_first: false,
            polls: None,
            served: false,
        }
    }

    fn follows(&self, topic: &str) -> bool {
        let by_prefix = self.prefix.is_some_and(|prefix| topic.starts_with(prefix));
        by_prefix || self.topics.contains(&topic)
    }

    fn is_over(&self, world: &World) -> bool {
        let finished = |topic: &&str| world.finished.contains(topic);
        self.prefix.is_none() && !self.topics.is_empty() && self.topics.iter().all(finished)
    }

    /// What it has yet to get between two places.
    fn pending(&self, world: &World, after: u64, before: u64) -> usize {
        let events = world.events.iter().filter(|e| e.is_retained());
        let events = events.filter(|e| (after + 1..before).contains(&e.seq));
        events.filter(|e| self.follows(e.topic)).count()
    }

    /// Whether it has missed something between two places and has not been told.
    fn has_missed(&self, world: &World, after: u64, before: u64) -> bool {
        let mut lost = world
            .events
            .iter()
            .filter(|e| e.lost && self.follows(e.topic));
        lost.any(|e| (after + 1..before).contains(&e.seq) && !self.known.contains(&e.seq))
    }

    fn learn_losses(&mut self, world: &World) {
        let lost = world.events.iter().filter(|e| e.lost);
        self.known.extend(lost.map(|e| e.seq));
    }

    /// The place of its last event ID, if the hub knows it.
    fn known_place(&self, world: &World) -> Option<u64> {
        let last = self.last.as_ref()?;
        let own = || {
            let mut newest = world.events.iter().rev().filter(|e| e.is_retained());
            let event = newest.find(|e| self.follows(e.topic) && e.id == *last)?;
            Some(event.seq)
        };
        world.places.get(last).copied().or_else(own)
    }

    fn connect(&mut self, world: &World, rng: &mut Rng) {
        self.connection = None;
        self.bytes.clear();
        self.known.clear();
        self.served = false;
        if rng.one_in(12) {
            self.last = None;
        } else if rng.one_in(40) {
            self.last = Some(EventId::from_static("unknown"));
        }
        let start = match rng.below(4) {
            0 => Start::Oldest,
            1 => Start::Last(rng.below(5)),
            _ => Start::Now,
        };
        let subscriber = world.hub.subscriber().topics(self.topics.iter().copied());
        let mut subscriber = subscriber
            .start(start)
            .after(self.last.clone().unwrap_or(EventId::EMPTY));
        if let Some(prefix) = self.prefix {
            subscriber = subscriber.prefix(prefix);
        }
        self.has_first = rng.one_in(3);
        if self.has_first {
            subscriber = subscriber.first(Event::new("first"));
        }
        self.end = world.end();
        if self.is_over(world) {
            self.end = self.end.min(world.next);
        }
        let known = self.known_place(world);
        let missed = known.is_some_and(|place| self.has_missed(world, place, self.end));
        let subscription = match subscriber.subscribe() {
            Ok(subscription) => subscription,
            Err(refused) => {
                assert!(refused.is_closed() || refused.is_finished(), "{refused}");
                assert!(!refused.is_closed() || !world.steps.is_empty());
                assert!(!refused.is_finished() || self.is_over(world));
                // Nobody comes while others are ended bit by bit. Who has missed something and begins
                // anew may begin with nothing.
                let replays = refused.is_finished() || world.closed;
                let anew = missed && (self.has_first || world.lag == LagPolicy::Newest);
                if let Some(place) = known.filter(|_| replays && !anew) {
                    assert_eq!(self.pending(world, place, self.end), 0, "{refused}");
                }
                return;
            }
        };
        let outcome = subscription.outcome();
        let expected = match (&self.last, known) {
            (None, _) => Outcome::Fresh,
            (_, None) => Outcome::Unknown,
            _ if missed => Outcome::Gap,
            (_, Some(place)) => Outcome::Resumed(self.pending(world, place, self.end) as u64),
        };
        assert_eq!(outcome, expected, "{:?}", self.last);
        self.place = match known {
            Some(place) if !missed => Place::After(place),
            _ => Place::ToBeTold,
        };
        if self.place == Place::ToBeTold {
            self.learn_losses(world);
        }
        self.polls = None;
        self.connection = Some(match rng.below(8) {
            0 | 1 => {
                if self.place == Place::ToBeTold {
                    self.place = Place::Anywhere;
                    self.last = None;
                }
                Connection::Stream(subscription.into_stream())
            }
            2..=4 => {
                let waits = !rng.one_in(3);
                self.polls = Some(waits);
                let timer = move |_| match waits {
                    true => Either::Left(pending()),
                    false => Either::Right(ready(())),
                };
                let body = subscription.long_poll_with_timer(Duration::from_secs(25), timer);
                Connection::Body(Box::pin(body))
            }
            5 => Connection::Body(Box::pin(subscription.into_body())),
            _ => Connection::Body(Box::pin(subscription)),
        });
    }

    fn read(&mut self, world: &World, frames: usize) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..frames {
            let ended = match &mut self.connection {
                None => return,
                Some(Connection::Stream(stream)) => match stream.poll_next_unpin(&mut cx) {
                    Poll::Pending => return self.check_waiting(world),
                    Poll::Ready(None) => true,
                    Poll::Ready(Some(Ok(delivery))) => {
                        self.take_event(world, delivery.data().parse().unwrap());
                        let id = delivery.id().unwrap().to_owned();
                        self.last = Some(EventId::try_from(id).unwrap());
                        false
                    }
                    Poll::Ready(Some(Err(_missed))) => {
                        self.learn_losses(world);
                        self.place = Place::Anywhere;
                        false
                    }
                },
                Some(Connection::Body(body)) => match body.as_mut().poll_frame(&mut cx) {
                    Poll::Pending => return self.check_waiting(world),
                    Poll::Ready(None) => true,
                    Poll::Ready(Some(Ok(frame))) => {
                        let data = frame.into_data().unwrap();
                        self.bytes.push_str(std::str::from_utf8(&data).unwrap());
                        while let Some(end) = self.bytes.find("\n\n") {
                            let block: String = self.bytes.drain(..end + 2).collect();
                            self.take_block(world, block.trim_start_matches(":\nretry: 100\n"));
                        }
                        false
                    }
                    Poll::Ready(Some(Err(never))) => match never {},
                },
            };
            if ended {
                self.connection = None;
                return self.check_ended(world);
            }
        }
    }

    fn take_block(&mut self, world: &World, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let id = field("id: ").map(|id| EventId::try_from(id).unwrap());
        let place = || world.places[id.as_ref().unwrap()];
        match field("data: ") {
            Some("bye") => return,
            Some("first") => {
                assert!(self.has_first);
                let told = Place::After(place());
                assert!([Place::ToBeTold, told].contains(&self.place));
                (self.place, self.served) = (told, true);
            }
            Some("{}") => {
                // What was lost since it came may still be told.
                if self.place != Place::ToBeTold {
                    self.learn_losses(world);
                }
                (self.place, self.served) = (Place::After(place()), true);
            }
            Some(number) => self.take_event(world, number.parse().unwrap()),
            None => {
                let told = place();
                if let Place::After(place) = self.place {
                    assert!(told >= place);
                    self.check_between(world, place, told + 1);
                }
                self.place = Place::After(told);
            }
        }
        self.last = id;
    }

    fn take_event(&mut self, world: &World, number: u64) {
        let event = &world.events[usize::try_from(number).unwrap() - 1];
        assert!(self.follows(event.topic) && number < self.end);
        match self.place {
            Place::ToBeTold => panic!("{number} comes before the place"),
            Place::Anywhere => {}
            Place::After(place) => {
                assert!(number > place, "{number} after {place}");
                self.check_between(world, place, number);
            }
        }
        (self.place, self.served) = (Place::After(number), true);
    }

    fn check_between(&self, world: &World, after: u64, before: u64) {
        assert_eq!(self.pending(world, after, before), 0, "{after} to {before}");
        assert!(!self.has_missed(world, after, before), "lost in silence");
    }

    fn check_waiting(&self, world: &World) {
        assert_ne!(self.place, Place::ToBeTold);
        let may_wait = self.polls.is_none_or(|waits| waits && !self.served);
        assert!(may_wait, "the poll goes on");
        assert_eq!(self.end, u64::MAX, "its end has been reached");
        if let Place::After(place) = self.place {
            assert_eq!(self.pending(world, place, self.end), 0, "not sent");
        }
    }

    fn check_ended(&self, world: &World) {
        let Place::After(place) = self.place else {
            return;
        };
        let lags = world.lag == LagPolicy::End && self.has_missed(world, place, self.end);
        let polled = self.polls.is_some_and(|waits| !waits || self.served);
        // All before the end, or before the step of the close that it was ended in.
        let is_end = |end: u64| place < end && self.pending(world, place, end) == 0;
        let mut ends = world.steps.iter().copied();
        let ended = ends.any(is_end) || (self.end < u64::MAX && is_end(self.end));
        assert!(lags || polled || ended, "ended after {place}");
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let keeps_ids = rng.one_in(3);
    let (oldest, other) = (LagPolicy::Oldest, [LagPolicy::End, LagPolicy::Newest]);
    let lag = if rng.one_in(2) {
        oldest
    } else {
        *rng.pick(&other)
    };
    let cap = 1 + rng.below(12);
    let settings = Hub::builder().lag(lag).retain_events(cap);
    let mut settings = settings.farewell(Event::new("bye"));
    if keeps_ids {
        settings = settings.keep_event_ids();
    }
    #[cfg(feature = "sealed")]
    if rng.one_in(6) {
        settings = settings.seal_ids([3; 32]);
    }
    let mut world = World {
        hub: settings.build(),
        lag,
        cap,
        keeps_ids,
        events: Vec::new(),
        next: 1,
        finished: HashSet::new(),
        places: HashMap::new(),
        steps: Vec::new(),
        closed: false,
    };
    world.note_place();
    let mut clients: Vec<Client> = Vec::new();
    let timer = ManualTimer::new();
    let mut closing: Option<Pin<Box<CloseOver<ManualTimer>>>> = None;
    let steps = 200 + rng.below(300);
    for step in 0..steps {
        if step == steps / 3 * 2 {
            // Within one step, or within fifty.
            let time = Duration::from_secs(rng.next() % 2);
            closing = Some(Box::pin(
                world.hub.close_over_with_timer(time, timer.clone()),
            ));
        }
        if let Some(close) = &mut closing {
            let mut cx = Context::from_waker(Waker::noop());
            world.closed = close.as_mut().poll(&mut cx).is_ready();
            world.steps.push(world.next);
            timer.advance(Duration::from_millis(20));
            if world.closed {
                closing = None;
                let end = world.end();
                clients
                    .iter_mut()
                    .for_each(|client| client.end = client.end.min(end));
            }
        }
        let which = rng.below(clients.len().max(1));
        match (rng.below(12), clients.get_mut(which)) {
            (0..=4, _) => {
                for _ in 0..1 + rng.below(4) {
                    world.publish(rng.pick::<&str>(&TOPICS), &mut rng);
                    for client in clients.iter_mut().filter(|c| c.connection.is_some()) {
                        if client.end == u64::MAX && client.is_over(&world) {
                            client.end = world.next;
                        }
                    }
                }
            }
            (5, _) => clients.push(Client::new(&mut rng)),
            (6 | 7, Some(client)) => client.connect(&world, &mut rng),
            (8..=10, Some(client)) => client.read(&world, 1 + rng.below(20)),
            _ => {
                for client in &mut clients {
                    if client.connection.is_none() && rng.one_in(2) {
                        client.connect(&world, &mut rng);
                    }
                    client.read(&world, usize::MAX);
                }
            }
        }
    }
    if !world.closed {
        world.hub.close();
        world.steps.push(world.next);
        world.closed = true;
        let end = world.next;
        clients
            .iter_mut()
            .for_each(|client| client.end = client.end.min(end));
    }
    for client in &mut clients {
        for _ in 0..3 {
            client.read(&world, usize::MAX);
            assert!(client.connection.is_none(), "the hub is closed");
            client.connect(&world, &mut rng);
        }
        client.connection = None;
    }
    assert_eq!(world.hub.stats().subscribers, 0);
}

#[test]
fn each_event_comes_once_or_is_told_to_be_missing() {
    let seeds = std::env::var("SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed)));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
