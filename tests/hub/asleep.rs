//! Random calls on bodies, streams and futures of a hub: none of them sleeps through what it waits for,
//! whatever the tasks do as they are woken.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use http_body::Body;
use tower_sse::hub::{Handle, Hub, LagPolicy, Start, Subscription};
use tower_sse::{Event, EventId, KeepAlive, SseBody};

use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

const TOPICS: [&str; 5] = ["", "a", "a/1", "b", "c"];
const OWNERS: [&str; 2] = ["anna", "ben"];

thread_local! {
    /// What tasks that are woken use, and how many of them are within each other.
    static WITHIN: RefCell<Option<(Hub, Rng, usize)>> = const { RefCell::new(None) };
}

/// A task that changes the hub as it is woken.
struct Task(std::sync::atomic::AtomicBool);

impl std::task::Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        let hub_and_dice = WITHIN.with_borrow_mut(|within| {
            let (hub, rng, depth) = within.as_mut().filter(|(.., depth)| *depth < 3)?;
            *depth += 1;
            Some((hub.clone(), rng.next()))
        });
        let Some((hub, dice)) = hub_and_dice else {
            return;
        };
        change(&hub, &mut Rng::new(dice));
        WITHIN.with_borrow_mut(|within| {
            if let Some((.., depth)) = within {
                *depth -= 1;
            }
        });
    }
}

fn change(hub: &Hub, rng: &mut Rng) {
    let topic = *rng.pick(&TOPICS);
    let owner = hub.owner(rng.pick::<&str>(&OWNERS));
    match rng.below(14) {
        0 | 1 => _ = hub.topic(topic).publish(Event::new("x")),
        2 => hub.topic(topic).publish_transient(Event::new("t")),
        3 => _ = hub.topic(topic).publish_latest("key", Event::new("k")),
        4 => _ = hub.topic(topic).finish(None),
        5 => _ = owner.follow(topic),
        6 => _ = owner.leave(topic),
        7 => _ = owner.move_to([topic]),
        8 => _ = owner.end(),
        9 => drop(hub.subscriber().topic(topic).prefix("a").subscribe()),
        _ => {}
    }
}

