//! Subscriptions that follow and leave topics while they live.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use tower_sse::hub::{Handle, Hub, LagPolicy, Outcome, Reason, Subscription};
use tower_sse::{Event, KeepAlive};

use crate::by_hand::{self, Count, hub};
use crate::support::blocking::after;

fn publish(hub: &Hub, events: &[&str]) {
    for data in events {
        let topic = data.split(' ').next().unwrap();
        hub.topic(topic).publish(Event::new(*data));
    }
}

/// Of one topic, and past its first block.
fn on(hub: &Hub, topic: &str) -> Subscription {
    let mut body = hub.subscriber().topic(topic).subscribe().unwrap();
    assert!(read(&mut body, Waker::noop()).0.is_empty());
    body
}

/// The data of what there is until it waits, `gap` for a gap; and whether it has ended.
fn read(body: &mut Subscription, task: &Waker) -> (Vec<String>, bool) {
    let (text, ended) = by_hand::read(body, task);
    let data = text.lines().filter_map(|line| {
        let gap = line.strip_prefix("event: ");
        gap.or(line.strip_prefix("data: ").filter(|data| *data != "{}"))
    });
    (data.map(str::to_owned).collect(), ended)
}

fn rest(body: &mut Subscription) -> Vec<String> {
    read(body, Waker::noop()).0
}

#[test]
fn a_move_is_a_place_in_the_log() {
    let hub = hub();
    let mut body = on(&hub, "a");
    let handle = body.handle();
    // It does not read meanwhile.
    publish(&hub, &["a 1", "b 1"]);
    assert!(handle.follow("b"));
    publish(&hub, &["a 2", "b 2", "c 2"]);
    assert!(handle.leave("a"));
    publish(&hub, &["a 3", "b 3", "c 3"]);
    assert!(handle.move_to(["c", "a"]));
    publish(&hub, &["a 4", "b 4", "c 4"]);
    assert!(handle.leave("c") && handle.leave("a"));
    publish(&hub, &["a 5", "b 5", "c 5"]);
    assert!(handle.follow("b"));
    publish(&hub, &["a 6", "b 6", "c 6"]);
    let expected = ["a 1", "a 2", "b 2", "b 3", "a 4", "c 4", "b 6"];
    assert_eq!(rest(&mut body), expected);
    publish(&hub, &["a 7", "b 7", "c 7"]);
    assert_eq!(rest(&mut body), ["b 7"]);
    // The same as a stream.
    let mut stream = on(&hub, "a").into_stream();
    assert_eq!(hub.stats().topics, 3);
    drop(body);
    assert!(handle.is_gone() && !handle.follow("b") && !handle.end());
    assert!(stream.next().now_or_never().is_none());
}

/// A client that is told an earlier place than it has come to is sent events again when it resumes.
#[test]
fn a_move_to_a_finished_run_does_not_move_the_place_back() {
    let lag = Hub::builder().epoch(36).lag(LagPolicy::Newest);
    let hub = lag.retain_events(2).build();
    let _other = on(&hub, "run");
    hub.topic("run").finish(Event::new("run 1"));
    let mut body = on(&hub, "a");
    publish(&hub, &["a 2"]);
    assert_eq!(rest(&mut body), ["a 2"]);
    publish(&hub, &["a 3", "a 4", "a 5", "a 6"]);
    assert!(body.handle().move_to(["run"]));
    let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(
        frame.into_data().unwrap(),
        "event: gap\nid: 10-6\ndata: {}\n\n"
    );
    assert!(body.frame().now_or_never().unwrap().is_none());
}

/// Nor on, to where the run that comes after that would be left out.
#[test]
fn a_move_to_a_finished_run_does_not_move_the_place_on() {
    let hub = Hub::builder().epoch(36).retain_events(2).build();
    let _other = on(&hub, "run");
    hub.topic("run").finish(Event::new("run 1"));
    let mut body = on(&hub, "a");
    publish(&hub, &["a 2", "a 3"]);
    assert!(body.handle().move_to(["run"]));
    publish(&hub, &["a 4", "a 5", "run 6"]);
    let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(
        frame.into_data().unwrap(),
        "event: gap\nid: 10-3\ndata: {}\n\n"
    );
    assert!(body.frame().now_or_never().unwrap().is_none());
}

