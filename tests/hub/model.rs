//! Random interleavings of everything that can happen to a hub, against a model that keeps all events
//! in a list and looks through it from the start every time. The hub ends now and then, or crashes,
//! and begins again with a tail (`lives`).
//!
//! The other half, entries of an outer log, is `src/hub/past/feeding.rs`.

mod lives;

use std::collections::{HashMap, HashSet};
use std::task::Poll;

use tower_sse::hub::{
    Handle, Hub, HubBuilder, LagPolicy, Outcome, Refused, Retention, Start, Subscription,
};
use tower_sse::{Data, Event, EventId, EventType};

use crate::reader::Reader;
use crate::support::rng::Rng;

const TOPICS: [&str; 6] = ["", "a", "a/1", "a/2", "b", "c"];
const PREFIXES: [&str; 3] = ["a", "a/", ""];
/// What is lost here may have been of any topic.
const EVERYWHERE: &str = "everywhere";

struct Published {
    seq: u64,
    topic: &'static str,
    data: String,
    transient: bool,
    len: usize,
    key: Option<usize>,
    /// A later event has its key.
    replaced: bool,
    lost: bool,
}

impl Published {
    fn is_retained(&self) -> bool {
        !self.transient && !self.lost && !self.replaced
    }
}

/// The rule for a topic, and its turn among those that hold about as much.
#[derive(Default)]
struct Topic {
    events: usize,
    bytes: usize,
    class: Option<u32>,
    turn: usize,
    finished: bool,
}

struct Model {
    hub: Hub,
    settings: fn() -> HubBuilder,
    /// The number of its first event.
    born: u64,
    left: Option<lives::Left>,
    lag: LagPolicy,
    retain_bytes: usize,
    topics: HashMap<&'static str, Topic>,
    turns: usize,
    closed: bool,
    /// Everything there ever was.
    events: Vec<Published>,
    next: u64,
    transients: usize,
    /// The hub's ID of each place, and back.
    ids: Vec<EventId>,
    places: HashMap<EventId, u64>,
}

/// What a client follows from a place on.
#[derive(Clone, PartialEq)]
struct Stay {
    from: u64,
    topics: Vec<&'static str>,
    prefixes: Vec<&'static str>,
    /// Although it follows a prefix of them.
    except: Vec<&'static str>,
}

impl Stay {
    fn new(mut topics: Vec<&'static str>, prefixes: Vec<&'static str>) -> Self {
        topics.retain(|topic| !prefixes.iter().any(|p| topic.starts_with(p)));
        Self {
            from: 0,
            topics,
            prefixes,
            except: Vec::new(),
        }
    }

    fn follows(&self, topic: &str) -> bool {
        let begins = self.prefixes.iter().any(|p| topic.starts_with(p));
        self.topics.contains(&topic) || (begins && !self.except.contains(&topic))
    }

    fn follow(&mut self, topic: &'static str) {
        if self.except.contains(&topic) {
            self.except.retain(|other| *other != topic);
        } else if !self.follows(topic) {
            self.topics.push(topic);
        }
    }

    fn leave(&mut self, topic: &'static str) {
        self.topics.retain(|other| *other != topic);
        if self.follows(topic) {
            self.except.push(topic);
        }
    }

    fn is_as(&self, other: &Self) -> bool {
        let same = |a: &[&str], b: &[&str]| a.len() == b.len() && a.iter().all(|t| b.contains(t));
        same(&self.topics, &other.topics)
            && same(&self.prefixes, &other.prefixes)
            && same(&self.except, &other.except)
    }
}

struct Client {
    /// One after the other, as it was moved.
    stays: Vec<Stay>,
    handle: Option<Handle>,
    /// Lets through what has an even number.
    filtered: bool,
    /// After the ID that it saw last.
    place: u64,
    /// Has been looked at up to here; further than `place` if a filter kept something back.
    looked: u64,
    live_since: u64,
    /// It ends here, since all its topics are finished or its owner has ended it.
    end: u64,
    /// The lost events of which it has been told, or that it was never to have.
    known: HashSet<u64>,
    start: Start,
    not_before: Option<u64>,
    /// No other has it.
    owner: String,
    body: Option<Reader>,
    #[cfg(feature = "compression")]
    gzip: bool,
    /// What has arrived of a block that is not complete.
    bytes: Vec<u8>,
    received: usize,
}

