//! The reader's state machine: which request to send next, and how a reply changes the ring. It
//! does no I/O and takes no lock, so that a test can play the part of Redis.

use super::entry::StreamEntry;
pub(super) use super::exchange::{Act, Ask, Reply};
use super::phase::{Debt, Doing, Tip, scan};
use super::unread::{EXPECTED, before_missing};

/// The maximum number of entries in a batch, and its target size in bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;

/// The number of entries before a loss that are searched for one that the ring has.
const SHARED: usize = 100;

/// The size up to which the ring is filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// The reader's state.
#[derive(Debug)]
pub(super) struct Machine {
    depth: Depth,
    phase: Doing,
    /// Whether the ring has begun.
    has_ring: bool,
    /// All acknowledged entries up to this key have been found, or a mark tells of their loss.
    settled: u128,
    /// The acknowledged entries that the next read has to find, in order.
    expected: Vec<u128>,
    /// The moving average of the entries' sizes.
    mean: usize,
    /// The number of times the stream was found to lack entries that it had.
    pub(super) losses: u64,
}

impl Machine {
    pub(super) fn new(depth: Depth) -> Self {
        Self {
            depth,
            phase: Doing::fill(None),
            has_ring: false,
            settled: 0,
            expected: Vec::new(),
            mean: 1024,
            losses: 0,
        }
    }

