use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use super::State;
use super::draft::Draft;
use super::wake_list::Wakes;
use crate::clock;
use crate::hub::tail::{Tail, TailEvent};

/// The number of numbers skipped after a tail that may not contain everything the earlier life
/// published, where the time does not tell.
const UNSEEN: u64 = 1 << 40;

/// The maximum number that a life begins with because of the time, which is reached in 2112.
const LATEST: u64 = (1 << 62) - (1 << 50);

/// Both clocks at the same moment.
type Clocks = Option<(Instant, SystemTime)>;

/// Leaving a tail to the hub's next life, and beginning with one.
impl State {
    /// Returns the retained events and the known losses.
    pub(in crate::hub) fn tail(&mut self, epoch: u64, wakes: &mut Wakes) -> Tail {
        self.evict(wakes);
        let clocks = clocks();
        let events = self.log.history().from(0).map(|mark| {
            let entry = self.log.get(mark);
            let topic = self.topics.get(entry.topic);
            let newest = topic.retained.newest().next();
            let is_last = topic.is_over() && newest == Some(mark);
            let published = entry.at.and_then(|at| to_time(clocks, at));
            TailEvent::retained(
                entry.seq,
                topic.name.clone(),
                entry.key().cloned(),
                entry.block.clone(),
                published,
            )
            .with_last(is_last)
        });
        let events = events.collect();
        let (floor, losses) = self.topics.losses();
        Tail::left(
            epoch,
            self.next,
            self.closing.end_of_all().is_some(),
            floor,
            losses,
            events,
        )
    }

    /// Begins where an earlier life ended. Called before the first subscription and publication.
    pub(in crate::hub) fn begin(
        &mut self,
        tail: Tail,
        draft: impl Fn(&TailEvent) -> Draft,
        wakes: &mut Wakes,
    ) {
        let clocks = clocks();
        let (complete, mut next) = (tail.is_complete(), tail.next_number());
        let (mut floor, mut losses, events) = tail.into_parts();
        if !complete {
            next = skip_unseen(next, clock::now());
            (floor, losses) = (next, BTreeMap::new());
        }
        let lost_to = losses.values().copied().fold(floor, u64::max);
        if let Some(last) = lost_to.checked_sub(1) {
            self.log.lose(last);
        }
        self.topics.begin(floor, losses.remove(""));
        for event in events {
            let number = event.number();
            self.next = number + 1;
            let slot = self.enter(event.topic());
            if let Some(lost_to) = losses.remove(event.topic()) {
                self.topics.get_mut(slot).lost_to = lost_to;
            }
            let at = event.published().and_then(|time| to_instant(clocks, time));
            if self.topics.get(slot).finished.is_some() {
                self.begin_run(slot, wakes);
            }
            self.retain(slot, number, draft(&event).with_age(at), wakes);
            if event.is_last() {
                _ = self.finish(event.topic(), wakes);
            }
        }
        let mut losses: Vec<_> = losses.into_iter().collect();
        losses.sort_unstable_by_key(|(_, lost_to)| *lost_to);
        for (name, lost_to) in losses {
            self.topics.lose(name, lost_to);
        }
        self.next = next;
    }
}

/// Returns the number to begin with after a tail that may not contain everything. An ID issued after
/// the tail was taken then denotes none of the new life's events, and the events it skips count as
/// lost.
///
/// It is the time, in steps of 1,024 a microsecond, which is faster than any hub publishes: a hub
/// that crashes again before it has stored a tail begins with the same tail, but its IDs are new.
fn skip_unseen(next: u64, now: Option<SystemTime>) -> u64 {
    let time = now.and_then(|now| now.duration_since(SystemTime::UNIX_EPOCH).ok());
    let micros = time.and_then(|time| u64::try_from(time.as_micros()).ok());
    let by_time = micros.map_or(0, |micros| micros.saturating_mul(1 << 10));
    let by_time = by_time.min(LATEST);
    if by_time > next {
        by_time
    } else {
        next + UNSEEN
    }
}

fn clocks() -> Clocks {
    clock::instant().zip(clock::now())
}

fn to_time(clocks: Clocks, at: Instant) -> Option<SystemTime> {
    let (instant, now) = clocks?;
    now.checked_sub(instant.saturating_duration_since(at))
}

/// A time in the future counts as now, and so does a time before the clock's start.
fn to_instant(clocks: Clocks, time: SystemTime) -> Option<Instant> {
    let (instant, now) = clocks?;
    let age = now.duration_since(time).unwrap_or_default();
    Some(instant.checked_sub(age).unwrap_or(instant))
}
