//! What a watch tells of followers that come and leave.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use tower_sse::Event;
use tower_sse::hub::{Change, Hub, LagPolicy, Reason, Subscription, Watch};

use crate::support::blocking::block_on;
use crate::support::rng::Rng;

/// What is there; `None` in it where something was missed.
fn drain(watch: &mut Watch) -> Vec<Option<Change>> {
    let ready = std::iter::from_fn(|| watch.next().now_or_never().flatten());
    ready.map(Result::ok).collect()
}

fn reasons(watch: &mut Watch) -> Vec<Option<Reason>> {
    let changes = drain(watch).into_iter();
    changes.map(|change| change.unwrap().reason()).collect()
}

fn poll_to_end(mut body: Subscription) -> Subscription {
    while let Some(Some(frame)) = body.frame().now_or_never() {
        frame.unwrap();
    }
    body
}

#[tokio::test(start_paused = true)]
async fn each_reason_is_told() {
    let hub = Hub::builder().lag(LagPolicy::End).retain_events(2).build();
    let mut watch = hub.watch();
    tokio::spawn(hub.keep_time());
    let come = || hub.subscriber().owner("anna");

    drop(come().subscribe().unwrap());
    assert_eq!(reasons(&mut watch), [None, Some(Reason::Left)]);

    let lagging = come().subscribe().unwrap();
    let in_events = come().subscribe().unwrap().into_stream();
    (0..5).for_each(|_| _ = hub.publish(Event::new("x")));
    let ended = poll_to_end(lagging);
    assert_eq!(in_events.count().await, 1);
    assert_eq!(
        reasons(&mut watch),
        [None, None, Some(Reason::Lagged), Some(Reason::Lagged)]
    );
    // Once only.
    drop(ended);
    assert_eq!(reasons(&mut watch), []);

    let kicked = come().subscribe().unwrap();
    let unpolled = come().subscribe().unwrap();
    hub.owner("anna").end();
    assert_eq!(reasons(&mut watch), [None, None]);
    drop(poll_to_end(kicked));
    drop(unpolled);
    assert_eq!(
        reasons(&mut watch),
        [Some(Reason::Ended), Some(Reason::Left)]
    );

    let at = (tokio::time::Instant::now() + Duration::from_secs(9)).into_std();
    come()
        .end_at(at)
        .subscribe()
        .unwrap()
        .collect()
        .await
        .unwrap();
    let late = come()
        .end_at(std::time::Instant::now())
        .subscribe()
        .unwrap();
    late.collect().await.unwrap();
    assert_eq!(
        reasons(&mut watch),
        [None, Some(Reason::Expired), None, Some(Reason::Expired)]
    );

    let poll = come()
        .subscribe()
        .unwrap()
        .long_poll(Duration::from_secs(25));
    hub.publish(Event::new("x"));
    poll.collect().await.unwrap();
    let unserved = come()
        .subscribe()
        .unwrap()
        .long_poll(Duration::from_secs(25));
    unserved.collect().await.unwrap();
    let told = reasons(&mut watch);
    assert_eq!(told, [None, Some(Reason::Served), None, Some(Reason::Left)]);

    let closed = come().subscribe().unwrap();
    let stream = come().subscribe().unwrap().into_stream();
    hub.close();
    drop(poll_to_end(closed));
    assert_eq!(stream.count().await, 0);
    assert_eq!(
        reasons(&mut watch),
        [None, None, Some(Reason::Closed), Some(Reason::Closed)]
    );
    assert!(watch.next().await.is_none() && watch.next().await.is_none());
}

