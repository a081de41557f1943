//! What a client of fed nodes may and must be sent.

use super::super::fed_log::{FedEntry, FedLog, FedNode, FedWhat, RingFate};
use super::super::fed_pages::FedPage;
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
                assert!(self.start.is_none() && key <= node.at && node.has_begun());
                assert!(!self.is_strange || Some(key) == node.begin);
                assert!(!node.having(RingFate::Evicted).any(|one| after(&one)));
                let retained = node.having(RingFate::Retained).filter(after);
                assert_eq!(count, retained.count() as u64);
            }
            Outcome::Pending => {
                let is_here = key == node.at && node.has_begun();
                assert!(self.start.is_none() && !is_here);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Checks that it has nothing to wait for but its node.
    pub(super) fn check_idle(&mut self, log: &FedLog, node: &FedNode) {
        assert!(!self.is_cut && self.ended.is_none(), "not ended");
        if !node.has_begun() || self.is_awaiting {
            return;
        }
        let missing = self.missing(log, self.last, node.at + 1);
        assert!(missing.is_none(), "{missing:?} is not sent");
        if let Some(page) = self.page.filter(|page| page.upto > node.at) {
            let missing = self.missing(log, self.last, page.newest + 1);
            assert!(missing.is_none(), "{missing:?} is not read");
        }
        if self.is_placed {
            self.came = self.came.max(node.at);
        }
    }

    /// Whether its topics have ended in the pages that it has read, nothing followed, and its node
    /// has read that.
    pub(super) fn is_over_in_pages(&self, log: &FedLog, node: &FedNode) -> bool {
        let is_there = node.has_begun() && !self.is_awaiting && self.stays.len() == 1;
        let Some(page) = self.page.filter(|_| is_there) else {
            return false;
        };
        let of_topic =
            |one: &FedEntry| self.matches(one) || self.stay().topics.contains(&one.topic);
        let is_over = self
            .stay()
            .ends_with(|topic| self.ended_in_pages.contains(topic));
        let mut later = log.between(page.upto, node.at + 1);
        is_over && node.at >= log.newest() && !later.any(of_topic)
    }

    pub(super) fn take(&mut self, block: &str, log: &FedLog, node: &FedNode) {
        let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
        let is_first = field("data: ") == Some("first");
        assert!(
            is_first || !self.needs_first,
            "gapped, and without its first event"
        );
        if is_first {
            assert!(self.has_first && (self.is_new || self.is_gapped));
            (self.has_first, self.needs_first) = (false, false);
            let is_gone = |page: FedPage| !page.is_known && self.starts_after() != Some(page.after);
            // It reads on from a loss in the log, and from where it begins.
            if self.is_gapped && self.page.is_some_and(is_gone) {
                self.begin_anew(node, log);
            }
            return;
        }
        let key = key_of(field("id: ").unwrap()).unwrap();
        if block.starts_with("event: gap") {
            // The page before may have ended before its ID.
            let is_gone = |page: FedPage| !page.is_known && page.after < log.oldest();
            let is_trimmed = self.last < log.oldest() || self.page.is_some_and(is_gone);
            let mut passed = log.between(self.last, key + 1);
            let is_lost = passed.any(|one| one.what == FedWhat::Lost);
            self.needs_first = self.has_first && !self.is_served && !self.lags(node);
            let is_founded = self.is_strange || is_trimmed || is_lost || self.lags(node);
            assert!(is_founded, "an unfounded gap");
            // An ID that the log does not have yet may be another's soon.
            let newest = self.page.map_or(0, |page| page.newest);
            self.last = key.min(newest.max(node.at));
            self.told = self.told.max(self.last);
            if self.lags(node) {
                // Of what it is sent next, others may be missing.
                let lost = node.having(RingFate::Evicted).map(|one| one.key).max();
                self.told = self.told.max(lost.unwrap_or(0));
            }
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
            (self.last, self.is_served) = (key, true);
            self.received += 1;
        } else {
            let missing = self.missing(log, self.last, key + 1);
            assert!(missing.is_none(), "{missing:?} is lost in silence");
            let after = key.max(self.not_before);
            let again = log.between(after, self.last + 1).find(|one| self.gets(one));
            assert!(self.is_new || again.is_none(), "{again:?} would come again");
            self.last = self.last.max(key);
        }
        self.came = self.came.max(key.min(self.last));
        (self.is_new, self.is_strange) = (false, false);
        self.is_gapped = block.starts_with("event: gap");
    }

    /// Whether the ring has lost events that come after what it has read.
    fn lags(&self, node: &FedNode) -> bool {
        let lags = |one: &FedEntry| {
            one.key > self.came && self.matches(one) && !self.excused.contains(&one.key)
        };
        node.having(RingFate::Evicted).any(lags)
    }

    /// Whether it had a reason to end, and everything before that.
    pub(super) fn check_end(&self, log: &FedLog, node: &FedNode) {
        if self.is_cut || self.is_moved || self.lags(node) {
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
