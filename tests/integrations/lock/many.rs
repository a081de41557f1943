//! Many subscribers of topics of their own and of common ones, and each kind of call.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http_body::Body;

use crate::clock;
use crate::hub::{Hub, LagPolicy, Start, Subscription};
use crate::protocol::{Event, EventId};
use crate::support::blocking::{after, block_on};

const OWNERS: usize = 10;

fn poll(body: &mut Subscription) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut *body).poll_frame(&mut cx) {
        drop(frame);
    }
}

fn subscribe(hub: &Hub, n: usize) -> Subscription {
    let subscriber = hub
        .subscriber()
        .topic(format!("own/{n}"))
        .topic("shared")
        .owner((n % OWNERS).to_string());
    let mut body = match n % 10 {
        0 => subscriber.prefix("own/1"),
        1 => subscriber.start(Start::Oldest),
        2 => subscriber.end_at(Instant::now() + Duration::from_secs(2)),
        _ => subscriber,
    }
    .subscribe()
    .unwrap();
    poll(&mut body);
    body
}

fn come(hub: &Hub, subscribers: usize) -> Vec<Subscription> {
    (0..subscribers).map(|n| subscribe(hub, n)).collect()
}

fn publish(hub: &Hub, n: usize) {
    hub.topic(&format!("own/{n}"))
        .publish(Event::new("x".repeat(n % 500)));
    if n % 100 == 0 {
        hub.topic("shared").publish(Event::new("to all"));
        hub.topic("shared")
            .publish_latest("key", Event::new("the latest"));
    }
}

/// Subscribers come, are published to, resume, move, and leave.
fn life(hub: &Hub, subscribers: usize) -> Vec<Subscription> {
    let mut all = come(hub, subscribers);
    let mut watch = Box::pin(hub.watch());
    let mut keeping = Box::pin(hub.keep_time_with_timer(|_| std::future::ready(())));
    let first = hub.last_event_id();
    for n in 0..subscribers {
        publish(hub, n);
    }
    all.iter_mut().for_each(poll);
    for n in 0..100 {
        let shared = hub.subscriber().topic("shared").after(first.clone());
        poll(&mut shared.subscribe().unwrap());
        let prefix = hub.subscriber().prefix("own/").after(first.clone());
        poll(&mut prefix.subscribe().unwrap());
        let all = hub.subscriber().prefix("").start(Start::Last(100));
        poll(&mut all.subscribe().unwrap());
        _ = hub.topic(&format!("own/{n}")).stats();
    }
    _ = hub.topic("shared").stats();
    _ = hub.tail();
    hub.owner("3").follow("more");
    hub.owner("4").leave("shared");
    hub.owner("5").end();
    hub.topic("shared").publish(Event::new("before the end"));
    all.iter_mut().for_each(poll);
    _ = futures_util::StreamExt::next(&mut watch).now_or_never();
    for n in 0..subscribers {
        hub.topic(&format!("own/{n}")).finish(None);
    }
    drop(all.split_off(subscribers / 2));
    _ = (&mut keeping).now_or_never();
    all
}

/// A publisher waits for subscribers that have not read everything.
fn wait(hub: &Hub) {
    hub.topic("shared").publish(Event::new("to wait for"));
    _ = hub.caught_up(0).now_or_never();
    let patience = std::future::ready(());
    _ = hub.caught_up(0).or_after(patience).now_or_never();
}

/// Many events are retained, of many topics, some of them replaced by later ones.
fn retain(events: usize) {
    let hub = Hub::builder().retain_events(usize::MAX).epoch(36);
    let hub = hub.retain_bytes(512 * events).build();
    let first = hub.publish(Event::new("the first"));
    for n in 0..events {
        let topic = format!("many/{}", n % 1_000);
        let topic = hub.topic(&topic);
        if n % 3 == 0 {
            topic.publish_latest(format!("{}", n % 9), Event::new("the latest"));
        } else {
            topic.publish(Event::new("one of many"));
        }
    }
    for _ in 0..5 {
        let names = (0..1_000).map(|n| format!("many/{n}"));
        let many = hub.subscriber().topics(names).after(first.clone());
        poll(&mut many.subscribe().unwrap());
        let all = hub.subscriber().prefix("").after(first.clone());
        poll(&mut all.subscribe().unwrap());
        let some = hub.subscriber().prefix("many/1").after(first.clone());
        poll(&mut some.subscribe().unwrap());
    }
    // Displaces thousands.
    let half = "x".repeat(256 * events);
    hub.publish(Event::new(half));
    hub.topic("many/1")
        .publish(Event::new("x".repeat(5_000_000)));
}

/// Of 2,000 subscribers by default.
pub(crate) fn run() {
    let subscribers = std::env::var("LOCK_SUBSCRIBERS");
    let subscribers = subscribers.map_or(2_000, |count| count.parse().unwrap());
    let hub = || {
        let hub = Hub::builder().lag(LagPolicy::Oldest).epoch(36);
        hub.retain_bytes(32 * 1024 * 1024)
    };
    retain(20 * subscribers);
    let closed = hub().build();
    let mut all = life(&closed, subscribers);
    wait(&closed);
    closed.close();
    all.iter_mut().for_each(poll);
    let closed = hub().retain_for(Duration::from_secs(1)).build();
    let mut all = life(&closed, subscribers);
    let time = Duration::from_millis(500);
    block_on(closed.close_over_with_timer(time, after));
    all.iter_mut().for_each(poll);
    let kept = Duration::from_secs(3600);
    let old = hub().retain_for(kept).build();
    let all = life(&old, subscribers);
    // Then all are too old.
    clock::advance(kept);
    let retained = old.stats().retained;
    publish(&old, 1);
    assert!(old.stats().retained < retained, "nothing is too old");
    drop(all);
    let tail = closed.tail();
    _ = hub().tail(tail).build();
}