    /// Whether the last read found nothing new.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.phase, Doing::Follow { quiet: true, .. })
    }

    /// The key of the last entry read, unless that is known to be lost.
    #[cfg(test)]
    pub(super) fn tip(&self) -> Option<u128> {
        match self.phase {
            Doing::Follow { last, .. } | Doing::Older { last, owed: None } => Some(last.key),
            _ => None,
        }
    }

    /// The key after which the next read looks for acknowledged entries. `None` if it looks for
    /// none.
    pub(super) fn read_up_to(&self) -> Option<u128> {
        match &self.phase {
            Doing::Follow { last, .. } => Some(last.key),
            Doing::Fill { .. } | Doing::Check { .. } => Some(self.settled),
            _ => None,
        }
    }

    /// Sets the acknowledged entries after the last one read. The next read looks for them.
    pub(super) fn look_for(&mut self, keys: Vec<u128>) {
        self.expected = keys;
    }

    fn count(&self) -> usize {
        (BATCH_BYTES / self.mean.max(1)).clamp(16, BATCH)
    }

    pub(super) fn ask(&self) -> Ask {
        let count = self.count();
        match &self.phase {
            Doing::Fill { got, .. } => Ask::Before {
                key: got.last().map(StreamEntry::key),
                count,
            },
            Doing::Check { .. } => Ask::From {
                key: self.expected.first().copied().unwrap_or(self.settled),
                count: count + 1,
            },
            Doing::Begin => Ask::Begin,
            Doing::Follow { last, quiet: true } => Ask::Wait { after: last.key },
            Doing::Follow { last, .. } => Ask::From {
                key: last.key,
                count: count + 1,
            },
            Doing::Older { last, .. } => Ask::Before {
                key: Some(last.key),
                count: SHARED,
            },
            Doing::Scan(debt) => Ask::From {
                key: debt.after(),
                count: count + 1,
            },
            Doing::Mark(debt) => Ask::Lost {
                from: debt.from,
                after: debt.after(),
            },
        }
    }

    /// Handles a lost connection or an invalid reply. The last request is repeated, and the last
    /// entry is looked for again.
    pub(super) fn fail(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Doing::Begin) {
            // The mark may have been lost since.
            Doing::Fill { debt, .. } | Doing::Check { debt } => {
                Doing::fill(debt.map(|debt| debt.far(false)))
            }
            Doing::Begin => Doing::fill(None),
            Doing::Follow { last, .. } => Doing::Follow { last, quiet: false },
            Doing::Older { last, owed: None } if self.has_ring => {
                Doing::Follow { last, quiet: false }
            }
            // The mark may have been appended.
            Doing::Mark(debt) | Doing::Scan(debt) => Doing::Scan(debt.far(false)),
            other @ Doing::Older { .. } => other,
        };
    }

    /// Starts over, because the ring refused an entry.
    pub(super) fn begin_again(&mut self) -> Act {
        self.phase = Doing::fill(None);
        self.has_ring = false;
        Act::Cut
    }

    /// Handles a reply. `knows` returns whether the ring has had the entry with a key, as far as it
    /// can tell.
    pub(super) fn answer(&mut self, reply: Reply, knows: impl Fn(u128) -> bool) -> Vec<Act> {
        let phase = std::mem::replace(&mut self.phase, Doing::Begin);
        let (phase, acts) = match (phase, reply) {
            (Doing::Fill { got, bytes, debt }, Reply::Entries(entries)) => {
                self.fill(got, bytes, debt, entries)
            }
            (Doing::Check { debt }, Reply::Entries(entries)) => {
                (self.check(debt, &entries), Vec::new())
            }
            // Without the right to append, a mark is impossible.
            (Doing::Begin, Reply::Marked(_)) | (Doing::Mark(_), Reply::Forbidden) => {
                (Doing::fill(None), Vec::new())
            }
            (Doing::Follow { last, .. }, Reply::Entries(entries)) => self.follow(last, entries),
            (Doing::Follow { last, .. }, Reply::Woken) => {
                (Doing::Follow { last, quiet: false }, Vec::new())
            }
            (Doing::Older { last, owed }, Reply::Entries(entries)) => {
                self.lose(last, owed, &entries, knows)
            }
            (Doing::Scan(debt), Reply::Entries(entries)) => {
                let phase = scan(debt, &entries);
                if matches!(phase, Doing::Fill { .. }) {
                    let mark = entries.iter().rfind(|entry| entry.is_loss());
                    self.settle(mark.map_or(0, StreamEntry::key));
                }
                (phase, Vec::new())
            }
            (Doing::Mark(debt), Reply::Marked(true)) => (Doing::fill(Some(debt)), Vec::new()),
            (Doing::Mark(debt), Reply::Marked(false)) => (Doing::Scan(debt), Vec::new()),
            (phase, _) => {
                self.phase = phase;
                self.fail();
                return Vec::new();
            }
        };
        self.phase = phase;
        acts
    }

    fn fill(
        &mut self,
        mut got: Vec<StreamEntry>,
        mut bytes: usize,
        debt: Option<Debt>,
        entries: Vec<StreamEntry>,
    ) -> (Doing, Vec<Act>) {
        self.measure(&entries);
        let is_all = entries.is_empty();
        for entry in entries {
            bytes += entry.size;
            got.push(entry);
        }
        let Some(newest) = got.first() else {
            return (Doing::Begin, Vec::new());
        };
        let last = Tip::of(newest);
        // The ring begins after a loss, so that subscribers from before it read the mark.
        let loss = got.iter().position(StreamEntry::is_loss);
        let is_full = got.len() > self.depth.events || bytes > self.depth.bytes;
        if loss.is_none() && !is_all && !is_full {
            return (Doing::Fill { got, bytes, debt }, Vec::new());
        }
        let marked = loss.map_or(0, |at| got[at].key());
        if let Some(debt) = debt.filter(|debt| !debt.is_far && marked <= debt.after()) {
            // The mark is further back, or has been lost too.
            return (Doing::Scan(debt.far(true)), Vec::new());
        }
        self.settle(marked);
        // From here on oldest first, beginning with the entry before the ring.
        got.truncate(loss.unwrap_or(got.len() - 1) + 1);
        got.reverse();
        let base = got.first().map_or(0, StreamEntry::key);
        // Before the stream's oldest entry, and before a mark, all is settled.
        let is_told = loss.is_some() || is_all;
        let is_older = self.expected.first().is_some_and(|first| *first < base);
        if (is_older && !is_told) || self.expected.len() >= EXPECTED {
            return (Doing::Check { debt }, Vec::new());
        }
        self.expected.retain(|key| *key > base);
        if let Some(before) = before_missing(&got, &self.expected, false) {
            return (self.owe(before, debt), Vec::new());
        }
        self.settled = last.key;
        // If this is all of the stream, the ring has its oldest entry too.
        let is_first = loss.is_none() && is_all;
        let after = base.saturating_sub(u128::from(is_first));
        got.drain(..usize::from(!is_first));
        self.has_ring = true;
        let act = Act::Begin {
            after,
            entries: got,
        };
        (Doing::Follow { last, quiet: false }, vec![act])
    }

    fn follow(&mut self, last: Tip, entries: Vec<StreamEntry>) -> (Doing, Vec<Act>) {
        if !entries.first().is_some_and(|first| last.is(first)) {
            return (Doing::Older { last, owed: None }, Vec::new());
        }
        let expected = std::mem::take(&mut self.expected);
        let is_all = entries.len() <= self.count();
        if let Some(before) = before_missing(&entries, &expected, is_all) {
            self.has_ring = false;
            return (self.owe(before, None), vec![Act::Cut]);
        }
        let newest = entries.last().map_or(last, Tip::of);
        self.settled = newest.key;
        let is_quiet = entries.len() <= 1;
        self.measure(&entries);
        let mut acts = Vec::new();
        let mut batch = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().skip(1) {
            if !entry.is_loss() {
                batch.push(entry);
                continue;
            }
            if !batch.is_empty() {
                acts.push(Act::Append(std::mem::take(&mut batch)));
            }
            // Subscribers end here and read the mark in a page.
            acts.push(Act::Cut);
            acts.push(Act::Begin {
                after: entry.key(),
                entries: Vec::new(),
            });
        }
        if !batch.is_empty() {
            acts.push(Act::Append(batch));
        }
        let phase = Doing::Follow {
            last: newest,
            quiet: is_quiet,
        };
        (phase, acts)
    }

    /// Looks for the acknowledged entries among those from the first one on.
    fn check(&mut self, debt: Option<Debt>, entries: &[StreamEntry]) -> Doing {
        let expected = std::mem::take(&mut self.expected);
        let (Some(&first), Some(&newest)) = (expected.first(), expected.last()) else {
            return Doing::fill(debt);
        };
        let there = entries.first().map(StreamEntry::key);
        if there != Some(first) {
            // All that were between its neighbours are lost, unless they have been trimmed.
            self.losses += 1;
            self.settle(there.map_or(newest, |there| there.saturating_sub(1)));
            let last = Tip {
                key: first,
                print: 0,
            };
            let owed = debt.map(|debt| debt.from);
            return Doing::Older { last, owed };
        }
        let is_all = entries.len() <= self.count();
        if let Some(before) = before_missing(entries, &expected, is_all) {
            return self.owe(before, debt);
        }
        self.settle(entries.last().map_or(first, StreamEntry::key));
        match is_all {
            true => Doing::fill(debt),
            false => Doing::Check { debt },
        }
    }

    fn settle(&mut self, key: u128) {
        self.settled = self.settled.max(key);
    }

    /// Begins to mark the loss of what came after an entry, and an earlier one that may not be
    /// marked.
    fn owe(&mut self, before: &StreamEntry, debt: Option<Debt>) -> Doing {
        self.losses += 1;
        let at = Tip::of(before);
        self.expected = Vec::new();
        let from = debt.map_or(at.key, |debt| debt.from.min(at.key));
        Doing::Scan(Debt::new(at, from))
    }

    /// Handles that the last entry is gone. `older` holds entries from before it, newest first.
    fn lose(
        &mut self,
        last: Tip,
        owed: Option<u128>,
        older: &[StreamEntry],
        knows: impl Fn(u128) -> bool,
    ) -> (Doing, Vec<Act>) {
        let had_ring = std::mem::replace(&mut self.has_ring, false);
        let acts = had_ring.then_some(Act::Cut).into_iter().collect();
        self.losses += u64::from(had_ring);
        let Some(oldest) = older.last() else {
            // The stream was trimmed past this node, or flushed. Clients are told because their IDs
            // are gone. That may not be so for those that an earlier, unmarked loss concerns.
            let debt = owed.map(|from| Debt {
                at: None,
                from,
                is_far: false,
            });
            return (debt.map_or_else(|| Doing::fill(None), Doing::Scan), acts);
        };
        let shared = older
            .iter()
            .position(|entry| !had_ring || knows(entry.key()));
        // Without such an entry, it is only certain that the last entry is gone.
        let at = shared.map_or(oldest, |at| &older[at]);
        let from = shared.map_or(last.key, |_| at.key());
        let from = owed.map_or(from, |owed| owed.min(from));
        let newer = &older[..shared.unwrap_or(older.len())];
        if newer.iter().any(StreamEntry::is_loss) {
            return (Doing::fill(None), acts);
        }
        (Doing::Scan(Debt::new(Tip::of(at), from)), acts)
    }

    fn measure(&mut self, entries: &[StreamEntry]) {
        if !entries.is_empty() {
            let sum: usize = entries.iter().map(|entry| entry.size).sum();
            self.mean = (3 * self.mean + sum / entries.len()) / 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::outer::{LogEntry, Stored};

    fn entries(keys: &[u128]) -> Reply {
        let place = |key: &u128| StreamEntry {
            entry: LogEntry {
                key: *key,
                what: Stored::Place,
            },
            size: 100,
            print: 0,
            is_skipped: false,
        };
        Reply::Entries(keys.iter().map(place).collect())
    }

    /// A machine that has read up to 9 and looks for these acknowledged entries.
    fn following(expected: &[u128]) -> Machine {
        let depth = Depth {
            events: 10,
            bytes: 1 << 20,
        };
        let mut machine = Machine::new(depth);
        machine.answer(entries(&[9, 8]), |_| true);
        machine.answer(entries(&[]), |_| true);
        assert_eq!(machine.read_up_to(), Some(9));
        machine.look_for(expected.to_vec());
        machine
    }

    #[test]
    fn acknowledged_entries_have_to_be_found() {
        for (expected, there, from) in [
            (&[][..], &[9, 11][..], None),
            (&[11, 12], &[9, 11, 12, 13], None),
            // Nothing follows 9, so 11 is lost.
            (&[11], &[9], Some(9)),
            (&[11, 12], &[9, 11], Some(11)),
            // Other entries were published after the loss.
            (&[11], &[9, 12, 13], Some(9)),
            (&[11, 13], &[9, 11, 12, 14], Some(12)),
        ] {
            let mut machine = following(expected);
            let acts = machine.answer(entries(there), |_| true);
            let is_cut = matches!(acts[..], [Act::Cut]);
            assert_eq!(is_cut, from.is_some(), "{expected:?} {there:?}");
            assert_eq!(machine.losses, u64::from(is_cut));
            let Some(from) = from else { continue };
            // It looks for a mark and appends one.
            assert!(matches!(machine.ask(), Ask::From { key, .. } if key == from));
            machine.answer(entries(&[from, 20]), |_| true);
            machine.answer(entries(&[20]), |_| true);
            assert_eq!(machine.ask(), Ask::Lost { from, after: 20 });
            machine.answer(Reply::Marked(true), |_| true);
            assert!(matches!(machine.ask(), Ask::Before { key: None, .. }));
        }
    }

    /// A machine with a ring of two events, which waits for what comes before 18.
    fn filling(expected: &[u128]) -> Machine {
        let depth = Depth {
            events: 2,
            bytes: 1 << 20,
        };
        let mut machine = Machine::new(depth);
        machine.look_for(expected.to_vec());
        machine.answer(entries(&[20, 19, 18]), |_| true);
        machine
    }

    #[test]
    fn what_is_older_than_a_new_ring_is_looked_for_first() {
        assert_eq!(filling(&[18, 19]).read_up_to(), Some(20));
        let mut machine = filling(&[5, 7]);
        assert!(matches!(machine.ask(), Ask::From { key: 5, .. }));
        machine.answer(entries(&[5, 6, 7, 18, 19, 20]), |_| true);
        assert_eq!(machine.read_up_to(), Some(20));
        assert!(matches!(machine.ask(), Ask::Before { key: None, .. }));
        assert_eq!(machine.losses, 0);
    }

    #[test]
    fn what_is_older_than_a_new_ring_may_be_lost() {
        for (there, older, from) in [
            (&[18, 19, 20][..], &[4, 3][..], 4),
            (&[5, 6, 18, 19, 20], &[], 6),
        ] {
            let mut machine = filling(&[5, 7]);
            machine.answer(entries(there), |_| true);
            if !older.is_empty() {
                assert!(matches!(machine.ask(), Ask::Before { key: Some(5), .. }));
                machine.answer(entries(older), |_| true);
            }
            assert!(matches!(machine.ask(), Ask::From { key, .. } if key == from));
            machine.answer(entries(&[from, 18, 19, 20]), |_| true);
            machine.answer(entries(&[20]), |_| true);
            assert_eq!(machine.ask(), Ask::Lost { from, after: 20 });
            assert_eq!(machine.losses, 1);
        }
    }

    #[test]
    fn what_was_trimmed_with_all_before_it_is_not_looked_for_again() {
        let mut machine = filling(&[5, 7]);
        machine.answer(entries(&[18, 19, 20]), |_| true);
        machine.answer(entries(&[]), |_| true);
        assert!(matches!(machine.ask(), Ask::Before { key: None, .. }));
        assert_eq!(machine.read_up_to(), Some(17));
    }

    #[test]
    fn a_full_answer_may_have_the_rest_to_come() {
        let mut machine = following(&[5_000]);
        let full: Vec<u128> = (9..=9 + machine.count() as u128).collect();
        let acts = machine.answer(entries(&full), |_| true);
        assert!(matches!(acts[..], [Act::Append(_)]));
    }
}