#[test]
fn a_move_wakes_its_subscriber_alone() {
    let hub = hub();
    let mut bodies = [on(&hub, "a"), on(&hub, "a"), on(&hub, "b")];
    let counts: [Arc<Count>; 3] = Default::default();
    let tasks = counts.clone().map(Waker::from);
    let woken = || counts.each_ref().map(|count| count.take());
    let read_all = |bodies: &mut [Subscription; 3]| {
        let read = bodies
            .iter_mut()
            .zip(&tasks)
            .map(|(body, task)| read(body, task).0.len());
        read.collect::<Vec<_>>()
    };
    read_all(&mut bodies);
    let handle = bodies[0].handle();
    handle.follow("a");
    assert_eq!(woken(), [0, 0, 0], "nothing has changed");
    handle.follow("b");
    assert_eq!(woken(), [1, 0, 0]);
    publish(&hub, &["b"]);
    assert_eq!(woken(), [0, 0, 1]);
    assert_eq!(read_all(&mut bodies), [1, 0, 1]);
    publish(&hub, &["a"]);
    assert_eq!(woken(), [1, 1, 0]);
    assert_eq!(read_all(&mut bodies), [1, 1, 0]);
    // There and back without an event in between: it waits where it was, and is woken.
    handle.leave("a");
    handle.follow("a");
    assert_eq!(woken(), [1, 0, 0]);
    assert_eq!(read_all(&mut bodies), [0, 0, 0]);
    publish(&hub, &["b"]);
    assert_eq!(woken(), [1, 0, 1]);
    assert_eq!(read_all(&mut bodies), [1, 0, 1]);
    handle.move_to(["c"]);
    read_all(&mut bodies);
    woken();
    publish(&hub, &["a", "b"]);
    assert_eq!(woken(), [0, 1, 1]);
    publish(&hub, &["c"]);
    assert_eq!(woken(), [1, 0, 0]);
    assert_eq!(read_all(&mut bodies), [1, 1, 1]);
}

/// A prefix does not bring back what has been left.
#[test]
fn a_topic_under_a_prefix_is_left_too() {
    let hub = hub();
    for prefix in ["a/", ""] {
        let mut body = hub.subscriber().prefix(prefix).subscribe().unwrap();
        assert!(rest(&mut body).is_empty());
        let handle = body.handle();
        publish(&hub, &["a/1 1"]);
        handle.leave("a/1");
        publish(&hub, &["a/1 2", "a/2 2", "a/11 2"]);
        handle.leave("a/1");
        hub.topic("a/1").publish_transient(Event::new("a/1 not"));
        handle.leave("a/3");
        publish(&hub, &["a/1 3", "a/2 3", "a/3 3", "a/4 3"]);
        handle.follow("a/1");
        publish(&hub, &["a/1 4", "a/3 4"]);
        let expected = ["a/1 1", "a/2 2", "a/11 2", "a/2 3", "a/4 3", "a/1 4"];
        assert_eq!(rest(&mut body), expected);
        handle.follow("a/3");
        publish(&hub, &["a/1 5", "a/3 5"]);
        assert_eq!(rest(&mut body), ["a/1 5", "a/3 5"]);
        handle.move_to(["b"]);
        publish(&hub, &["a/1 6", "b 6"]);
        assert_eq!(rest(&mut body), ["b 6"]);
        handle.move_to::<&str>([]);
        publish(&hub, &["a/1 7", "b 7", ""]);
        assert_eq!(read(&mut body, Waker::noop()), (vec![], false));
    }
}

#[test]
fn a_topic_that_is_followed_twice_is_delivered_once() {
    let hub = hub();
    let mut body = hub
        .subscriber()
        .topic("a")
        .prefix("b/")
        .subscribe()
        .unwrap();
    let handle = body.handle();
    handle.follow("a");
    publish(&hub, &["a 1"]);
    handle.follow("b/1");
    publish(&hub, &["b/1 1"]);
    handle.move_to(["a", "b/1", "a"]);
    publish(&hub, &["a 2", "b/1 2"]);
    assert_eq!(rest(&mut body), ["a 1", "b/1 1", "a 2", "b/1 2"]);
}