/// A body, stream or future. Returns whether it is over, unless it is pending.
type PollOnce = Box<dyn FnMut(&mut Context<'_>) -> Poll<bool>>;

struct Sleeper {
    poll: PollOnce,
    what: &'static str,
    task: Arc<Task>,
    /// Its last poll was pending.
    waits: bool,
    over: bool,
    handle: Option<Handle>,
}

impl Sleeper {
    fn new(what: &'static str, poll: PollOnce) -> Self {
        Self {
            poll,
            what,
            task: Arc::new(Task(false.into())),
            waits: false,
            over: false,
            handle: None,
        }
    }

    fn body(what: &'static str, body: impl Body + 'static) -> Self {
        let mut body = Box::pin(body);
        let poll =
            move |cx: &mut Context<'_>| body.as_mut().poll_frame(cx).map(|next| next.is_none());
        Self::new(what, Box::new(poll))
    }

    fn stream(what: &'static str, stream: impl Stream + 'static) -> Self {
        let mut stream = Box::pin(stream);
        let poll =
            move |cx: &mut Context<'_>| stream.as_mut().poll_next(cx).map(|next| next.is_none());
        Self::new(what, Box::new(poll))
    }

    fn future(what: &'static str, future: impl Future + 'static) -> Self {
        let mut future = Box::pin(future);
        let poll = move |cx: &mut Context<'_>| future.as_mut().poll(cx).map(|_| true);
        Self::new(what, Box::new(poll))
    }

    fn subscription(rng: &mut Rng, subscription: Subscription, timer: &ManualTimer) -> Self {
        let handle = subscription.handle();
        let wait = Duration::from_secs(9);
        let mut sleeper = match rng.below(6) {
            0 => Self::stream("stream", subscription.into_stream()),
            1 => Self::body(
                "poll",
                subscription.long_poll_with_timer(wait, timer.clone()),
            ),
            2 => Self::body("SSE body", subscription.into_body()),
            3 => {
                let body = SseBody::with_timer(subscription, timer.clone());
                Self::body("heartbeats", body.keep_alive(KeepAlive::new()))
            }
            _ => Self::body("body", subscription),
        };
        sleeper.handle = Some(handle);
        sleeper
    }

    fn poll(&mut self) -> Poll<bool> {
        self.task
            .0
            .store(false, std::sync::atomic::Ordering::SeqCst);
        let task = Arc::clone(&self.task).into();
        let polled = (self.poll)(&mut Context::from_waker(&task));
        self.waits = polled.is_pending();
        self.over |= polled == Poll::Ready(true);
        polled
    }

    fn sleeps(&self) -> bool {
        self.waits && !self.task.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Polls it, if it is awake, until it waits.
    fn run(&mut self) {
        while !self.over && !self.sleeps() {
            _ = self.poll();
        }
    }

    fn assert_waits(&mut self) {
        if !self.over && self.sleeps() {
            let polled = self.poll();
            assert!(polled.is_pending(), "{} slept: {polled:?}", self.what);
        }
    }
}

fn subscribe(hub: &Hub, rng: &mut Rng) -> Option<Subscription> {
    let topics: Vec<_> = TOPICS.into_iter().filter(|_| rng.one_in(3)).collect();
    let mut subscriber = hub.subscriber().topics(topics);
    if rng.one_in(4) {
        subscriber = subscriber.prefix(*rng.pick(&["", "a", "a/"]));
    }
    if rng.one_in(3) {
        subscriber = subscriber.owner(*rng.pick(&OWNERS));
    }
    if rng.one_in(5) {
        subscriber = subscriber.filter(|_| false);
    }
    if rng.one_in(3) {
        subscriber = subscriber.start(Start::Oldest);
    }
    if rng.one_in(6) {
        subscriber = subscriber.end_at(Instant::now() + Duration::from_secs(1_000));
    }
    if rng.one_in(6) {
        subscriber = subscriber.after(EventId::from_static("unknown"));
    }
    subscriber.subscribe().ok()
}

fn steer(handle: &Handle, rng: &mut Rng) {
    let topic = *rng.pick(&TOPICS);
    _ = match rng.below(5) {
        0 => handle.end(),
        1 => handle.follow(topic),
        2 => handle.leave(topic),
        _ => handle.move_to(TOPICS.into_iter().filter(|_| rng.one_in(3))),
    };
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let lag = *rng.pick(&[LagPolicy::Oldest, LagPolicy::End, LagPolicy::Newest]);
    let settings = Hub::builder().lag(lag).farewell(Event::new("bye"));
    let hub = settings.retain_events(1 + rng.below(30)).build();
    let within = rng.one_in(2).then(|| (hub.clone(), Rng::new(seed), 0));
    WITHIN.set(within);
    let timer = ManualTimer::new();
    let mut sleepers: Vec<Sleeper> = Vec::new();
    let (mut linger, mut closing) = (None, None);
    let steps = 100 + rng.below(300);
    for step in 0..steps {
        let is_late = step > steps / 4 * 3 && rng.one_in(3);
        let which = rng.below(sleepers.len().max(1));
        match (rng.below(26), sleepers.get_mut(which)) {
            (0..=7, _) => (0..1 + rng.below(4)).for_each(|_| change(&hub, &mut rng)),
            (8..=12, _) => {
                if let Some(subscription) = subscribe(&hub, &mut rng) {
                    sleepers.push(Sleeper::subscription(&mut rng, subscription, &timer));
                }
            }
            (13, _) => sleepers.push(Sleeper::future("caught up", hub.caught_up(0))),
            (14, _) => sleepers.push(Sleeper::future("drain", hub.drain())),
            (15, _) => sleepers.push(Sleeper::stream("watch", hub.watch())),
            (16, _) => {
                let watch = hub.topic(rng.pick::<&str>(&TOPICS)).watch();
                sleepers.push(Sleeper::stream("watch of a topic", watch));
            }
            (17, Some(_)) => drop(sleepers.swap_remove(which)),
            (18 | 19, Some(sleeper)) => {
                if let Some(handle) = &sleeper.handle {
                    steer(handle, &mut rng);
                }
            }
            // Another task takes it over.
            (20, Some(sleeper)) if !sleeper.over => {
                sleeper.task = Arc::new(Task(false.into()));
                _ = sleeper.poll();
            }
            (21, _) => {
                let time = Duration::from_millis(5);
                linger = linger.xor(Some(hub.linger_with_timer(time, timer.clone())).map(
                    |future| {
                        let mut linger = Sleeper::future("linger", future);
                        linger.run();
                        linger
                    },
                ));
            }
            (22, _) if is_late => hub.close(),
            (23, _) if is_late && closing.is_none() => {
                let future = hub.close_over_with_timer(Duration::from_secs(1), timer.clone());
                closing = Some(Sleeper::future("close over", future));
            }
            _ => timer.advance(Duration::from_millis(rng.next() % 40)),
        }
        closing.iter_mut().for_each(Sleeper::run);
        linger.iter_mut().for_each(Sleeper::run);
        if linger.is_none() {
            sleepers.iter_mut().for_each(Sleeper::assert_waits);
        }
        for sleeper in &mut sleepers {
            match rng.below(6) {
                0 if !sleeper.over && !sleeper.sleeps() => _ = sleeper.poll(),
                1 | 2 => sleeper.run(),
                _ => {}
            }
        }
    }
    WITHIN.set(None);
    hub.close();
    drop(linger);
    sleepers.iter_mut().for_each(Sleeper::assert_waits);
    // First those with a subscription: the others wait for them.
    for with_handle in [true, false] {
        for sleeper in &mut sleepers {
            if sleeper.handle.is_some() == with_handle {
                sleeper.run();
                assert!(sleeper.over, "{} is not over", sleeper.what);
            }
        }
    }
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn nobody_sleeps_through_what_it_waits_for() {
    let seeds = std::env::var("SEEDS").map_or(120, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed)));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
