//! What is told of one topic.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use http_body::Body;
use tower_sse::Event;
use tower_sse::hub::{Hub, Retention, Start, Subscription, TopicStats};

use crate::by_hand::{Count, drain};
use crate::support::rng::Rng;

fn read(body: &mut Subscription) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = Pin::new(&mut *body).poll_frame(&mut cx) {}
}

struct Follower {
    topics: Vec<&'static str>,
    prefix: Option<&'static str>,
    /// Has been handed what was published before this.
    read: usize,
    body: Subscription,
}

impl Follower {
    fn by_prefix(&self, topic: &str) -> bool {
        self.prefix.is_some_and(|prefix| topic.starts_with(prefix))
    }

    fn by_name(&self, topic: &str) -> bool {
        self.topics.contains(&topic) && !self.by_prefix(topic)
    }
}

/// Against a list of events and one of who has read how many of them.
#[test]
fn topics_are_what_a_list_says() {
    const TOPICS: [&str; 5] = ["", "a", "a/1", "b", "c"];
    let seeds = std::env::var("SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    let mut lags = 0;
    for seed in 0..seeds {
        let mut rng = Rng::new(seed);
        let retain = 1 + rng.below(30);
        let hub = Hub::builder().epoch(36).retain_events(retain).build();
        let mut events: Vec<(&str, usize)> = Vec::new();
        let mut there: Vec<Follower> = Vec::new();
        for _ in 0..150 {
            match rng.below(8) {
                0 | 1 => {
                    let topics: Vec<_> = TOPICS.into_iter().filter(|_| rng.one_in(3)).collect();
                    let prefix = rng.one_in(3).then(|| *rng.pick(&["a", "a/", ""]));
                    let mut subscriber = hub.subscriber().topics(topics.iter().copied());
                    if let Some(prefix) = prefix {
                        subscriber = subscriber.prefix(prefix);
                    }
                    if rng.one_in(4) {
                        subscriber = subscriber.filter(|_| false);
                    }
                    let from_oldest = rng.one_in(4);
                    if from_oldest {
                        subscriber = subscriber.start(Start::Oldest);
                    }
                    let body = subscriber.subscribe().unwrap();
                    let read = if from_oldest { 0 } else { events.len() };
                    there.push(Follower {
                        topics,
                        prefix,
                        read,
                        body,
                    });
                }
                2 if !there.is_empty() => drop(there.swap_remove(rng.below(there.len()))),
                3 | 4 if !there.is_empty() => {
                    let at = rng.below(there.len());
                    read(&mut there[at].body);
                    there[at].read = events.len();
                }
                _ => {
                    let topic = *rng.pick(&TOPICS);
                    let event = Event::new("x".repeat(rng.below(300)));
                    let id = hub.topic(topic).publish(&event);
                    events.push((topic, event.with_id(id).encode().len() + 200));
                }
            }
            let mut bytes = 0;
            for topic in TOPICS.into_iter().chain(["a/2", "nobody"]) {
                let of_topic: Vec<_> = (0..events.len())
                    .filter(|at| events[*at].0 == topic)
                    .collect();
                let retained = &of_topic[of_topic.len().saturating_sub(retain)..];
                let unread = |one: &Follower| retained.iter().filter(|at| **at >= one.read).count();
                let followers = there.iter().filter(|one| one.by_name(topic)).count();
                let by_prefix = there.iter().filter(|one| one.by_prefix(topic)).count();
                let is_there = topic.is_empty() || followers > 0 || !retained.is_empty();
                let stats = hub.topic(topic).stats();
                assert_eq!(stats.followers, followers, "seed {seed}");
                assert_eq!(stats.prefix_followers, if is_there { by_prefix } else { 0 });
                assert_eq!(stats.retained, retained.len(), "seed {seed}");
                let events = retained.iter().map(|at| events[*at].1);
                let overhead = if retained.is_empty() {
                    0
                } else {
                    400 + topic.len()
                };
                let size = events.sum::<usize>() + overhead;
                assert_eq!(stats.retained_bytes, size, "seed {seed}");
                let followers = there.iter();
                let followers = followers.filter(|one| one.by_name(topic) || one.by_prefix(topic));
                let lag = followers.map(unread).max().unwrap_or(0);
                assert_eq!(stats.lag, lag, "seed {seed}: {topic}");
                lags += lag;
                bytes += stats.retained_bytes;
            }
            assert_eq!(hub.stats().retained_bytes, bytes);
        }
    }
    assert!(lags > 1_000, "{lags}");
}

/// More than one piece, while others come and go.
#[test]
fn the_slowest_is_found_among_many() {
    let hub = Hub::new();
    let mut many: Vec<_> = (0..5_000).map(|_| hub.subscribe().unwrap()).collect();
    for n in 0..7 {
        hub.publish(Event::display(n).unwrap());
    }
    assert_eq!(hub.topic("").stats().lag, 7);
    for (n, body) in many.iter_mut().enumerate() {
        if n != 4_321 {
            read(body);
        }
    }
    thread::scope(|scope| {
        let coming = scope.spawn(|| {
            for _ in 0..5_000 {
                drop(hub.subscriber().topic("other").subscribe().unwrap());
            }
        });
        while !coming.is_finished() {
            let TopicStats { followers, lag, .. } = hub.topic("").stats();
            assert_eq!((followers, lag), (5_000, 7));
        }
    });
    read(&mut many[4_321]);
    assert_eq!(hub.topic("").stats().lag, 0);
    drop(many);
    assert_eq!(hub.topic("").stats().followers, 0);
}

/// More than a topic has a list of.
#[test]
fn all_that_follow_a_prefix_are_counted_and_told() {
    const GROUPS: usize = 300;
    let hub = Hub::builder()
        .retain_topic("news/1", Retention::new().events(1))
        .build();
    let subscribe = |n: usize| {
        let subscriber = hub.subscriber().topic(format!("user/{n}")).prefix("news/");
        let mut body = subscriber.owner(format!("{}", n % 2)).subscribe().unwrap();
        drain(&mut body);
        body
    };
    let mut bodies: Vec<_> = (0..GROUPS).map(subscribe).collect();
    assert_eq!(hub.owner("1").leave("news/1"), GROUPS / 2);
    let tasks: Vec<_> = bodies
        .iter_mut()
        .map(|body| {
            let (count, task) = Count::new();
            let mut cx = Context::from_waker(&task);
            assert!(Pin::new(body).poll_frame(&mut cx).is_pending());
            count
        })
        .collect();
    hub.topic("news/1").publish(Event::new("1"));
    hub.topic("news/1").publish_transient(Event::new("t"));
    hub.topic("news/2").publish(Event::new("2"));
    for (n, count) in tasks.iter().enumerate() {
        assert_eq!(count.woken(), 1, "{n}");
    }
    let followers = |topic: &str| hub.topic(topic).stats().prefix_followers;
    assert_eq!(
        (followers("news/1"), followers("news/2")),
        (GROUPS / 2, GROUPS)
    );
    let data = |body: &mut Subscription| {
        let text = drain(body).0;
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.collect::<String>()
    };
    for (n, body) in bodies.iter_mut().enumerate() {
        assert_eq!(data(body), if n % 2 == 0 { "1t2" } else { "2" });
    }
    // A loss is told to those whose it is.
    hub.topic("news/1").publish(Event::new("3"));
    hub.topic("news/1").publish(Event::new("4"));
    for (n, body) in bodies.iter_mut().enumerate() {
        assert_eq!(data(body), if n % 2 == 0 { "{}4" } else { "" });
    }
}