impl Client {
    fn follows(&self, event: &Published) -> bool {
        matches(self, event) && !(self.filtered && event.seq % 2 == 1)
    }

    /// Which of its stays a place is in.
    fn stay_at(&self, seq: u64) -> usize {
        let from = self.stays.partition_point(|stay| stay.from <= seq);
        from - 1
    }

    /// Changes its topics, if its stream has not ended.
    fn steer(&mut self, rng: &mut Rng, model: &Model) {
        // It may never have been taken.
        let Some(handle) = &self.handle else {
            return;
        };
        let there = self.body.is_some();
        assert_eq!(handle.is_gone(), !there);
        let there = there && self.end == u64::MAX;
        let mut stay = self.stays.last().unwrap().clone();
        let topic = rng.pick(&TOPICS);
        let (owner, by_owner) = (model.hub.owner(&self.owner), rng.one_in(3));
        let done = match rng.below(5) {
            0 | 1 => {
                stay.follow(topic);
                if by_owner {
                    owner.follow(*topic)
                } else {
                    usize::from(handle.follow(*topic))
                }
            }
            2 | 3 => {
                stay.leave(topic);
                if by_owner {
                    owner.leave(*topic)
                } else {
                    usize::from(handle.leave(*topic))
                }
            }
            _ => {
                let topics: Vec<_> = TOPICS.into_iter().filter(|_| rng.one_in(3)).collect();
                stay = Stay::new(topics.clone(), Vec::new());
                if by_owner {
                    owner.move_to(topics)
                } else {
                    usize::from(handle.move_to(topics))
                }
            }
        };
        assert_eq!(done, usize::from(there));
        let last = self.stays.last().unwrap();
        if !there || stay.is_as(last) {
            return;
        }
        stay.from = model.next;
        if last.from == model.next {
            self.stays.pop();
        }
        if !self.stays.last().is_some_and(|before| stay.is_as(before)) {
            self.stays.push(stay);
        }
    }

    fn subscribe(&mut self, model: &Model, last: Option<EventId>) -> Result<Outcome, Refused> {
        let stay = &self.stays[0];
        let mut subscriber = model
            .hub
            .subscriber()
            .topics(stay.topics.iter().copied())
            .after(last.unwrap_or(EventId::EMPTY));
        for prefix in &stay.prefixes {
            subscriber = subscriber.prefix(*prefix);
        }
        subscriber = subscriber.start(self.start.clone()).owner(&*self.owner);
        if let Some(seq) = self.not_before {
            subscriber = subscriber.not_before(model.id_of(seq));
        }
        if self.filtered {
            subscriber = subscriber.filter(|delivery| {
                let number = delivery
                    .data()
                    .chars()
                    .skip(1)
                    .take_while(char::is_ascii_digit)
                    .collect::<String>();
                number.parse::<u64>().unwrap() % 2 == 0
            });
        }
        let body = subscriber.subscribe()?;
        let outcome = body.outcome();
        self.handle = Some(body.handle());
        self.body = Some(self.reader(body));
        self.bytes.clear();
        Ok(outcome)
    }

    fn reader(&self, body: Subscription) -> Reader {
        #[cfg(feature = "compression")]
        if self.gzip {
            return Reader::gzip(body);
        }
        Reader::new(body)
    }
}

