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
    /// What its publisher began to publish.
    begun: HashSet<u64>,
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
    /// Sent although its publisher was told that it is not stored.
    Refused(Key, Payload),
    /// Sent although nobody published it, or damaged.
    Alien,
    /// Sent to a client that does not follow its topic.
    Uninvited(Key, Payload),
    /// One event under two IDs.
    Moved { one: Key, other: Key },
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
    /// What a gap told of.
    pub missed: usize,
    pub faults: Vec<Fault>,
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

    /// What is sent to one client is due to all.
    pub fn add_seen(&mut self, trace: &[Seen]) {
        for seen in trace {
            if let Seen::Event { key, payload } = *seen {
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
        let mut had = HashSet::new();
        let mut at = None;
        // Where the client was when it was told of a gap that nothing has followed yet.
        let mut told: Option<Key> = None;
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
                // A place may be told again.
                if key < after || (key == after && payload.is_some() && told.is_none()) {
                    report.faults.push(Fault::Disorder { after, key });
                }
                // A place says that nothing is missing up to it, itself included.
                let before = match payload {
                    Some(_) => key,
                    None => Key(key.0, key.1.saturating_add(1)),
                };
                let from = told.map_or(after, |told| told.min(after));
                let missing = self.missing(topics, &had, from, before);
                if told.is_some() {
                    report.missed += missing.len();
                    report.idle_gaps += usize::from(missing.is_empty());
                } else if let Some(&key) = missing.first() {
                    report.faults.push(Fault::Lost { before, key });
                }
            }
            (at, told) = (Some(key), None);
        }
        if let Some(&key) = self
            .missing(topics, &had, at.unwrap_or_default(), Key::MAX)
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

    fn missing(&self, topics: &[u16], had: &HashSet<u64>, after: Key, before: Key) -> Vec<Key> {
        let mut missing = Vec::new();
        for topic in topics {
            let stored = self.between(*topic, after, before).iter();
            missing.extend(
                stored
                    .filter(|(_, token)| !had.contains(token))
                    .map(|one| one.0),
            );
        }
        missing.sort_unstable();
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::Blocks;
    use super::*;

    fn payload(n: u32) -> Payload {
        let topic = u16::try_from(n % 2).unwrap();
        Payload {
            topic,
            publisher: 1,
            n,
        }
    }

    fn event(n: u32) -> Seen {
        let key = Key(10, n.into());
        let payload = payload(n);
        Seen::Event { key, payload }
    }

    fn place(n: u64) -> Seen {
        Seen::Place { key: Key(10, n) }
    }

    fn gap(n: u64) -> Seen {
        Seen::Gap { key: Key(10, n) }
    }

    /// 1 to 9 are stored, 10 is refused, 11 not known.
    fn truth() -> Truth {
        let mut truth = Truth::default();
        for n in 1..=10 {
            truth.begin(payload(n));
        }
        for n in 1..=9 {
            truth.stored(payload(n), Key(10, n.into()));
        }
        truth.refused(payload(10));
        assert_eq!(truth.settle(), []);
        truth
    }

    fn check(trace: &[Seen]) -> Report {
        truth().check(&[0, 1], trace)
    }

    fn all() -> Vec<Seen> {
        std::iter::once(place(0))
            .chain((1..=9).map(event))
            .collect()
    }

    #[test]
    fn what_is_complete_passes() {
        let report = check(&all());
        assert_eq!((report.events, report.faults), (9, vec![]));
        // Half of it, for a client of one topic.
        let odd: Vec<_> = all()
            .into_iter()
            .filter(|seen| !matches!(seen, Seen::Event { payload, .. } if payload.n % 2 == 0))
            .collect();
        assert_eq!(truth().check(&[1], &odd).faults, []);
        // And one that came later, at its own place.
        assert_eq!(check(&all()[4..]).faults, []);
    }

    #[test]
    fn a_lost_event_is_found() {
        for lost in 2..=9 {
            let mut trace = all();
            trace.remove(lost);
            let faults = check(&trace).faults;
            let key = Key(10, lost as u64);
            let before = if lost == 9 {
                Key::MAX
            } else {
                Key(10, key.1 + 1)
            };
            assert_eq!(faults, [Fault::Lost { before, key }]);
        }
        // Where a place passes it as well.
        let mut trace = all();
        trace[5] = place(5);
        let (before, key) = (Key(10, 6), Key(10, 5));
        assert_eq!(check(&trace).faults, [Fault::Lost { before, key }]);
    }

    #[test]
    fn a_doubled_event_is_found() {
        for (at, again) in [(5, 5), (6, 4), (10, 1)] {
            let mut trace = all();
            trace.insert(at, trace[again]);
            let faults = check(&trace).faults;
            let is_double = |fault: &Fault| matches!(fault, Fault::Double(..));
            assert!(faults.iter().any(is_double), "{faults:?}");
        }
        // A gap does not excuse it.
        let mut trace = all();
        trace.insert(6, gap(4));
        trace.insert(7, event(5));
        let faults = check(&trace).faults;
        assert_eq!(faults, [Fault::Double(Key(10, 5), payload(5))]);
    }

    #[test]
    fn a_disordered_event_is_found() {
        let mut trace = all();
        trace.swap(4, 5);
        let (before, after) = (Key(10, 5), Key(10, 5));
        let key = Key(10, 4);
        assert_eq!(
            check(&trace).faults,
            [Fault::Lost { before, key }, Fault::Disorder { after, key }]
        );
    }

    #[test]
    fn a_gap_excuses_what_lies_in_it_and_no_more() {
        let mut trace = all();
        trace.splice(4..6, [gap(3)]);
        let report = check(&trace);
        assert_eq!(report.faults, []);
        assert_eq!((report.gaps, report.missed, report.idle_gaps), (1, 2, 0));
        // Later, nothing is excused.
        trace.remove(6);
        let (before, key) = (Key(10, 8), Key(10, 7));
        assert_eq!(check(&trace).faults, [Fault::Lost { before, key }]);
        // Nor at the end.
        let mut trace = all()[..8].to_vec();
        trace.push(gap(7));
        let (before, key) = (Key::MAX, Key(10, 8));
        assert_eq!(check(&trace).faults, [Fault::Lost { before, key }]);
        // A place after it ends the excuse.
        let trace = [place(0), event(1), gap(1), place(4), event(6)];
        let (before, key) = (Key(10, 6), Key(10, 5));
        assert_eq!(check(&trace).faults[0], Fault::Lost { before, key });
    }

    #[test]
    fn gaps_without_a_loss_are_counted() {
        let mut trace = all();
        trace.splice(4..4, [gap(3), gap(3)]);
        let report = check(&trace);
        assert_eq!(report.faults, []);
        assert_eq!((report.gaps, report.repeated, report.idle_gaps), (2, 1, 1));
    }

    #[test]
    fn a_client_may_be_ahead_of_a_log_that_lost_its_tail() {
        // 8 was seen by it and then lost, 9 published after the loss.
        let mut trace = all();
        trace.insert(9, gap(7));
        let report = check(&trace);
        assert_eq!((report.faults, report.idle_gaps), (vec![], 1));
    }

    #[test]
    fn what_should_not_be_there_is_found() {
        let mut trace = all();
        trace.push(event(10));
        let faults = check(&trace).faults;
        assert_eq!(faults, [Fault::Refused(Key(10, 10), payload(10))]);
        trace[10] = event(11);
        assert_eq!(check(&trace).faults, [Fault::Alien]);
        let faults = truth().check(&[1], &[place(7), event(8), event(9)]).faults;
        assert_eq!(faults, [Fault::Uninvited(Key(10, 8), payload(8))]);
        let payload = payload(5);
        let key = Key(10, 4);
        let trace = [place(3), event(4), Seen::Event { key, payload }];
        let faults = check(&trace).faults;
        let (one, other) = (Key(10, 5), key);
        assert!(faults.contains(&Fault::Moved { one, other }), "{faults:?}");
        let mut truth = truth();
        truth.add_seen(&trace);
        assert_eq!(truth.settle(), [Fault::Moved { one, other }]);
    }

    #[test]
    fn traces_and_payloads_are_read_as_written() {
        let mut trace = all();
        trace.extend([gap(3), Seen::Alien, Seen::Opened { node: 7 }]);
        let mut bytes = Vec::new();
        for seen in &trace {
            seen.write(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        for seen in &trace {
            assert_eq!(Seen::read(&mut rest).unwrap(), *seen);
        }
        assert!(rest.is_empty());
        for n in 0..200 {
            let text = payload(n).to_string();
            assert_eq!(Payload::parse(&text), Some(payload(n)));
            assert_eq!(Payload::parse(&format!("{text}x")), None);
        }
    }

    #[test]
    fn blocks_are_read_however_they_are_cut() {
        let text = ":\nid: 1-2\n\n:\n\nevent: gap\nid: 10-3\ndata: {}\n\nid: 10-4\ndata: 0 1 4 padding \ndata\n\n";
        for size in 1..text.len() {
            let (mut blocks, mut all) = (Blocks::default(), Vec::new());
            for bytes in text.as_bytes().chunks(size) {
                blocks.push(bytes, |block| all.push(block));
            }
            assert_eq!((blocks.comments, all.len()), (2, 3));
            assert_eq!(Seen::of(&all[0]), Some(Seen::Place { key: Key(1, 2) }));
            assert_eq!(Seen::of(&all[1]), Some(gap(3)));
            assert_eq!(all[2].data.as_deref(), Some("0 1 4 padding \n"));
        }
    }
}
