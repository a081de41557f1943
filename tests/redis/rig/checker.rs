//! The check of what clients were sent: each event once, in order, and nothing lost without being
//! told.

use std::collections::{HashMap, HashSet};

use super::payload::Payload;
use super::trace::{Key, Seen};

/// What was published.
#[derive(Debug, Default)]
pub struct Truth {
    stored: HashMap<u64, (Key, u16)>,
    /// By topic and place.
    topics: HashMap<u16, Vec<(Key, u64)>>,
    /// What its publisher was told is not stored.
    refused: HashSet<u64>,
    /// What some client was sent.
    seen: HashSet<u64>,
    /// What its publisher began to publish.
    begun: HashSet<u64>,
    /// What the log had in the end, where it has lost something.
    log: Option<HashSet<u64>>,
    /// Where the log had something in the end.
    kept: HashSet<Key>,
    /// Where it began again, since all of it was lost.
    begins: Vec<Key>,
    /// Where the log says that something was lost.
    marks: Vec<Key>,
    /// What was acknowledged and lost before a node had read it, and whether the publisher could tell.
    unread: HashMap<u64, bool>,
    faults: Vec<Fault>,
}

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Sent twice to one client.
    Double(Key, Payload),
    /// Sent after a later one.
    Disorder { after: Key, key: Key },
    /// Stored, followed, never sent, and no gap was told there.
    Lost { before: Key, key: Key },
    /// The same, of what its publisher alone can have known of.
    Unread { before: Key, key: Key },
    /// Sent although its publisher was told that it is not stored.
    Refused(Key, Payload),
    /// Sent although nobody published it, or damaged.
    Alien,
    /// Sent to a client that does not follow its topic.
    Uninvited(Key, Payload),
    /// One event under two IDs.
    Moved { one: Key, other: Key },
    /// Two events under one ID.
    Shared(Key),
}

/// What a client was sent, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub events: usize,
    pub gaps: usize,
    /// Gaps in which nothing was missed. A loss that happens to spare this client's topics is one.
    pub idle_gaps: usize,
    /// Gaps told again with no event since the last.
    pub repeated: usize,
    /// Gaps told again before the mark of the loss, or at it. If the log has lost the client's place since
    /// the first, or the mark that it was told at, the second is that of another loss.
    pub twice: usize,
    /// Each of those: where the client was, where it was before the first of the two, and that mark.
    pub told_again: Vec<[Key; 3]>,
    /// Gaps told where nothing was lost, neither of the client's events nor of others.
    pub unfounded: usize,
    /// What a gap told of.
    pub missed: usize,
    /// What was lost and known to nobody any more.
    pub unknowable: usize,
    pub faults: Vec<Fault>,
}

impl Fault {
    /// Where it is.
    pub fn key(&self) -> Key {
        match *self {
            Self::Double(key, _)
            | Self::Refused(key, _)
            | Self::Uninvited(key, _)
            | Self::Shared(key)
            | Self::Disorder { key, .. }
            | Self::Lost { key, .. }
            | Self::Unread { key, .. } => key,
            Self::Moved { other, .. } => other,
            Self::Alien => Key::default(),
        }
    }
}

impl Truth {
    /// Before it is sent.
    pub fn begin(&mut self, payload: Payload) {
        self.begun.insert(payload.token());
    }

    /// The publisher was given an ID, or the log has it.
    pub fn stored(&mut self, payload: Payload, key: Key) {
        let before = self.stored.insert(payload.token(), (key, payload.topic));
        if let Some((one, _)) = before.filter(|(one, _)| *one != key) {
            self.faults.push(Fault::Moved { one, other: key });
        }
    }

    /// The publisher was told that it is not stored.
    pub fn refused(&mut self, payload: Payload) {
        self.refused.insert(payload.token());
    }

    /// The log has lost its tail at times: what it does not have in the end was lost in it. Clients
    /// are told of that at the mark that follows, not at the place where it was.
    pub fn lossy(&mut self, log: impl IntoIterator<Item = Payload>, mut marks: Vec<Key>) {
        let log: HashSet<_> = log.into_iter().map(Payload::token).collect();
        let stored = self.stored.iter().filter(|(token, _)| log.contains(token));
        self.kept = stored.map(|(_, (key, _))| *key).collect();
        self.log = Some(log);
        marks.sort_unstable();
        self.marks = marks;
    }

