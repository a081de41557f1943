use super::State;
use super::finishing::Over;
use super::following::{Begin, Fresh, Last};
use super::group::Group;
use crate::hub::outcome::{LagPolicy, Outcome};
use crate::protocol::EventId;

/// Where a subscriber begins.
pub(super) struct Beginning {
    pub(super) outcome: Outcome,
    pub(super) place: u64,
    /// The number of the last event that its client has seen: `None` if the client sent no ID,
    /// `Some(None)` if the ID is not known.
    pub(super) last: Option<Option<u64>>,
    /// Whether it begins anew, so that losses before its place do not concern it.
    pub(super) anew: bool,
}

/// Where subscribers begin.
impl State {
    /// Where a subscriber of the group begins.
    pub(super) fn place_for(&mut self, index: usize, begin: &Begin) -> Result<Beginning, Over> {
        let floor = self.floor(index, &begin.not_before);
        let last = match &begin.last {
            Last::Nothing => None,
            last => Some(self.find(index, last).map(|seq| seq.max(floor))),
        };
        let head = self.groups[index].head;
        let (outcome, mut place) = match last {
            None => (Outcome::Fresh, head),
            Some(Some(seq)) => self.resume(index, seq + 1),
            Some(None) => (Outcome::Unknown, head),
        };
        let is_over = self.groups[index].is_over();
        let anew = outcome == Outcome::Fresh
            || (outcome.is_lossy() && begin.anew)
            || (outcome == Outcome::Unknown && is_over);
        if anew {
            let start = match &begin.start {
                // A finished run has no further events, so it is replayed.
                Fresh::Now if is_over => &Fresh::Oldest,
                start => start,
            };
            place = self.start(index, start, floor);
        }
        let end = self.end_for_new(index);
        match end.filter(|(_, over)| self.is_final(*over, outcome)) {
            Some((end, over)) if !self.has_between(index, place, end) => Err(over),
            _ => Ok(Beginning {
                outcome,
                place,
                last,
                anew,
            }),
        }
    }

    /// Whether an end leaves nothing to send. Events that a client has missed may be in the outer
    /// log, and while the ring is being filled, the next run may begin.
    fn is_final(&self, over: Over, outcome: Outcome) -> bool {
        #[cfg(any(test, feature = "redis"))]
        if self.keys.is_some() && (outcome.is_lossy() || self.is_filling()) {
            return over == Over::Closed;
        }
        _ = (over, outcome);
        true
    }

    /// The first place whose events are needed to tell where a subscriber of the group begins, as far
    /// as that is known without them; `None` if no events are needed.
    pub(super) fn begins_from(&self, index: usize, begin: &Begin) -> Option<u64> {
        let floor = self.floor(index, &begin.not_before);
        let last = self.find(index, &begin.last).map(|seq| seq.max(floor) + 1);
        let start = match &begin.start {
            Fresh::Now => None,
            Fresh::Oldest | Fresh::Last(_) => Some(floor + 1),
            Fresh::After(after) => {
                let after = self.find(index, after).map_or(1, |seq| seq + 1);
                Some(after.max(floor + 1))
            }
        };
        let starts = begin.anew || matches!(begin.last, Last::Nothing);
        last.into_iter().chain(start.filter(|_| starts)).min()
    }

    /// Where a subscriber begins that starts anew, after the event number `floor`.
    pub(super) fn start(&mut self, index: usize, start: &Fresh, floor: u64) -> u64 {
        let from = match start {
            Fresh::Now => return self.groups[index].head,
            Fresh::Oldest => 1,
            Fresh::Last(events) => {
                self.know(index, floor + 1);
                let end = self.end_for_new(index);
                self.last_from(index, *events, end.map_or(u64::MAX, |(end, _)| end))
            }
            Fresh::After(after) => self.find(index, after).map_or(1, |seq| seq + 1),
        };
        let from = from.max(floor + 1);
        self.know(index, from);
        match self.next_from(index, from) {
            Some(first) => first,
            None => self.groups[index].head,
        }
    }

    /// The number of the event up to which nothing is for a subscriber.
    pub(super) fn floor(&self, index: usize, not_before: &Last) -> u64 {
        match not_before {
            Last::Nothing => 0,
            #[cfg(any(test, feature = "redis"))]
            Last::Key(key) => match self.find_key(*key) {
                super::keys::KeyPlace::Before => 0,
                super::keys::KeyPlace::Here(seq) | super::keys::KeyPlace::Between(seq) => seq,
                super::keys::KeyPlace::After => self.next - 1,
            },
            // An unknown ID allows no replay.
            known => self.find(index, known).unwrap_or(self.next - 1),
        }
    }

    /// The number of a known event.
    fn find(&self, index: usize, last: &Last) -> Option<u64> {
        match last {
            Last::Nothing => None,
            Last::Event(seq) => Some(*seq).filter(|seq| *seq < self.next),
            Last::Own(id) => self.find_own(index, id),
            #[cfg(any(test, feature = "redis"))]
            Last::Key(key) => match self.find_key(*key) {
                super::keys::KeyPlace::Here(seq) => Some(seq),
                // Only the outer log knows what followed it.
                _ => None,
            },
        }
    }

    /// Resumes from a place on, as far as possible.
    pub(super) fn resume(&mut self, index: usize, from: u64) -> (Outcome, u64) {
        self.know(index, from);
        let Group { head, lost_to, .. } = self.groups[index];
        if from < lost_to {
            let place = match self.lag {
                LagPolicy::Newest if self.end_for_new(index).is_none() => head,
                _ => self.place_after_gap(index, from),
            };
            return (Outcome::Gap, place);
        }
        // Events after the end are not delivered to it.
        let end = self.end_for_new(index);
        let late = end.map_or(0, |(end, _)| self.count_from(index, end.max(from)));
        let missed = self.count_from(index, from) - late;
        let place = if missed == 0 { head } else { from };
        (Outcome::Resumed(missed), place)
    }

    /// The latest event of the group's topics with this ID of its own.
    fn find_own(&self, index: usize, id: &EventId) -> Option<u64> {
        if !self.log.has_ids() {
            return None;
        }
        let group = &self.groups[index];
        let named = group.topics.iter().map(|topic| topic.slot);
        let slots = named.chain(self.topics.covered(&group.key));
        slots.filter_map(|slot| self.log.find_id(slot, id)).max()
    }
}
