//! What clients must not be sent is found where they are sent it.

use crate::rig::checker::{Fault, Report, Truth};
use crate::rig::feed::Blocks;
use crate::rig::payload::Payload;
use crate::rig::trace::{Key, Seen};

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
fn what_the_log_has_lost_is_told_at_its_mark_at_the_latest() {
    // 3 and 4 are gone, 6 is the mark.
    let mut truth = Truth::default();
    let numbers = [1, 2, 3, 4, 5, 7, 8, 9];
    for n in numbers {
        truth.begin(payload(n));
        truth.stored(payload(n), Key(10, n.into()));
    }
    let log = [1, 2, 5, 7, 8, 9].map(payload);
    truth.lossy(log, vec![Key(10, 6)]);
    truth.settle();
    let place = std::iter::once(place(0));
    let sent: Vec<_> = place.chain([1, 2, 5, 7, 8, 9].map(event)).collect();
    let check = |trace: &[Seen]| truth.check(&[0, 1], trace);

    let (before, key) = (Key(10, 7), Key(10, 3));
    assert_eq!(check(&sent).faults, [Fault::Lost { before, key }]);
    for (at, told) in [(3, 2), (4, 6)] {
        let mut trace = sent.clone();
        trace.insert(at, gap(told));
        let report = check(&trace);
        assert_eq!((report.faults, report.gaps), (vec![], 1));
    }
    // Once is enough, and without a loss before it a mark is none.
    let mut trace = sent.clone();
    trace.insert(3, gap(2));
    trace.insert(5, gap(6));
    let report = check(&trace);
    assert_eq!(
        (report.faults, report.twice, report.unfounded),
        (vec![], 1, 1)
    );
    let mut trace = sent.clone();
    trace.insert(4, gap(6));
    let report = check(&trace);
    assert_eq!((report.twice, report.unfounded), (0, 0));
    // A mark that is lost with its client's place is told again, and otherwise none is.
    for (told, twice) in [(4, 0), (3, 1)] {
        let begin = [sent[0], event(1), event(2), event(3), gap(told), gap(6)];
        let trace: Vec<_> = begin.into_iter().chain([7, 8, 9].map(event)).collect();
        assert_eq!(check(&trace).twice, twice);
        // Also where something came between the two.
        let begin = [sent[0], event(1), event(2), event(3), gap(told), event(5)];
        let end = [gap(6), event(7), event(8), event(9)];
        let trace: Vec<_> = begin.into_iter().chain(end).collect();
        assert_eq!(check(&trace).twice, twice);
    }
    // After the mark it is too late.
    let mut trace = sent.clone();
    trace.insert(5, gap(7));
    assert_eq!(check(&trace).faults, [Fault::Lost { before, key }]);
    // Where there is no mark, it is never told.
    truth.lossy(log, vec![]);
    let (before, key) = (Key::MAX, Key(10, 3));
    assert_eq!(
        truth.check(&[0, 1], &sent).faults,
        [Fault::Lost { before, key }]
    );
    truth.lossy(log, vec![Key(10, 6)]);
    // Where nobody has read it, its publisher may have known of it, or may not.
    truth.add_seen(&sent);
    truth.unread(|publisher| publisher == 1);
    assert_eq!(
        truth.check(&[0, 1], &sent).faults,
        [Fault::Unread {
            before: Key(10, 7),
            key
        }]
    );
    truth.unread(|_| false);
    let report = truth.check(&[0, 1], &sent);
    assert_eq!((report.faults, report.unknowable), (vec![], 2));
    truth.add_seen(&[event(3), event(4)]);
    truth.unread(|_| false);
    let check = |trace: &[Seen]| truth.check(&[0, 1], trace);
    // What is still there is owed at its place.
    let mut trace = sent.clone();
    trace.remove(3);
    trace.insert(4, gap(7));
    let (before, key) = (Key(10, 7), Key(10, 5));
    assert!(check(&trace).faults.contains(&Fault::Lost { before, key }));
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
    assert_eq!(
        truth.settle(),
        [Fault::Moved { one, other }, Fault::Shared(key)]
    );
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
