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
    /// The number of the event that its client saw last, if it says so, and if that is known.
    pub(super) last: Option<Option<u64>>,
    /// Nothing from before its place has been missed.
    pub(super) anew: bool,
}

/// Where subscribers begin.
impl State {
    /// Where a subscriber of the group begins.
    pub(super) fn place_for(&mut self, index: usize, begin: &Begin) -> Result<Beginning, Over> {
        let floor = match &begin.not_before {
            Last::Nothing => 0,
            // An ID that is not known opens nothing.
            known => self.find(index, known).unwrap_or(self.next - 1),
        };
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
                // Of a run that is over, nothing comes from now on: it is replayed.
                Fresh::Now if is_over => &Fresh::Oldest,
                start => start,
            };
            place = self.start(index, start, floor);
        }
        match self.end_for_new(index) {
            Some((end, over)) if !self.has_between(index, place, end) => Err(over),
            _ => Ok(Beginning {
                outcome,
                place,
                last,
                anew,
            }),
        }
    }

    /// Where a subscriber begins that has seen nothing after the event with this number.
    fn start(&mut self, index: usize, start: &Fresh, floor: u64) -> u64 {
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

    /// The number of an event that there has been.
    fn find(&self, index: usize, last: &Last) -> Option<u64> {
        match last {
            Last::Nothing => None,
            Last::Event(seq) => Some(*seq).filter(|seq| *seq < self.next),
            Last::Own(id) => self.find_own(index, id),
            #[cfg(any(test, feature = "redis"))]
            Last::Key(key) => match self.find_key(*key) {
                super::keys::KeyPlace::Here(seq) => Some(seq),
                // Only the outer log knows what came after it.
                _ => None,
            },
        }
    }

    /// From a place on, as far as that is possible.
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
        // What comes after the end is not for it.
        let end = self.end_for_new(index);
        let late = end.map_or(0, |(end, _)| self.count_from(index, end.max(from)));
        let missed = self.count_from(index, from) - late;
        let place = if missed == 0 { head } else { from };
        (Outcome::Resumed(missed), place)
    }

    /// The latest event of the group's topics with this ID of the user's.
    fn find_own(&self, index: usize, id: &EventId) -> Option<u64> {
        if !self.log.has_ids() {
            return None;
        }
        let group = &self.groups[index];
        let named = group.topics.iter().map(|topic| topic.slot);
        if group.key.prefixes().is_empty() {
            return named.filter_map(|slot| self.log.find_id(slot, id)).max();
        }
        let topics = self.topics.iter();
        topics
            .filter(|(slot, topic)| group.follows(*slot, &topic.name))
            .filter_map(|(slot, _)| self.log.find_id(slot, id))
            .max()
    }
}
