//! A hub that is ended and begun again with what it left, compared with one that never ended.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tower_sse::hub::{
    Hub, HubBuilder, InvalidTail, LagPolicy, Outcome, Retention, Start, Subscription, Tail,
    TailEvent,
};
use tower_sse::{Event, EventId, EventType};

use crate::by_hand::drain;
use crate::support::rng::Rng;

const TOPICS: [&str; 6] = ["", "a", "a/1", "a/2", "b", "c"];
const PREFIXES: [&str; 3] = ["a", "a/", ""];

/// As lines of JSON, with all that a tail has.
pub(crate) fn store(tail: &Tail) -> String {
    let head = json!({
        "epoch": tail.epoch(),
        "next": tail.next_number(),
        "complete": tail.is_complete(),
        "lost_elsewhere": tail.lost_elsewhere(),
    });
    let lost = tail
        .lost()
        .map(|(topic, number)| json!({ "topic": topic, "lost": number }));
    let events = tail.events().iter().map(|event| {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        json!({
            "number": event.number(),
            "topic": event.topic(),
            "key": event.key(),
            "wire": String::from_utf8(event.wire().into()).unwrap(),
            "last": event.is_last(),
            "published": event.published().map(|time| u64::try_from(since(time).as_millis()).unwrap()),
        })
    });
    let lines = std::iter::once(head).chain(lost).chain(events);
    lines.map(|line| format!("{line}\n")).collect()
}

pub(crate) fn load(file: &str) -> Result<Tail, InvalidTail> {
    let mut lines = file
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    let mut tail = Tail::new(
        head["epoch"].as_u64().unwrap(),
        head["next"].as_u64().unwrap(),
    )?
    .with_complete(head["complete"].as_bool().unwrap())
    .with_lost_elsewhere(head["lost_elsewhere"].as_u64().unwrap())?;
    for line in lines {
        let topic = line["topic"].as_str().unwrap();
        if let Some(lost) = line["lost"].as_u64() {
            tail.push_lost(topic, lost)?;
            continue;
        }
        let number = line["number"].as_u64().unwrap();
        let mut event = TailEvent::new(number, topic, line["wire"].as_str().unwrap())?;
        event = event.with_last(line["last"].as_bool().unwrap_or(false));
        if let Some(key) = line["key"].as_str() {
            event = event.with_key(key);
        }
        if let Some(published) = line["published"].as_u64() {
            event = event.with_published(SystemTime::UNIX_EPOCH + Duration::from_millis(published));
        }
        tail.push(event)?;
    }
    Ok(tail)
}

/// The same client at both hubs.
struct Client {
    topics: Vec<&'static str>,
    prefix: Option<&'static str>,
    last: EventId,
    bodies: Option<[Subscription; 2]>,
}

impl Client {
    fn new(rng: &mut Rng) -> Self {
        Self {
            topics: (0..rng.below(3)).map(|_| *rng.pick(&TOPICS)).collect(),
            prefix: rng.one_in(3).then(|| *rng.pick(&PREFIXES)),
            last: EventId::EMPTY,
            bodies: None,
        }
    }

    fn connect(&mut self, hubs: &[Hub; 2], start: &Start) {
        let bodies = hubs.each_ref().map(|hub| {
            let subscriber = hub
                .subscriber()
                .topics(self.topics.iter().copied())
                .start(start.clone())
                .after(self.last.clone());
            let subscriber = match self.prefix {
                Some(prefix) => subscriber.prefix(prefix),
                None => subscriber,
            };
            subscriber.subscribe()
        });
        self.bodies = match bodies {
            [Ok(one), Ok(other)] => {
                assert_eq!(one.outcome(), other.outcome(), "after {:?}", self.last);
                Some([one, other])
            }
            [Err(one), Err(other)] => {
                assert!(one.is_finished() && other.is_finished());
                None
            }
            bodies => panic!("{bodies:?} after {:?}", self.last),
        };
    }

    fn read(&mut self) -> usize {
        let Some([one, other]) = &mut self.bodies else {
            return 0;
        };
        let (one, other) = (drain(one), drain(other));
        assert_eq!(one, other);
        let mut ids = one.0.lines().filter_map(|line| line.strip_prefix("id: "));
        let count = ids.clone().count();
        if let Some(last) = ids.next_back() {
            self.last = EventId::try_from(last).unwrap();
        }
        if one.1 {
            self.bodies = None;
        }
        count
    }
}