/// Nobody else follows them.
#[test]
fn a_new_topic_has_its_transient_events_from_the_call_on() {
    let hub = hub();
    let mut body = on(&hub, "a");
    publish(&hub, &["a 1"]);
    let transient = |data: &str| hub.topic(&data[..1]).publish_transient(Event::new(data));
    transient("b early");
    body.handle().move_to(["b"]);
    transient("b now");
    transient("a late");
    publish(&hub, &["b 1"]);
    assert_eq!(rest(&mut body), ["a 1", "b now", "b 1"]);
    transient("b later");
    assert_eq!(rest(&mut body), ["b later"]);
}

#[test]
fn a_loss_is_told_where_it_is_one() {
    for lag in [LagPolicy::Oldest, LagPolicy::Newest, LagPolicy::End] {
        let hub = Hub::builder().epoch(36).retain_events(2).lag(lag).build();
        // What is lost from the old topic after the move is not missed, nor from the new one before.
        let mut body = on(&hub, "a");
        publish(&hub, &["a 1", "b 1", "b 2", "b 3"]);
        body.handle().move_to(["b", "c"]);
        publish(&hub, &["a 2", "c 1", "b 4"]);
        assert_eq!(rest(&mut body), ["a 1", "c 1", "b 4"]);
        assert_eq!(hub.stats().lagged, 0);
        // What is lost from the old one before, and from the new one after it, is.
        body.handle().move_to(["d"]);
        publish(&hub, &["d 1", "d 2", "d 3"]);
        let (data, ended) = read(&mut body, Waker::noop());
        assert_eq!(hub.stats().lagged, 1);
        match lag {
            LagPolicy::Oldest => assert_eq!(data, ["gap", "d 2", "d 3"]),
            LagPolicy::Newest => assert_eq!(data, ["gap"]),
            _ => assert!(data.is_empty() && ended),
        }
        let mut body = on(&hub, "a");
        publish(&hub, &["a 1", "a 2", "a 3"]);
        body.handle().follow("e");
        publish(&hub, &["e 1", "a 4"]);
        let (data, ended) = read(&mut body, Waker::noop());
        assert_eq!(hub.stats().lagged, 2);
        match lag {
            LagPolicy::Oldest => assert_eq!(data, ["gap", "a 3", "e 1", "a 4"]),
            // At the newest event, of whatever topics.
            LagPolicy::Newest => assert_eq!(data, ["gap"]),
            _ => assert!(data.is_empty() && ended),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_waits_for_the_topics_that_it_has_then() {
    let hub = hub();
    let poll = |hub: &Hub| {
        let body = hub.subscriber().topic("a").subscribe().unwrap();
        let handle = body.handle();
        let poll = body.long_poll(Duration::from_secs(25));
        (handle, tokio::spawn(poll.collect()))
    };
    let (handle, waiting) = poll(&hub);
    tokio::task::yield_now().await;
    handle.move_to(["b"]);
    publish(&hub, &["a 1", "a 2"]);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!waiting.is_finished());
    publish(&hub, &["b 1"]);
    let text = waiting.await.unwrap().unwrap().to_bytes();
    assert!(text.ends_with(b"id: 10-3\ndata: b 1\n\n"));
    // What is pending ends it, on both sides of a move.
    let (handle, waiting) = poll(&hub);
    publish(&hub, &["a 3"]);
    handle.move_to(["b"]);
    publish(&hub, &["a 4", "b 2"]);
    let text = waiting.await.unwrap().unwrap().to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("a 3") && !text.contains("a 4"), "{text}");
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn a_filter_may_move_its_own_subscription() {
    let hub = hub();
    let handle = Arc::new(std::sync::Mutex::new(None::<Handle>));
    let mine = Arc::clone(&handle);
    let filtered = hub.subscriber().topic("a").filter(move |delivery| {
        if delivery.data().ends_with("next") {
            let handle = mine.lock().unwrap().clone().unwrap();
            assert!(handle.leave("a") && handle.follow("b"));
        }
        !delivery.data().ends_with("hidden")
    });
    let mut body = filtered.subscribe().unwrap();
    *handle.lock().unwrap() = Some(body.handle());
    publish(&hub, &["a hidden", "a next", "a 1", "b 0"]);
    assert_eq!(rest(&mut body), ["a next", "a 1"]);
    publish(&hub, &["a 2", "b 1", "b hidden"]);
    assert_eq!(rest(&mut body), ["b 1"]);
}

#[test]
fn a_publisher_waits_for_those_that_move() {
    let hub = hub();
    let mut body = on(&hub, "a");
    publish(&hub, &["a 1"]);
    body.handle().move_to(["b"]);
    assert_eq!(hub.caught_up(0).now_or_never(), None);
    let mut waiting = Box::pin(hub.caught_up(0));
    let count = Arc::<Count>::default();
    let task = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&task);
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert_eq!(rest(&mut body), ["a 1"]);
    assert_eq!(count.take(), 1);
    assert!(waiting.as_mut().poll(&mut cx).is_ready());
    // It has all of the old topic, and nothing of the new one yet.
    body.handle().move_to(["c"]);
    assert!(hub.caught_up(0).now_or_never().is_some());
    publish(&hub, &["b 1"]);
    assert!(hub.caught_up(0).now_or_never().is_some());
    publish(&hub, &["c 1"]);
    let mut waiting = Box::pin(hub.caught_up(0));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    body.handle().move_to(["d"]);
    publish(&hub, &["e 1"]);
    drop(body);
    assert_eq!(count.take(), 1);
    assert!(waiting.as_mut().poll(&mut cx).is_ready());
}

#[tokio::test(start_paused = true)]
async fn ends_are_where_they_were() {
    // By the owner, the handle, a close, a close of all one by one, and at an instant.
    for way in 0..5 {
        let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
        let at = (tokio::time::Instant::now() + Duration::from_secs(5)).into_std();
        tokio::spawn(hub.keep_time());
        let owned = hub.subscriber().topic("a").owner("anna");
        let mut body = if way == 4 { owned.end_at(at) } else { owned }
            .subscribe()
            .unwrap();
        assert!(rest(&mut body).is_empty());
        publish(&hub, &["a 1"]);
        assert_eq!(hub.owner("anna").follow("b"), 1);
        publish(&hub, &["b 1"]);
        assert_eq!(hub.owner("anna").move_to(["c"]), 1);
        publish(&hub, &["c 1"]);
        match way {
            0 => assert_eq!(hub.owner("anna").end(), 1),
            1 => assert!(body.handle().end()),
            2 => hub.close(),
            3 => hub.close_over(Duration::from_secs(1)).await,
            _ => tokio::time::sleep(Duration::from_secs(6)).await,
        }
        if way < 4 {
            // It is too late for that.
            let steered = [body.handle().follow("d"), body.handle().end()];
            assert_eq!(steered, [false, false]);
            if way < 2 {
                assert_eq!(hub.owner("anna").follow("d"), 0);
            }
        }
        publish(&hub, &["b 2", "c 2"]);
        let expected: &[&str] = match way {
            0 | 1 => &["a 1", "b 1", "c 1"],
            2 | 3 => &["a 1", "b 1", "c 1", "bye"],
            _ => &[],
        };
        let (data, ended) = read(&mut body, Waker::noop());
        assert!(ended, "{way}");
        assert_eq!(data, expected, "{way}");
        assert_eq!(hub.stats().subscribers, 0);
        assert_eq!(hub.drain().now_or_never(), Some(0));
    }
}

/// A client that does not read holds a limited number of moves.
#[test]
fn too_many_moves_end_a_subscription_that_does_not_read() {
    let hub = hub();
    let mut watch = hub.watch();
    let mut body = hub
        .subscriber()
        .topic("a")
        .owner("anna")
        .subscribe()
        .unwrap();
    let handle = body.handle();
    let mut expected = Vec::new();
    for n in 1..=70 {
        for topic in ["a", "b"] {
            hub.topic(topic).publish(Event::new(format!("{topic} {n}")));
        }
        // Without an event in between they are one.
        let moved = (0..5).all(|_| handle.move_to(["c"]) && handle.move_to([["a", "b"][n % 2]]));
        assert_eq!(moved, n <= 64, "{n}");
        if n <= 65 {
            expected.push(format!("{} {n}", ["b", "a"][n % 2]));
        }
    }
    assert_eq!(hub.owner("anna").subscriptions(), 0);
    assert_eq!(read(&mut body, Waker::noop()), (expected, true));
    drop(body);
    let mut reasons = std::iter::from_fn(|| watch.next().now_or_never().flatten());
    assert_eq!(
        reasons.by_ref().last().unwrap().unwrap().reason(),
        Some(Reason::Lagged)
    );
    // One that reads has no such end.
    let mut body = on(&hub, "a");
    for n in 0..1_000 {
        assert!(body.handle().move_to([["b", "a"][n % 2]]));
        publish(&hub, &["a", "b"]);
        assert_eq!(rest(&mut body).len(), 1);
    }
}

#[test]
fn nothing_is_left_of_those_that_go_with_moves_before_them() {
    let hub = Hub::builder().retain_events(1).retain_bytes(1).build();
    hub.publish(Event::new("retained"));
    let before = hub.stats().topics;
    for stop in 0..5 {
        let mut body = hub
            .subscriber()
            .topic("a")
            .prefix("p/")
            .subscribe()
            .unwrap();
        let handle = body.handle();
        for n in 0..20 {
            match n % 4 {
                0 => handle.follow(format!("t{n}")),
                1 => handle.leave("p/1"),
                2 => handle.follow("p/1"),
                _ => handle.move_to(["a", "b"]),
            };
            hub.publish(Event::new("other"));
            if n == 4 * stop {
                rest(&mut body);
            }
        }
        assert!(hub.stats().topics > before);
        drop(body);
        assert_eq!(hub.stats().topics, before);
    }
}

#[test]
fn an_owner_moves_all_of_its_subscriptions() {
    let hub = hub();
    let come = |owner: &str, topic: &str| {
        let subscriber = hub.subscriber().topic(topic).owner(owner);
        subscriber.subscribe().unwrap()
    };
    let mut annas: Vec<_> = (0..1_000)
        .map(|n| come("anna", &format!("{}", n % 7)))
        .collect();
    let mut ben = come("ben", "0");
    assert_eq!(hub.owner("anna").follow("x"), 1_000);
    assert_eq!(hub.owner("anna").follow("x"), 1_000);
    publish(&hub, &["x 1", "0 1"]);
    for (n, anna) in annas.iter_mut().enumerate() {
        assert_eq!(rest(anna).len(), if n % 7 == 0 { 2 } else { 1 });
    }
    assert_eq!(rest(&mut ben), ["0 1"]);
    annas.truncate(500);
    assert_eq!(hub.owner("anna").leave("0"), 500);
    assert_eq!(hub.owner("anna").move_to(["y"]), 500);
    assert_eq!(hub.owner("nobody").move_to(["y"]), 0);
    publish(&hub, &["x 2", "0 2", "y 2"]);
    assert!(annas.iter_mut().all(|anna| rest(anna) == ["y 2"]));
    assert_eq!(rest(&mut ben), ["0 2"]);
}

/// Each of an owner's is moved, whatever else comes and goes.
#[test]
fn an_owner_moves_all_while_others_come_and_go() {
    let hub = hub();
    let come = || {
        hub.subscriber()
            .topic("a")
            .owner("anna")
            .subscribe()
            .unwrap()
    };
    for _ in 0..20 {
        let mut kept: Vec<_> = (0..300).map(|_| come()).collect();
        let mut others: Vec<_> = (0..300).map(|_| come()).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                while let Some(body) = others.pop() {
                    drop(body);
                    drop(come());
                }
            });
            assert!(hub.owner("anna").move_to(["b"]) >= 300);
        });
        publish(&hub, &["a", "b"]);
        assert!(kept.iter_mut().all(|body| rest(body) == ["b"]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_client_keeps_its_place_wherever_it_is_moved() {
    let hub = Hub::builder().epoch(36).retain_events(5).build();
    let body = hub.subscriber().topic("a").subscribe().unwrap();
    let handle = body.handle();
    let mut body = Box::pin(body.keep_alive(KeepAlive::default()));
    let mut last = String::new();
    for round in 0..20 {
        match round % 3 {
            0 => handle.move_to(["a"]),
            1 => handle.move_to::<&str>([]),
            _ => handle.follow("b"),
        };
        (0..30).for_each(|_| publish(&hub, &["other"]));
        // Whatever comes within a minute.
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        while let Ok(frame) = tokio::time::timeout_at(end, body.frame()).await {
            let data = frame.unwrap().unwrap().into_data().unwrap();
            let text = std::str::from_utf8(&data).unwrap();
            if let Some(id) = text.lines().find_map(|line| line.strip_prefix("id: ")) {
                id.clone_into(&mut last);
            }
        }
        assert_eq!(last, hub.last_event_id().as_str());
        let id = tower_sse::EventId::try_from(last.as_str()).unwrap();
        let again = hub.subscriber().topic("other").after(id).subscribe();
        assert_eq!(again.unwrap().outcome(), Outcome::Resumed(0));
    }
}

#[test]
fn followers_are_counted_and_told_by_the_call() {
    let hub = hub();
    let mut watch = hub.watch();
    let subscriber = hub.subscriber().topics(["a", "b"]).prefix("p/");
    let mut body = subscriber.owner("anna").subscribe().unwrap();
    let handle = body.handle();
    publish(&hub, &["a 1"]);
    handle.follow("c");
    publish(&hub, &["a 2"]);
    handle.leave("a");
    handle.leave("p/1");
    handle.follow("p/2");
    let mut changes = || {
        let ready = std::iter::from_fn(|| watch.next().now_or_never().flatten());
        let told = ready.map(|change| {
            let change = change.unwrap();
            assert_eq!(change.owner(), Some("anna"));
            (
                change.topic().to_owned(),
                change.reason(),
                change.followers(),
            )
        });
        told.collect::<Vec<_>>()
    };
    let change = |topic: &str, reason, followers| (topic.to_owned(), reason, followers);
    let moved = Some(Reason::Moved);
    let arrivals = ["a", "b", "c"].map(|topic| change(topic, None, 1));
    let expected = [&arrivals[..], &[change("a", moved, 0)]].concat();
    assert_eq!(changes(), expected);
    let followers = |topic: &str| {
        let stats = hub.topic(topic).stats();
        (stats.followers, stats.prefix_followers)
    };
    assert_eq!(["a", "b", "c"].map(followers), [(0, 0), (1, 0), (1, 0)]);
    publish(&hub, &["p/1", "p/2", "c 1"]);
    let by_prefix = ["p/1", "p/2"].map(followers);
    assert_eq!(by_prefix, [(0, 0), (0, 1)]);
    assert_eq!(
        ["a", "c", "p/2"].map(|topic| hub.topic(topic).stats().lag),
        [0, 1, 1]
    );
    assert_eq!(rest(&mut body), ["a 1", "a 2", "p/2", "c 1"]);
    assert_eq!(["a", "b", "c"].map(followers), [(0, 0), (1, 0), (1, 0)]);
    assert_eq!(
        ["a", "c", "p/2"].map(|topic| hub.topic(topic).stats().lag),
        [0, 0, 0]
    );
    publish(&hub, &["c 2"]);
    handle.move_to(["d"]);
    assert_eq!(
        changes(),
        [
            change("b", moved, 0),
            change("c", moved, 0),
            change("d", None, 1)
        ]
    );
    drop(body);
    assert_eq!(changes(), [change("d", Some(Reason::Left), 0)]);
}

#[test]
fn it_lasts_from_when_a_topic_was_followed() {
    let hub = hub();
    let mut watch = hub.watch();
    let body = on(&hub, "a");
    thread::sleep(Duration::from_millis(50));
    body.handle().follow("b");
    drop(body);
    let changes = std::iter::from_fn(|| watch.next().now_or_never().flatten());
    let lasted: Vec<_> = changes
        .filter_map(|change| change.unwrap().lasted())
        .collect();
    assert!(
        lasted[0] >= Duration::from_millis(50) && lasted[1] < lasted[0],
        "{lasted:?}"
    );
}

#[test]
fn a_handle_keeps_nothing_alive() {
    let hub = hub();
    let mut body = on(&hub, "");
    let handles = [body.handle(), body.handle().clone()];
    assert!(handles.iter().all(|handle| !handle.is_gone()));
    drop(hub);
    assert!(read(&mut body, Waker::noop()).1, "the last hub has gone");
    assert!(handles.iter().all(Handle::is_gone));
    assert!(body.handle().is_gone() && !body.handle().follow("a"));
    drop(body);
    assert!(
        handles
            .iter()
            .all(|handle| handle.is_gone() && !handle.leave(""))
    );
    // Another has its place.
    let hub = Hub::new();
    let old = on(&hub, "a").handle();
    let mut new = on(&hub, "a");
    assert!(old.is_gone() && !old.end() && !old.leave("a"));
    publish(&hub, &["a 1"]);
    assert_eq!(rest(&mut new), ["a 1"]);
    assert!(!new.handle().is_gone() && old.is_gone());
}

#[test]
fn lingering_news_reach_those_that_come_to_them() {
    let hub = hub();
    let mut linger = Box::pin(hub.linger_with_timer(Duration::from_secs(9), after));
    let count = Arc::<Count>::default();
    let task = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&task);
    let mut body = on(&hub, "a");
    read(&mut body, &task);
    assert!(linger.as_mut().poll(&mut cx).is_pending());
    body.handle().move_to(["b"]);
    assert_eq!(count.take(), 1);
    publish(&hub, &["b 1"]);
    assert_eq!(read(&mut body, &task).0, ["b 1"]);
    publish(&hub, &["b 2"]);
    count.take();
    drop(linger);
    assert_eq!(count.take(), 1);
    assert_eq!(read(&mut body, &task).0, ["b 2"]);
}

/// How long it takes to move one subscriber back and forth among others, of which none is woken.
fn moving_among(others: usize) -> Duration {
    let hub = hub();
    let count = Arc::<Count>::default();
    let task = Waker::from(Arc::clone(&count));
    let mut others: Vec<_> = (0..others).map(|_| on(&hub, "hall")).collect();
    others.iter_mut().for_each(|body| _ = read(body, &task));
    let mut body = on(&hub, "hall");
    let handle = body.handle();
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        for n in 0..1_000 {
            assert!(if n % 2 == 0 {
                handle.follow("game")
            } else {
                handle.leave("game")
            });
            assert!(rest(&mut body).is_empty());
        }
        quickest = quickest.min(start.elapsed());
    }
    assert_eq!(count.take(), 0);
    publish(&hub, &["hall"]);
    assert_eq!(count.take(), others.len());
    quickest
}

