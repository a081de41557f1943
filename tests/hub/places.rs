//! What a subscription is sent before its first event: the bytes of each outcome, with and without
//! places of their own and a gap event.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http_body::Body;
use http_body_util::BodyExt;
use tower_sse::hub::{Hub, HubBuilder, LagPolicy, Outcome, Start, Subscription};
use tower_sse::{Event, EventId, EventType, KeepAlive, MaxAge};

const STRANGER: EventId = EventId::from_static("of yesterday");
const GAP: &str = "event: gap\nid: 10-3\ndata: {}\n\n";

/// A hub of which the first three of five events are lost.
fn hub(settings: HubBuilder) -> Hub {
    let hub = settings.epoch(36).retain_events(2).build();
    (1..=5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    hub
}

fn settings(announce: bool, gap: bool) -> HubBuilder {
    let settings = Hub::builder().announce_place(announce);
    if gap {
        settings
    } else {
        settings.gap_event(None)
    }
}

/// All that is ready.
fn drain(body: &mut Subscription) -> String {
    let mut text = String::new();
    while let Some(Some(Ok(frame))) = body.frame().now_or_never() {
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    text
}

fn id(text: &'static str) -> EventId {
    EventId::from_static(text)
}

#[test]
fn each_outcome_with_each_setting() {
    let rest = "id: 10-4\ndata: 4\n\nid: 10-5\ndata: 5\n\n";
    let table = [
        (
            EventId::EMPTY,
            Outcome::Fresh,
            "id: 10-5\n\n",
            "id: 10-5\n\n",
            "",
        ),
        (
            id("10-4"),
            Outcome::Resumed(1),
            "",
            "",
            "id: 10-5\ndata: 5\n\n",
        ),
        (id("10-1"), Outcome::Gap, GAP, "id: 10-3\n\n", rest),
        (
            STRANGER,
            Outcome::Unknown,
            "event: gap\nid: 10-5\ndata: {}\n\n",
            "id: 10-5\n\n",
            "",
        ),
    ];
    for (last, outcome, with_gap, without_gap, events) in table {
        for announce in [true, false] {
            for gap in [true, false] {
                let hub = hub(settings(announce, gap));
                let mut body = hub.resume(last.clone()).unwrap();
                assert_eq!(body.outcome(), outcome);
                let first = match (gap, announce) {
                    (true, false) if outcome == Outcome::Fresh => "",
                    (true, _) => with_gap,
                    (false, true) => without_gap,
                    (false, false) => "",
                };
                assert_eq!(
                    drain(&mut body),
                    format!("{first}{events}"),
                    "{outcome:?} {announce} {gap}"
                );
                assert!(!body.is_end_stream());
                hub.publish(Event::new("6"));
                assert_eq!(drain(&mut body), "id: 10-6\ndata: 6\n\n");
            }
        }
    }
}

#[test]
fn a_lag_with_each_setting() {
    for (announce, gap, first) in [
        (true, true, GAP),
        (false, true, GAP),
        (true, false, "id: 10-3\n\n"),
        (false, false, ""),
    ] {
        let hub = settings(announce, gap)
            .lag(LagPolicy::Oldest)
            .epoch(36)
            .retain_events(2)
            .build();
        let mut body = hub.subscribe().unwrap();
        drain(&mut body);
        (1..=5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        let rest = "id: 10-4\ndata: 4\n\nid: 10-5\ndata: 5\n\n";
        assert_eq!(drain(&mut body), format!("{first}{rest}"));
        assert_eq!(hub.stats().lagged, 1);
    }
}

/// With the setting off, no block of a hub's own makes a reader dispatch an event without data.
#[test]
fn nothing_without_data_is_sent_where_places_are_off() {
    let settings = || {
        settings(false, true)
            .farewell(Event::new("bye"))
            .lag(LagPolicy::Newest)
    };
    for last in [EventId::EMPTY, id("10-4"), id("10-1"), STRANGER] {
        let hub = hub(settings());
        let mut body = hub
            .subscriber()
            .after(last)
            .filter(|_| true)
            .subscribe()
            .unwrap();
        let mut text = drain(&mut body);
        (6..=20).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        hub.publish_transient(Event::new("t"));
        text.push_str(&drain(&mut body));
        hub.close();
        text.push_str(&drain(&mut body));
        assert!(body.is_end_stream() && text.ends_with("data: bye\n\n"));
        for block in text.split_terminator("\n\n") {
            assert!(
                block.lines().any(|line| line.starts_with("data: ")),
                "{text}"
            );
        }
    }
}

#[test]
fn a_client_that_has_missed_nothing_is_told_its_new_place() {
    for announce in [true, false] {
        let hub = settings(announce, true).epoch(36).retain_events(2).build();
        let place = hub.topic("quiet").publish(Event::new("1"));
        (2..=5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        let quiet = hub.subscriber().topic("noise").after(place);
        let mut body = quiet.subscribe().unwrap();
        assert_eq!(body.outcome(), Outcome::Resumed(0));
        assert_eq!(drain(&mut body), if announce { "id: 10-5\n\n" } else { "" });
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_moves_on_with_heartbeats_and_at_the_end() {
    for (announce, expected) in [
        (true, ":\nid: 10-0\n\n:\nid: 10-3\n\n:\nid: 10-5\n\n"),
        (false, ":\n:\n:\n"),
    ] {
        let hub = settings(announce, true).epoch(36).build();
        let quiet = [
            hub.subscriber().topic("quiet"),
            hub.subscriber().prefix("quiet/"),
            hub.subscriber().filter(|_| false),
        ];
        let bodies = quiet.map(|quiet| {
            let body = quiet.subscribe().unwrap().keep_alive(KeepAlive::default());
            let body = body.max_age(MaxAge::new(Duration::from_secs(40)));
            tokio::spawn(async { body.collect().await.unwrap().to_bytes() })
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        (1..=3).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        tokio::time::sleep(Duration::from_secs(33)).await;
        (4..=5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        for body in bodies {
            assert_eq!(body.await.unwrap(), expected);
        }
    }
}

/// The event's own ID is its place.
#[tokio::test(start_paused = true)]
async fn no_place_follows_an_event_that_has_told_it() {
    let hub = settings(true, true).epoch(36).build();
    let body = hub.subscribe().unwrap().keep_alive(KeepAlive::default());
    let body = body.max_age(MaxAge::new(Duration::from_secs(50)));
    let body = tokio::spawn(async { body.collect().await.unwrap().to_bytes() });
    tokio::time::sleep(Duration::from_secs(5)).await;
    hub.publish(Event::new("x"));
    tokio::time::sleep(Duration::from_secs(20)).await;
    hub.topic("other").publish(Event::new("y"));
    assert_eq!(
        body.await.unwrap(),
        ":\nid: 10-0\n\nid: 10-1\ndata: x\n\n:\n:\nid: 10-2\n\n"
    );
}

/// A page that listens for heartbeats treats a connection without them as dead.
#[tokio::test(start_paused = true)]
async fn a_heartbeat_that_is_an_event_comes_with_its_place() {
    let hub = settings(true, true).epoch(36).build();
    let quiet = hub.subscriber().topic("quiet").subscribe().unwrap();
    let ping = KeepAlive::default().event(Event::new("").with_type("ping"));
    let body = quiet.keep_alive(ping).prelude(None);
    let body = body.max_age(MaxAge::new(Duration::from_secs(50)));
    let body = tokio::spawn(async { body.collect().await.unwrap().to_bytes() });
    for n in 1..=3 {
        tokio::time::sleep(Duration::from_secs(12)).await;
        hub.publish(Event::display(n).unwrap());
    }
    let ping = "event: ping\ndata: \n\n";
    let expected = format!("id: 10-0\n\n{ping}id: 10-1\n\n{ping}id: 10-2\n\n{ping}id: 10-3\n\n");
    assert_eq!(body.await.unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_for_nothing_moves_its_place_on() {
    for announce in [true, false] {
        let hub = settings(announce, true).epoch(36).build();
        let quiet = hub.subscriber().topic("quiet").subscribe().unwrap();
        let poll = quiet.long_poll(Duration::from_secs(25));
        (1..=3).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
        let bytes = poll.collect().await.unwrap().to_bytes();
        assert_eq!(bytes, ":\nretry: 100\nid: 10-0\n\nid: 10-3\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_has_its_place_whatever_the_setting() {
    for announce in [true, false] {
        for gap in [true, false] {
            let hub = hub(settings(announce, gap));
            let poll = |last| {
                let body = hub.resume(last).unwrap();
                let body = body.long_poll(Duration::from_secs(25));
                body.collect().map(|bytes| bytes.unwrap().to_bytes())
            };
            let fresh = poll(EventId::EMPTY).await;
            assert!(fresh.ends_with(b"id: 10-5\n\n"));
            let lost = poll(id("10-1")).await;
            let text = std::str::from_utf8(&lost).unwrap();
            assert_eq!(text.contains(GAP), gap);
            assert!(text.contains("id: 10-3\n"));
            let unknown = poll(STRANGER).await;
            let text = std::str::from_utf8(&unknown).unwrap();
            assert_eq!(text.contains("event: gap\n"), gap);
            assert!(text.contains("id: 10-5\n"));
        }
    }
}

#[test]
fn a_stream_of_deliveries_tells_of_a_gap_whatever_the_setting() {
    for announce in [true, false] {
        for gap in [true, false] {
            let hub = hub(settings(announce, gap));
            let mut stream = hub.resume(id("10-1")).unwrap().into_stream();
            let mut next = || stream.next().now_or_never().flatten();
            assert!(next().unwrap().is_err());
            assert_eq!(next().unwrap().unwrap().data(), "4");
            assert_eq!(next().unwrap().unwrap().data(), "5");
            assert!(next().is_none());
        }
    }
}

#[test]
fn the_handlers_first_event_comes_with_its_place() {
    let state = "event: state\nid: 10-4\ndata: s\n\n";
    let rest = "id: 10-5\ndata: 5\n\n";
    let gap = "event: gap\nid: 10-4\ndata: {}\n\n";
    for announce in [true, false] {
        for (last, expected) in [
            (EventId::EMPTY, format!("{state}{rest}")),
            (id("10-4"), rest.to_owned()),
            (id("10-1"), format!("{gap}{state}{rest}")),
            (STRANGER, format!("{gap}{state}{rest}")),
        ] {
            let hub = hub(settings(announce, true));
            let event = Event::new("s").with_type(EventType::from_static("state"));
            let subscriber = hub.subscriber().start(Start::After(id("10-4")));
            let mut body = subscriber.first(event).after(last).subscribe().unwrap();
            assert_eq!(drain(&mut body), expected);
        }
    }
}

#[test]
fn what_was_before_a_client_came_is_not_replayed() {
    let hub = Hub::builder().epoch(36).build();
    (1..=5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    let outcome = |not_before: EventId, last: EventId| {
        let subscriber = hub.subscriber().not_before(not_before).after(last);
        subscriber.subscribe().unwrap().outcome()
    };
    assert_eq!(outcome(id("10-3"), id("10-0")), Outcome::Resumed(2));
    assert_eq!(outcome(id("10-3"), id("10-4")), Outcome::Resumed(1));
    assert_eq!(outcome(EventId::EMPTY, id("10-0")), Outcome::Resumed(5));
    // What is not known opens nothing.
    assert_eq!(outcome(STRANGER, id("10-0")), Outcome::Resumed(0));
    assert_eq!(outcome(id("10-9"), id("10-0")), Outcome::Resumed(0));
    let oldest = hub.subscriber().start(Start::Oldest).not_before(id("10-3"));
    let mut body = oldest.subscribe().unwrap();
    let events = "id: 10-4\ndata: 4\n\nid: 10-5\ndata: 5\n\n";
    assert_eq!(drain(&mut body), format!("id: 10-3\n\n{events}"));
}