/// The first hub never ends, the second ends now and then.
fn run(seed: u64, settings: &dyn Fn() -> HubBuilder) -> usize {
    let mut rng = Rng::new(seed);
    let most = 1 + rng.below(12);
    let lag = *rng.pick(&[LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest]);
    let build = || {
        settings()
            .retain_events(most)
            .retain_topic("a/1", Retention::new().bytes(1_500))
            .retain_prefix("b", Retention::new().events(2))
            .lag(lag)
    };
    let mut hubs = [build().build(), build().build()];
    let mut ids = vec![EventId::EMPTY, hubs[0].last_event_id()];
    let mut clients: Vec<Client> = (0..6).map(|_| Client::new(&mut rng)).collect();
    let mut count = 0;
    for step in 0..rng.below(400) {
        match rng.below(20) {
            0 => {
                for client in &mut clients {
                    count += client.read();
                    client.bodies = None;
                }
                hubs[1].close();
                let tail = hubs[1].tail();
                assert!(tail.is_complete());
                let tail = if rng.one_in(2) {
                    load(&store(&tail)).unwrap()
                } else {
                    tail
                };
                hubs[1] = build().tail(tail).build();
            }
            1..=3 => {
                let at = rng.below(clients.len());
                let client = &mut clients[at];
                count += client.read();
                client.bodies = None;
                if rng.one_in(2) {
                    client.last = rng.pick(&ids).clone();
                }
                let start = match rng.below(4) {
                    0 => Start::Now,
                    1 => Start::Oldest,
                    2 => Start::Last(rng.below(5)),
                    _ => Start::After(rng.pick(&ids).clone()),
                };
                client.connect(&hubs, &start);
            }
            4..=6 => {
                let at = rng.below(clients.len());
                count += clients[at].read();
            }
            11 if rng.one_in(3) => {
                let topic = *rng.pick(&TOPICS);
                let end = rng.one_in(2).then(|| Event::new("end"));
                // Where it is finished already, a tail knows the place of its last event.
                let given = hubs
                    .each_ref()
                    .map(|hub| hub.topic(topic).finish(end.clone()));
                ids.push(given[0].clone());
            }
            7 => {
                let topic = *rng.pick(&TOPICS);
                for hub in &hubs {
                    hub.topic(topic).publish_transient(Event::new("x"));
                }
            }
            dice => {
                let topic = *rng.pick(&TOPICS);
                let mut event = Event::new(format!("{step}\n{}", "-".repeat(rng.below(300))));
                if rng.one_in(3) {
                    event = event.with_type(EventType::from_static("n"));
                }
                if rng.one_in(3) {
                    event = event.with_id(rng.next() % 50).with_comment("id: 7");
                }
                let key = (dice < 11).then(|| format!("{}", rng.below(3)));
                let given = hubs.each_ref().map(|hub| match &key {
                    Some(key) => hub.topic(topic).publish_latest(key.as_str(), &event),
                    None => hub.topic(topic).publish(&event),
                });
                assert_eq!(given[0], given[1]);
                ids.push(given[0].clone());
            }
        }
        let [one, other] = hubs.each_ref().map(Hub::stats);
        assert_eq!(
            (one.retained, one.retained_bytes),
            (other.retained, other.retained_bytes)
        );
        assert_eq!(hubs[0].last_event_id(), hubs[1].last_event_id());
    }
    for client in &mut clients {
        count += client.read();
    }
    count
}

fn runs(settings: &dyn Fn() -> HubBuilder) {
    let seeds = std::env::var("SEEDS").map_or(80, |seeds| seeds.parse::<u64>().unwrap());
    let mut count = 0;
    for seed in 0..seeds {
        let run = std::panic::AssertUnwindSafe(|| run(seed, settings));
        let outcome = std::panic::catch_unwind(run);
        count += outcome.unwrap_or_else(|_| panic!("seed {seed}"));
    }
    assert!(count as u64 > seeds * 100, "{count} events");
}

#[test]
fn a_hub_that_is_begun_again_is_as_one_that_never_ended() {
    runs(&|| Hub::builder().epoch(36));
}

#[test]
fn the_events_own_ids_are_found_again() {
    runs(&|| Hub::builder().epoch(36).keep_event_ids());
}

#[cfg(feature = "sealed")]
#[test]
fn sealed_ids_resume_with_the_same_key() {
    runs(&|| Hub::builder().epoch(36).seal_ids([7; 32]));
    let hub = Hub::builder().seal_ids([7; 32]).build();
    let id = hub.publish(Event::new("x"));
    hub.publish(Event::new("y"));
    hub.close();
    let tail = hub.tail();
    for builder in [Hub::builder().seal_ids([8; 32]), Hub::builder()] {
        let hub = builder.tail(tail.clone()).build();
        assert_eq!(hub.resume(id.clone()).unwrap().outcome(), Outcome::Unknown);
        // What is sent has this hub's IDs.
        let body = hub.subscriber().start(Start::Oldest).subscribe();
        let text = drain(&mut body.unwrap()).0;
        let last = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("id: "));
        assert_eq!(last.unwrap(), hub.last_event_id().as_str());
        assert_eq!(text.matches("\ndata: ").count(), 2);
        let last = EventId::try_from(last.unwrap()).unwrap();
        assert_eq!(hub.resume(last).unwrap().outcome(), Outcome::Resumed(0));
    }
}

