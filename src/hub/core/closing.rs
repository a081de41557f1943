use super::State;
use super::cursors::Cursor;
use super::wake_list::Wakes;

/// All shares together: a close up to this ends every subscriber.
pub(in crate::hub) const ALL_SHARES: u64 = 1 << 32;

/// The number of subscribers to end before releasing the lock to others, unless that takes more than
/// this number of pieces: each piece looks at all subscribers.
const PIECE: u128 = 256;
const PIECES: u64 = 8;

/// The share that the subscriber in this slot belongs to when subscribers end one share after the
/// other. The golden ratio spreads them evenly.
pub(super) fn share_of(cursor: usize) -> u64 {
    (cursor as u64).wrapping_mul(0x9e37_79b9) % ALL_SHARES
}

/// The place up to which each share of the subscribers is served. A close is a place in the log:
/// events published after it reach none of the subscribers it ends.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Shares below the first number end at the second. Both numbers increase.
    steps: Vec<(u64, u64)>,
    /// Whether all subscribers ended in one step.
    at_once: bool,
}

impl Closing {
    /// Whether new subscribers are accepted and none has to end.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.steps.is_empty()
    }

    /// The place where subscribers end that arrive after all others have been ended.
    pub(super) fn end_of_all(&self) -> Option<u64> {
        let (share, place) = self.steps.last()?;
        (*share >= ALL_SHARES).then_some(*place)
    }

    /// The place from which on no subscriber is served. Groups ignore events published or lost
    /// after it.
    pub(super) fn served_to(&self) -> u64 {
        self.end_of_all().unwrap_or(u64::MAX)
    }

    /// The place where this subscriber ends if the shares end one after the other. Its last group
    /// then [counts](super::group::Group::end_at) it.
    pub(super) fn step_of(&self, index: usize, cursor: &Cursor) -> Option<u64> {
        if self.is_open() || self.at_once || cursor.came_after_close() {
            return None;
        }
        Some(self.end_of(index)).filter(|end| *end < u64::MAX)
    }

    /// The place where this subscriber ends.
    #[inline]
    pub(super) fn end_of(&self, cursor: usize) -> u64 {
        if self.is_open() {
            return u64::MAX;
        }
        let share = share_of(cursor);
        let step = self.steps.partition_point(|(below, _)| *below <= share);
        self.steps.get(step).map_or(u64::MAX, |(_, place)| *place)
    }
}

impl State {
    pub(in crate::hub) fn is_closed(&self) -> bool {
        !self.closing.is_open()
    }

    /// Whether only some subscribers have been ended so far.
    pub(in crate::hub) fn is_closing(&self) -> bool {
        self.is_closed() && self.closing.end_of_all().is_none()
    }

    /// The place where a close ends this subscriber.
    #[inline]
    pub(super) fn closed_at(&self, cursor: usize) -> u64 {
        let all = self.closing.end_of_all();
        let late = all.filter(|_| self.cursors[cursor].came_after_close());
        late.unwrap_or_else(|| self.closing.end_of(cursor))
    }

    /// Whether a close ends this subscriber.
    pub(super) fn is_closed_for(&self, cursor: usize) -> bool {
        self.closed_at(cursor) < u64::MAX
    }

    /// The next shares to close up to, one after the other, so that all below `share` end. At each,
    /// few subscribers end, so that others get the lock in between.
    pub(in crate::hub) fn shares_up_to(&self, share: u64) -> impl Iterator<Item = u64> + use<> {
        let before = self.closing.steps.last().map_or(0, |(below, _)| *below);
        let rest = share.saturating_sub(before);
        let subscribers = self.counters.subscribers as u128;
        let ending = subscribers * u128::from(rest) / u128::from(ALL_SHARES);
        let pieces = u64::try_from(ending / PIECE).map_or(PIECES, |pieces| pieces.clamp(1, PIECES));
        (1..=pieces).map(move |piece| before + rest / pieces * piece + rest % pieces)
    }

    /// Ends the subscribers below a share at the head of the log. Returns `false` if they have
    /// already been ended.
    pub(in crate::hub) fn close_to(&mut self, share: u64, wakes: &mut Wakes) -> bool {
        let before = self.closing.steps.last().map_or(0, |(below, _)| *below);
        if self.is_closed() && share <= before {
            return false;
        }
        self.closing.steps.push((share, self.next));
        self.changes += 1;
        self.tell_if_over(wakes);
        if share >= ALL_SHARES && before == 0 {
            self.closing.at_once = true;
            self.end_rounds(wakes);
            return true;
        }
        self.settle_all(wakes);
        let ending = self.cursors.iter().filter_map(|(slot, cursor)| {
            let ends = (before..share).contains(&share_of(slot));
            ends.then_some(cursor)
        });
        let mut groups = Vec::new();
        for cursor in ending {
            if !cursor.is_end_known() {
                groups.push(cursor.last_group());
            }
            if let (Some(group), Some(slot)) = (self.groups.get_mut(cursor.group), cursor.slot) {
                group.wake_one(slot, wakes);
            }
        }
        let at = self.next;
        for group in groups {
            self.ask(group, None);
            self.change(group, |group| group.end_at(at));
        }
        true
    }

    /// Whether the hub is closed and has no subscribers left.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed() && self.counters.subscribers == 0
    }

    /// Wakes the futures that follow arrivals, departures and time, if the hub is over.
    pub(super) fn tell_if_over(&mut self, wakes: &mut Wakes) {
        if self.is_over() {
            self.wake_keepers(wakes);
            self.wake_watchers(wakes);
        }
    }

    /// Takes out all waiting tasks, if there are many outside this call.
    pub(super) fn end_rounds(&mut self, wakes: &mut Wakes) {
        self.end_linger(wakes);
        self.notices.end_rounds();
        if !self.spread(0, wakes) {
            wakes.spread_until(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::core::{Begin, Fresh, Key, Last, Rules};
    use crate::hub::outcome::LagPolicy;
    use crate::hub::retention::Retention;

    #[test]
    fn a_step_of_a_spread_close_ends_few_at_a_time() {
        crate::sync::run(ends_few);
    }

    fn ends_few() {
        let mut state = State::new(Rules::new(1_000, Retention::new()), LagPolicy::Oldest);
        let begin = Begin::new(Last::Nothing, Fresh::Now, false, Last::Nothing);
        let mut wakes = Wakes::default();
        for _ in 0..3_000 {
            let key = Key::new(vec!["a".into()], Vec::new());
            state.subscribe(key, &begin, None, &mut wakes).unwrap();
        }
        assert!(state.close_to(0, &mut wakes));
        let mut before = 0;
        let (third, mut steps) = (ALL_SHARES / 3, Vec::new());
        for share in [third, 2 * third] {
            for next in state.shares_up_to(share) {
                assert!(state.close_to(next, &mut wakes));
                let ends = |share: u64| (before..next).contains(&share);
                steps.push((0..3_000).filter(|slot| ends(share_of(*slot))).count());
                before = next;
            }
            assert_eq!(before, share);
        }
        assert_eq!(steps.len(), 6);
        assert!(steps.iter().sum::<usize>().abs_diff(2_000) < 10);
        assert!(steps.iter().all(|step| *step < 400), "{steps:?}");
        // No subscriber is left to end.
        assert_eq!(state.shares_up_to(0).collect::<Vec<_>>(), [before]);
    }
}
