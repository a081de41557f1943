use std::collections::BTreeMap;

use super::group::Group;

/// The subscribers that will join a group or leave it, each at a place in the log that it has not
/// reached yet.
#[derive(Debug, Default)]
pub(super) struct Transit {
    /// The number of subscribers that will join. The group is kept for them.
    coming: usize,
    /// The places where subscribers will leave, with the number of subscribers.
    leaving: BTreeMap<u64, usize>,
    /// For a place in `leaving`, the place after the last event lost between the previous such
    /// place and this one, if any.
    lost: BTreeMap<u64, u64>,
    /// The number of leaving subscribers that end at their place. They count as followers until
    /// they have left.
    ending: usize,
}

impl Transit {
    /// Adds a subscriber that will leave at a place. Events before `lost_to` have been lost so far.
    ///
    /// Places are added in order, except for [ends](Group::end_at). If events after such a place
    /// were already lost, earlier losses are no longer known, and the place counts as lost.
    fn leave_at(&mut self, at: u64, lost_to: u64) {
        if !self.leaving.contains_key(&at) {
            let later = self.leaving.range(at..).next().map(|(later, _)| *later);
            let lost_to = later.map_or(lost_to, |later| self.lost_before(later));
            if lost_to > self.lost_before(at) {
                self.lost.insert(at, lost_to.min(at));
                if let Some(later) = later.filter(|_| lost_to <= at) {
                    self.lost.remove(&later);
                }
            }
        }
        *self.leaving.entry(at).or_default() += 1;
    }

    /// Removes a subscriber that has left at a place, or no longer will.
    fn left(&mut self, at: u64) {
        if let Some(count) = self.leaving.get_mut(&at) {
            *count -= 1;
            if *count > 0 {
                return;
            }
            self.leaving.remove(&at);
        }
        let lost = self.lost.remove(&at);
        let next = self.leaving.range(at..).next();
        if let (Some(lost), Some((next, _))) = (lost, next) {
            // A loss after this place is later than a loss before it.
            self.lost.entry(*next).or_insert(lost);
        }
    }

    /// The last place, up to that of an event, where a subscriber leaves.
    pub(super) fn last_left(&self, seq: u64) -> u64 {
        let last = self.leaving.range(..=seq).next_back();
        last.map_or(0, |(at, _)| *at)
    }

    /// Records the loss of the event before this place.
    pub(super) fn lose(&mut self, lost_to: u64) {
        if let Some((at, _)) = self.leaving.range(lost_to..).next() {
            let lost = self.lost.entry(*at).or_default();
            *lost = lost_to.max(*lost);
        }
    }

    /// The place after the last event lost for subscribers that leave there.
    fn lost_before(&self, at: u64) -> u64 {
        let last = self.lost.range(..=at).next_back();
        last.map_or(0, |(_, lost_to)| *lost_to)
    }

    fn is_idle(&self) -> bool {
        self.coming == 0 && self.leaving.is_empty()
    }
}

impl Group {
    /// Records that a subscriber will join.
    pub(super) fn will_join(&mut self) {
        self.transit.get_or_insert_default().coming += 1;
    }

    /// Records that it has joined, or no longer will.
    pub(super) fn joined(&mut self) {
        self.end_transit(|transit| transit.coming -= 1);
    }

    /// Records that a present or expected subscriber will leave at this place, which is the head of
    /// the log.
    pub(super) fn leave_at(&mut self, at: u64) {
        let transit = self.transit.get_or_insert_default();
        transit.leave_at(at, self.lost_to);
    }

    /// Records that it has left, or no longer will.
    pub(super) fn left(&mut self, at: u64) {
        self.end_transit(|transit| transit.left(at));
    }

    /// Records that a subscriber will end at this place: the head of the log, or an earlier place.
    pub(super) fn end_at(&mut self, at: u64) {
        self.leave_at(at);
        if let Some(transit) = &mut self.transit {
            transit.ending += 1;
        }
    }

    /// Records that it has left.
    pub(super) fn ended(&mut self, at: u64) {
        if let Some(transit) = &mut self.transit {
            transit.ending -= 1;
        }
        self.left(at);
    }

    fn end_transit(&mut self, end: impl FnOnce(&mut Transit)) {
        if let Some(transit) = &mut self.transit {
            end(transit);
            if transit.is_idle() {
                self.transit = None;
            }
        }
    }

    /// The place after the last lost event that concerns a subscriber leaving there.
    pub(super) fn lost_before(&self, at: u64) -> u64 {
        let transit = self.transit.as_ref();
        transit.map_or(self.lost_to, |transit| transit.lost_before(at))
    }

    /// The number of subscribers once all moves have been made.
    pub(super) fn followers(&self) -> usize {
        let transit = self.transit.as_ref();
        transit.map_or(self.subscribers, |transit| {
            let leaving: usize = transit.leaving.values().sum();
            self.subscribers + transit.coming + transit.ending - leaving
        })
    }

    /// Whether it has no subscribers and expects none.
    pub(super) fn is_unused(&self) -> bool {
        let transit = self.transit.as_ref();
        self.subscribers == 0 && transit.is_none_or(|transit| transit.coming == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_that_leaves_knows_what_was_lost_before() {
        let (mut transit, mut lost, mut leavers) = (Transit::default(), Vec::new(), Vec::new());
        // Ends added out of order, and whether the losses before them are known.
        let mut late = Vec::new();
        let (mut random, mut next) = (11u64, 1u64);
        for _ in 0..4_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let dice = random >> 33;
            match dice % 6 {
                0 | 1 => next += dice % 3,
                2 if next > 1 => {
                    let lost_to = 2 + dice / 6 % (next - 1);
                    lost.push(lost_to);
                    transit.lose(lost_to);
                }
                3 => {
                    transit.leave_at(next, lost.iter().copied().max().unwrap_or(0));
                    leavers.push(next);
                }
                4 if late.len() < 5 => {
                    let at = next.saturating_sub(1 + dice / 6 % 4).max(1);
                    let lost_to = lost.iter().copied().max().unwrap_or(0);
                    let known = lost_to <= at || leavers.contains(&at);
                    let known = known || late.contains(&(at, true));
                    transit.leave_at(at, lost_to);
                    late.push((at, known && !late.contains(&(at, false))));
                }
                4 => {
                    let at = usize::try_from(dice).unwrap() % late.len();
                    transit.left(late.swap_remove(at).0);
                }
                _ if leavers.len() > 5 => {
                    let at = usize::try_from(dice).unwrap() % leavers.len();
                    transit.left(leavers.swap_remove(at));
                }
                _ => {}
            }
            let truth = |at: u64| {
                let before = lost.iter().copied().filter(|lost_to| *lost_to <= at);
                before.max().unwrap_or(0)
            };
            for at in &leavers {
                assert_eq!(transit.lost_before(*at), truth(*at));
            }
            for (at, known) in &late {
                let before = transit.lost_before(*at);
                assert!(before == truth(*at) || (!known && before > truth(*at) && before <= *at));
            }
            if lost.len() > 40 {
                lost.sort_unstable();
                // As those that have no leaver before them: only the last counts.
                if leavers.is_empty() && late.is_empty() {
                    lost.drain(..30);
                }
            }
        }
        for at in leavers
            .into_iter()
            .chain(late.into_iter().map(|(at, _)| at))
        {
            transit.left(at);
        }
        assert!(transit.is_idle() && transit.lost.is_empty());
    }
}