/// What has come after the tail is lost: each client is told, and nothing is taken for another thing.
#[test]
fn after_a_crash_all_clients_are_told() {
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let most = 1 + rng.below(8);
        let build = || Hub::builder().epoch(36).retain_events(most);
        let mut hub = build().build();
        let mut given = HashSet::new();
        for _ in 0..3 {
            let lives = rng.below(20);
            let mut ids = vec![(hub.last_event_id(), 0)];
            let publish = |hub: &Hub, topic: &str, ids: &mut Vec<_>| {
                let data = format!("{topic}{}", ids.len());
                let id = hub.topic(topic).publish(Event::new(data));
                ids.push((id, ids.len()));
            };
            let topics: Vec<_> = (0..lives + 10).map(|_| *rng.pick(&["a", "b"])).collect();
            topics[..lives]
                .iter()
                .for_each(|topic| publish(&hub, topic, &mut ids));
            let tail = hub.tail();
            let first = tail.events().first().map(TailEvent::number);
            assert!(!tail.is_complete());
            topics[lives..]
                .iter()
                .for_each(|topic| publish(&hub, topic, &mut ids));
            let is_new = |(id, _): &(EventId, usize)| given.insert(id.clone());
            assert!(ids.iter().skip(1).all(is_new), "an ID was given twice");
            hub = build().tail(load(&store(&tail)).unwrap()).build();
            for (id, at) in &ids {
                let mut body = hub
                    .subscriber()
                    .topics(["a", "b", "quiet"])
                    .after(id.clone())
                    .subscribe()
                    .unwrap();
                assert_eq!(body.outcome(), Outcome::Gap, "{id:?}");
                let text = drain(&mut body).0;
                let (gap, rest) = text.split_once("\n\n").unwrap();
                assert!(gap.starts_with("event: gap\n"), "{text}");
                // Those that are retained, in the order of their numbers, and no others.
                let number = |id: &str| id.rsplit('-').next().unwrap().parse::<u64>().unwrap();
                let wanted = tail.events().iter().map(TailEvent::number);
                let wanted = wanted.filter(|seq| *seq > number(id.as_str()));
                let got = rest
                    .lines()
                    .filter_map(|line| line.strip_prefix("id: "))
                    .map(number);
                assert!(wanted.eq(got), "{at} {first:?}: {text}");
                hub.topic("a").publish_transient(Event::new("live"));
                assert_eq!(drain(&mut body).0, "data: live\n\n");
            }
            // From now on, nothing is lost.
            let id = hub.last_event_id();
            hub.topic("b").publish(Event::new("new"));
            let body = hub.subscriber().topics(["a", "b"]).after(id);
            assert_eq!(body.subscribe().unwrap().outcome(), Outcome::Resumed(1));
        }
    }
}

#[test]
fn what_is_retained_less_of_is_lost_and_known_to_be() {
    let hub = Hub::builder().epoch(36).build();
    for n in 0..100 {
        hub.topic("noisy").publish(Event::display(n).unwrap());
    }
    hub.topic("quiet").publish(Event::new("x"));
    hub.close();
    let tail = hub.tail();
    for builder in [
        Hub::builder().retain_events(10),
        Hub::builder().retain_bytes(3_000),
    ] {
        let hub = builder.tail(tail.clone()).build();
        let start = || EventId::from_static("10-0");
        let noisy = hub.subscriber().topic("noisy").after(start());
        assert_eq!(noisy.subscribe().unwrap().outcome(), Outcome::Gap);
        let quiet = hub.subscriber().topic("quiet").after(start());
        assert_eq!(quiet.subscribe().unwrap().outcome(), Outcome::Resumed(1));
        assert!(hub.stats().retained <= 13);
        assert_eq!(hub.stats().published, 0);
    }
}

