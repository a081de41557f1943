//! Nodes and clients on a stream that is trimmed, flushed, and loses its tail: whatever happens, nobody
//! loses an event in silence, gets one twice or out of order, or is told of a loss that is none.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard};
    use std::task::{Context, Poll, Waker};

    use http_body::Body;

    use super::super::entry::StreamEntry;
    use super::super::machine::{Ask, Depth, Machine, Reply};
    use super::super::ring::{apply, knows};
    use crate::hub::delivery::Delivery;
    use crate::hub::foreign::{id_of, key_of};
    use crate::hub::outer::{LogEntry, Page, PageFuture, Past, Stored};
    use crate::hub::{Hub, LagPolicy, Subscription};
    use crate::protocol::{Event, EventId};

    const TOPICS: [&str; 3] = ["a", "b", "c"];

    /// Tells what happens, if that is asked for.
    fn say(what: impl FnOnce() -> String) {
        if std::env::var_os("TOWER_SSE_SAY").is_some() {
            eprintln!("{}", what());
        }
    }

    /// What was published, in the order in which it was.
    #[derive(Debug, Clone, Copy)]
    struct Published {
        topic: &'static str,
        key: u128,
        /// A node has read it.
        is_seen: bool,
        fate: Fate,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fate {
        Stored,
        Trimmed,
        /// Gone although it was the newest. If no node had read it, nobody knows.
        Lost,
    }

    #[derive(Debug, Clone, Copy)]
    enum Record {
        Event(usize),
        Begin,
        Lost(u128),
    }

    /// Redis.
    #[derive(Debug, Default)]
    struct Stream {
        records: BTreeMap<u128, Record>,
        published: Vec<Published>,
        clock: u64,
        last: u128,
        /// Keeps IDs of one life of the server from being those of another.
        life: u64,
        pages: usize,
        /// Marks of a loss that were ever there.
        marks: BTreeSet<u128>,
    }

    impl Stream {
        fn id(&mut self) -> u128 {
            let by_clock = (u128::from(self.clock) << 64) + u128::from(self.life * 1_000_000);
            self.last = by_clock.max(self.last + 1);
            self.last
        }

        fn publish(&mut self, topic: &'static str) {
            let key = self.id();
            self.records
                .insert(key, Record::Event(self.published.len()));
            self.published.push(Published {
                topic,
                key,
                is_seen: false,
                fate: Fate::Stored,
            });
        }

        fn remove(&mut self, keys: Vec<u128>, fate: Fate) {
            say(|| {
                format!(
                    "{fate:?} {:?}",
                    keys.iter().map(|key| id_of(*key)).collect::<Vec<_>>()
                )
            });
            for key in keys {
                if let Some(Record::Event(number)) = self.records.remove(&key) {
                    self.published[number].fate = fate;
                }
            }
        }

        fn trim(&mut self, count: usize) {
            let oldest = self.records.keys().copied().take(count).collect();
            self.remove(oldest, Fate::Trimmed);
        }

        fn lose_tail(&mut self, count: usize) {
            let newest = self.records.keys().rev().copied().take(count).collect();
            self.remove(newest, Fate::Lost);
            self.last = self.records.keys().last().copied().unwrap_or(0);
            self.life += 1;
        }

        fn entry(&self, key: u128, record: Record) -> StreamEntry {
            let what = match record {
                Record::Begin => Stored::Place,
                Record::Lost(after) => Stored::Lost { after },
                Record::Event(number) => {
                    let event = Event::new(number.to_string());
                    let topic = self.published[number].topic.into();
                    Stored::Event {
                        delivery: Delivery::new(topic, event.encode_as(Some(&id_of(key)))),
                        label: None,
                        is_last: false,
                    }
                }
            };
            let print = match record {
                Record::Event(number) => number as u64,
                Record::Begin => u64::MAX,
                Record::Lost(_) => u64::MAX - 1,
            };
            StreamEntry {
                entry: LogEntry { key, what },
                size: 100,
                print,
                is_skipped: false,
            }
        }

        fn newest(&self) -> u128 {
            self.records.keys().last().copied().unwrap_or(0)
        }

        fn answer(&mut self, ask: Ask) -> Reply {
            match ask {
                Ask::Before { key, count } => {
                    let records = self.records.range(..key.unwrap_or(u128::MAX)).rev();
                    let entries = records.take(count.min(5));
                    Reply::Entries(entries.map(|(key, one)| self.entry(*key, *one)).collect())
                }
                Ask::From { key, count } => {
                    let records = self.records.range(key..).take(count.min(5));
                    let entries: Vec<_> =
                        records.map(|(key, one)| self.entry(*key, *one)).collect();
                    Reply::Entries(entries)
                }
                Ask::Wait { .. } => Reply::Woken,
                Ask::Begin => {
                    let key = self.id();
                    self.records.insert(key, Record::Begin);
                    Reply::Marked(true)
                }
                Ask::Lost { from, newest } => {
                    if newest.is_some_and(|newest| newest != self.newest()) {
                        return Reply::Marked(false);
                    }
                    let key = self.id();
                    self.records.insert(key, Record::Lost(from));
                    self.marks.insert(key);
                    Reply::Marked(true)
                }
            }
        }
    }

    #[derive(Debug, Clone, Default)]
    struct SimRedis(Arc<Mutex<Stream>>);

    impl SimRedis {
        fn lock(&self) -> MutexGuard<'_, Stream> {
            self.0.lock().unwrap()
        }
    }

    /// Reads a page at the second poll.
    impl Past for SimRedis {
        fn page(&self, after: u128) -> PageFuture {
            let (server, mut polls) = (self.clone(), 0);
            Box::pin(std::future::poll_fn(move |_| {
                polls += 1;
                if polls < 2 {
                    return Poll::Pending;
                }
                let mut stream = server.lock();
                stream.pages += 1;
                let records = stream.records.range(after..).take(4);
                let entries: Vec<LogEntry> = records
                    .map(|(key, one)| stream.entry(*key, *one).entry)
                    .collect();
                let known = entries.first().is_some_and(|first| first.key == after);
                let newest = stream.newest();
                Poll::Ready(Page {
                    known: known || after == 0,
                    from: usize::from(known),
                    is_end: entries.last().is_none_or(|last| last.key == newest),
                    entries: entries.into(),
                    newest,
                })
            }))
        }
    }

    struct SimNode {
        hub: Hub,
        machine: Machine,
        /// It is cut off.
        is_away: bool,
    }

    impl SimNode {
        fn new(server: &SimRedis, ring: usize) -> Self {
            let hub = Hub::builder().retain_events(ring).lag(LagPolicy::End);
            Self {
                hub: hub.past(Arc::new(server.clone())).build(),
                machine: Machine::new(Depth {
                    events: ring,
                    bytes: 1 << 20,
                }),
                is_away: false,
            }
        }

        /// One question and its answer, of which the second may be lost.
        fn step(&mut self, server: &SimRedis, answer_is_lost: bool) {
            if self.is_away {
                return;
            }
            let shared = self.hub.shared();
            let ask = self.machine.ask();
            let reply = server.lock().answer(ask);
            say(|| {
                let keys: Vec<_> = match &reply {
                    Reply::Entries(entries) => entries.iter().map(|one| id_of(one.key())).collect(),
                    _ => Vec::new(),
                };
                format!("{shared:p} {ask:x?} lost:{answer_is_lost} {keys:?}")
            });
            if answer_is_lost {
                self.machine.fail();
                return;
            }
            for act in self.machine.answer(reply, |key| knows(shared, key)) {
                use super::super::machine::Act;
                if let Act::Begin { entries, .. } | Act::Append(entries) = &act {
                    let mut stream = server.lock();
                    for entry in entries {
                        if let Some(Record::Event(number)) =
                            stream.records.get(&entry.key()).copied()
                        {
                            stream.published[number].is_seen = true;
                        }
                    }
                }
                assert!(apply(shared, act), "the ring refuses");
            }
        }
    }

    struct SimClient {
        topics: Vec<&'static str>,
        body: Option<Subscription>,
        /// Its last event ID.
        last: Option<u128>,
        /// The last event that it has got, and all of them.
        newest: Option<usize>,
        got: HashSet<usize>,
        /// What it has missed without being told, since nobody knew yet.
        owed: Vec<usize>,
        /// The marks by which it has been told.
        marks: HashSet<u128>,
        /// It has been told of a loss since the last event.
        told: bool,
        /// What was published before it came first.
        since: Option<usize>,
    }

    impl SimClient {
        fn new(at: usize) -> Self {
            Self {
                topics: TOPICS[..1 + at % 3].to_vec(),
                body: None,
                last: None,
                newest: None,
                got: HashSet::new(),
                owed: Vec::new(),
                marks: HashSet::new(),
                told: false,
                since: None,
            }
        }

        fn connect(&mut self, node: &SimNode) {
            say(|| {
                format!(
                    "{self:p} connects to {:p} with {:?}",
                    node.hub.shared(),
                    self.last.map(id_of)
                )
            });
            let subscriber = node.hub.subscriber().topics(self.topics.iter().copied());
            let last = self.last.map_or(EventId::EMPTY, id_of);
            self.body = Some(subscriber.after(last).subscribe().unwrap());
        }

        fn read(&mut self, server: &SimRedis) {
            let mut cx = Context::from_waker(Waker::noop());
            let mut idle = 0;
            while let Some(body) = &mut self.body {
                let frame = match Pin::new(body).poll_frame(&mut cx) {
                    Poll::Pending if idle < 4 => {
                        idle += 1;
                        continue;
                    }
                    Poll::Pending => return,
                    Poll::Ready(None) => {
                        self.body = None;
                        return;
                    }
                    Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
                    Poll::Ready(Some(Err(never))) => match never {},
                };
                let text = std::str::from_utf8(&frame).unwrap().to_owned();
                for block in text.split_terminator("\n\n") {
                    self.take(block, &server.lock());
                }
            }
        }

        fn take(&mut self, block: &str, stream: &Stream) {
            say(|| format!("{self:p} {:?} takes {block:?}", self.topics));
            let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
            let key = key_of(field("id: ").unwrap()).unwrap();
            if block.starts_with("event: gap") {
                // Its own ID is gone, or something after that, although it may not have been for it.
                let is_gone = |key: &u128| !stream.records.contains_key(key);
                let after = self.last.unwrap_or(0);
                let mut between = stream.published.iter();
                let is_absent = self.last.as_ref().is_some_and(is_gone)
                    || between
                        .any(|one| one.fate != Fate::Stored && one.key > after && one.key <= key);
                let passed = stream.marks.range(self.last.unwrap_or(0)..=key);
                let marks: Vec<u128> = passed.copied().collect();
                let is_new = marks.iter().any(|mark| !self.marks.contains(mark));
                assert!(is_absent || is_new, "told of a loss that is none: {block}");
                self.marks.extend(marks);
                self.told = true;
                self.owed.clear();
            } else if let Some(number) = field("data: ") {
                let number: usize = number.parse().unwrap();
                let published = &stream.published[number];
                assert!(self.topics.contains(&published.topic));
                assert_eq!(published.key, key);
                assert!(self.got.insert(number), "{number} comes twice");
                assert!(self.newest < Some(number), "{number} is out of order");
                let from = self
                    .newest
                    .map_or(self.since.unwrap_or(number), |newest| newest + 1);
                for missed in from..number {
                    let one = &stream.published[missed];
                    if self.told || !self.topics.contains(&one.topic) {
                        continue;
                    }
                    assert_eq!(one.fate, Fate::Lost, "{missed} is missing before {number}");
                    if one.is_seen {
                        self.owed.push(missed);
                    }
                }
                self.newest = Some(number);
                self.told = false;
            }
            if self.since.is_none() {
                let after = stream.published.iter().rposition(|one| one.key <= key);
                self.since = Some(after.map_or(0, |at| at + 1));
            }
            self.last = Some(key);
        }
    }

    fn run(mut random: impl FnMut(usize) -> usize, sums: &mut HashMap<&'static str, usize>) {
        let server = SimRedis::default();
        server.lock().clock = 1_000;
        let ring = 1 + random(12);
        let mut nodes: Vec<SimNode> = (0..3).map(|_| SimNode::new(&server, ring)).collect();
        let mut clients: Vec<SimClient> = (0..6).map(SimClient::new).collect();
        let with_harm = random(4) > 0;
        for _ in 0..600 {
            // What a node has yet to see, or to mark, is forgotten if that is trimmed or lost in turn.
            let is_settled = {
                let stream = server.lock();
                let mut tips = nodes.iter().map(|node| node.machine.tip());
                tips.all(|tip| tip.is_some_and(|tip| stream.records.contains_key(&tip)))
            };
            match random(24) {
                0 if with_harm && is_settled && random(6) == 0 => {
                    let mut stream = server.lock();
                    let count = random(stream.records.len() + 1);
                    stream.trim(count);
                }
                1 if with_harm && is_settled && random(10) == 0 => {
                    let count = 1 + random(6);
                    server.lock().lose_tail(count);
                    for node in &mut nodes {
                        node.machine.fail();
                    }
                    *sums.entry("losses").or_default() += 1;
                }
                2 if with_harm && is_settled && random(40) == 0 => {
                    let count = server.lock().records.len();
                    server.lock().lose_tail(count);
                    *sums.entry("flushes").or_default() += 1;
                }
                3 if random(5) == 0 => {
                    let node = random(3);
                    nodes[node].is_away = !nodes[node].is_away;
                    nodes[node].machine.fail();
                }
                4..=7 => {
                    let mut stream = server.lock();
                    stream.clock += random(3) as u64;
                    for _ in 0..random(4) {
                        stream.publish(TOPICS[random(3)]);
                    }
                }
                8 | 9 => {
                    let (client, node) = (random(6), random(3));
                    clients[client].connect(&nodes[node]);
                }
                10..=13 => {
                    let client = random(6);
                    clients[client].read(&server);
                }
                _ => nodes[random(3)].step(&server, random(30) == 0),
            }
        }
        // In the end, everybody has everything, or has been told.
        for node in &mut nodes {
            node.is_away = false;
        }
        for _ in 0..30 {
            for node in &mut nodes {
                (0..10).for_each(|_| node.step(&server, false));
            }
            for (at, client) in clients.iter_mut().enumerate() {
                if client.body.is_none() {
                    client.connect(&nodes[at % 3]);
                }
                client.read(&server);
            }
        }
        let stream = server.lock();
        for client in &clients {
            let from = client
                .newest
                .map_or(client.since.unwrap_or(0), |newest| newest + 1);
            for (number, one) in stream.published.iter().enumerate().skip(from) {
                let is_known = one.fate == Fate::Lost && !one.is_seen;
                assert!(
                    client.told || is_known || !client.topics.contains(&one.topic),
                    "{number} never came"
                );
            }
            assert!(client.owed.is_empty(), "never told of {:?}", client.owed);
            *sums.entry("events").or_default() += client.got.len();
        }
        *sums.entry("pages").or_default() += stream.pages;
        *sums.entry("marks").or_default() += stream.marks.len();
    }

    #[test]
    fn nobody_loses_in_silence_and_nobody_is_told_of_a_loss_that_is_none() {
        // A seed at a time: shuttle bounds the steps of each.
        static SEED: AtomicUsize = AtomicUsize::new(0);
        static SUMS: Mutex<Option<HashMap<&str, usize>>> = Mutex::new(None);
        let seeds = std::env::var("TOWER_SSE_SEEDS").map_or(100, |seeds| seeds.parse().unwrap());
        if let Ok(first) = std::env::var("TOWER_SSE_SEED") {
            SEED.store(first.parse().unwrap(), Ordering::Relaxed);
        }
        for _ in 0..seeds {
            crate::sync::run(|| {
                let seed = SEED.fetch_add(1, Ordering::Relaxed) as u64;
                let failed = Failed(seed);
                let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut sums = SUMS.lock().unwrap();
                run(
                    |below| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(seed | 1);
                        usize::try_from((state >> 33) % below as u64).unwrap()
                    },
                    sums.get_or_insert_default(),
                );
                std::mem::forget(failed);
            });
        }
        let sums = SUMS.lock().unwrap().take().unwrap();
        assert!(
            sums["events"] > 20 * seeds && sums["pages"] > seeds,
            "{sums:?}"
        );
        assert!(
            sums["losses"] > seeds / 2 && sums["flushes"] > seeds / 20,
            "{sums:?}"
        );
    }

    /// Says which seed has failed.
    struct Failed(u64);

    impl Drop for Failed {
        fn drop(&mut self) {
            eprintln!("seed {}", self.0);
        }
    }
}
