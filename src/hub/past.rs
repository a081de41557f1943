//! What is older than the ring: pages of the outer log, read before a subscription takes its place.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::core::{Seat, Taken};
use super::delivery::Delivery;
use super::foreign::id_of;
use super::shared::Shared;
use crate::exclusive::Exclusive;
use crate::protocol::Block;

/// Where pages of an outer log come from.
pub(super) trait Past: fmt::Debug + Send + Sync {
    /// The entries after a key, oldest first, at most so many as the source likes.
    fn page(&self, after: u128) -> PageFuture;
}

pub(super) type PageFuture = Pin<Box<dyn Future<Output = Page> + Send>>;

/// A page of an outer log.
#[derive(Debug)]
pub(super) struct Page {
    /// Whether the entry is there after which it begins.
    pub(super) known: bool,
    pub(super) entries: Vec<(u128, Delivery)>,
    /// The newest entry's key; 0 if there is none.
    pub(super) newest: u128,
}

/// A subscription's reading of the past, a page at a time.
pub(super) struct PastReader {
    past: Arc<dyn Past>,
    /// What has been read, or missed, up to here.
    after: u128,
    page: Option<Exclusive<PageFuture>>,
}

/// What was read.
pub(super) struct PastRead {
    /// The gap event comes first, after which everything follows.
    pub(super) gap: Option<Block>,
    pub(super) deliveries: Vec<Delivery>,
}

impl PastReader {
    pub(super) fn new(past: Arc<dyn Past>, after: u128) -> Self {
        let page = None;
        Self { past, after, page }
    }

