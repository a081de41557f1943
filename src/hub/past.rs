//! Reading events older than the ring: a subscription reads pages of the outer log before it takes
//! its place in the ring.

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
    /// The event that a client is sent first if it is new or has missed something.
    first: Option<Event>,
    page: Option<Exclusive<PageFuture>>,
    /// The key that the next page begins after, if it is before the last key read.
    from: Option<u128>,
    /// The rest of a page.
    rest: Option<Page>,
    /// Nothing followed the last entry read.
    caught_up: bool,
    /// The last key that was gone, of which the client has been told.
    absent: Option<u128>,
    /// The client has been sent an event.
    served: bool,
    /// The topics that are finished so far.
    finished: HashSet<Arc<str>>,
}

/// A part of a page.
#[derive(Default)]
pub(super) struct PastRead {
    /// The gap event or the client's place, which come first.
    pub(super) head: Option<Block>,
    /// Whether the head is a gap event.
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
            from: None,
            rest: None,
            caught_up: false,
            absent: None,
            served: false,
            finished: HashSet::new(),
        }
    }

    /// Returns the events that the subscriber follows in the next page, or `None` once it has taken
    /// its place in the ring.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Poll<PastResult> {
        if matches!(self.stage, Stage::Placed) {
            // Events may be pending in the ring, so the task must not wait here.
            return Poll::Ready(Ok(None));
        }
        if let Some(ended) = self.wait(cx, shared, seat) {
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
                match shared.with(|state, wakes| state.hand_over(seat, after, wakes)) {
                    HandOver::Done => return Poll::Ready(self.arrive(after, shared, seat)),
                    // The ring is behind the outer log. Its next event wakes the task.
                    HandOver::Behind if self.caught_up => return Poll::Pending,
                    HandOver::Rejoined => match self.wait(cx, shared, seat) {
                        Some(ended) => return Poll::Ready(Err(ended)),
                        None => continue,
                    },
                    HandOver::Behind | HandOver::NotYet => {}
                }
                let from = self.from.unwrap_or(after);
                self.page = Some(Exclusive::new(self.past.page(from)));
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
                // The ring may have advanced in the meantime. If not, its next event wakes the
                // task.
                let (handed, has_begun) = shared
                    .with(|state, wakes| (state.hand_over(seat, after, wakes), state.has_begun()));
                match handed {
                    HandOver::Done => return Poll::Ready(self.arrive(after, shared, seat)),
                    // The ring passed the page's end while the page was being read. Its events woke
                    // this task before it waited, and there may be no further ones.
                    HandOver::NotYet if has_begun => self.caught_up = false,
                    HandOver::Rejoined => match self.wait(cx, shared, seat) {
                        Some(ended) => return Poll::Ready(Err(ended)),
                        None => continue,
                    },
                    HandOver::Behind | HandOver::NotYet => return Poll::Pending,
                }
            }
        }
    }

    /// Records that the client is sent an event.
    pub(super) fn serve(&mut self) {
        self.served = true;
    }

    /// Waits for the next event and for its end. Returns its end if it has come.
    fn wait(&self, cx: &mut Context<'_>, shared: &Shared, seat: &mut Seat) -> Option<Taken> {
        seat.prepare(cx.waker());
        let is_free = self.is_fresh() && matches!(self.stage, Stage::Waiting);
        shared.with(|state, wakes| state.wait_in_past(seat, is_free, wakes))
    }

    /// Whether the client has sent no last event ID.
    fn is_fresh(&self) -> bool {
        matches!(self.begin.last(), Last::Nothing)
    }

    /// Begins once the ring has begun: in the past if the client needs it, and else in the ring.
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

    /// Returns the key to begin after, if the subscription begins in the outer log.
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
        let key = shared.with(|state, wakes| state.start_here(seat, &self.begin, wakes));
        self.stage = Stage::Placed;
        self.head(shared, key, is_lossy)
    }

    /// Begins a page that was read after this key.
    fn open(
        &mut self,
        after: u128,
        mut page: Page,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Option<PastRead> {
        let from = self.from.take().unwrap_or(after);
        let is_end = page.is_end || page.from == page.entries.len();
        page.from = page.entries.partition_point(|entry| entry.key <= after);
        let is_empty = page.from == page.entries.len();
        match page.anchor {
            Anchor::Present => {
                self.absent = None;
                self.note_own(&page, shared, seat);
            }
            // The client is told at the mark.
            Anchor::Marked => {}
            Anchor::Gone => return self.lose(from, after, page, shared, seat),
        }
        if is_empty {
            let read = page.entries.last().map_or(from, |last| last.key);
            self.from = Some(read).filter(|read| *read < after);
            self.caught_up = is_end;
        }
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

    /// Tells the client that the entry before the page is gone, which has this key.
    fn lose(
        &mut self,
        from: u128,
        after: u128,
        page: Page,
        shared: &Shared,
        seat: &mut Seat,
    ) -> Option<PastRead> {
        let is_empty = page.from == page.entries.len();
        let is_lossy = self.absent != Some(from);
        self.absent = Some(from);
        // The next runs may have begun in between.
        self.finished.clear();
        if is_lossy && self.first.is_some() && !self.served {
            match self.start() {
                None => return Some(self.start_here(true, shared, seat)),
                Some(start) if start != after => {
                    self.stage = Stage::Reading(start);
                    return Some(self.head(shared, start, true));
                }
                // What is lost until another page is read would not be told.
                Some(_) => {}
            }
        }
        if is_empty {
            // The client continues at the log's end but keeps its ID. With an earlier one, a node
            // that has not seen the loss would send it events again.
            let ring = shared.lock().last_key();
            let end = after.min(page.newest.max(ring));
            self.stage = Stage::Reading(end);
            // If that entry is gone too by then, others may be.
            self.from = Some(page.newest).filter(|newest| *newest < end);
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
            Stored::Replaced | Stored::Lost | Stored::Begin | Stored::Place => {}
        }
    }

    /// Reads a page up to the next loss that the client has to be told of.
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
                Stored::Lost if !read.deliveries.is_empty() => break,
                Stored::Lost => {
                    read.is_lossy = true;
                    self.finished.clear();
                }
                what if follows => {
                    self.note_end(what);
                    if let Stored::Event { delivery, .. } = what {
                        read.deliveries.push(delivery.clone());
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

    /// Handles that the subscriber has taken its place in the ring, after this key.
    fn arrive(&mut self, key: u128, shared: &Shared, seat: &Seat) -> PastResult {
        let is_over = !self.finished.is_empty()
            && shared.with(|state, wakes| {
                let names = state.followed_names(seat);
                let mut names = names.into_iter().flatten().peekable();
                let known = names.peek().is_some();
                known
                    && names.all(|name| self.finished.contains(name))
                    && state.is_at_end(seat, wakes)
            });
        if is_over {
            return Err(Taken::Ended(Reason::Finished));
        }
        self.stage = Stage::Placed;
        let tells = self.is_fresh() && !self.served;
        Ok(tells.then(|| self.head(shared, key, false)))
    }

    /// Returns what the client is sent first at a place: a gap, its first event, or the place
    /// itself.
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
                // The place before all events has no ID.
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
mod feeding;
#[cfg(test)]
mod hops;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod memory_log;
#[cfg(test)]
mod runs;