impl Model {
    fn publish(
        &mut self,
        topic: &'static str,
        transient: bool,
        pad: usize,
        key: Option<usize>,
        finish: bool,
    ) {
        if !transient {
            self.topics.get_mut(topic).unwrap().finished = finish;
        }
        let seq = self.next;
        self.next += 1;
        let event_type = EventType::from_static("n");
        if transient {
            let data = format!("t{seq}");
            self.hub
                .topic(topic)
                .publish_transient(Event::new(data.clone()).with_type(event_type).with_id(1u64));
            self.transients += 1;
            self.events.push(Published {
                seq,
                topic,
                data,
                transient,
                len: 0,
                key: None,
                replaced: false,
                lost: false,
            });
            self.note_place();
            return;
        }
        let mut data = format!("n{seq}");
        for i in 0..pad {
            data.push(if i % 50 == 49 && pad < 1_000 {
                '\n'
            } else {
                'x'
            });
        }
        let event = Event::new(Data::from(data.clone())).with_type(event_type);
        let id = match key {
            Some(key) => self
                .hub
                .topic(topic)
                .publish_latest(format!("key {key}"), &event),
            None if finish => self.hub.topic(topic).finish(event.clone()),
            None => self.hub.topic(topic).publish(&event),
        };
        self.note_place();
        assert_eq!(self.places.get(&id), Some(&seq));
        let labels = key.map_or(0, |key| 128 + format!("key {key}").len());
        let len = event.with_id(id).encode().len() + 200 + labels;
        self.events.push(Published {
            seq,
            topic,
            data,
            transient,
            len,
            key,
            replaced: false,
            lost: false,
        });
        self.weigh(topic);
        let mut earlier = self.events.iter_mut().rev().skip(1);
        let same = |e: &&mut Published| e.is_retained() && e.topic == topic && e.key == key;
        if let Some(before) = earlier.find(same).filter(|_| key.is_some()) {
            before.replaced = true;
        }
        self.evict(topic);
    }

    fn note_place(&mut self) {
        let id = self.hub.last_event_id();
        self.places.insert(id.clone(), self.next - 1);
        self.ids.push(id);
        assert_eq!(self.ids.len() as u64, self.next);
        assert_eq!(self.places.len() as u64, self.next);
    }

    fn id_of(&self, seq: u64) -> EventId {
        self.ids[usize::try_from(seq).unwrap()].clone()
    }

    /// The block with its place in clear.
    fn unseal(&self, block: &str) -> String {
        let lines = block.split_inclusive('\n').map(|line| {
            let id = line.strip_prefix("id: ").map(str::trim_end);
            id.map_or(line.to_owned(), |id| {
                let id = EventId::try_from(id).unwrap();
                format!("id: 10-{}\n", self.places[&id])
            })
        });
        lines.collect()
    }

    fn retained(&self, topic: &str) -> impl Iterator<Item = &Published> + Clone {
        self.events
            .iter()
            .filter(move |e| e.topic == topic && e.is_retained())
    }

    fn bytes_of(&self, topic: &str) -> usize {
        self.retained(topic).map(|e| e.len).sum()
    }

    /// A topic's bytes have changed.
    fn weigh(&mut self, name: &str) {
        let class = self.bytes_of(name).checked_ilog2();
        let topic = self.topics.get_mut(name).unwrap();
        if topic.class != class {
            self.turns += 1;
            (topic.class, topic.turn) = (class, self.turns);
        }
    }

    /// Whether all that the client follows is finished.
    fn is_over(&self, client: &Client) -> bool {
        let finished = |topic: &&str| self.topics[topic].finished;
        let stay = client.stays.last().unwrap();
        stay.prefixes.is_empty() && !stay.topics.is_empty() && stay.topics.iter().all(finished)
    }

    fn finish(&mut self, topic: &'static str, clients: &mut [Client]) {
        if self.topics[topic].finished {
            let place = self.hub.topic(topic).finish(Event::new("not again"));
            let last = self.events[usize::try_from(self.places[&place]).unwrap() - 1].topic;
            assert_eq!(last, topic);
            return;
        }
        self.publish(topic, false, 0, None, true);
        for client in clients.iter_mut().filter(|client| client.end == u64::MAX) {
            if self.is_over(client) {
                client.end = self.next;
            }
        }
    }

    /// A topic of which nothing is retained is not known to be finished.
    fn forget_finished(&mut self) {
        let forgotten = |model: &Self, topic: &&str| {
            model.topics[topic].finished && model.retained(topic).next().is_none()
        };
        // Each event may push out what another topic retains.
        while let Some(topic) = TOPICS.into_iter().find(|topic| forgotten(self, topic)) {
            self.publish(topic, false, 0, None, false);
        }
    }

    fn lose(&mut self, name: &str) {
        let seq = self.retained(name).next().unwrap().seq;
        self.events[usize::try_from(seq).unwrap() - 1].lost = true;
        self.weigh(name);
    }

