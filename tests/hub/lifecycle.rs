//! Closing, draining, caps, retention by age, long polls, lingers and what is told of a gap.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, advance};
use tower_sse::hub::{Hub, LagPolicy, Missed, Outcome, Start, Subscription};
use tower_sse::{Event, EventId, EventType, KeepAlive, MaxAge};

use crate::support::blocking::in_time;

fn id(text: &str) -> EventId {
    EventId::try_from(text).unwrap()
}

/// The next frame, if one is ready.
fn ready(body: &mut Subscription) -> Option<String> {
    let frame = body.frame().now_or_never()??.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_spread_close_ends_everyone_one_after_the_other() {
    let hub = Hub::builder()
        .farewell(Event::new("bye").with_id(7u64))
        .build();
    let mut bodies: Vec<_> = (0..1_000).map(|_| hub.subscribe().unwrap()).collect();
    let closing = tokio::spawn(hub.close_over(Duration::from_secs(10)));
    tokio::task::yield_now().await;
    assert!(hub.subscribe().unwrap_err().is_closed());
    for second in 1..=10 {
        advance(Duration::from_secs(1)).await;
        // Steps of 20 ms: each takes its turn.
        for _ in 0..60 {
            tokio::task::yield_now().await;
            advance(Duration::ZERO).await;
        }
        _ = second;
        for body in &mut bodies {
            while ready(body).is_some() {}
        }
        bodies.retain(|body| !body.is_end_stream());
    }
    closing.await.unwrap();
    for body in &mut bodies {
        let rest = body.collect().await.unwrap().to_bytes();
        assert!(rest.ends_with(b"data: bye\n\n"));
    }
    hub.drain().await;
    assert_eq!(hub.stats().subscribers, 0);
}

#[tokio::test(start_paused = true)]
async fn the_shares_of_a_spread_close_are_even() {
    let hub = Hub::new();
    let ends: Vec<_> = (0..1_000)
        .map(|_| {
            let body = hub.subscribe().unwrap();
            tokio::spawn(async move {
                let start = Instant::now();
                body.collect().await.unwrap();
                start.elapsed()
            })
        })
        .collect();
    hub.close_over(Duration::from_secs(10)).await;
    hub.drain().await;
    let mut by_second = [0; 11];
    for end in ends {
        by_second[usize::try_from(end.await.unwrap().as_secs()).unwrap()] += 1;
    }
    for count in &by_second[..10] {
        assert!((70..130).contains(count), "{by_second:?}");
    }
}

/// Also where an event of another topic lies between them and their end.
#[tokio::test(start_paused = true)]
async fn what_is_lost_after_the_end_is_no_loss() {
    let settings = || Hub::builder().epoch(36).retain_events(2);
    for lag in [LagPolicy::Oldest, LagPolicy::Newest, LagPolicy::End] {
        let hub = settings().lag(lag).build();
        let publish = |topic: &str| hub.topic(topic).publish(Event::new(topic));
        let subscriber = || hub.subscriber().topic("a");
        let mut all: Vec<_> = (0..400)
            .map(|_| subscriber().subscribe().unwrap())
            .collect();
        let prefixed = || hub.subscriber().prefix("a").owner("x");
        all.extend((0..3).map(|_| prefixed().subscribe().unwrap()));
        publish("b");
        hub.owner("x").end();
        assert_eq!(hub.topic("a").stats().prefix_followers, 3);
        let mut closing = Box::pin(hub.close_over(Duration::from_secs(10)));
        let half = Duration::from_secs(5);
        let half = tokio::time::timeout(half, &mut closing).await;
        assert!(half.is_err());
        (0..5).for_each(|_| _ = publish("a"));
        closing.await;
        (0..5).for_each(|_| _ = publish("a"));
        for (n, body) in all.iter_mut().enumerate() {
            let first = ready(body).unwrap();
            assert!(first.starts_with("id: 10-0"), "{first}");
            let lagged = hub.stats().lagged;
            while ready(body).is_some() {}
            assert!(body.is_end_stream());
            assert!(hub.stats().lagged == lagged || n < 400, "{n}");
        }
        // They end one after the other, and what comes before their end they have missed.
        let lagged = hub.stats().lagged;
        assert!((150..250).contains(&lagged), "{lagged}");
        drop(all);
        assert_eq!(hub.stats().subscribers, 0);
        assert_eq!(hub.topic("a").stats().prefix_followers, 0);
    }
}

#[tokio::test]
async fn what_is_pending_goes_out_before_the_end() {
    let hub = Hub::builder().epoch(36).build();
    let body = hub.subscribe().unwrap();
    for n in 0..3_000 {
        hub.publish(Event::new(format!("{n:0100}")));
    }
    hub.close();
    let bytes = body.collect().await.unwrap().to_bytes();
    assert_eq!(bytes.windows(6).filter(|w| w == b"data: ").count(), 3_000);
    hub.drain().await;
}

#[tokio::test]
async fn a_filtered_subscriber_is_said_farewell_once() {
    let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
    let body = hub.subscriber().filter(|_| true).subscribe().unwrap();
    hub.close();
    let bytes = body.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, "id: 10-0\n\ndata: bye\n\n");
}

