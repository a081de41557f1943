//! Topics that stand on their own: what each retains, and what is told of what it does not.

use std::time::Duration;

use futures_util::FutureExt;
use http_body_util::BodyExt;
use tower_sse::hub::{Hub, LagPolicy, Outcome, Retention, Start, Subscription};
use tower_sse::{Event, EventId};

use crate::support::blocking::in_time;

/// The data of all that is ready, `gap` for a gap and `-` for a place.
fn read(body: &mut Subscription) -> String {
    let mut text = String::new();
    while let Some(Some(Ok(frame))) = body.frame().now_or_never() {
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    let blocks = text.split_terminator("\n\n").map(|block| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        match field("event: ") {
            Some(event) => event.to_owned(),
            None => field("data: ").unwrap_or("-").to_owned(),
        }
    });
    blocks.collect::<Vec<_>>().join(" ")
}

fn publish(hub: &Hub, topic: &str, numbers: std::ops::RangeInclusive<u32>) {
    let name = topic.chars().next().unwrap();
    numbers.for_each(|n| _ = hub.topic(topic).publish(Event::new(format!("{name}{n}"))));
}

const START: EventId = EventId::from_static("10-0");

#[test]
fn a_noisy_topic_takes_nothing_from_a_quiet_one() {
    for settings in [
        Hub::builder().retain_events(10),
        Hub::builder().retain_bytes(50_000),
        Hub::builder().retain_prefix("noisy/", Retention::new().bytes(2_000)),
        Hub::builder().retain_topic("noisy/1", Retention::new().events(3)),
    ] {
        let hub = settings.epoch(36).build();
        publish(&hub, "quiet", 1..=3);
        publish(&hub, "noisy/1", 1..=5_000);
        let quiet = hub.subscriber().topic("quiet").after(START);
        let mut quiet = quiet.subscribe().unwrap();
        assert_eq!(quiet.outcome(), Outcome::Resumed(3));
        assert_eq!(read(&mut quiet), "q1 q2 q3");
        let noisy = hub.subscriber().prefix("noisy/").after(START);
        assert_eq!(noisy.subscribe().unwrap().outcome(), Outcome::Gap);
    }
}

#[test]
fn what_is_retained_from_before_a_loss_comes_after_the_gap() {
    for lag in [LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest] {
        let settings = Hub::builder().retain_topic("noisy", Retention::new().events(2));
        let hub = settings.epoch(36).lag(lag).build();
        let both = || hub.subscriber().topics(["quiet", "noisy"]);
        let mut live = both().subscribe().unwrap();
        assert_eq!(read(&mut live), "-");
        publish(&hub, "quiet", 1..=2);
        publish(&hub, "noisy", 1..=9);
        publish(&hub, "quiet", 3..=3);

        let resumed = ["gap q1 q2 n8 n9 q3", "gap"][usize::from(lag == LagPolicy::Newest)];
        let mut late = both().after(START).subscribe().unwrap();
        assert_eq!((late.outcome(), &*read(&mut late)), (Outcome::Gap, resumed));
        let lagged = if lag == LagPolicy::End { "" } else { resumed };
        assert_eq!(read(&mut live), lagged);
        assert_eq!(hub.stats().lagged, 1);

        // Who begins with the oldest has missed nothing.
        let mut fresh = both().start(Start::Oldest).subscribe().unwrap();
        assert_eq!(fresh.outcome(), Outcome::Fresh);
        assert_eq!(read(&mut fresh), "- q1 q2 n8 n9 q3");
        let mut fresh = both().start(Start::Last(4)).subscribe().unwrap();
        assert_eq!(read(&mut fresh), "- q2 n8 n9 q3");
        // Unless it is lost while it reads.
        let mut fresh = both().start(Start::Oldest).subscribe().unwrap();
        publish(&hub, "noisy", 10..=10);
        let (read, lagged) = (read(&mut fresh), hub.stats().lagged);
        match lag {
            LagPolicy::End => assert_eq!(read, "-"),
            LagPolicy::Newest => assert_eq!(read, "- gap"),
            // One that is lost may still come with a frame that others have been given.
            _ => assert_eq!(read.replace(" n8", ""), "- gap q1 q2 n9 q3 n10"),
        }
        assert_eq!(lagged, 2);
    }
}