    fn evict(&mut self, name: &'static str) {
        self.evict_after(name, self.next - 1);
        self.check_stats();
    }

    fn evict_after(&mut self, name: &'static str, newest: u64) {
        self.weigh(name);
        let Topic { events, bytes, .. } = self.topics[name];
        while self.retained(name).count() > 1
            && (self.retained(name).count() > events || self.bytes_of(name) > bytes)
        {
            self.lose(name);
        }
        'full: while self.all_bytes() > self.retain_bytes {
            // The oldest goes, unless its topic has far less than another.
            let oldest = self.events.iter().find(|e| e.is_retained()).unwrap();
            let (seq, name) = (oldest.seq, oldest.topic);
            let largest = self.topics.values().filter_map(|topic| topic.class).max();
            if self.topics[name].class.unwrap() + 4 > largest.unwrap() {
                if seq == newest {
                    break;
                }
                self.lose(name);
                continue;
            }
            for _ in 0..2 {
                // Of those that hold the most, to a power of two, whose turn it is.
                let mut of_class: Vec<_> = self
                    .topics
                    .iter()
                    .filter(|(_, topic)| topic.class == largest)
                    .collect();
                of_class.sort_by_key(|(_, topic)| topic.turn);
                let (name, several) = (*of_class[0].0, of_class.len() > 1);
                if several {
                    self.turns += 1;
                    self.topics.get_mut(name).unwrap().turn = self.turns;
                }
                if self.retained(name).next().unwrap().seq < newest {
                    self.lose(name);
                    continue 'full;
                }
            }
            // The newest event is retained whatever its size.
            break;
        }
    }

    fn all_bytes(&self) -> usize {
        let of_topic = |topic: &&str| match self.bytes_of(topic) {
            0 => 0,
            bytes => bytes + 400 + topic.len(),
        };
        TOPICS.iter().map(of_topic).sum()
    }

    fn check_stats(&self) {
        let stats = self.hub.stats();
        let retained = self.events.iter().filter(|e| e.is_retained());
        assert_eq!(stats.retained, retained.count());
        assert_eq!(stats.retained_bytes, self.all_bytes());
        assert_eq!(stats.published, self.next - self.born);
    }

    /// The numbers of the events that the client has missed and not been told of.
    fn missed<'a>(&'a self, client: &'a Client) -> impl Iterator<Item = u64> + 'a {
        let lost = self.events.iter().filter(|e| {
            e.lost
                && !client.known.contains(&e.seq)
                && (client.place.max(client.looked) + 1..client.end).contains(&e.seq)
                && matches(client, e)
        });
        lost.map(|e| e.seq)
    }

    /// The number of the last event that the client has missed and not been told of, in the first of
    /// its stays where there is one, unless there is something to read before that.
    fn last_lost(&self, client: &Client) -> Option<u64> {
        let mut lost = self.missed(client).peekable();
        let stay = client.stay_at(*lost.peek()?);
        let next = self.pending(client).next();
        if next.is_some_and(|next| client.stay_at(next.seq) < stay) {
            return None;
        }
        lost.take_while(|seq| client.stay_at(*seq) == stay).last()
    }

    fn lost(&self, client: &Client) -> bool {
        self.last_lost(client).is_some()
    }

    /// The retained events that the client has yet to get.
    fn pending<'a>(&'a self, client: &'a Client) -> impl Iterator<Item = &'a Published> {
        self.events.iter().filter(move |e| {
            let there = if e.transient {
                e.seq >= client.live_since
            } else {
                e.is_retained()
            };
            there && e.seq > client.place && e.seq < client.end && client.follows(e)
        })
    }

    fn connect(&mut self, client: &mut Client, last: Option<EventId>, known: bool) {
        client.stays.drain(..client.stays.len() - 1);
        let stay = &mut client.stays[0];
        // The handler does not know how to say that.
        stay.except.clear();
        stay.from = 0;
        client.looked = 0;
        let is_over = self.is_over(client);
        client.end = if is_over { self.next } else { u64::MAX };
        client.known.clear();
        if !known {
            let lost = self.events.iter().filter(|e| e.lost);
            client.known.extend(lost.map(|e| e.seq));
        }
        let lost = self.lost(client);
        let durable = |e: &&Published| !e.transient;
        client.live_since = self.next;
        let all = Client {
            filtered: false,
            stays: client.stays.clone(),
            handle: None,
            start: Start::Now,
            body: None,
            bytes: Vec::new(),
            known: HashSet::new(),
            owner: String::new(),
            ..*client
        };
        let pending = self.pending(&all).filter(durable).count() as u64;
        let fresh = last.is_none();
        let replayed = if known {
            pending
        } else {
            self.count_from_start(client, is_over) as u64
        };
        let outcome = match client.subscribe(self, last) {
            Err(refused) => {
                assert!(
                    refused.is_finished() && is_over && replayed == 0,
                    "{refused}"
                );
                client.body = None;
                return;
            }
            Ok(outcome) => outcome,
        };
        assert!(!is_over || replayed > 0, "nothing to replay");
        let newest = self.next - 1;
        match outcome {
            Outcome::Fresh => {
                assert!(fresh);
                let block = self.block(client).unwrap();
                let place = block.strip_prefix("id: 10-").unwrap().trim_end();
                client.place = place.parse().unwrap();
                self.check_start(client, replayed);
            }
            Outcome::Unknown => {
                assert!(!fresh && !known);
                self.gap(client);
                if is_over {
                    self.check_start(client, replayed);
                } else {
                    assert_eq!(client.place, newest);
                }
            }
            Outcome::Resumed(n) => {
                assert!(known && !lost, "told that nothing was lost");
                assert_eq!(n, pending);
                // With nothing to replay, the place moves on.
                if n == 0 && client.place < newest {
                    let place = format!("id: 10-{newest}\n\n");
                    assert_eq!(self.block(client), Some(place));
                    client.place = newest;
                }
            }
            Outcome::Gap => {
                assert!(known && lost, "an unfounded gap");
                let before = client.place.max(client.looked);
                self.gap(client);
                if self.lag == LagPolicy::Newest && !is_over {
                    assert_eq!(client.place, newest);
                } else {
                    self.check_nothing_skipped(client, before);
                }
            }
            _ => unreachable!(),
        }
    }

    /// Whether a client that has come for the first time begins where it was to.
    fn check_start(&self, client: &Client, expected: u64) {
        let retained = self.events.iter().filter(|e| e.is_retained());
        let after = |e: &&Published| e.seq > client.place && matches(client, e);
        assert_eq!(
            retained.filter(after).count() as u64,
            expected,
            "{:?}",
            client.start
        );
        assert!(client.place < self.next);
    }

    /// How many events a client gets that has seen nothing.
    fn count_from_start(&self, client: &Client, is_over: bool) -> usize {
        let floor = client.not_before.unwrap_or(0);
        let retained: Vec<u64> = self
            .events
            .iter()
            .filter(|e| e.is_retained() && e.seq > floor && matches(client, e))
            .map(|e| e.seq)
            .collect();
        let after = |place: u64| retained.iter().filter(|seq| **seq > place).count();
        match &client.start {
            Start::Now if !is_over => 0,
            Start::Last(events) => retained.len().min(*events),
            Start::After(id) => after(self.places[id]),
            _ => retained.len(),
        }
    }

    /// Whether a client that has been told of a gap gets what is retained.
    fn check_nothing_skipped(&self, client: &Client, before: u64) {
        assert!(client.place < self.next);
        let all = client.place.max(before) + 1;
        let skipped = |e: &&Published| e.is_retained() && client.follows(e);
        let mut between = self
            .events
            .iter()
            .filter(|e| (before + 1..all).contains(&e.seq));
        let skipped = between.find(skipped).map(|e| (e.seq, e.topic));
        assert!(skipped.is_none(), "{skipped:?} not given after a gap");
    }

    fn gap(&self, client: &mut Client) {
        let block = self.block(client).unwrap();
        let id = block.strip_prefix("event: gap\nid: 10-").unwrap();
        let id = id.strip_suffix("\ndata: {}\n\n").unwrap();
        // It is told of all that is lost, as far as its topics do not change.
        let lost = self.events.iter().filter(|e| e.lost && matches(client, e));
        let stay = self.last_lost(client).map(|seq| client.stay_at(seq));
        let all = self.lag == LagPolicy::Newest;
        let told = lost.filter(|e| all || stay == Some(client.stay_at(e.seq)));
        let told: Vec<u64> = told.map(|e| e.seq).collect();
        client.known.extend(told);
        client.place = id.parse().unwrap();
    }

    /// Polls for one more block; `None` if there is none now, or the stream is over.
    fn block(&self, client: &mut Client) -> Option<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&client.bytes, b"\n\n") {
                let block = client.bytes.drain(..end + 2).collect();
                return Some(self.unseal(&String::from_utf8(block).unwrap()));
            }
            let body = client.body.as_mut()?;
            match body.poll() {
                Poll::Pending => return None,
                Poll::Ready(Some(bytes)) => client.bytes.extend(bytes),
                Poll::Ready(None) => {
                    client.body = None;
                    return None;
                }
            }
        }
    }

    /// Ends a client's subscription: it gets what is pending, whatever comes after that.
    fn end(&mut self, client: &mut Client, rng: &mut Rng) {
        let there = usize::from(client.body.is_some());
        assert_eq!(self.hub.owner(&client.owner).subscriptions(), there);
        assert_eq!(self.hub.owner(&client.owner).end(), there);
        assert_eq!(self.hub.owner(&client.owner).subscriptions(), 0);
        if there == 0 {
            return;
        }
        client.end = client.end.min(self.next);
        self.publish_more(rng);
        // In its present topics or later.
        let lags = self.lag == LagPolicy::End && self.missed(client).next().is_some();
        self.read(client, usize::MAX);
        assert!(client.body.is_none(), "ended, and still there");
        let next = self.pending(client).next().map(|event| event.seq);
        assert!(lags || next.is_none(), "{next:?} not given before the end");
    }

    fn publish_more(&mut self, rng: &mut Rng) {
        for _ in 0..rng.below(3) * rng.below(40) {
            let topic = TOPICS[rng.below(TOPICS.len())];
            self.publish(topic, false, rng.below(200), None, false);
        }
        self.forget_finished();
    }

    /// Takes a limited number of blocks and compares each.
    fn read(&self, client: &mut Client, mut blocks: usize) {
        if client.filtered {
            blocks = usize::MAX;
        }
        while blocks > 0 && client.body.is_some() {
            blocks -= 1;
            // What is in the buffer was handed out before something was lost.
            if client.bytes.is_empty() && self.lost(client) {
                if self.lag == LagPolicy::End {
                    assert_eq!(self.block(client), None);
                    assert!(client.body.is_none(), "lagged, and not ended");
                    return;
                }
                let before = client.place.max(client.looked);
                self.gap(client);
                if self.lag == LagPolicy::Newest {
                    let head =
                        |e: &Published| !e.transient && e.seq > client.place && e.seq < client.end;
                    assert!(!self.events.iter().any(|e| head(e) && matches(client, e)));
                } else {
                    self.check_nothing_skipped(client, before);
                }
                continue;
            }
            let fresh = client.bytes.is_empty();
            let Some(block) = self.block(client) else {
                let next = self.pending(client).next().map(|event| event.seq);
                assert!(
                    client.body.is_none() || next.is_none(),
                    "{next:?} not given"
                );
                let is_over = self.closed || client.end < u64::MAX;
                assert_eq!(client.body.is_none(), is_over, "finished, and not ended");
                client.looked = self.next - 1;
                return;
            };
            let id = block.lines().find_map(|line| line.strip_prefix("id: 10-"));
            let data: Vec<&str> = block
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .collect();
            let number: u64 =
                id.map_or_else(|| data[0][1..].parse().unwrap(), |id| id.parse().unwrap());
            if data.is_empty() {
                // The end, of which its filter may have let nothing through.
                assert!(client.filtered && client.end < u64::MAX);
                assert!(number >= client.place && self.pending(client).next().is_none());
                client.place = number;
                continue;
            }
            let published = &self.events[usize::try_from(number).unwrap() - 1];
            assert_eq!(published.data, data.join("\n"));
            assert!(!(fresh && published.replaced), "{number} has been replaced");
            assert_eq!(published.transient, id.is_none());
            assert!(
                client.follows(published),
                "{} is not the client's",
                published.topic
            );
            assert!(number > client.place, "{number} again");
            // Nothing in between, but for what is told later.
            let skipped = self.events.iter().find(|e| {
                e.seq > client.place
                    && !e.lost
                    && !e.replaced
                    && e.seq < number
                    && client.follows(e)
                    && (!e.transient || e.seq >= client.live_since)
            });
            let skipped = skipped.map(|e| (e.seq, e.transient));
            assert!(
                skipped.is_none(),
                "{number} before {skipped:?}, {:?}",
                client.place
            );
            client.place = number;
            client.received += 1;
        }
    }
}

