//! What is older than the ring: pages of the outer log, read before a subscription takes its place.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::change::Reason;
use super::core::{Begin, Fresh, HandOver, Last, Seat, State, Taken};
use super::delivery::Delivery;
use super::foreign::id_of;
use super::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use super::shared::Shared;
use crate::exclusive::Exclusive;
use crate::protocol::{Block, Event};

/// Where in the outer log a subscription begins.
#[derive(Debug)]
pub(super) struct From {
    begin: Begin,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It is not known where the outer log is.
    Waiting,
    /// What has been read, or missed, up to here.
    Reading(u128),
    /// It has taken its place in the ring.
    Placed,
}

impl From {
    /// None if the ring has all that is for the subscription.
    pub(super) fn new(state: &State, begin: &Begin, is_lossy: bool) -> Option<Self> {
        let stage = if state.has_begun() {
            let floor = begin.floor_key()?;
            match (begin.last(), begin.start()) {
                (Last::Key(key), _) if is_lossy => Stage::Reading(floor.max(*key)),
                (Last::Nothing, Fresh::Oldest) => Stage::Reading(floor),
                (Last::Nothing, Fresh::After(Last::Key(key))) => Stage::Reading(floor.max(*key)),
                _ => return None,
            }
        } else {
            Stage::Waiting
        };
        let begin = begin.clone();
        Some(Self { begin, stage })
    }
}

/// A subscription's reading of the past, a page at a time.
pub(super) struct PastReader {
    past: Arc<dyn Past>,
    begin: Begin,
    stage: Stage,
    /// What the client is sent before all else, if it is new or has missed something.
    first: Option<Event>,
    page: Option<Exclusive<PageFuture>>,
    /// What is left of a page.
    rest: Option<Page>,
    /// There was nothing after what has been read.
    caught_up: bool,
    /// The last key that was not there, of which it has been told.
    absent: Option<u128>,
    /// It has got something.
    served: bool,
    /// Topics that are finished as far as has been read.
    finished: HashSet<Arc<str>>,
}

/// What was read.
#[derive(Default)]
pub(super) struct PastRead {
    /// What comes first: the gap event, or the client's place.
    pub(super) head: Option<Block>,
    /// The first says that something is lost.
    pub(super) is_lossy: bool,
    /// The place before the deliveries.
    place: u128,
    pub(super) deliveries: Vec<Delivery>,
}

type PastResult = Result<Option<PastRead>, Taken>;

impl PastReader {
    pub(super) fn new(past: Arc<dyn Past>, from: From, first: Option<Event>) -> Self {
        Self {
            past,
            begin: from.begin,
            stage: from.stage,
            first,
            page: None,
            rest: None,
            caught_up: false,
            absent: None,
            served: false,
            finished: HashSet::new(),
        }
    }