    /// The next page, as far as the subscriber follows it; `None` once it has taken its place in the
    /// ring.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Poll<Result<Option<PastRead>, Taken>> {
        seat.prepare(cx.waker());
        if let Some(ended) = shared.with(|state, wakes| state.wait_in_past(seat, wakes)) {
            return Poll::Ready(Err(ended));
        }
        if self.page.is_none() {
            if shared.with(|state, _| state.hand_over(seat, self.after)) {
                return Poll::Ready(Ok(None));
            }
            self.page = Some(Exclusive::new(self.past.page(self.after)));
        }
        let Some(page) = &mut self.page else {
            return Poll::Pending;
        };
        let page = ready!(page.get_mut().as_mut().poll(cx));
        self.page = None;
        self.turn(page, shared, seat)
    }

    fn turn(
        &mut self,
        page: Page,
        shared: &Shared,
        seat: &Seat,
    ) -> Poll<Result<Option<PastRead>, Taken>> {
        let Page {
            known,
            mut entries,
            newest,
        } = page;
        match entries.last() {
            Some((last, _)) => {
                // Not later than what follows.
                let gap = (!known).then_some(self.after);
                self.after = *last;
                shared.with(|state, _| entries.retain(|(_, one)| state.follows(seat, one.topic())));
                let deliveries = entries.into_iter().map(|(_, one)| one).collect();
                let gap = gap.map(|key| shared.gap_as(&id_of(key)));
                Poll::Ready(Ok(Some(PastRead { gap, deliveries })))
            }
            // The ring is behind the outer log. The next event wakes the task, which looks again.
            None if known => Poll::Pending,
            None => {
                let ring = shared.lock().last_key();
                self.after = self.after.min(newest.max(ring));
                let gap = Some(shared.gap_as(&id_of(self.after)));
                let deliveries = Vec::new();
                Poll::Ready(Ok(Some(PastRead { gap, deliveries })))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use futures_core::Stream;
    use http_body::Body;

    use super::*;
    use crate::hub::foreign::key_of;
    use crate::hub::{Deliveries, Hub, LagPolicy, Subscription};
    use crate::protocol::{Event, EventId};

    const TOPICS: [&str; 3] = ["a", "b", "b/1"];

    type Entry = (u128, &'static str);

    /// An outer log in memory, which is trimmed now and then.
    #[derive(Debug, Default)]
    struct Outer {
        entries: Mutex<VecDeque<Entry>>,
        pages: AtomicUsize,
        /// After how many polls a page is there.
        polls: usize,
    }

    impl Past for Arc<Outer> {
        fn page(&self, after: u128) -> PageFuture {
            let (outer, mut polls) = (Arc::clone(self), self.polls);
            Box::pin(std::future::poll_fn(move |_| {
                if polls > 0 {
                    polls -= 1;
                    return Poll::Pending;
                }
                outer.pages.fetch_add(1, Ordering::Relaxed);
                let entries = outer.entries.lock().unwrap();
                let newer = entries.iter().filter(|(key, _)| *key > after).take(4);
                let newer = newer.map(|(key, topic)| {
                    let block = Event::new(*topic).encode_as(Some(&id_of(*key)));
                    (*key, Delivery::new((*topic).into(), block))
                });
                Poll::Ready(Page {
                    known: entries.iter().any(|(key, _)| *key == after),
                    entries: newer.collect(),
                    newest: entries.back().map_or(0, |(key, _)| *key),
                })
            }))
        }
    }

    enum Reader {
        Body(Subscription),
        Stream(Deliveries),
    }

    enum Item {
        Event(u128),
        Gap(Option<u128>),
        Place(u128),
    }

    impl Reader {
        fn poll(&mut self) -> Poll<Option<Vec<Item>>> {
            let mut cx = Context::from_waker(Waker::noop());
            match self {
                Self::Stream(stream) => {
                    let event = |one: Delivery| Item::Event(key_of(one.id().unwrap()).unwrap());
                    match std::task::ready!(Pin::new(&mut *stream).poll_next(&mut cx)) {
                        None => Poll::Ready(None),
                        Some(Ok(one)) => Poll::Ready(Some(vec![event(one)])),
                        // The last item of a stream that lags, which is to resume elsewhere.
                        Some(Err(_)) => match Pin::new(stream).poll_next(&mut cx) {
                            Poll::Ready(None) => Poll::Ready(None),
                            Poll::Ready(Some(Ok(one))) => {
                                Poll::Ready(Some(vec![Item::Gap(None), event(one)]))
                            }
                            Poll::Ready(Some(Err(_))) | Poll::Pending => {
                                Poll::Ready(Some(vec![Item::Gap(None)]))
                            }
                        },
                    }
                }
                Self::Body(body) => {
                    let frame = std::task::ready!(Pin::new(body).poll_frame(&mut cx));
                    Poll::Ready(frame.map(|frame| {
                        let bytes = frame.unwrap().into_data().unwrap();
                        let text = std::str::from_utf8(&bytes).unwrap();
                        let blocks = text.split_terminator("\n\n").map(|block| {
                            let id = block.lines().find_map(|line| line.strip_prefix("id: "));
                            let key = key_of(id.unwrap()).unwrap();
                            match block {
                                _ if block.starts_with("event: gap") => Item::Gap(Some(key)),
                                _ if block.contains("data: ") => Item::Event(key),
                                _ => Item::Place(key),
                            }
                        });
                        blocks.collect()
                    }))
                }
            }
        }
    }

    struct Client {
        topics: Vec<&'static str>,
        last: u128,
        /// A gap has been told since the last event.
        told: bool,
        /// It came with an ID that the log does not have.
        strange: bool,
        reader: Option<Reader>,
    }

    impl Client {
        fn connect(&mut self, hub: &Hub, stream: bool) {
            let last = EventId::try_from(id_of(self.last).as_str()).unwrap();
            let subscriber = hub.subscriber().topics(self.topics.iter().copied());
            let body = subscriber.prefix("b/").after(last).subscribe().unwrap();
            self.reader = Some(match stream {
                true => Reader::Stream(body.into_stream()),
                false => Reader::Body(body),
            });
        }

        fn missing(&self, all: &[Entry], before: u128) -> Option<u128> {
            let follows = |topic: &str| topic == "b/1" || self.topics.contains(&topic);
            let mut between = all
                .iter()
                .filter(|(key, _)| *key > self.last && *key < before);
            between
                .find(|(_, topic)| follows(topic))
                .map(|(key, _)| *key)
        }

        fn read(&mut self, all: &[Entry], oldest: u128) -> usize {
            let (mut events, mut idle) = (0, 0);
            while let Some(reader) = &mut self.reader {
                let items = match reader.poll() {
                    Poll::Pending if idle < 8 => {
                        idle += 1;
                        continue;
                    }
                    Poll::Pending => break,
                    Poll::Ready(None) => {
                        self.reader = None;
                        break;
                    }
                    Poll::Ready(Some(items)) => items,
                };
                idle = 0;
                for item in items {
                    match item {
                        Item::Event(key) => {
                            events += 1;
                            assert!(all.iter().any(|(one, _)| *one == key));
                            assert!(key > self.last, "twice, or out of order");
                            let missing = self.missing(all, key);
                            assert!(self.told || missing.is_none(), "lost in silence");
                            (self.last, self.told, self.strange) = (key, false, false);
                        }
                        Item::Gap(key) => {
                            assert!(self.strange || self.last < oldest, "a gap that is none");
                            self.told = true;
                            self.last = key.unwrap_or(self.last);
                        }
                        Item::Place(key) => {
                            assert!(self.told || self.missing(all, key + 1).is_none());
                            self.last = key;
                        }
                    }
                }
            }
            events
        }
    }

    struct Node {
        hub: Hub,
        at: u128,
    }

    impl Node {
        fn feed(&mut self, outer: &Outer, most: usize) {
            let entries = outer.entries.lock().unwrap();
            let oldest = entries[0].0;
            if self.at < oldest {
                // It has been passed by trimming.
                self.hub.cut(oldest - 1);
                self.at = oldest - 1;
            }
            let after = self.at;
            let new = entries.iter().filter(|(key, _)| *key > after);
            for (key, topic) in new.take(most) {
                self.hub.append(topic, &Event::new(*topic), *key).unwrap();
                self.at = *key;
            }
        }
    }

    fn run(mut random: impl FnMut(usize) -> usize) -> [usize; 2] {
        let begin = 5 << 64;
        let outer = Arc::new(Outer {
            polls: random(4),
            ..Outer::default()
        });
        // A place that is there before all events.
        outer.entries.lock().unwrap().push_back((begin, "mark"));
        let mut all = Vec::new();
        let events = 1 + random(12);
        let mut nodes: Vec<Node> = (0..3)
            .map(|_| {
                let settings = Hub::builder().retain_events(events).lag(LagPolicy::End);
                let settings = settings.after_key(begin).past(Arc::new(Arc::clone(&outer)));
                Node {
                    hub: settings.build(),
                    at: begin,
                }
            })
            .collect();
        let mut clients: Vec<Client> = (0..5)
            .map(|at| Client {
                topics: TOPICS[..at % 3].to_vec(),
                last: begin,
                told: false,
                strange: false,
                reader: None,
            })
            .collect();
        let (mut last, mut read) = (begin, 0);
        for _ in 0..250 {
            let oldest = outer.entries.lock().unwrap()[0].0;
            match random(10) {
                0 if random(3) == 0 => {
                    let mut entries = outer.entries.lock().unwrap();
                    let most = entries.len() - 1;
                    entries.drain(..random(most + 1));
                }
                1..=3 => {
                    for _ in 0..random(6) {
                        last += 1 + random(5) as u128;
                        all.push((last, TOPICS[random(3)]));
                        outer.entries.lock().unwrap().extend(all.last());
                    }
                }
                4 | 5 => {
                    let most = random(20);
                    nodes[random(3)].feed(&outer, most);
                }
                6 => {
                    let (at, node, stream) = (random(5), random(3), random(3) == 0);
                    let client = &mut clients[at];
                    if random(6) == 0 {
                        client.last = match random(3) {
                            0 => last + 1 + random(9) as u128,
                            1 => begin.max(last.saturating_sub(random(99) as u128)),
                            _ => random(9) as u128,
                        };
                        client.told = false;
                        let known = outer.entries.lock().unwrap();
                        client.strange = !known.iter().any(|(key, _)| *key == client.last);
                        client.told = client.strange;
                    }
                    client.connect(&nodes[node].hub, stream);
                    if client.strange && client.last > last {
                        // It continues where the log is, and is told.
                        read += client.read(&all, u128::MAX);
                        client.last = client.last.min(last);
                    }
                }
                _ => {
                    let at = random(5);
                    read += clients[at].read(&all, oldest);
                }
            }
        }
        // In the end, everybody has everything.
        for node in &mut nodes {
            node.feed(&outer, usize::MAX);
        }
        let oldest = outer.entries.lock().unwrap()[0].0;
        for (at, client) in clients.iter_mut().enumerate() {
            for _ in 0..20 {
                if client.reader.is_none() {
                    client.connect(&nodes[at % 3].hub, at == 0);
                }
                read += client.read(&all, oldest);
            }
            assert!(
                client.told || client.missing(&all, u128::MAX).is_none(),
                "never sent"
            );
        }
        [read, outer.pages.load(Ordering::Relaxed)]
    }

    #[test]
    fn clients_that_hop_between_nodes_miss_nothing_and_get_nothing_twice() {
        // A seed at a time: shuttle bounds the steps of each.
        static SEED: AtomicUsize = AtomicUsize::new(0);
        static READ: AtomicUsize = AtomicUsize::new(0);
        static PAGES: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..80 {
            crate::sync::run(|| {
                let seed = SEED.fetch_add(1, Ordering::Relaxed) as u64;
                let mut state = seed;
                let [read, pages] = run(|below| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(seed | 1);
                    usize::try_from((state >> 33) % below as u64).unwrap()
                });
                READ.fetch_add(read, Ordering::Relaxed);
                PAGES.fetch_add(pages, Ordering::Relaxed);
            });
        }
        let [seeds, read, pages] = [&SEED, &READ, &PAGES].map(|sum| sum.load(Ordering::Relaxed));
        assert!(read > seeds * 100 && pages > seeds * 10, "{read} {pages}");
    }

    /// Polls once, and says whether that was the end.
    type IsOver = Box<dyn FnMut(&mut Context<'_>) -> Poll<bool>>;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_close_ends_those_that_read_the_past() {
        crate::sync::run(|| {
            for stream in [false, true] {
                let outer = Arc::new(Outer {
                    polls: usize::MAX,
                    ..Outer::default()
                });
                let settings = Hub::builder().after_key(9).past(Arc::new(outer));
                let hub = settings.build();
                let body = hub
                    .subscriber()
                    .topic("a")
                    .after(id_of(3))
                    .subscribe()
                    .unwrap();
                let wakes = Arc::new(Counter::default());
                let waker = Waker::from(Arc::clone(&wakes));
                let mut cx = Context::from_waker(&waker);
                let mut poll: IsOver = if stream {
                    let mut stream = body.into_stream();
                    Box::new(move |cx| Pin::new(&mut stream).poll_next(cx).map(|one| one.is_none()))
                } else {
                    let mut body = body;
                    Box::new(move |cx| Pin::new(&mut body).poll_frame(cx).map(|one| one.is_none()))
                };
                assert!(poll(&mut cx).is_pending() && poll(&mut cx).is_pending());
                assert_eq!(hub.stats().subscribers, 1);
                hub.close();
                assert!(wakes.0.load(Ordering::Relaxed) > 0);
                assert_eq!(poll(&mut cx), Poll::Ready(true));
                assert_eq!(hub.stats().subscribers, 0);
            }
        });
    }
}