#[test]
fn events_go_at_their_age_however_often_the_hub_begins_anew() {
    let build = || Hub::builder().epoch(36).retain_for(Duration::from_secs(60));
    let hub = build().build();
    hub.publish(Event::new("old"));
    hub.publish(Event::new("new"));
    hub.close();
    let tail = hub.tail();
    let before = |seconds| SystemTime::now() - Duration::from_secs(seconds);
    let published = tail.events()[0].published().unwrap();
    assert!(published > before(5) && published <= SystemTime::now());
    for (ages, left) in [([61, 59], 1), ([59, 1], 2), ([1 << 40, 61], 0)] {
        let mut aged = Tail::new(tail.epoch(), tail.next_number()).unwrap();
        for (event, age) in tail.events().iter().zip(ages) {
            aged.push(event.clone().with_published(before(age)))
                .unwrap();
        }
        let hub = build().tail(aged.with_complete(true)).build();
        drop(hub.subscribe());
        assert_eq!(hub.stats().retained, left, "{ages:?}");
        let outcome = match left {
            2 => Outcome::Resumed(2),
            _ => Outcome::Gap,
        };
        let id = EventId::from_static("10-0");
        assert_eq!(hub.resume(id).unwrap().outcome(), outcome);
    }
}

#[test]
fn what_is_not_a_tail_is_named() {
    let error = |tail: Result<Tail, InvalidTail>| tail.unwrap_err().to_string();
    let lines = |more: &str| {
        let head = json!({ "epoch": 36, "next": 8, "complete": true, "lost_elsewhere": 2 });
        format!("{head}\n{more}\n")
    };
    let event = |number: u64, wire: &str| {
        json!({ "number": number, "topic": "a", "wire": wire }).to_string()
    };
    let good = event(7, "id: 10-7\ndata: x\n\n");
    assert!(load(&lines(&good)).is_ok());
    for (more, message) in [
        (
            event(8, "id: 10-8\n\n"),
            "event 8 has not been published: the next is 8",
        ),
        (event(0, "id: 10-8\n\n"), "event 0 comes after event 0"),
        (format!("{good}\n{good}"), "event 7 comes after event 7"),
        (event(7, "data: x\n\n"), "event 7: it has no ID"),
        (event(7, "id: 1\0\n\n"), "event 7: its ID is not valid"),
        (
            event(7, "id: 10-7\ndata: x"),
            "event 7: its bytes are not one event as a hub writes it",
        ),
        (
            json!({ "lost": 9, "topic": "a" }).to_string(),
            "event 9 has not been published: the next is 8",
        ),
    ] {
        assert_eq!(error(load(&lines(&more))), message);
    }
}

/// A tail is data from a file: whatever is in it, nothing panics, and a hub that begins with it works.
#[test]
fn no_tail_panics() {
    let numbers = [0, 1, 2, 3, 7, 8, 1 << 40, 1 << 62, (1 << 62) + 1, u64::MAX];
    let mut begun = 0;
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let number = |rng: &mut Rng| *rng.pick(&numbers);
        let next = number(&mut rng);
        let Ok(tail) = Tail::new(rng.next(), next) else {
            assert!(next == 0 || next > 1 << 62);
            continue;
        };
        let Ok(mut tail) = tail.with_lost_elsewhere(number(&mut rng)) else {
            continue;
        };
        for _ in 0..rng.below(8) {
            let topic = *rng.pick(&TOPICS);
            if rng.one_in(2) {
                _ = tail.push_lost(topic, number(&mut rng));
                continue;
            }
            let wire = match rng.below(4) {
                0 => "id: \ndata: x\n\n".to_owned(),
                1 => format!("id: {}\n\n", number(&mut rng)),
                _ => format!("id: 10-{}\ndata: x\n\n", number(&mut rng)),
            };
            let event = TailEvent::new(number(&mut rng), topic, wire).unwrap();
            let event = event
                .with_published(SystemTime::UNIX_EPOCH + Duration::from_secs(rng.next() >> 20));
            _ = tail.push(if rng.one_in(3) {
                event.with_key("k")
            } else {
                event
            });
        }
        let mut builder = Hub::builder().retain_events(1 + rng.below(3));
        if rng.one_in(2) {
            builder = builder.keep_event_ids().retain_for(Duration::MAX);
        }
        let events = tail.events().len();
        let hub = builder.tail(tail.with_complete(rng.one_in(2))).build();
        let body = hub.subscriber().prefix("").start(Start::Oldest).subscribe();
        let id = hub.topic("a").publish(Event::new("new"));
        hub.close();
        let (text, ended) = drain(&mut body.unwrap());
        assert!(
            ended && text.ends_with(&format!("id: {}\ndata: new\n\n", id.as_str())),
            "{text}"
        );
        assert!(hub.tail().events().len() <= events + 1);
        begun += events;
    }
    assert!(begun > 300, "{begun} events");
}