    /// The next page, as far as the subscriber follows it; `None` once it has taken its place in the
    /// ring.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Poll<PastResult> {
        seat.prepare(cx.waker());
        let is_free = self.is_fresh() && matches!(self.stage, Stage::Waiting);
        if let Some(ended) = shared.with(|state, wakes| state.wait_in_past(seat, is_free, wakes)) {
            return Poll::Ready(Err(ended));
        }
        loop {
            let after = match self.stage {
                Stage::Placed => return Poll::Ready(Ok(None)),
                Stage::Waiting if !shared.lock().has_begun() => return Poll::Pending,
                Stage::Waiting => match self.resume_or_start(shared, seat) {
                    Some(read) => return Poll::Ready(Ok(Some(read))),
                    None => continue,
                },
                Stage::Reading(after) => after,
            };
            if self.is_fresh() && self.first.is_some() {
                return Poll::Ready(Ok(Some(self.head(shared, after, false))));
            }
            if let Some(page) = self.rest.take() {
                return Poll::Ready(Ok(Some(self.turn(after, page, false, shared, seat))));
            }
            if self.page.is_none() {
                match shared.with(|state, _| state.hand_over(seat, after)) {
                    HandOver::Done => return Poll::Ready(self.arrive(after, shared, seat)),
                    // The ring is behind the outer log. Its next event wakes the task.
                    HandOver::Behind if self.caught_up => return Poll::Pending,
                    HandOver::Behind | HandOver::NotYet => {}
                }
                self.page = Some(Exclusive::new(self.past.page(after)));
            }
            let Some(page) = &mut self.page else {
                return Poll::Pending;
            };
            let page = ready!(page.get_mut().as_mut().poll(cx));
            self.page = None;
            if let Some(read) = self.open(after, page, shared, seat) {
                return Poll::Ready(Ok(Some(read)));
            }
            if self.caught_up {
                // The ring may have come on meanwhile. If not, its next event wakes the task.
                let (handed, has_begun) =
                    shared.with(|state, _| (state.hand_over(seat, after), state.has_begun()));
                match handed {
                    HandOver::Done => return Poll::Ready(self.arrive(after, shared, seat)),
                    // It has passed the page's end while that was on its way. Its events have woken
                    // this task before it waited, and there may be no more.
                    HandOver::NotYet if has_begun => self.caught_up = false,
                    HandOver::Behind | HandOver::NotYet => return Poll::Pending,
                }
            }
        }
    }

    /// Whether the client has said nothing of what it has seen.
    fn is_fresh(&self) -> bool {
        matches!(self.begin.last(), Last::Nothing)
    }

    /// The ring has begun: reads what came after the client's ID, or takes a place.
    fn resume_or_start(&mut self, shared: &Shared, seat: &mut Seat) -> Option<PastRead> {
        let after = match self.begin.last() {
            Last::Key(key) => self.begin.floor_key().map(|floor| floor.max(*key)),
            Last::Nothing => self.start(),
            Last::Event(_) | Last::Own(_) => None,
        };
        match after {
            Some(after) => {
                self.stage = Stage::Reading(after);
                None
            }
            None => Some(self.start_here(!self.is_fresh(), shared, seat)),
        }
    }

    /// After which key one begins that begins in the outer log.
    fn start(&self) -> Option<u128> {
        let floor = self.begin.floor_key()?;
        match self.begin.start() {
            Fresh::Now | Fresh::Last(_) => None,
            Fresh::After(Last::Key(key)) => Some(floor.max(*key)),
            Fresh::Oldest | Fresh::After(_) => Some(floor),
        }
    }

    /// Begins in the ring.
    fn start_here(&mut self, is_lossy: bool, shared: &Shared, seat: &mut Seat) -> PastRead {
        let key = shared.with(|state, _| state.start_here(seat, &self.begin));
        self.stage = Stage::Placed;
        self.head(shared, key, is_lossy)
    }

    /// Takes up a page that was read after this key.
    fn open(
        &mut self,
        after: u128,
        page: Page,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Option<PastRead> {
        let is_empty = page.from == page.entries.len();
        match page.anchor {
            Anchor::Present => self.note_own(&page, shared, seat),
            // A mark follows.
            Anchor::Marked => {}
            Anchor::Gone => return self.lose(after, page, shared, seat),
        }
        self.caught_up = is_empty;
        (!is_empty).then(|| self.turn(after, page, false, shared, seat))
    }

    /// Takes note of the entry that the page begins after.
    fn note_own(&mut self, page: &Page, shared: &Shared, seat: &Seat) {
        let own = page.from.checked_sub(1).and_then(|at| page.entries.get(at));
        if let Some(own) = own {
            let follows = |topic| shared.with(|state, _| state.follows(seat, topic));
            if own.what.topic().is_some_and(follows) {
                self.note_end(&own.what);
            }
        }
    }

    /// The entry that the page begins after is gone: the client is told before the page.
    fn lose(
        &mut self,
        after: u128,
        page: Page,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Option<PastRead> {
        let is_empty = page.from == page.entries.len();
        let is_lossy = self.absent != Some(after);
        self.absent = Some(after);
        if is_lossy && self.begin.is_anew() && !self.served {
            match self.start() {
                None => return Some(self.start_here(true, shared, seat)),
                Some(start) => {
                    self.stage = Stage::Reading(start);
                    return Some(self.head(shared, start, true));
                }
            }
        }
        if is_empty {
            // It goes on where the log is. Its ID stays what it is: on a node that has not yet seen the
            // loss, an earlier one would bring events again that the client has had.
            let ring = shared.lock().last_key();
            let end = after.min(page.newest.max(ring));
            self.stage = Stage::Reading(end);
            self.caught_up = !is_lossy;
            return is_lossy.then(|| self.head(shared, after, true));
        }
        Some(self.turn(after, page, is_lossy, shared, seat))
    }

    fn note_end(&mut self, what: &Stored) {
        match what {
            Stored::Event {
                delivery,
                is_last: true,
                ..
            } => _ = self.finished.insert(delivery.name()),
            Stored::Finish(topic) => _ = self.finished.insert(Arc::clone(topic)),
            Stored::Event { delivery, .. } => _ = self.finished.remove(delivery.topic()),
            Stored::Replaced | Stored::Lost { .. } | Stored::Begin | Stored::Place => {}
        }
    }

    /// Reads on in a page, up to the next loss that the client has to be told of.
    fn turn(
        &mut self,
        after: u128,
        mut page: Page,
        is_lossy: bool,
        shared: &Shared,
        seat: &Seat,
    ) -> PastRead {
        let mut read = PastRead {
            is_lossy,
            place: after,
            ..PastRead::default()
        };
        let entries = Arc::clone(&page.entries);
        let entries = &entries[page.from..];
        let follows: Vec<bool> = shared.with(|state, _| {
            let follows = |entry: &LogEntry| {
                let topic = entry.what.topic();
                topic.is_some_and(|topic| state.follows(seat, topic))
            };
            entries.iter().map(follows).collect()
        });
        for (entry, follows) in entries.iter().zip(follows) {
            match &entry.what {
                Stored::Lost { .. } if !read.deliveries.is_empty() => break,
                Stored::Lost { .. } => read.is_lossy = true,
                what if follows => {
                    self.note_end(what);
                    if let Stored::Event { delivery, .. } = what {
                        read.deliveries.push(delivery.clone());
                        self.served = true;
                    }
                }
                _ => {}
            }
            if read.deliveries.is_empty() {
                read.place = entry.key;
            }
            self.stage = Stage::Reading(entry.key);
            page.from += 1;
        }
        self.caught_up = page.is_end && page.from == page.entries.len();
        if page.from < page.entries.len() {
            self.rest = Some(page);
        }
        if read.is_lossy {
            let told = self.head(shared, read.place, true);
            read.head = told.head;
        }
        read
    }

    /// The subscriber has taken its place in the ring, after this key.
    fn arrive(&mut self, key: u128, shared: &Shared, seat: &Seat) -> PastResult {
        let is_over = !self.finished.is_empty()
            && shared.with(|state, _| {
                let names = state.followed_names(seat);
                let mut names = names.into_iter().flatten().peekable();
                let known = names.peek().is_some();
                known && state.is_at_end(seat) && names.all(|name| self.finished.contains(name))
            });
        if is_over {
            return Err(Taken::Ended(Reason::Finished));
        }
        self.stage = Stage::Placed;
        let tells = self.is_fresh() && !self.served;
        Ok(tells.then(|| self.head(shared, key, false)))
    }

    /// What the client is sent for a place from where it goes on.
    fn head(&mut self, shared: &Shared, place: u128, is_lossy: bool) -> PastRead {
        let first = self
            .first
            .take_if(|_| !self.served && (is_lossy || matches!(self.begin.last(), Last::Nothing)));
        if is_lossy {
            shared.with(|state, _| state.count_gap());
        }
        let id = &id_of(place);
        let head = Block::write(|out| {
            if is_lossy {
                out.push(shared.gap_block(id, true));
            }
            match first {
                // From before all events: there is no such place.
                Some(first) => out.push(first.encode_as(Some(id).filter(|_| place > 0))),
                None if !is_lossy && shared.announces_places() && place > 0 => {
                    out.push(shared.place_block(id));
                }
                None => {}
            }
        });
        PastRead {
            head: Some(head),
            is_lossy,
            place,
            deliveries: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::Pin;
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
                let at = entries.partition_point(|(key, _)| *key < after);
                let known = entries.get(at).is_some_and(|(key, _)| *key == after);
                let page = entries.range(at..).take(4 + usize::from(known));
                let page: Arc<[LogEntry]> = page
                    .map(|(key, topic)| {
                        let block = Event::new(*topic).encode_as(Some(&id_of(*key)));
                        let delivery = Delivery::new((*topic).into(), block);
                        let what = Stored::Event {
                            delivery,
                            label: None,
                            is_last: false,
                        };
                        LogEntry { key: *key, what }
                    })
                    .collect();
                let newest = entries.back().map_or(0, |(key, _)| *key);
                Poll::Ready(Page {
                    anchor: if known { Anchor::Present } else { Anchor::Gone },
                    from: usize::from(known),
                    is_end: page.last().is_none_or(|last| last.key == newest),
                    entries: page,
                    newest,
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

    /// Pages that are read when they are wanted, and are there later.
    #[derive(Debug)]
    struct Early(Arc<Outer>);

    impl Past for Early {
        fn page(&self, after: u128) -> PageFuture {
            let mut cx = Context::from_waker(Waker::noop());
            let mut page = Some(self.0.page(after).as_mut().poll(&mut cx));
            let mut late = true;
            Box::pin(std::future::poll_fn(move |_| {
                match std::mem::take(&mut late) {
                    true => Poll::Pending,
                    false => page.take().unwrap(),
                }
            }))
        }
    }

    #[test]
    fn the_ring_passes_the_end_of_a_page_that_is_on_its_way() {
        crate::sync::run(|| {
            let outer = Arc::new(Outer::default());
            outer.entries.lock().unwrap().extend([(6, "a"), (7, "a")]);
            let settings = Hub::builder().retain_events(2).lag(LagPolicy::End);
            let past = Arc::new(Early(Arc::clone(&outer)));
            let mut node = Node {
                hub: settings.after_key(6).past(past).build(),
                at: 6,
            };
            let last = EventId::try_from(id_of(7).as_str()).unwrap();
            let mut body = node
                .hub
                .subscriber()
                .topic("a")
                .after(last)
                .subscribe()
                .unwrap();
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
            outer
                .entries
                .lock()
                .unwrap()
                .extend([(8, "a"), (9, "a"), (10, "a")]);
            node.feed(&outer, 4);
            // The page has nothing after 7, which the ring has lost by now. The next one is read at once,
            // since nothing may come any more that would wake the task.
            assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
            assert_eq!(outer.pages.load(Ordering::Relaxed), 2);
            let frame = Pin::new(&mut body).poll_frame(&mut cx);
            let Poll::Ready(Some(Ok(frame))) = frame else {
                panic!("{frame:?}")
            };
            let text = frame.into_data().unwrap();
            assert_eq!(
                text.split(|byte| *byte == b'\n')
                    .filter(|line| **line == *b"data: a")
                    .count(),
                3
            );
        });
    }

    #[test]
    fn what_the_ring_has_at_the_handover_does_not_wait_for_the_next_event() {
        crate::sync::run(|| {
            let outer = Arc::new(Outer::default());
            outer
                .entries
                .lock()
                .unwrap()
                .extend((5..9_000).map(|key| (key, "a")));
            let settings = Hub::builder().retain_events(10_000).lag(LagPolicy::End);
            let past = Arc::new(Early(Arc::clone(&outer)));
            let mut node = Node {
                hub: settings.after_key(7).past(past).build(),
                at: 7,
            };
            node.feed(&outer, usize::MAX);
            let last = EventId::try_from(id_of(5).as_str()).unwrap();
            let subscriber = node.hub.subscriber().prefix("a").after(last);
            let mut body = subscriber.subscribe().unwrap();
            // Unlike a waker that does nothing, it knows its clones.
            let waker = Waker::from(Arc::<Counter>::default());
            let mut cx = Context::from_waker(&waker);
            // For the page.
            assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
            let (mut frames, mut events) = (0, 0);
            while let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(&mut cx) {
                let bytes = frame.unwrap().unwrap().into_data().unwrap();
                let lines = bytes.split(|byte| *byte == b'\n');
                events += lines.filter(|line| **line == *b"data: a").count();
                frames += 1;
            }
            assert!(frames > 2, "all in one");
            assert_eq!(events, 8_994);
        });
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
