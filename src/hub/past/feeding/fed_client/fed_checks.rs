//! What a client of fed nodes may and must be sent.

use super::super::fed_log::{FedEntry, FedLog, FedNode, FedWhat, RingFate};
use super::FedClient;
use crate::hub::Outcome;
use crate::hub::foreign::key_of;

impl FedClient {
    /// Whether its topics have the entry, filter or not.
    pub(super) fn matches(&self, entry: &FedEntry) -> bool {
        let at = self.stays.partition_point(|stay| stay.from < entry.key);
        entry.is_event() && self.stays[at.max(1) - 1].follows(entry.topic)
    }

    pub(super) fn gets(&self, entry: &FedEntry) -> bool {
        self.matches(entry) && !(self.is_filtered && entry.key % 2 == 1)
    }

    /// What it is to be sent or told of between two keys.
    pub(super) fn missing(&self, log: &FedLog, after: u128, before: u128) -> Option<FedEntry> {
        let replaced = |one: &FedEntry| log.all.iter().any(|other| one.is_replaced_by(other));
        let misses = |one: &&FedEntry| {
            let missed = self.gets(one) && !replaced(one) && !self.excused.contains(&one.key);
            one.what == FedWhat::Lost || missed
        };
        let mut between = log.between(after.max(self.told), before);
        between.find(misses).copied()
    }

    pub(super) fn check_outcome(&self, outcome: Outcome, key: u128, node: &FedNode) {
        let after = |one: &&FedEntry| one.key > self.last && self.matches(one);
        match outcome {
            Outcome::Fresh => assert!(self.start.is_some()),
            Outcome::Resumed(count) => {
                assert!(self.start.is_none() && key <= node.at);
                assert!(!self.is_strange || Some(key) == node.begin);
                assert!(!node.having(RingFate::Evicted).any(|one| after(&one)));
                let retained = node.having(RingFate::Retained).filter(after);
                assert_eq!(count, retained.count() as u64);
            }
            Outcome::Pending => {
                let is_here = key == node.at && node.begin.is_some();
                assert!(self.start.is_none() && !is_here);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Checks that it has nothing to wait for but its node.
    pub(super) fn check_idle(&mut self, log: &FedLog, node: &FedNode) {
        assert!(!self.is_cut && self.ended.is_none(), "not ended");
        if node.begin.is_none() {
            return;
        }
        let missing = self.missing(log, self.last, node.at + 1);
        assert!(missing.is_none(), "{missing:?} is not sent");
        if self.is_placed {
            self.came = self.came.max(node.at);
        }
    }

    pub(super) fn take(&mut self, block: &str, log: &FedLog) {
        let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
        let key = key_of(field("id: ").unwrap()).unwrap();
        if block.starts_with("event: gap") {
            let is_trimmed = self.last < log.oldest();
            let mut passed = log.between(self.last, key + 1);
            let is_lost = passed.any(|one| one.what == FedWhat::Lost);
            assert!(self.is_strange || is_trimmed || is_lost, "an unfounded gap");
            self.last = key.min(log.newest());
            self.told = self.told.max(self.last);
            if is_trimmed {
                // What it is sent next may come right after a place that is gone.
                self.told = self.told.max(log.oldest() - 1);
            }
        } else if let Some(topic) = field("data: ") {
            let entry = log.all.iter().find(|one| one.key == key).unwrap();
            assert!(
                entry.topic == topic && self.gets(entry),
                "{entry:?} is not its"
            );
            assert!(key > self.last, "{key:x} again");
            assert!(
                self.ended.is_none_or(|end| key <= end),
                "{key:x} after its end"
            );
            let missing = self.missing(log, self.last, key);
            assert!(missing.is_none(), "{missing:?} is lost in silence");
            self.last = key;
            self.received += 1;
        } else {
            let missing = self.missing(log, self.last, key + 1);
            assert!(missing.is_none(), "{missing:?} is lost in silence");
            let after = key.max(self.not_before);
            let again = log.between(after, self.last + 1).find(|one| self.gets(one));
            assert!(self.is_new || again.is_none(), "{again:?} would come again");
            self.last = self.last.max(key);
        }
        self.came = self.came.max(key.min(log.newest()));
        (self.is_new, self.is_strange) = (false, false);
    }

    /// Whether it had a reason to end, and everything before that.
    pub(super) fn check_end(&self, log: &FedLog, node: &FedNode) {
        let lags = |one: &FedEntry| {
            one.key > self.came && self.matches(one) && !self.excused.contains(&one.key)
        };
        if self.is_cut || self.is_moved || node.having(RingFate::Evicted).any(lags) {
            return;
        }
        let misses = |end| self.missing(log, self.last, end + 1).is_some();
        if self
            .ended
            .is_some_and(|end| !misses(end) || !self.is_placed)
        {
            return;
        }
        let ends = log
            .between(self.came, node.at + 1)
            .filter(|one| one.finishes());
        let mut ends = ends.map(|one| one.key).chain([self.came]);
        let stay = self.stay();
        let is_end = |end| stay.ends_with(|topic| log.is_finished(topic, end)) && !misses(end);
        assert!(ends.any(is_end), "ended, and not finished");
    }

    /// Whether everything has come.
    pub(in super::super) fn check_all(&self, log: &FedLog) {
        let missing = self.missing(log, self.last, u128::MAX);
        assert!(missing.is_none(), "{missing:?} never came");
    }
}