/// Whether the client's topics have the event, filter or not: what the filter would have kept back is
/// lost all the same.
fn matches(client: &Client, event: &Published) -> bool {
    let stay = &client.stays[client.stay_at(event.seq)];
    if event.topic == EVERYWHERE {
        return !(stay.topics.is_empty() && stay.prefixes.is_empty());
    }
    stay.follows(event.topic)
}

/// Random limits, and the model's topics with them.
fn limits(
    rng: &mut Rng,
    settings: HubBuilder,
) -> (HubBuilder, HashMap<&'static str, Topic>, usize) {
    let retain_bytes = 4_000 + rng.below(200_000);
    let events = 1 + rng.below(60);
    let mut settings = settings.retain_events(events).retain_bytes(retain_bytes);
    let bytes = usize::MAX;
    let rule = || Topic {
        events,
        bytes,
        ..Topic::default()
    };
    let mut topics: HashMap<_, Topic> = TOPICS.iter().map(|name| (*name, rule())).collect();
    if rng.one_in(2) {
        let (events, bytes) = (1 + rng.below(10), 300 + rng.below(20_000));
        settings = settings.retain_prefix("a/", Retention::new().events(events));
        settings = settings.retain_topic("a/2", Retention::new().bytes(bytes));
        topics.get_mut("a/1").unwrap().events = events;
        topics.get_mut("a/2").unwrap().bytes = bytes;
    }
    (settings, topics, retain_bytes)
}