#[test]
fn a_client_is_told_once_where_it_resumes_again() {
    let settings = Hub::builder().retain_topic("noisy", Retention::new().events(2));
    let hub = settings.epoch(36).build();
    publish(&hub, "quiet", 1..=4);
    publish(&hub, "noisy", 1..=9);
    let mut places = 0..=hub.stats().published;
    assert!(places.all(|place| {
        let last = EventId::try_from(format!("10-{place}")).unwrap();
        let both = hub.subscriber().topics(["quiet", "noisy"]).after(last);
        let text = read(&mut both.subscribe().unwrap());
        text.matches("gap").count() == usize::from(place < 11)
    }));
}

#[test]
fn an_event_larger_than_the_bound_takes_nothing_from_the_others() {
    let hub = Hub::builder().epoch(36).retain_bytes(5_000).build();
    publish(&hub, "quiet", 1..=3);
    hub.topic("large").publish(Event::new("x".repeat(10_000)));
    assert_eq!(hub.stats().retained, 4);
    publish(&hub, "quiet", 4..=4);
    assert_eq!((hub.stats().retained, hub.stats().topics), (4, 1));
}

#[tokio::test]
async fn events_go_at_the_age_of_their_topic() {
    let hub = in_time(|age| {
        let brief = Retention::new().age(age);
        let settings = Hub::builder().retain_prefix("brief/", brief);
        let settings = settings.retain_for(Duration::from_secs(3_600));
        let hub = settings
            .retain_topic("brief/not", Retention::new().age(Duration::MAX))
            .build();
        let start = std::time::Instant::now();
        for n in 0..100 {
            publish(&hub, &format!("brief/{n}"), 1..=3);
        }
        publish(&hub, "brief/not", 1..=1);
        publish(&hub, "long", 1..=1);
        let retained = hub.stats().retained;
        if start.elapsed() >= age {
            return None;
        }
        assert_eq!(retained, 302);
        // The machine's clock cannot be paused.
        std::thread::sleep(2 * age);
        Some(hub)
    });
    let late = hub.subscriber().prefix("brief/").start(Start::Oldest);
    assert_eq!(read(&mut late.subscribe().unwrap()), "- b1");
    assert_eq!(hub.stats().retained, 2);
}

#[test]
fn who_starts_or_lags_gets_the_latest_of_each_key() {
    let hub = Hub::builder().epoch(36).retain_events(100).build();
    let prices = hub.topic("prices");
    let price = |key: &str, n: u32| {
        prices.publish_latest(key, Event::new(format!("{key}{n}")));
    };
    let follow = || hub.subscriber().topic("prices");
    let mut live = follow().subscribe().unwrap();
    let mut slow = follow().subscribe().unwrap();
    read(&mut slow);
    price("a", 1);
    price("b", 1);
    assert_eq!(read(&mut live), "- a1 b1");
    price("a", 2);
    // An event without a key is in nobody's way.
    prices.publish(Event::new("x"));
    assert_eq!(read(&mut live), "a2 x");
    price("b", 2);
    price("b", 3);
    assert_eq!(read(&mut live), "b3");
    assert_eq!(read(&mut slow), "a2 x b3");
    let mut fresh = follow().start(Start::Oldest).subscribe().unwrap();
    assert_eq!(read(&mut fresh), "- a2 x b3");
    let resumed = follow().after(EventId::from_static("10-1")).subscribe();
    let mut resumed = resumed.unwrap();
    assert_eq!(
        (resumed.outcome(), &*read(&mut resumed)),
        (Outcome::Resumed(3), "a2 x b3")
    );
    assert_eq!((hub.stats().retained, hub.stats().lagged), (3, 0));

    // Keys are a topic's own, and go with their events.
    hub.topic("other").publish_latest("a", Event::new("other"));
    (0..200).for_each(|n| price("c", n));
    assert_eq!((read(&mut live), hub.stats().retained), ("c199".into(), 5));
    publish(&hub, "prices", 1..=100);
    assert_eq!(hub.stats().retained, 101);
    price("a", 3);
    assert_eq!(hub.stats().retained, 101);
}