    /// Where the log began, and began again once all of it was lost.
    pub fn begins(&mut self, mut begins: Vec<Key>) {
        begins.sort_unstable();
        self.begins = begins;
    }

    /// Of what the log has lost, the events that no client was sent. `knows` says whether a publisher
    /// has lived to tell of its own.
    pub fn unread(&mut self, knows: impl Fn(u32) -> bool) {
        let Some(log) = &self.log else { return };
        let lost = self.stored.keys().filter(|token| !log.contains(token));
        let unread = lost.filter(|token| !self.seen.contains(token));
        let publisher = |token: u64| u32::try_from(token >> 32).unwrap_or_default();
        self.unread = unread
            .map(|token| (*token, knows(publisher(*token))))
            .collect();
    }

    /// What is sent to one client is due to all.
    pub fn add_seen(&mut self, trace: &[Seen]) {
        for seen in trace {
            if let Seen::Event { key, payload } = *seen {
                self.seen.insert(payload.token());
                self.stored(payload, key);
            }
        }
    }

    /// Once everything is known, and before the first check.
    pub fn settle(&mut self) -> &[Fault] {
        self.topics.clear();
        for (token, (key, topic)) in &self.stored {
            self.topics.entry(*topic).or_default().push((*key, *token));
        }
        self.topics.values_mut().for_each(|one| one.sort_unstable());
        let mut keys = HashSet::new();
        for (key, _) in self.stored.values() {
            if !keys.insert(*key) {
                self.faults.push(Fault::Shared(*key));
            }
        }
        &self.faults
    }

    pub fn stored_count(&self) -> usize {
        self.stored.len()
    }

    /// The stored events of a topic between two places, both excluded.
    fn between(&self, topic: u16, after: Key, before: Key) -> &[(Key, u64)] {
        let all = self.topics.get(&topic).map_or(&[][..], Vec::as_slice);
        let from = all.partition_point(|(key, _)| *key <= after);
        let to = all.partition_point(|(key, _)| *key < before);
        &all[from..to.max(from)]
    }