fn run(seed: u64, settings: fn() -> HubBuilder) -> usize {
    let mut rng = Rng::new(seed);
    let lag = *rng.pick(&[LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest]);
    let (hub, topics, retain_bytes) = limits(&mut rng, settings().lag(lag));
    let mut model = Model {
        hub: hub.build(),
        settings,
        born: 1,
        left: None,
        lag,
        retain_bytes,
        topics,
        turns: 0,
        closed: false,
        events: Vec::new(),
        next: 1,
        transients: 0,
        ids: Vec::new(),
        places: HashMap::new(),
    };
    model.note_place();
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..rng.below(600) {
        match rng.below(23) {
            0..=7 => {
                let pad = match rng.below(30) {
                    0 => 64 * 1024 + rng.below(1_000),
                    1..=3 => 1_000 + rng.below(40_000),
                    _ => rng.below(120),
                };
                for _ in 0..1 + rng.below(4) {
                    let topic = rng.pick(&TOPICS);
                    let transient = model.transients < 200 && rng.one_in(6);
                    let key = rng.one_in(4).then(|| rng.below(3));
                    model.publish(topic, transient, pad, key, false);
                }
            }
            8 => {
                let mut topics: Vec<_> = TOPICS.into_iter().filter(|_| rng.one_in(3)).collect();
                let prefixes: Vec<_> = PREFIXES.into_iter().filter(|_| rng.one_in(5)).collect();
                if topics.is_empty() && prefixes.is_empty() {
                    topics.push("");
                }
                let mut client = Client {
                    stays: vec![Stay::new(topics, prefixes)],
                    handle: None,
                    filtered: rng.one_in(5),
                    place: model.next - 1,
                    looked: 0,
                    live_since: 0,
                    end: u64::MAX,
                    known: HashSet::new(),
                    start: match rng.below(6) {
                        0 => Start::Oldest,
                        1 => Start::Last(rng.below(40)),
                        2 => Start::After(model.id_of(rng.next() % model.next)),
                        _ => Start::Now,
                    },
                    not_before: rng.one_in(6).then(|| rng.next() % model.next),
                    owner: format!("client {}", rng.next()),
                    body: None,
                    #[cfg(feature = "compression")]
                    gzip: rng.one_in(2),
                    bytes: Vec::new(),
                    received: 0,
                };
                model.connect(&mut client, None, false);
                clients.push(client);
            }
            9 if !clients.is_empty() => {
                let at = rng.below(clients.len());
                clients.swap_remove(at);
            }
            10 | 11 if !clients.is_empty() => {
                let at = rng.below(clients.len());
                let client = &mut clients[at];
                let id = model.id_of(client.place);
                client.not_before = rng.one_in(6).then(|| rng.next() % model.next);
                client.place = client.place.max(client.not_before.unwrap_or(0));
                model.connect(client, Some(id), true);
            }
            12 if !clients.is_empty() => {
                let at = rng.below(clients.len());
                let foreign = match rng.below(4) {
                    0 => "11-1".to_owned(),
                    1 => format!("10-{}", model.hub.tail().next_number() + rng.next() % 5),
                    2 => "10-01".to_owned(),
                    _ => "garbage".to_owned(),
                };
                model.connect(
                    &mut clients[at],
                    Some(EventId::try_from(foreign).unwrap()),
                    false,
                );
            }
            13 if !clients.is_empty() => {
                for _ in 0..1 + rng.below(3) {
                    let at = rng.below(clients.len());
                    clients[at].steer(&mut rng, &model);
                    if clients[at].end == u64::MAX && model.is_over(&clients[at]) {
                        clients[at].end = model.next;
                    }
                }
            }
            14..=16 if !clients.is_empty() => {
                let at = rng.below(clients.len());
                let blocks = 1 + rng.below(20);
                model.read(&mut clients[at], blocks);
            }
            17 if !clients.is_empty() => {
                let at = rng.below(clients.len());
                model.end(&mut clients[at], &mut rng);
            }
            18 if rng.one_in(3) => model.restart(&mut clients, &mut rng),
            18 => model.leave(),
            19 if rng.one_in(6) => model.crash(&mut clients, &mut rng),
            _ => {
                for client in &mut clients {
                    model.read(client, usize::MAX);
                }
            }
        }
        model.forget_finished();
        if rng.one_in(8) {
            model.finish(TOPICS[rng.below(TOPICS.len())], &mut clients);
        }
        model.forget_finished();
        let live = clients.iter().filter(|c| c.body.is_some()).count();
        assert_eq!(model.hub.stats().subscribers, live);
        assert!(model.hub.stats().topics <= TOPICS.len());
    }
    model.hub.close();
    model.closed = true;
    for client in &mut clients {
        client.end = client.end.min(model.next);
    }
    // A close is a place in the log: what comes after it is for nobody, and no loss of theirs.
    model.publish_more(&mut rng);
    for topic in TOPICS.into_iter().filter(|_| rng.one_in(4)) {
        model.hub.topic(topic).publish_transient(Event::new("late"));
    }
    for client in &mut clients {
        model.read(client, usize::MAX);
        assert!(client.body.is_none(), "closed, and not ended");
    }
    assert_eq!(model.hub.stats().subscribers, 0);
    clients.iter().map(|client| client.received).sum()
}

fn runs(share: usize, settings: fn() -> HubBuilder) {
    let seeds = std::env::var("SEEDS").map_or(120, |seeds| seeds.parse::<usize>().unwrap()) / share;
    let mut received = 0;
    let first = std::env::var("FIRST_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + seeds {
        let outcome = std::panic::catch_unwind(|| run(seed as u64, settings));
        received += outcome.unwrap_or_else(|_| panic!("seed {seed}"));
    }
    assert!(received > seeds * 10, "{received} events in {seeds} runs");
}

#[test]
fn does_what_the_model_does() {
    runs(1, || Hub::builder().epoch(36));
}

#[cfg(feature = "sealed")]
#[test]
fn does_what_the_model_does_when_sealed() {
    runs(4, || Hub::builder().epoch(36).seal_ids([7; 32]));
}
