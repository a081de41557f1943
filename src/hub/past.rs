//! What is older than the ring: pages of the outer log, read before a subscription takes its place.

mod from;

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pub(super) use self::from::From;
use self::from::Stage;
use super::change::Reason;
use super::core::{Begin, Fresh, HandOver, Last, Seat, Taken};
use super::delivery::Delivery;
use super::foreign::id_of;
use super::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use super::shared::Shared;
use crate::exclusive::Exclusive;
use crate::protocol::{Block, Event};

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
mod edges;
#[cfg(test)]
mod hops;
#[cfg(test)]
mod memory_log;
