//! The reader's state machine: which request to send next, and how a reply changes the ring. It
//! does no I/O and takes no lock, so that a test can play the part of Redis.

use super::entry::StreamEntry;
pub(super) use super::exchange::{Act, Ask, Reply};
use super::phase::{Debt, Doing, Tip, scan};
use super::unread::{EXPECTED, before_missing};

/// The maximum number of entries in a batch, and its target size in bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;

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

    /// Whether the last read reached the stream's end.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.phase, Doing::Follow { quiet: true, .. })
    }

    /// The key of the last entry read, unless that is known to be lost.
    #[cfg(test)]
    pub(super) fn tip(&self) -> Option<u128> {
        match self.phase {
            Doing::Follow { last, .. }
            | Doing::Confirm { last, .. }
            | Doing::Older { last, owed: None } => Some(last.key),
            _ => None,
        }
    }

    /// The key up to which acknowledged entries are settled.
    #[cfg(test)]
    pub(super) fn settled(&self) -> u128 {
        self.settled
    }

    /// The keys up to which acknowledged entries are settled, and after which the next read looks
    /// for them. `None` if it looks for none.
    pub(super) fn looks_after(&self) -> Option<(u128, u128)> {
        match &self.phase {
            Doing::Follow { last, .. } | Doing::Confirm { last, .. } => Some((last.key, last.key)),
            Doing::Fill { .. } => Some((self.settled, self.settled)),
            // What has been found may be lost before the ring begins.
            Doing::Check { last, .. } => {
                let after = last.map_or(self.settled, |last| last.key);
                Some((self.settled, after))
            }
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
        let expected = self.expected.first().copied();
        self.phase
            .ask(self.count(), expected.unwrap_or(self.settled))
    }

    /// Handles a lost connection or an invalid reply. The last request is repeated, and the last
    /// entry is looked for again.
    pub(super) fn fail(&mut self) {
        self.phase = std::mem::replace(&mut self.phase, Doing::Begin).fail(self.has_ring);
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
            (Doing::Check { debt, last }, Reply::Entries(entries)) => {
                self.check(debt, last, &entries)
            }
            // Without the right to append, a mark is impossible.
            (Doing::Begin, Reply::Marked(_)) | (Doing::Mark(_), Reply::Forbidden) => {
                (Doing::fill(None), Vec::new())
            }
            (Doing::Follow { last, quiet: true }, Reply::Entries(batch)) => {
                (self.confirm(last, batch), Vec::new())
            }
            (Doing::Follow { last, .. }, Reply::Entries(entries)) => {
                let is_full = entries.len() > self.count();
                self.follow(last, entries, is_full, !is_full)
            }
            (
                Doing::Confirm {
                    last,
                    batch,
                    is_full,
                },
                Reply::Entries(mut entries),
            ) => {
                entries.extend(batch);
                self.follow(last, entries, is_full, false)
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
            return (Doing::Check { debt, last: None }, Vec::new());
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

    /// Takes the entries that came after the last one while the reader waited for them. They follow
    /// it without a gap only if it was still there: otherwise, entries in between may have been
    /// lost or trimmed too. So the last entry is read again, after the batch. If it is there now,
    /// it was there when the batch was read, since Redis gives no other entry its ID and content.
    fn confirm(&self, last: Tip, batch: Vec<StreamEntry>) -> Doing {
        if batch.is_empty() {
            // Looks for the last entry, and for those that Redis has acknowledged.
            return Doing::Follow { last, quiet: false };
        }
        let is_full = batch.len() >= self.count();
        Doing::Confirm {
            last,
            batch,
            is_full,
        }
    }

    /// Takes the last entry and those after it. If they are full, more may follow. If they are all,
    /// nothing followed when they were read.
    fn follow(
        &mut self,
        last: Tip,
        entries: Vec<StreamEntry>,
        is_full: bool,
        is_all: bool,
    ) -> (Doing, Vec<Act>) {
        if !entries.first().is_some_and(|first| last.is(first)) {
            return (Doing::Older { last, owed: None }, Vec::new());
        }
        let expected = std::mem::take(&mut self.expected);
        if let Some(before) = before_missing(&entries, &expected, is_all) {
            self.has_ring = false;
            return (self.owe(before, None), vec![Act::Cut]);
        }
        let newest = entries.last().map_or(last, Tip::of);
        self.settled = newest.key;
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
            quiet: !is_full,
        };
        (phase, acts)
    }

    /// Looks for the acknowledged entries among those from the last one on, or from the first that
    /// is acknowledged.
    fn check(
        &mut self,
        debt: Option<Debt>,
        last: Option<Tip>,
        entries: &[StreamEntry],
    ) -> (Doing, Vec<Act>) {
        let expected = std::mem::take(&mut self.expected);
        let first = match (last, expected.first()) {
            (Some(last), _) => last,
            (None, Some(&key)) => Tip { key, print: 0 },
            (None, None) => return (Doing::fill(debt), Vec::new()),
        };
        let there = entries.first().map(StreamEntry::key);
        let is_there = match last {
            Some(last) => entries.first().is_some_and(|first| last.is(first)),
            None => there == Some(first.key),
        };
        if !is_there {
            self.losses += 1;
            if last.is_none() {
                // All that were between its neighbours are lost, unless they have been trimmed.
                let newest = expected.last().copied().unwrap_or(first.key);
                self.settle(there.map_or(newest, |there| there.saturating_sub(1)));
            }
            let (last, owed) = (first, debt.map(|debt| debt.from));
            return (Doing::Older { last, owed }, Vec::new());
        }
        let is_all = entries.len() <= self.count();
        if let Some(before) = before_missing(entries, &expected, is_all) {
            return (self.owe(before, debt), Vec::new());
        }
        let last = entries.last().map_or(first, Tip::of);
        if !is_all {
            let last = Some(last);
            return (Doing::Check { debt, last }, Vec::new());
        }
        self.settled = last.key;
        self.has_ring = true;
        let act = Act::Begin {
            after: last.key,
            entries: Vec::new(),
        };
        (Doing::Follow { last, quiet: false }, vec![act])
    }

    fn settle(&mut self, key: u128) {
        self.settled = self.settled.max(key);
    }

    /// Begins to mark the loss of everything after an entry. The mark also covers `debt`, an
    /// earlier loss whose mark may be missing.
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
        assert_eq!(machine.looks_after(), Some((9, 9)));
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

    #[test]
    fn what_came_while_it_waited_counts_if_the_last_entry_is_still_there() {
        for (expected, there, appends) in [
            (&[][..], &[9][..], true),
            // Trimmed or lost.
            (&[], &[], false),
            // Acknowledged while it waited, and lost.
            (&[10], &[9], false),
            (&[12, 13], &[9], true),
        ] {
            let mut machine = following(&[]);
            machine.answer(entries(&[9]), |_| true);
            assert!(matches!(machine.ask(), Ask::Wait { after: 9, .. }));
            machine.answer(entries(&[11, 12]), |_| true);
            machine.look_for(expected.to_vec());
            assert_eq!(machine.ask(), Ask::Confirm { key: 9 });
            let acts = machine.answer(entries(there), |_| true);
            assert_eq!(
                matches!(&acts[..], [Act::Append(batch)] if batch.len() == 2),
                appends
            );
            assert_eq!(
                matches!(machine.ask(), Ask::Wait { after: 12, .. }),
                appends
            );
        }
    }

    #[test]
    fn a_wait_that_is_over_without_an_entry_looks_for_the_last_one() {
        let mut machine = following(&[]);
        machine.answer(entries(&[9]), |_| true);
        machine.answer(entries(&[]), |_| true);
        assert!(matches!(machine.ask(), Ask::From { key: 9, .. }));
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
        assert_eq!(filling(&[18, 19]).looks_after(), Some((20, 20)));
        let mut machine = filling(&[5, 7]);
        assert!(matches!(machine.ask(), Ask::From { key: 5, .. }));
        let first: Vec<u128> = (5..=5 + machine.count() as u128).collect();
        machine.answer(entries(&first), |_| true);
        // It may yet be lost.
        let last = *first.last().unwrap();
        assert_eq!(machine.looks_after(), Some((0, last)));
        assert!(matches!(machine.ask(), Ask::From { key, .. } if key == last));
        let acts = machine.answer(entries(&[last, 500]), |_| true);
        assert!(matches!(acts[..], [Act::Begin { after: 500, .. }]));
        assert_eq!(machine.looks_after(), Some((500, 500)));
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
        assert_eq!(machine.looks_after(), Some((17, 17)));
    }

    #[test]
    fn a_full_answer_may_have_the_rest_to_come() {
        let mut machine = following(&[5_000]);
        let full: Vec<u128> = (9..=9 + machine.count() as u128).collect();
        let acts = machine.answer(entries(&full), |_| true);
        assert!(matches!(acts[..], [Act::Append(_)]));
    }
}