#[test]
fn it_is_known_how_long_one_was_there_that_was_seen_coming() {
    let hub = Hub::new();
    let before = hub.subscriber().topic("a").topic("b").subscribe().unwrap();
    let mut watch = hub.watch();
    let after = hub.subscriber().topic("a").owner("x").subscribe().unwrap();
    thread::sleep(Duration::from_millis(3));
    drop((before, after));
    let lasted: Vec<_> = drain(&mut watch)
        .into_iter()
        .map(|change| change.unwrap().lasted())
        .collect();
    assert_eq!(lasted[..3], [None, None, None]);
    let lasted = lasted[3].unwrap();
    assert!((3..60_000).contains(&lasted.as_millis()), "{lasted:?}");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_last_task_is_woken_once_and_none_is_kept() {
    let hub = Hub::new();
    let counts: [Arc<Count>; 2] = Default::default();
    let tasks = counts.clone().map(Waker::from);
    let mut watch = hub.topic("a").watch();
    let mut poll = |task: &Waker| {
        let mut cx = Context::from_waker(task);
        Pin::new(&mut watch).poll_next(&mut cx).is_ready()
    };
    assert!(!poll(&tasks[0]) && !poll(&tasks[1]));
    let bodies = [(); 3].map(|()| hub.subscriber().topic("a").subscribe().unwrap());
    let _other = hub.subscriber().topic("b").prefix("a").subscribe().unwrap();
    let woken = || {
        counts
            .each_ref()
            .map(|count| count.0.load(Ordering::SeqCst))
    };
    assert_eq!(woken(), [0, 1]);
    assert!(poll(&tasks[0]) && poll(&tasks[0]) && poll(&tasks[0]) && !poll(&tasks[0]));
    drop(bodies);
    assert_eq!(woken(), [1, 1]);
    drop(_other);
    assert!(poll(&tasks[0]) && poll(&tasks[0]) && poll(&tasks[0]) && !poll(&tasks[1]));
    hub.close();
    assert_eq!(woken(), [1, 2]);
    drop(watch);
    assert!(counts.iter().all(|count| Arc::strong_count(count) == 2));
}

#[test]
fn what_waits_is_bounded_and_a_loss_is_told_once() {
    let hub = Hub::new();
    let (mut all, mut one) = (hub.watch(), hub.topic("a").watch());
    for round in 0..3 {
        let come = |n: usize| {
            let subscriber = hub.subscriber().topic("a").owner(format!("{n}"));
            drop(subscriber.subscribe().unwrap());
        };
        (0..100).for_each(come);
        // What has been taken out comes first.
        let first = all.next().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(first.owner(), Some("0"));
        (0..20_000).for_each(come);
        if round == 1 {
            drop(one);
            one = hub.topic("a").watch();
            come(0);
        }
        for (watch, taken) in [(&mut all, 199), (&mut one, 0)] {
            let changes = drain(watch);
            let missed = changes.iter().filter(|change| change.is_none()).count();
            if round == 1 && taken == 0 {
                assert_eq!((changes.len(), missed), (2, 0));
                continue;
            }
            assert_eq!(changes.len(), taken + 1 + 16 * 1024);
            assert_eq!(missed, 1);
            assert!(changes[taken].is_none());
            let newest = changes.last().unwrap().as_ref().unwrap();
            assert!(newest.is_last());
        }
    }
    (0..10_000).for_each(|_| drop(hub.subscribe().unwrap()));
    let missed = all.next().now_or_never().unwrap().unwrap().unwrap_err();
    assert_eq!(missed.to_string(), "changes were missed");
}

/// Topic, owner, followers, whether it came.
type Told = (String, Option<String>, usize, bool);

fn told(change: &Change) -> Told {
    let owner = change.owner().map(str::to_owned);
    let arrival = change.is_arrival();
    assert_eq!(change.is_first(), arrival && change.followers() == 1);
    assert_eq!(change.is_last(), !arrival && change.followers() == 0);
    (
        change.topic().to_owned(),
        owner,
        change.followers(),
        arrival,
    )
}

/// Against a list of who is there, and a list of what each watch is to tell.
#[test]
fn a_watch_tells_what_a_list_does() {
    const TOPICS: [&str; 5] = ["", "a", "a/1", "b", "c"];
    let seeds = std::env::var("SEEDS").map_or(80, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let mut rng = Rng::new(seed);
        let hub = Hub::builder().retain_events(5).build();
        let mut there: Vec<(Vec<&str>, Option<String>, Subscription)> = Vec::new();
        let mut watches: Vec<(Option<&str>, Watch, Vec<Told>)> = Vec::new();
        for _ in 0..200 {
            let mut changed: Vec<Told> = Vec::new();
            match rng.below(10) {
                0 => {
                    let topic = (!rng.one_in(3)).then(|| *rng.pick(&TOPICS));
                    let watch = match topic {
                        Some(topic) => hub.topic(topic).watch(),
                        None => hub.watch(),
                    };
                    watches.push((topic, watch, Vec::new()));
                }
                1 if !watches.is_empty() => {
                    drop(watches.swap_remove(rng.below(watches.len())));
                }
                2..=4 => {
                    let mut subscriber = hub.subscriber().topics::<&str>([]);
                    let mut topics: Vec<_> = TOPICS.into_iter().filter(|_| rng.one_in(3)).collect();
                    for topic in &topics {
                        subscriber = subscriber.topic(*topic).topic(*topic);
                    }
                    if rng.one_in(4) {
                        // What a prefix covers is not followed by name.
                        subscriber = subscriber.prefix("a");
                        topics.retain(|topic| !topic.starts_with('a'));
                    }
                    let owner = rng.one_in(2).then(|| rng.below(3).to_string());
                    if let Some(owner) = &owner {
                        subscriber = subscriber.owner(&**owner);
                    }
                    let body = subscriber.subscribe().unwrap();
                    there.push((topics, owner, body));
                    let (topics, owner, _) = there.last().unwrap();
                    for topic in topics {
                        let count = there.iter().filter(|one| one.0.contains(topic)).count();
                        changed.push(((*topic).to_owned(), owner.clone(), count, true));
                    }
                }
                5 | 6 if !there.is_empty() => {
                    let (topics, owner, body) = there.swap_remove(rng.below(there.len()));
                    drop(body);
                    for topic in topics {
                        let count = there.iter().filter(|one| one.0.contains(&topic)).count();
                        changed.push((topic.to_owned(), owner.clone(), count, false));
                    }
                }
                7 => {
                    // Topics come and go with what is published.
                    hub.topic(TOPICS[rng.below(5)]).publish(Event::new("x"));
                }
                _ if !watches.is_empty() => {
                    let at = rng.below(watches.len());
                    let (_, watch, expected) = &mut watches[at];
                    let take = 1 + rng.below(10);
                    for _ in 0..take.min(expected.len()) {
                        let change = watch.next().now_or_never().unwrap().unwrap().unwrap();
                        assert_eq!(told(&change), expected.remove(0), "seed {seed}");
                    }
                    if expected.is_empty() {
                        assert!(watch.next().now_or_never().is_none());
                    }
                }
                _ => {}
            }
            // One subscriber's topics are told in any order.
            for (topic, watch, expected) in &mut watches {
                let mut new: Vec<_> = changed
                    .iter()
                    .filter(|change| topic.is_none_or(|topic| topic == change.0))
                    .cloned()
                    .collect();
                if new.len() > 1 {
                    let mut got: Vec<_> = drain(watch)
                        .iter()
                        .map(|change| told(change.as_ref().unwrap()))
                        .collect();
                    let last = got.len() - new.len();
                    assert_eq!(got[..last], expected[..], "seed {seed}");
                    got.drain(..last);
                    got.sort();
                    new.sort();
                    assert_eq!(got, new, "seed {seed}");
                    expected.clear();
                } else {
                    expected.append(&mut new);
                }
            }
        }
        hub.close();
        there.clear();
        for (_, mut watch, _) in watches {
            drain(&mut watch);
            let mut cx = Context::from_waker(Waker::noop());
            assert!(matches!(
                Pin::new(&mut watch).poll_next(&mut cx),
                Poll::Ready(None)
            ));
        }
    }
}

/// A watch on a thread of its own sees each come and leave, and then the end.
#[test]
fn nothing_is_missed_by_a_task_that_waits() {
    const EACH: usize = 2_000;
    let hub = Hub::new();
    let mut watch = hub.watch();
    let watching = thread::spawn(move || {
        block_on(async {
            let (mut there, mut arrivals) = (0_usize, 0_usize);
            while let Some(change) = watch.next().await {
                let change = change.unwrap();
                if change.is_arrival() {
                    (there, arrivals) = (there + 1, arrivals + 1);
                } else {
                    there -= 1;
                }
                assert_eq!(change.followers(), there);
            }
            (there, arrivals)
        })
    });
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..EACH {
                    drop(hub.subscribe().unwrap());
                    if n % 16 == 0 {
                        thread::sleep(Duration::from_micros(100));
                    }
                }
            });
        }
    });
    drop(hub);
    assert_eq!(watching.join().unwrap(), (0, 2 * EACH));
}
