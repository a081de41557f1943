//! Subscriptions that belong to a user: counted, capped and ended together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http::{Method, Request};
use http_body::Body;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubService, LagPolicy, Refused, Subscription};

use crate::by_hand::{Count, drain, hub, read};
use crate::support::blocking::block_on;
use crate::support::rng::Rng;

fn owned(hub: &Hub, owner: &str) -> Result<Subscription, Refused> {
    hub.subscriber().owner(owner).subscribe()
}

#[test]
fn an_end_wakes_the_owners_tasks_alone() {
    let hub = hub();
    let names = ["anna", "ben", "anna", ""];
    let mut bodies = names.map(|name| owned(&hub, name).unwrap());
    let counts: [Arc<Count>; 4] = Default::default();
    let tasks = counts.clone().map(Waker::from);
    for (body, task) in bodies.iter_mut().zip(&tasks) {
        assert!(!read(body, task).1);
    }
    assert_eq!(hub.owner("anna").end(), 2);
    assert_eq!(hub.owner("anna").end(), 0);
    assert_eq!(hub.owner("nobody").end(), 0);
    assert_eq!(counts.each_ref().map(|count| count.woken()), [1, 0, 1, 0]);
    // At once, although nothing was published since it waits.
    assert_eq!(read(&mut bodies[0], &tasks[0]), (String::new(), true));
    // Published for the others.
    hub.publish(Event::new("x"));
    assert_eq!(counts.each_ref().map(|count| count.woken()), [1, 1, 1, 1]);
    for (at, (body, task)) in bodies.iter_mut().zip(&tasks).enumerate() {
        let (text, ended) = read(body, task);
        assert_eq!((text.is_empty(), ended), (at % 2 == 0, at % 2 == 0));
    }
    // They still wait, and are still woken.
    assert_eq!(hub.owner("").end(), 1);
    hub.publish(Event::new("y"));
    assert_eq!(counts.each_ref().map(|count| count.woken()), [1, 2, 1, 2]);
    let ends = bodies.each_mut().map(|body| drain(body).1);
    assert_eq!(ends, [true, false, true, true]);
    assert_eq!(hub.stats().subscribers, 1);
}

#[test]
fn what_is_pending_goes_out_before_the_end() {
    let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
    let mut body = owned(&hub, "anna").unwrap();
    for n in 0..3_000 {
        hub.publish(Event::new(format!("{n:0100}")));
    }
    hub.publish_transient(Event::new("at last"));
    assert_eq!(hub.owner("anna").end(), 1);
    (0..10).for_each(|_| _ = hub.publish(Event::new("late")));
    hub.publish_transient(Event::new("late"));
    let (text, ended) = drain(&mut body);
    assert!(ended && text.ends_with("at last\n\n") && !text.contains("late"));
    assert_eq!(text.matches("data: ").count(), 3_001);
}

