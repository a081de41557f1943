//! Subscriptions that end at an instant, by themselves and on time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};
use tower_sse::hub::{Hub, Subscription};
use tower_sse::timer::{Timer, TokioTimer};
use tower_sse::{Data, Event};

use crate::support::blocking::in_time;
use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

fn hub() -> Hub {
    Hub::builder().epoch(36).build()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Of the paused clock.
fn ends_in(hub: &Hub, time: Duration) -> Subscription {
    let subscriber = hub.subscriber().end_at((Instant::now() + time).into_std());
    subscriber.subscribe().unwrap()
}

/// How long it takes until the body ends.
async fn lasts(body: Subscription, start: Instant) -> Duration {
    body.collect().await.unwrap();
    start.elapsed()
}

/// Those that wait end at their instants, earlier ones that come later included, whatever futures
/// that keep the time come, go and are forgotten.
#[tokio::test(start_paused = true)]
async fn each_ends_on_time() {
    let seeds = std::env::var("SEEDS").map_or(30, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let mut rng = Rng::new(seed);
        let hub = hub();
        let start = Instant::now();
        let mut tasks = Vec::new();
        let mut keepers = vec![Box::pin(hub.keep_time())];
        for _ in 0..rng.below(100) {
            let time = Duration::from_millis(1 + rng.next() % 100_000);
            let body = ends_in(&hub, time);
            if rng.one_in(8) {
                drop(body);
            } else if rng.one_in(8) {
                // It is ended before.
                let expected = start.elapsed();
                let at = (Instant::now() + time).into_std();
                let owned = hub.subscriber().owner("x").end_at(at).subscribe().unwrap();
                hub.owner("x").end();
                tasks.push((expected, tokio::spawn(lasts(owned, start))));
            } else {
                let expected = start.elapsed() + time;
                tasks.push((expected, tokio::spawn(lasts(body, start))));
            }
            for keeper in &mut keepers {
                assert!(keeper.as_mut().now_or_never().is_none());
            }
            match rng.below(12) {
                0 => keepers.push(Box::pin(hub.keep_time())),
                1 if keepers.len() > 1 => drop(keepers.swap_remove(rng.below(keepers.len()))),
                2 => std::mem::forget(Box::pin(hub.keep_time())),
                3 => {
                    let mut forgotten = Box::pin(hub.keep_time());
                    assert!(forgotten.as_mut().now_or_never().is_none());
                    std::mem::forget(forgotten);
                }
                4 => {
                    // One of them is at work meanwhile.
                    let keeper = keepers.last_mut().unwrap();
                    let pause = Duration::from_millis(rng.next() % 20_000);
                    tokio::select! { () = keeper => unreachable!(), () = sleep(pause) => {} }
                }
                _ => {}
            }
        }
        let keeping = tokio::spawn(keepers.swap_remove(0));
        drop(keepers);
        for (expected, task) in tasks {
            let lasted = task.await.unwrap();
            // tokio's clock ticks in milliseconds.
            let late = lasted.saturating_sub(expected);
            assert!(
                lasted >= expected && late < Duration::from_millis(3),
                "seed {seed}: {lasted:?} {expected:?}"
            );
        }
        assert_eq!(hub.stats().subscribers, 0);
        assert!(!keeping.is_finished());
        hub.close();
        keeping.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_instant_wakes_all_that_keep_the_time() {
    let hub = hub();
    let late = ends_in(&hub, secs(60));
    let first = tokio::spawn(hub.keep_time());
    let second = tokio::spawn(hub.keep_time());
    yield_now().await;
    let start = Instant::now();
    let early = tokio::spawn(lasts(ends_in(&hub, secs(10)), start));
    yield_now().await;
    first.abort();
    assert_eq!(early.await.unwrap(), secs(10));
    assert_eq!(lasts(late, start).await, secs(60));
    hub.close();
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_handed_out_after_the_instant() {
    let hub = hub();
    let keeping = tokio::spawn(hub.keep_time());
    let mut pending = ends_in(&hub, secs(5));
    let mut filtered = hub
        .subscriber()
        .filter(|_| true)
        .end_at((Instant::now() + secs(5)).into_std())
        .subscribe()
        .unwrap();
    let long = ends_in(&hub, secs(5)).long_poll(secs(25));
    let long = tokio::spawn(long.collect());
    let mut stream = ends_in(&hub, secs(5)).into_stream();
    assert!(pending.frame().await.is_some() && filtered.frame().await.is_some());
    assert!(stream.next().now_or_never().is_none());
    sleep(secs(4)).await;
    hub.topic("other").publish(Event::new("x"));
    sleep(secs(1)).await;
    yield_now().await;
    hub.publish(Event::new("late"));
    assert!(pending.frame().await.is_none() && filtered.frame().await.is_none());
    assert!(stream.next().await.is_none());
    let bytes = long.await.unwrap().unwrap().to_bytes();
    assert!(!bytes.windows(4).any(|part| part == b"late"), "{bytes:?}");
    assert_eq!(hub.stats().subscribers, 0);
    keeping.abort();
}

#[test]
fn one_that_is_late_already_gets_nothing() {
    let hub = hub();
    hub.publish(Event::new("x"));
    let now = std::time::Instant::now();
    let last = tower_sse::EventId::from_static("10-0");
    let mut body = hub
        .subscriber()
        .after(last)
        .end_at(now)
        .subscribe()
        .unwrap();
    assert!(body.frame().now_or_never().unwrap().is_none());
    assert!(body.is_end_stream());
    let secret = Event::new("secret");
    let stream = hub.subscriber().first(secret).end_at(now).subscribe();
    assert!(
        stream
            .unwrap()
            .into_stream()
            .next()
            .now_or_never()
            .unwrap()
            .is_none()
    );
    assert_eq!(hub.stats().subscribers, 0);
}

/// What a client has got one half of, it gets the other half of.
#[test]
fn a_block_is_not_torn() {
    // The place, and the first chunk of three, before its time is over.
    let (hub, mut body, first) = in_time(|time| {
        let hub = hub();
        let at = std::time::Instant::now() + time;
        let mut body = hub.subscriber().end_at(at).subscribe().unwrap();
        hub.publish(Event::new(Data::from("x".repeat(100_000))));
        let first = [(); 2].map(|()| body.frame().now_or_never().unwrap());
        let is_early = std::time::Instant::now() < at;
        std::thread::sleep(time);
        is_early.then_some((hub, body, first))
    });
    let mut frame = || body.frame().now_or_never().unwrap();
    let mut text = String::new();
    let mut push = |frame: http_body::Frame<bytes::Bytes>| {
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    };
    for frame in first {
        push(frame.unwrap().unwrap());
    }
    hub.publish(Event::new("late"));
    while let Some(more) = frame() {
        push(more.unwrap());
    }
    assert!(text.ends_with("xxx\n\n") && !text.contains("late"));
    assert_eq!(text.matches("data: ").count(), 1);
}

/// A timer that a test moves by hand: it sleeps until the earliest, and no more often than needed.
#[test]
fn it_sleeps_as_long_as_it_may() {
    let (hub, timer) = (hub(), ManualTimer::new());
    let mut keeping = Box::pin(hub.keep_time_with_timer(timer.clone()));
    let mut poll = || keeping.as_mut().now_or_never().is_some();
    assert!(!poll() && timer.made() == 0);
    let now = std::time::Instant::now();
    let until = |time| hub.subscriber().end_at(now + time).subscribe().unwrap();
    let mut first = until(secs(100));
    let _second = until(secs(200));
    assert!(!poll() && !poll() && timer.made() == 1);
    timer.advance(secs(99));
    assert!(!poll() && timer.made() == 1);
    assert!(first.frame().now_or_never().unwrap().is_some());
    assert!(first.frame().now_or_never().is_none());
    timer.advance(secs(1));
    assert!(!poll() && timer.made() == 2);
    assert!(first.frame().now_or_never().unwrap().is_none());
    drop(_second);
    timer.advance(secs(1_000));
    assert!(!poll() && timer.made() == 2);
    hub.close();
    assert!(poll());
}

#[test]
fn no_task_is_kept() {
    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    let hub = hub();
    let task = Arc::new(Task);
    let waker = Waker::from(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    let _body = hub
        .subscriber()
        .end_at(std::time::Instant::now() + secs(60))
        .subscribe();
    for _ in 0..3 {
        let mut keeping = Box::pin(hub.keep_time_with_timer(ManualTimer::new()));
        for _ in 0..3 {
            assert!(keeping.as_mut().poll(&mut cx).is_pending());
        }
        drop(keeping);
        // One in the test's own waker.
        assert_eq!(Arc::strong_count(&task), 2);
    }
}

/// A heartbeat is a poll.
#[tokio::test]
async fn without_a_future_the_next_poll_ends_it() {
    let hub = hub();
    let (first, body) = in_time(|time| {
        let at = std::time::Instant::now() + time;
        let body = hub.subscriber().end_at(at).subscribe().unwrap();
        let beats = tower_sse::KeepAlive::new().interval(2 * time);
        let mut body = Box::pin(body.keep_alive(beats));
        let ready = || body.frame().now_or_never();
        let first: Vec<_> = std::iter::from_fn(ready).flatten().collect();
        (std::time::Instant::now() < at).then_some((first, body))
    });
    let first = first.into_iter().map(|frame| frame.unwrap().into_data());
    let first: Vec<_> = first.map(Result::unwrap).collect();
    assert_eq!(first.concat(), b":\nid: 10-0\n\n");
    body.collect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_owner_whose_time_is_over_has_room_again() {
    let hub = Hub::builder().max_per_owner(1).build();
    tokio::spawn(hub.keep_time());
    let come = || {
        let at = TokioTimer.now().unwrap() + secs(60);
        hub.subscriber().owner("anna").end_at(at).subscribe()
    };
    let mut first = come().unwrap();
    yield_now().await;
    assert!(come().unwrap_err().is_too_many());
    advance(secs(61)).await;
    yield_now().await;
    assert_eq!(hub.owner("anna").subscriptions(), 0);
    let _second = come().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = Pin::new(&mut first).poll_frame(&mut cx) {}
    assert!(first.is_end_stream());
    assert_eq!(hub.owner("anna").subscriptions(), 1);
}