#[test]
fn keys_that_come_and_go_leave_nothing_in_the_log() {
    let hub = Hub::builder().retain_bytes(50_000).build();
    let mut live = hub.subscriber().prefix("").subscribe().unwrap();
    read(&mut live);
    for n in 0..100_000_u64 {
        let topic = format!("{}", n % 7);
        let key = format!("{}", n.wrapping_mul(0x9e37_79b9) % 150);
        hub.topic(&topic).publish_latest(key, Event::new("x"));
    }
    let stats = hub.stats();
    assert!(
        stats.retained <= 150 && stats.retained_bytes <= 50_000,
        "{stats:?}"
    );
    assert_eq!(read(&mut live).matches('x').count(), stats.retained);
}

/// The hub remembers the losses of a limited number of topics that no longer exist.
#[test]
fn what_is_not_known_of_topics_that_are_gone_is_no_gap_for_those_that_are_there() {
    let hub = Hub::builder().epoch(36).retain_bytes(1_000).build();
    let follow = || hub.subscriber().prefix("a/");
    let mut body = follow().subscribe().unwrap();
    publish(&hub, "a/1", 1..=1);
    assert_eq!(read(&mut body), "- a1");
    for n in 0..20_000 {
        hub.topic(&n.to_string()).publish(Event::new(""));
    }
    let last = EventId::from_static("10-1");
    let mut other = follow().after(last).subscribe().unwrap();
    assert_eq!(other.outcome(), Outcome::Resumed(0));
    publish(&hub, "a/2", 2..=2);
    for body in [&mut body, &mut other] {
        assert!(["a2", "- a2"].contains(&read(body).as_str()));
    }
    assert_eq!((hub.stats().lagged, hub.stats().gaps), (0, 0));
}

#[test]
fn a_transient_event_that_is_gone_is_no_frame() {
    let hub = Hub::builder().announce_place(false).build();
    let mut body = hub.subscribe().unwrap();
    let _other = hub.subscriber().topic("other").subscribe().unwrap();
    hub.publish_transient(Event::new("gone"));
    for _ in 0..300 {
        hub.topic("other").publish_transient(Event::new("noise"));
    }
    assert!(body.frame().now_or_never().is_none());
    hub.publish_transient(Event::new("there"));
    assert_eq!(read(&mut body), "there");
}

#[tokio::test(start_paused = true)]
async fn events_go_on_time_while_somebody_keeps_it() {
    let age = |seconds| Retention::new().age(Duration::from_secs(seconds));
    let settings = Hub::builder().retain_prefix("a/", age(10));
    let hub = settings.retain_topic("b", age(3)).build();
    publish(&hub, "a/1", 1..=3);
    let keeper = tokio::spawn(hub.keep_time());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(hub.stats().retained, 3);
    // It sleeps for longer than that: an event that ages sooner wakes it.
    publish(&hub, "b", 1..=2_000);
    publish(&hub, "forever", 1..=1);
    assert_eq!(hub.stats().retained, 2_004);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(hub.stats().retained, 4);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((hub.stats().retained, hub.stats().topics), (1, 1));
    assert!(!keeper.is_finished());
    hub.close();
    keeper.await.unwrap();
}

/// After a gap, no topic's events have a hole, whatever frames others were sent before the loss.
#[test]
fn a_gap_is_told_before_the_events_that_follow_it() {
    let hub = Hub::builder().epoch(36).retain_events(2).build();
    let come = || hub.subscriber().prefix("").subscribe().unwrap();
    let (mut quick, mut slow) = (come(), come());
    assert_eq!([read(&mut quick), read(&mut slow)], ["-", "-"]);
    publish(&hub, "a", 1..=1);
    assert_eq!(read(&mut quick), "a1");
    publish(&hub, "b", 1..=1);
    publish(&hub, "a", 2..=2);
    assert_eq!(read(&mut quick), "b1 a2");
    publish(&hub, "a", 3..=5);
    assert_eq!(read(&mut slow), "gap b1 a4 a5");
}
