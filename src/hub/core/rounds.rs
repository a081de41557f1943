use std::array;
use std::sync::atomic::Ordering;

use super::State;
use super::group::Group;
use super::wake_list::FIRST_ROUND;
use crate::sync::{Arc, AtomicU64};

/// The rounds of the wake lists of neighbouring groups. A round ends whenever the waiting tasks are
/// taken out. A subscriber that is marked in the current round has nothing to look for, and finds
/// that out here, without the lock.
///
/// They are side by side because an event of many groups stores each, and each in memory of its own
/// is a cache miss: `benches/growth`, "a broadcast's publish, to all", 5.6 ms, and 8.2 apart.
#[derive(Debug)]
pub(super) struct Rounds([AtomicU64; GROUPS]);

/// The number of groups whose rounds are side by side. They take less than 1 KiB: see
/// [`Wakes::free_later`](super::wake_list::Wakes::free_later).
const GROUPS: usize = 64;

impl Rounds {
    fn new() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(FIRST_ROUND)))
    }

    /// The current round of the group with this index.
    #[inline]
    pub(super) fn get(&self, group: usize) -> u64 {
        self.0[group % GROUPS].load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn set(&self, group: usize, round: u64) {
        self.0[group % GROUPS].store(round, Ordering::Release);
    }
}

impl State {
    /// The rounds for the group that is inserted next: those of its neighbours, if it has any.
    pub(super) fn next_rounds(&mut self) -> Arc<Rounds> {
        let index = self.groups.next_key();
        let first = index - index % GROUPS;
        let mut neighbours = self.groups.between(first, first + GROUPS);
        let rounds = neighbours.next().map(Group::rounds);
        let rounds = rounds.unwrap_or_else(|| Arc::new(Rounds::new()));
        // Another group may have had this index before.
        rounds.set(index, FIRST_ROUND);
        rounds
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::hub::change::Reason;
    use crate::hub::core::{Begin, Draft, Fresh, Key, Last, Rules, Seat, Taken, Wakes};
    use crate::hub::outcome::LagPolicy;
    use crate::hub::retention::Retention;
    use crate::protocol::Event;

    #[test]
    fn the_rounds_of_neighbours_do_not_mix() {
        crate::sync::run(do_not_mix);
    }

    /// Compares what a seat finds out without the lock with a list, while groups come and go.
    fn do_not_mix() {
        const TOPICS: usize = 3 * GROUPS;
        let rules = Rules::new(usize::MAX, Retention::new().events(usize::MAX));
        let mut state = State::new(rules, LagPolicy::Oldest);
        // The subscriber of each topic, and whether it waits.
        let mut bodies: Vec<Option<(Seat, bool)>> = (0..TOPICS).map(|_| None).collect();
        let mut random = 1u64;
        for n in 0..6_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(n);
            let dice = (random >> 33) as usize;
            let (topic, wakes) = (dice / 8 % TOPICS, &mut Wakes::default());
            let name = format!("{topic}");
            match (&mut bodies[topic], dice % 8) {
                (Some((_, waits)), 0..3) => {
                    let block = Event::new("x").encode();
                    state.publish(&name, Draft::with_number(block, state.next(), None), wakes);
                    *waits = false;
                }
                (Some((seat, waits)), 3..7) => {
                    seat.prepare(Waker::noop());
                    while !matches!(state.take(seat, wakes), Taken::Waiting) {}
                    *waits = true;
                }
                (body @ Some(_), _) => {
                    let (mut seat, _) = body.take().unwrap();
                    state.leave(&mut seat, Reason::Left, wakes);
                }
                (body @ None, _) => {
                    let key = Key::new(vec![name.into()], Vec::new());
                    let begin = Begin::new(Last::Nothing, Fresh::Now, false, Last::Nothing);
                    let (seat, ..) = state.subscribe(key, &begin, None, wakes).unwrap();
                    *body = Some((seat, false));
                }
            }
            for (seat, waits) in bodies.iter().flatten() {
                assert_eq!(seat.is_waiting(Waker::noop(), state.changes()), *waits);
            }
        }
        let rounds = bodies.iter().flatten().next().unwrap().0.rounds.clone();
        for (mut seat, _) in bodies.into_iter().flatten() {
            state.leave(&mut seat, Reason::Left, &mut Wakes::default());
        }
        assert_eq!(Arc::strong_count(&rounds), 1);
    }
}