#[test]
fn it_may_end_before_it_was_ever_polled() {
    let hub = hub();
    let mut body = owned(&hub, "anna").unwrap();
    let mut stream = owned(&hub, "anna").unwrap().into_stream();
    hub.publish(Event::new("x"));
    assert_eq!(hub.owner("anna").end(), 2);
    hub.publish(Event::new("late"));
    assert_eq!(drain(&mut body).0, "id: 10-0\n\nid: 10-1\ndata: x\n\n");
    assert!(body.is_end_stream());
    assert_eq!(
        stream
            .next()
            .now_or_never()
            .unwrap()
            .unwrap()
            .unwrap()
            .data(),
        "x"
    );
    assert!(stream.next().now_or_never().unwrap().is_none());
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn a_filtered_one_ends_whatever_is_let_through() {
    let hub = hub();
    let nothing = hub.subscriber().owner("anna").filter(|_| false);
    let mut nothing = nothing.subscribe().unwrap();
    let all = hub.subscriber().owner("anna").filter(|_| true);
    let mut all = all.subscribe().unwrap();
    let count = Arc::new(Count::default());
    let task = Waker::from(Arc::clone(&count));
    assert!(!read(&mut nothing, &task).1 && !read(&mut all, &task).1);
    hub.owner("anna").end();
    assert_eq!(count.woken(), 2);
    hub.publish(Event::new("late"));
    assert_eq!(read(&mut nothing, &task), (String::new(), true));
    assert_eq!(read(&mut all, &task), (String::new(), true));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_at_once() {
    let hub = hub();
    let long = |hub: &Hub| {
        let subscription = owned(hub, "anna").unwrap();
        subscription.long_poll(Duration::from_secs(25))
    };
    let start = tokio::time::Instant::now();
    let waiting = tokio::spawn(long(&hub).collect());
    tokio::task::yield_now().await;
    hub.owner("anna").end();
    let bytes = waiting.await.unwrap().unwrap().to_bytes();
    assert_eq!(bytes, ":\nretry: 100\nid: 10-0\n\n");

    // Ended before it becomes one, and with something pending.
    let early = owned(&hub, "anna").unwrap();
    hub.publish(Event::new("x"));
    hub.owner("anna").end();
    hub.publish(Event::new("late"));
    let early = early.long_poll(Duration::from_secs(25));
    let bytes = early.collect().await.unwrap().to_bytes();
    assert!(bytes.ends_with(b"id: 10-1\ndata: x\n\n"), "{bytes:?}");

    // One that has something to send ends there anyway.
    let mut served = Box::pin(long(&hub));
    hub.publish(Event::new("y"));
    loop {
        let frame = served.frame().await.unwrap().unwrap();
        if frame.into_data().unwrap().ends_with(b"data: y\n\n") {
            break;
        }
    }
    hub.publish(Event::new("late"));
    hub.owner("anna").end();
    assert!(served.frame().await.is_none());
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(hub.stats().subscribers, 0);
}

#[tokio::test(start_paused = true)]
async fn an_end_does_not_wait_for_a_linger() {
    let hub = hub();
    let linger = tokio::spawn(hub.linger(Duration::from_secs(60)));
    tokio::task::yield_now().await;
    let mut body = owned(&hub, "anna").unwrap();
    let count = Arc::new(Count::default());
    let task = Waker::from(Arc::clone(&count));
    assert!(!read(&mut body, &task).1);
    hub.publish(Event::new("x"));
    assert_eq!(count.woken(), 0);
    hub.owner("anna").end();
    assert_eq!(count.woken(), 1);
    assert_eq!(
        read(&mut body, &task),
        ("id: 10-1\ndata: x\n\n".into(), true)
    );
    linger.abort();
}

#[test]
fn a_subscriber_that_lags_ends_all_the_same() {
    for lag in [LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest] {
        for late in [0, 20] {
            let hub = Hub::builder().epoch(36).lag(lag).retain_events(4).build();
            let mut body = owned(&hub, "anna").unwrap();
            drain(&mut body);
            (0..10).for_each(|_| _ = hub.publish(Event::new("x")));
            assert_eq!(hub.owner("anna").end(), 1);
            (0..late).for_each(|_| _ = hub.publish(Event::new("late")));
            let (text, ended) = drain(&mut body);
            assert!(ended && !text.contains("late"), "{lag:?}: {text}");
            let gap = text.contains("event: gap");
            assert_eq!(gap, lag != LagPolicy::End, "{lag:?}: {text}");
        }
    }
}

#[test]
fn nothing_is_a_gap_that_lies_behind_the_end() {
    let hub = Hub::builder().epoch(36).retain_events(4).build();
    let mut body = owned(&hub, "anna").unwrap();
    drain(&mut body);
    hub.owner("anna").end();
    (0..10).for_each(|_| _ = hub.publish(Event::new("late")));
    assert_eq!(drain(&mut body), (String::new(), true));
    assert_eq!(hub.stats().lagged, 0);
}

#[test]
fn the_first_end_counts() {
    for end_first in [true, false] {
        let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
        let mut body = owned(&hub, "anna").unwrap();
        drain(&mut body);
        if end_first {
            assert_eq!(hub.owner("anna").end(), 1);
            hub.close();
        } else {
            hub.close();
            assert_eq!(hub.owner("anna").end(), 0);
        }
        assert_eq!(hub.owner("anna").subscriptions(), 0);
        let farewell = if end_first { "" } else { "data: bye\n\n" };
        assert_eq!(drain(&mut body), (farewell.to_owned(), true));
    }
}

#[tokio::test]
async fn a_cap_counts_what_has_not_ended() {
    let hub = Hub::builder().max_per_owner(2).max_subscribers(4).build();
    let service = HubService::new(hub.clone())
        .select(|request, subscriber| Ok(subscriber.owner(&request.uri.path()[1..])));
    let status = async |method: Method, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let retry = response.headers().contains_key("retry-after");
        (response.status().as_u16(), retry)
    };
    let _anna = [owned(&hub, "anna").unwrap(), owned(&hub, "anna").unwrap()];
    assert!(owned(&hub, "anna").unwrap_err().is_too_many());
    assert_eq!(status(Method::GET, "/anna").await, (429, true));
    assert_eq!(status(Method::HEAD, "/anna").await, (429, true));
    assert_eq!(status(Method::GET, "/ben").await, (200, false));
    assert_eq!(status(Method::HEAD, "/ben").await, (200, false));
    assert_eq!(hub.stats().refused, 2);
    // Nobody polls them, and yet there is room.
    assert_eq!(hub.owner("anna").end(), 2);
    let _more = [owned(&hub, "anna").unwrap(), owned(&hub, "anna").unwrap()];
    let refused = owned(&hub, "carl").unwrap_err();
    assert!(!refused.is_too_many() && !refused.is_closed(), "{refused}");
    assert_eq!(status(Method::HEAD, "/carl").await, (503, true));
    hub.close();
    assert!(owned(&hub, "anna").unwrap_err().is_closed());
}

#[test]
fn more_than_one_piece_is_ended_at_one_place() {
    let hub = hub();
    let mut bodies: Vec<_> = (0..5_000).map(|_| owned(&hub, "anna").unwrap()).collect();
    bodies.iter_mut().for_each(|body| _ = drain(body));
    thread::scope(|scope| {
        // Some leave and others come meanwhile.
        let leaving = bodies.split_off(2_500);
        let half = scope.spawn(|| leaving.into_iter().for_each(drop));
        let ended = hub.owner("anna").end();
        assert!((2_500..=5_000).contains(&ended), "{ended}");
        half.join().unwrap();
    });
    hub.publish(Event::new("late"));
    for body in &mut bodies {
        assert_eq!(drain(body), (String::new(), true));
    }
    assert_eq!(hub.stats().subscribers, 0);
}

/// Where a user's code runs, the hub may be used as anywhere: no lock is held.
#[test]
fn filters_and_tasks_may_end_owners() {
    struct Ends(Hub, &'static str);

    impl Wake for Ends {
        fn wake(self: Arc<Self>) {
            self.0.owner(self.1).end();
        }
    }

    let hub = hub();
    let of_filter = hub.clone();
    let filter = hub
        .subscriber()
        .owner("anna")
        .filter(move |delivery| delivery.data() != "2" || of_filter.owner("anna").end() == 1);
    let mut body = filter.subscribe().unwrap();
    drain(&mut body);
    (1..=3).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    let (text, ended) = drain(&mut body);
    assert!(ended && text.ends_with("data: 3\n\n"), "{text}");

    let mut woken = owned(&hub, "ben").unwrap();
    let mut other = owned(&hub, "carl").unwrap();
    let cx_of = |body: &mut Subscription, owner| {
        read(body, &Waker::from(Arc::new(Ends(hub.clone(), owner))));
    };
    cx_of(&mut woken, "carl");
    cx_of(&mut other, "ben");
    hub.owner("ben").end();
    assert!(drain(&mut woken).1 && drain(&mut other).1);
    assert_eq!(hub.stats().subscribers, 0);
}

/// Against a list of who is there.
#[test]
fn owners_are_what_a_list_says() {
    const NAMES: [&str; 4] = ["anna", "ben", "carl", ""];
    let seeds = std::env::var("SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let mut rng = Rng::new(seed);
        let cap = 1 + rng.below(6);
        let hub = Hub::builder().epoch(36).max_per_owner(cap).build();
        // Whose it is, what it is to get, and whether it has been ended.
        let mut there: Vec<(Option<&str>, Subscription, String, bool)> = Vec::new();
        for step in 0..300 {
            match rng.below(12) {
                0..=3 => {
                    let owner = (!rng.one_in(4)).then(|| *rng.pick(&NAMES));
                    let topic = *rng.pick(&["a", "b"]);
                    let mut subscriber = hub.subscriber().topic(topic).topic("all");
                    if let Some(owner) = owner {
                        subscriber = subscriber.owner(owner);
                    }
                    if rng.one_in(4) {
                        subscriber = subscriber.filter(|_| true);
                    }
                    let has = there.iter().filter(|one| !one.3 && one.0 == owner).count();
                    match subscriber.subscribe() {
                        Ok(mut body) => {
                            assert!(owner.is_none() || has < cap);
                            let place = hub.last_event_id();
                            let (text, _) = drain(&mut body);
                            assert_eq!(text, format!("id: {}\n\n", place.as_str()));
                            there.push((owner, body, String::new(), false));
                        }
                        Err(refused) => {
                            assert!(owner.is_some() && has == cap && refused.is_too_many());
                        }
                    }
                }
                4 if !there.is_empty() => {
                    drop(there.swap_remove(rng.below(there.len())));
                }
                5 | 6 => {
                    let name = *rng.pick(&NAMES);
                    let ending = there.iter_mut().filter(|one| !one.3 && one.0 == Some(name));
                    let mut ended = 0;
                    for one in ending {
                        one.3 = true;
                        ended += 1;
                    }
                    assert_eq!(hub.owner(name).end(), ended);
                }
                7 | 8 if !there.is_empty() => {
                    let at = rng.below(there.len());
                    let (_, body, expected, is_ended) = &mut there[at];
                    let (text, ended) = drain(body);
                    assert_eq!((&text, ended), (&*expected, *is_ended), "seed {seed}");
                    expected.clear();
                    if ended {
                        drop(there.swap_remove(at));
                    }
                }
                _ => {
                    let id = hub.topic("all").publish(Event::display(step).unwrap());
                    let block = format!("id: {}\ndata: {step}\n\n", id.as_str());
                    let open = there.iter_mut().filter(|one| !one.3);
                    open.for_each(|one| one.2.push_str(&block));
                }
            }
            let mut by_owner = BTreeMap::new();
            for (owner, ..) in there.iter().filter(|one| !one.3) {
                *by_owner.entry(*owner).or_insert(0) += 1;
            }
            for name in NAMES {
                let expected = by_owner.get(&Some(name)).copied().unwrap_or(0);
                assert_eq!(hub.owner(name).subscriptions(), expected, "seed {seed}");
            }
            assert_eq!(hub.stats().subscribers, there.len());
        }
    }
}

/// Tasks that wait on threads of their own, while owners are ended as they come: each ends, or the
/// test hangs.
#[test]
fn no_end_is_missed_by_a_task_that_waits() {
    const ROUNDS: usize = 300;
    let hub = hub();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let hub = &hub;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let owner = format!("{reader}");
                        let subscriber = hub.subscriber().owner(owner);
                        let body = if round % 3 == 0 {
                            subscriber.filter(|_| true).subscribe()
                        } else {
                            subscriber.subscribe()
                        };
                        block_on(body.unwrap().collect()).unwrap();
                    }
                })
            })
            .collect();
        while readers.iter().any(|reader| !reader.is_finished()) {
            for reader in 0..4 {
                hub.owner(&format!("{reader}")).end();
            }
            hub.publish(Event::new("x"));
            thread::yield_now();
        }
    });
    assert_eq!(hub.stats().subscribers, 0);
}