#[test]
fn a_move_costs_the_same_among_few_and_among_many() {
    let mut times = Vec::new();
    // Another process may take the cores during one of the two.
    let is_flat = (0..3).any(|_| {
        let (few, many) = (moving_among(10), moving_among(100_000));
        times.push((few, many));
        many < 3 * few
    });
    assert!(is_flat, "{times:?}");
}

/// What moves there and back cost at first, and after a hundred thousand of them.
fn first_and_last() -> (Duration, Duration) {
    let hub = hub();
    let mut bodies: Vec<_> = (0..10).map(|_| on(&hub, "a")).collect();
    let handles: Vec<_> = bodies.iter().map(Subscription::handle).collect();
    let mut times = Vec::new();
    for round in 0..10_000 {
        let start = Instant::now();
        for (at, handle) in handles.iter().enumerate() {
            // Every third does not read for a while.
            handle.move_to([["a", "b", "c"][(round + at) % 3]]);
        }
        publish(&hub, &["a", "b", "c"]);
        for (at, body) in bodies.iter_mut().enumerate() {
            if at % 3 > 0 || round % 50 == 49 {
                let events = if at % 3 > 0 { 1 } else { 50 };
                assert_eq!(rest(body).len(), events);
            }
        }
        times.push(start.elapsed());
    }
    let median = |times: &mut [Duration]| *times.select_nth_unstable(1_000).1;
    let (first, last) = (median(&mut times[..2_000]), median(&mut times[8_000..]));
    assert_eq!(hub.stats().topics, 3);
    (first, last)
}

#[test]
fn moves_cost_the_same_again_and_again() {
    let mut times = Vec::new();
    // Another process may take the cores later on.
    let is_flat = (0..3).any(|_| {
        let (first, last) = first_and_last();
        times.push((first, last));
        last < 3 * first
    });
    assert!(is_flat, "{times:?}");
}