#[test]
fn a_place_is_free_again_when_a_subscriber_has_gone() {
    let hub = Hub::builder()
        .max_subscribers(2)
        .retry_after(Duration::from_millis(1_500))
        .build();
    let first = hub.subscribe().unwrap();
    let _second = hub.subscribe().unwrap();
    let refused = hub.subscribe().unwrap_err();
    assert!(!refused.is_closed());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let response = refused.clone().into_http_response::<String>();
        seen.insert(
            response.headers()["retry-after"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(seen.into_iter().collect::<String>(), "234", "spread");
    drop(first);
    assert!(hub.subscribe().is_ok());
    assert_eq!(hub.stats().refused, 1);
}

#[test]
fn age_ends_what_is_retained() {
    let hub = in_time(|age| {
        let hub = Hub::builder().epoch(36).retain_for(age).build();
        hub.publish(Event::new("old"));
        std::thread::sleep(2 * age);
        let start = std::time::Instant::now();
        hub.publish(Event::new("new"));
        let retained = hub.stats().retained;
        let resumed = ["10-0", "10-1"].map(|last| hub.resume(id(last)).unwrap().outcome());
        if start.elapsed() >= age {
            return None;
        }
        assert_eq!(retained, 1);
        assert_eq!(resumed, [Outcome::Gap, Outcome::Resumed(1)]);
        std::thread::sleep(2 * age);
        Some(hub)
    });
    assert_eq!(hub.resume(id("10-1")).unwrap().outcome(), Outcome::Gap);
    assert_eq!(hub.stats().retained, 0);
    assert_eq!(hub.stats().gaps, 2);
}

#[test]
fn ids_of_the_users_are_known_while_retained() {
    let hub = Hub::builder()
        .epoch(36)
        .keep_event_ids()
        .retain_events(2)
        .build();
    hub.publish(Event::new("1").with_id(id("müller")));
    hub.publish(Event::new("2").with_id(id("same")));
    let none = hub.publish(Event::new("3"));
    assert_eq!(none.as_str(), "10-3");
    assert_eq!(
        hub.resume(id("müller")).unwrap().outcome(),
        Outcome::Unknown
    );
    assert_eq!(
        hub.resume(id("same")).unwrap().outcome(),
        Outcome::Resumed(1)
    );
    hub.publish(Event::new("4").with_id(id("same")));
    hub.publish(Event::new("5").with_id(EventId::EMPTY));
    let mut body = hub.resume(id("same")).unwrap();
    assert_eq!(body.outcome(), Outcome::Resumed(1));
    assert_eq!(ready(&mut body).unwrap(), "id: 10-5\ndata: 5\n\n");
}

#[test]
fn the_gap_event_is_the_users_and_has_no_id() {
    let refetch = Event::new("all")
        .with_type(EventType::from_static("refetch"))
        .with_id(1u64);
    let hub = Hub::builder()
        .epoch(36)
        .lag(LagPolicy::Oldest)
        .retain_events(2)
        .gap_event(refetch)
        .build();
    let mut body = hub.subscribe().unwrap();
    assert_eq!(ready(&mut body).unwrap(), "id: 10-0\n\n");
    for n in 1..=3 {
        hub.publish(Event::display(n).unwrap());
    }
    assert_eq!(
        ready(&mut body).unwrap(),
        "event: refetch\nid: 10-1\ndata: all\n\n"
    );
    assert_eq!(
        ready(&mut body).unwrap(),
        "id: 10-2\ndata: 2\n\nid: 10-3\ndata: 3\n\n"
    );
    assert_eq!(hub.stats().lagged, 1);
    let silent = Hub::builder().epoch(36).gap_event(None).build();
    let mut body = silent.resume(id("11-4")).unwrap();
    assert_eq!(ready(&mut body).unwrap(), "id: 10-0\n\n");
}

#[tokio::test]
async fn a_stream_of_deliveries_says_where_some_are_missing() {
    let hub = Hub::builder()
        .lag(LagPolicy::Newest)
        .retain_events(2)
        .build();
    let mut stream = hub.resume(id("garbage")).unwrap().into_stream();
    assert_eq!(stream.next().await.unwrap().unwrap_err(), missed());
    for n in 1..=3 {
        hub.publish(Event::display(n).unwrap());
    }
    assert_eq!(stream.next().await.unwrap().unwrap_err(), missed());
    hub.publish(Event::new("4"));
    assert_eq!(stream.next().await.unwrap().unwrap().data(), "4");
    hub.close();
    assert!(stream.next().await.is_none());
}

fn missed() -> Missed {
    let hub = Hub::new();
    let mut stream = hub.resume(id("x")).unwrap().into_stream();
    stream.next().now_or_never().unwrap().unwrap().unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_tells_of_a_gap_at_once() {
    let hub = Hub::builder().epoch(36).build();
    let body = hub.resume(id("x")).unwrap();
    let body = body.long_poll(Duration::from_secs(25));
    let start = Instant::now();
    let bytes = body.collect().await.unwrap().to_bytes();
    assert_eq!(bytes, ":\nretry: 100\nevent: gap\nid: 10-0\ndata: {}\n\n");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_gives_the_handlers_first_event_at_once() {
    let hub = Hub::builder().epoch(36).build();
    hub.publish(Event::new("1"));
    let before = hub.last_event_id();
    hub.publish(Event::new("2"));
    let poll = |start: Start, last: EventId| {
        let subscriber = hub.subscriber().start(start).first(Event::new("state"));
        let subscription = subscriber.after(last).subscribe().unwrap();
        let body = subscription.long_poll(Duration::from_secs(25));
        hub.publish(Event::new("later"));
        async {
            let start = Instant::now();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.into()).unwrap();
            let text = text.strip_prefix(":\nretry: 100\n").unwrap().to_owned();
            (text, start.elapsed() < Duration::from_secs(1))
        }
    };
    let state = "id: 10-2\ndata: state\n\n".to_owned();
    assert_eq!(poll(Start::Now, EventId::EMPTY).await, (state, true));
    // With what is pending by then, and no more.
    let state = "id: 10-1\ndata: state\n\nid: 10-2\ndata: 2\n\nid: 10-3\ndata: later\n\n";
    let start = Start::After(before);
    assert_eq!(poll(start, EventId::EMPTY).await, (state.to_owned(), true));
    // Who resumes has the state, and waits for an event.
    let body = hub.subscriber().first(Event::new("state"));
    let body = body.after(hub.last_event_id()).subscribe().unwrap();
    let begin = Instant::now();
    let bytes = body.long_poll(Duration::from_secs(25)).collect().await;
    assert_eq!(bytes.unwrap().to_bytes(), ":\nretry: 100\n");
    assert_eq!(begin.elapsed(), Duration::from_secs(25));
}

#[tokio::test(start_paused = true)]
async fn long_polls_lose_nothing_between_them() {
    let hub = Hub::builder().epoch(36).build();
    let mut last: Option<EventId> = None;
    let mut seen = Vec::new();
    for round in 0..10 {
        let body = hub
            .resume(last.clone().unwrap_or(EventId::EMPTY))
            .unwrap()
            .long_poll(Duration::from_secs(25));
        if round % 3 == 0 {
            hub.publish(Event::display(format_args!("during {round}")).unwrap());
        }
        let start = Instant::now();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with(":\nretry: 100\n"));
        let waited = start.elapsed() >= Duration::from_secs(25);
        assert_eq!(waited, !text.contains("data: "));
        if let Some(id) = text
            .lines()
            .filter_map(|line| line.strip_prefix("id: "))
            .next_back()
        {
            last = Some(EventId::try_from(id).unwrap());
        }
        seen.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .map(str::to_owned),
        );
        if round % 2 == 0 {
            hub.publish(Event::display(format_args!("between {round}")).unwrap());
        }
    }
    let mut sent = Vec::new();
    for round in 0..10 {
        if round % 3 == 0 {
            sent.push(format!("during {round}"));
        }
        if round % 2 == 0 {
            sent.push(format!("between {round}"));
        }
    }
    assert_eq!(seen, sent);
}

#[tokio::test(start_paused = true)]
async fn a_linger_gathers_and_then_lets_go() {
    let hub = Hub::builder().epoch(36).build();
    let mut body = hub.subscribe().unwrap();
    body.frame().await;
    let linger = tokio::spawn(hub.linger(Duration::from_millis(5)));
    tokio::task::yield_now().await;
    let reader = tokio::spawn(async move {
        let start = Instant::now();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        (start.elapsed(), frame, body)
    });
    tokio::task::yield_now().await;
    hub.publish(Event::new("a"));
    tokio::time::sleep(Duration::from_millis(2)).await;
    hub.publish(Event::new("b"));
    let (time, frame, mut body) = reader.await.unwrap();
    assert_eq!(frame, "id: 10-1\ndata: a\n\nid: 10-2\ndata: b\n\n");
    assert!((5..8).contains(&time.as_millis()), "{time:?}");
    linger.abort();
    _ = linger.await;
    let start = Instant::now();
    hub.publish(Event::new("c"));
    body.frame().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_prelude_and_age_are_those_of_a_body() {
    let hub = Hub::builder().epoch(36).build();
    let age = MaxAge::new(Duration::from_secs(40));
    let body = hub
        .subscribe()
        .unwrap()
        .keep_alive(KeepAlive::default())
        .max_age(age);
    let bytes = body.collect().await.unwrap().to_bytes();
    assert_eq!(bytes, ":\nid: 10-0\n\n:\n:\n");
    assert_eq!(hub.stats().subscribers, 0);
}

#[tokio::test]
async fn a_large_payload_is_shared_by_all() {
    let hub = Hub::new();
    let payload = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let mut bodies = [hub.subscribe().unwrap(), hub.subscribe().unwrap()];
    hub.publish(Event::new("before"));
    hub.publish(Event::new(
        tower_sse::Data::try_from(payload.clone()).unwrap(),
    ));
    hub.publish(Event::new("after"));
    hub.close();
    for body in &mut bodies {
        let mut found = false;
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            found |= data.as_ptr() == payload.as_ptr();
            all.extend_from_slice(&data);
        }
        assert!(found, "copied");
        let text = String::from_utf8(all).unwrap();
        assert!(text.contains("data: before\n\n") && text.ends_with("data: after\n\n"));
    }
}