    /// Checks what a client that follows these topics was sent, until it had everything.
    pub fn check(&self, topics: &[u16], trace: &[Seen]) -> Report {
        let mut report = Report::default();
        // Those to look through at each event: a client of a prefix follows many that have none.
        let has_events = |topic: &&u16| self.topics.contains_key(topic);
        let busy: Vec<u16> = topics.iter().filter(has_events).copied().collect();
        let mut had = HashSet::new();
        let mut at = None;
        // Where the client was when it was told of a gap that nothing has followed yet.
        let mut told: Option<Key> = None;
        // What the log has lost since the last gap, and the mark where it is told at the latest.
        let mut owed: Option<(Key, u64, Key)> = None;
        // Whether the gap told is that debt's.
        let mut paid = false;
        // At the last gap: the next mark, the client's place before it, and after it.
        let (mut due, mut first, mut moved_to) = (None, Key::default(), Key::default());
        for seen in trace {
            let (key, payload) = match *seen {
                Seen::Opened { .. } => continue,
                Seen::Alien => {
                    report.faults.push(Fault::Alien);
                    continue;
                }
                Seen::Gap { key } => {
                    report.gaps += 1;
                    report.repeated += usize::from(told.is_some());
                    if let Some(at) = at.filter(|_: &Key| self.log.is_some()) {
                        let after = Key(at.0, at.1.saturating_add(1));
                        let begin = self.begins.partition_point(|begin| *begin < after);
                        let begin = self.begins.get(begin).copied();
                        let mark = self.mark_after(after).min(begin.unwrap_or(Key::MAX));
                        let is_gone = |place| place != first && !self.has(place);
                        let is_lost = is_gone(at) || is_gone(moved_to);
                        if due == Some(mark) && mark != Key::MAX && !is_lost {
                            report.twice += 1;
                            report.told_again.push([at, first, mark]);
                        }
                        // A mark that is lost by now may have been at its own place.
                        let is_there = self.has(key) && self.kept.contains(&at);
                        report.unfounded += usize::from(mark > key && is_there);
                        (due, first, moved_to) = (Some(mark), at, key);
                    }
                    paid |= owed.take().is_some();
                    told = Some(told.or(at).unwrap_or(key));
                    at = Some(key);
                    continue;
                }
                Seen::Place { key } => (key, None),
                Seen::Event { key, payload } => (key, Some(payload)),
            };
            if let Some(payload) = payload {
                report.events += 1;
                self.check_event(topics, key, payload, &mut report);
                if !had.insert(payload.token()) {
                    report.faults.push(Fault::Double(key, payload));
                }
            }
            if let Some(after) = at {
                // A place may be told again. After a gap, the log may be behind where it was.
                let is_after = key > after || (key == after && payload.is_none());
                if !is_after && told.is_none() {
                    report.faults.push(Fault::Disorder { after, key });
                }
                // A place says that nothing is missing up to it, itself included.
                let before = match payload {
                    Some(_) => key,
                    None => Key(key.0, key.1.saturating_add(1)),
                };
                let from = told.map_or(after, |told| told.min(after));
                let missing = self.missing(&busy, &had, from, before);
                if told.is_some() {
                    report.missed += missing.len() + usize::from(paid);
                    report.idle_gaps += usize::from(missing.is_empty() && !paid);
                    paid = false;
                } else {
                    for (key, token) in missing {
                        if self.unread.get(&token) == Some(&false) {
                            report.unknowable += 1;
                        } else if self.log.as_ref().is_some_and(|log| !log.contains(&token)) {
                            owed = owed.or(Some((key, token, self.mark_after(key))));
                        } else {
                            report.faults.push(Fault::Lost { before, key });
                            break;
                        }
                    }
                }
                if let Some((key, token, _)) = owed.filter(|(_, _, mark)| *mark < before) {
                    report.faults.push(self.lost(token, before, key));
                    owed = None;
                }
            }
            (at, told) = (Some(key), None);
        }
        // A mark that the client has not come to may yet tell it.
        if let Some((key, token, before)) = owed.filter(|(_, _, mark)| *mark == Key::MAX) {
            report.faults.push(self.lost(token, before, key));
        }
        if let Some(&(key, _)) = self
            .missing(&busy, &had, at.unwrap_or_default(), Key::MAX)
            .first()
        {
            let before = Key::MAX;
            report.faults.push(Fault::Lost { before, key });
        }
        report
    }

    fn check_event(&self, topics: &[u16], key: Key, payload: Payload, report: &mut Report) {
        let token = payload.token();
        if self.refused.contains(&token) {
            report.faults.push(Fault::Refused(key, payload));
        }
        if !self.begun.contains(&token) {
            report.faults.push(Fault::Alien);
        }
        if !topics.contains(&payload.topic) {
            report.faults.push(Fault::Uninvited(key, payload));
        }
        if let Some(&(one, _)) = self.stored.get(&token).filter(|(one, _)| *one != key) {
            report.faults.push(Fault::Moved { one, other: key });
        }
    }

    fn missing(
        &self,
        topics: &[u16],
        had: &HashSet<u64>,
        after: Key,
        before: Key,
    ) -> Vec<(Key, u64)> {
        let mut missing = Vec::new();
        for topic in topics {
            let stored = self.between(*topic, after, before).iter();
            missing.extend(stored.filter(|(_, token)| !had.contains(token)));
        }
        missing.sort_unstable();
        missing
    }

    fn lost(&self, token: u64, before: Key, key: Key) -> Fault {
        match self.unread.contains_key(&token) {
            true => Fault::Unread { before, key },
            false => Fault::Lost { before, key },
        }
    }

    /// Whether the log had something there in the end.
    fn has(&self, key: Key) -> bool {
        let is_mark = |marks: &[Key]| marks.binary_search(&key).is_ok();
        self.kept.contains(&key) || is_mark(&self.marks) || is_mark(&self.begins)
    }

    fn mark_after(&self, key: Key) -> Key {
        let at = self.marks.partition_point(|mark| *mark < key);
        self.marks.get(at).copied().unwrap_or(Key::MAX)
    }
}
