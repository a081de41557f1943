//! What was wrong once, each with what showed it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http_body::Body;
use http_body_util::BodyExt;
use tower_sse::hub::{Hub, LagPolicy, Outcome, Retention, Subscription};
use tower_sse::{Data, Event, EventId};

use crate::by_hand::{Count, drain};
use crate::support::blocking::{after, in_time};

fn id(text: impl Into<String>) -> EventId {
    EventId::try_from(text.into()).unwrap()
}

/// Fails if the closure does not end, as in a deadlock.
fn ends(test: impl FnOnce() + Send + 'static) {
    let (done, over) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match over.recv_timeout(Duration::from_secs(120)) {
        Ok(()) => thread.join().unwrap(),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("deadlock"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().unwrap_err())
        }
    }
}

// 1. Lingers.

#[test]
fn the_linger_that_stays_is_woken_when_another_goes() {
    let hub = Hub::new();
    let (reader, reader_task) = Count::new();
    let mut body = hub.subscribe().unwrap();
    while body.frame().now_or_never().is_some() {}
    let poll = |body: &mut Subscription| {
        std::pin::Pin::new(body)
            .poll_frame(&mut Context::from_waker(&reader_task))
            .is_ready()
    };
    assert!(!poll(&mut body));
    let sleep = |_| std::future::ready(());
    let (stays, stays_task) = Count::new();
    let (goes, goes_task) = Count::new();
    let mut first = Box::pin(hub.linger_with_timer(Duration::ZERO, sleep));
    let mut second = Box::pin(hub.linger_with_timer(Duration::ZERO, sleep));
    assert!(
        first
            .poll_unpin(&mut Context::from_waker(&stays_task))
            .is_pending()
    );
    assert!(
        second
            .poll_unpin(&mut Context::from_waker(&goes_task))
            .is_pending()
    );
    drop(second);
    hub.publish(Event::new("x"));
    assert_eq!(stays.woken(), 1);
    assert_eq!(goes.woken(), 0);
    assert_eq!(reader.woken(), 0, "the event waits");
    assert!(
        first
            .poll_unpin(&mut Context::from_waker(&stays_task))
            .is_pending()
    );
    assert_eq!(reader.woken(), 1);
    assert!(poll(&mut body));
}

#[test]
fn a_linger_that_nobody_polls_holds_nothing_back() {
    let hub = Hub::new();
    let (reader, task) = Count::new();
    let mut body = hub.subscribe().unwrap();
    let mut poll = || std::pin::Pin::new(&mut body).poll_frame(&mut Context::from_waker(&task));
    while poll().is_ready() {}
    let mut linger =
        Box::pin(hub.linger_with_timer(Duration::ZERO, |_| std::future::pending::<()>()));
    hub.publish(Event::new("x"));
    assert_eq!(reader.woken(), 1);
    while poll().is_ready() {}
    // One that is polled and whose sleep never ends holds back some, but not all.
    assert!(
        linger
            .poll_unpin(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    for n in 0..2_000 {
        hub.publish(Event::display(n).unwrap());
    }
    assert!(reader.woken() > 1);
}

// 2. IDs of the users.

#[test]
fn an_id_of_the_users_is_looked_up_in_the_subscribers_topics_alone() {
    let hub = Hub::builder().keep_event_ids().build();
    for n in 1..=4 {
        hub.topic("room/a")
            .publish(Event::display(n).unwrap().with_id(id(n.to_string())));
    }
    for n in 1..=9 {
        hub.topic("room/b")
            .publish(Event::display(n).unwrap().with_id(id(n.to_string())));
    }
    let resume = |topic: &str, last: &str| {
        let subscriber = hub.subscriber().topic(topic).after(id(last));
        subscriber.subscribe().unwrap()
    };
    let mut body = resume("room/a", "3");
    assert_eq!(body.outcome(), Outcome::Resumed(1));
    assert_eq!(drain(&mut body).0, "id: 4\ndata: 4\n\n");
    assert_eq!(resume("room/b", "3").outcome(), Outcome::Resumed(6));
    // What another room has used is as unknown as what nobody has.
    assert_eq!(resume("room/a", "7").outcome(), Outcome::Unknown);
    assert_eq!(resume("room/c", "3").outcome(), Outcome::Unknown);
    // Who follows both resumes after the later; by a prefix too.
    let both = hub.subscriber().topics(["room/a", "room/b"]).after(id("3"));
    assert_eq!(both.subscribe().unwrap().outcome(), Outcome::Resumed(6));
    for prefix in ["room/", ""] {
        let all = hub.subscriber().prefix(prefix).after(id("9"));
        assert_eq!(all.subscribe().unwrap().outcome(), Outcome::Resumed(0));
    }
}

#[test]
fn an_id_of_the_hubs_form_cannot_be_forged() {
    let hub = Hub::builder().epoch(36).keep_event_ids().build();
    let first = hub.publish(Event::new("1"));
    assert_eq!(first.as_str(), "10-1");
    hub.publish(Event::new("2"));
    // It would stand for the place of the first.
    let forged = hub.publish(Event::new("3").with_id(id("10-1")));
    assert_eq!(forged.as_str(), "10-3");
    assert_eq!(hub.resume(first).unwrap().outcome(), Outcome::Resumed(2));
}

// 3. A close is a place in the log.

#[test]
fn a_close_ends_a_slow_stream_while_somebody_publishes() {
    let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
    let mut body = hub.subscribe().unwrap();
    let mut filtered = hub.subscriber().filter(|_| true).subscribe().unwrap();
    hub.publish(Event::new("1"));
    hub.close();
    let read = |body: &mut Subscription| {
        let mut text = String::new();
        for _ in 0..10 {
            hub.publish(Event::new("late"));
            match body.frame().now_or_never() {
                Some(None) => return text,
                Some(Some(frame)) => {
                    let data = frame.unwrap().into_data().unwrap();
                    text.push_str(std::str::from_utf8(&data).unwrap());
                }
                None => panic!("waits"),
            }
        }
        panic!("still open");
    };
    let whole = "id: 10-0\n\nid: 10-1\ndata: 1\n\ndata: bye\n\n";
    assert_eq!(read(&mut body), whole);
    assert_eq!(read(&mut filtered), whole);
}

#[tokio::test(start_paused = true)]
async fn each_share_of_a_spread_close_ends_where_its_step_was() {
    let hub = Hub::new();
    let mut bodies: Vec<_> = (0..100).map(|_| hub.subscribe().unwrap()).collect();
    let closing = tokio::spawn(hub.close_over(Duration::from_secs(10)));
    for n in 0..10 {
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        hub.publish(Event::display(n).unwrap());
    }
    closing.await.unwrap();
    let mut counts: Vec<_> = bodies
        .iter_mut()
        .map(|body| {
            let (text, over) = drain(body);
            assert!(over);
            text.matches("data: ").count()
        })
        .collect();
    counts.sort_unstable();
    assert!(counts[0] == 0 && counts[99] >= 8, "{counts:?}");
    assert!((3..7).contains(&counts[50]), "{counts:?}");
}

#[test]
fn a_stream_ends_when_the_last_hub_is_dropped() {
    let hub = Hub::builder().epoch(36).build();
    let other = hub.clone();
    let mut body = hub.subscribe().unwrap();
    hub.publish(Event::new("1"));
    drop(hub);
    assert!(!drain(&mut body).1);
    let (task, waker) = Count::new();
    assert!(
        std::pin::Pin::new(&mut body)
            .poll_frame(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(other);
    assert_eq!(task.woken(), 1);
    assert!(drain(&mut body).1);
}

// 4. Gaps that are none.

#[test]
fn a_topic_that_lost_nothing_has_no_gap() {
    let hub = Hub::builder().epoch(36).retain_bytes(3_000).build();
    let subscribe = |after: Option<EventId>| {
        let quiet = hub.subscriber().topic("quiet");
        quiet
            .after(after.unwrap_or(EventId::EMPTY))
            .subscribe()
            .unwrap()
    };
    let mut body = subscribe(None);
    let (text, _) = drain(&mut body);
    drop(body);
    let place = id(text.strip_prefix("id: ").unwrap().trim_end());
    for round in 0..5 {
        // Noise in topics that come and go, of which nothing is retained afterwards.
        for n in 0..1_000 {
            hub.topic(&format!("room/{round}/{n}"))
                .publish(Event::new("noise"));
        }
        assert_eq!(
            subscribe(Some(place.clone())).outcome(),
            Outcome::Resumed(0)
        );
        let under = hub.subscriber().prefix("quiet/").after(place.clone());
        assert_eq!(under.subscribe().unwrap().outcome(), Outcome::Resumed(0));
    }
    // What a topic that is gone has lost is known, by its name and by a prefix.
    let lossy = hub.subscriber().topic("room/3/7").after(place.clone());
    assert_eq!(lossy.subscribe().unwrap().outcome(), Outcome::Gap);
    let lossy = hub.subscriber().prefix("room/3/").after(place.clone());
    assert_eq!(lossy.subscribe().unwrap().outcome(), Outcome::Gap);
    let all = hub.subscriber().prefix("").after(place);
    assert_eq!(all.subscribe().unwrap().outcome(), Outcome::Gap);
}

#[tokio::test(start_paused = true)]
async fn a_long_poller_of_a_quiet_topic_is_told_of_no_gap() {
    let hub = Hub::builder().retain_bytes(3_000).build();
    let mut last = EventId::EMPTY;
    for _ in 0..50 {
        let quiet = hub.subscriber().topic("quiet").after(last.clone());
        let poll = quiet.subscribe().unwrap();
        let poll = poll.long_poll(Duration::from_secs(25));
        for n in 0..30 {
            hub.topic(&format!("room/{n}")).publish(Event::new("noise"));
        }
        let bytes = poll.collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(!text.contains("gap"), "{text}");
        if let Some(place) = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("id: "))
        {
            last = id(place);
        }
    }
}

// 5. Growth.

/// The time per subscriber of one broadcast's polls, and of leaving, where each follows its own topic
/// and a shared one.
fn own_and_shared(subscribers: usize) -> (Duration, Duration) {
    let hub = Hub::new();
    let mut bodies: Vec<_> = (0..subscribers)
        .map(|n| {
            let own = hub.subscriber().topic(format!("own/{n}")).topic("shared");
            let mut body = own.subscribe().unwrap();
            drain(&mut body);
            body
        })
        .collect();
    hub.topic("shared").publish(Event::new("x"));
    let start = Instant::now();
    for body in &mut bodies {
        assert!(drain(body).0.ends_with("data: x\n\n"));
    }
    let polls = start.elapsed();
    let start = Instant::now();
    drop(bodies);
    let each = |time: Duration| time / u32::try_from(subscribers).unwrap();
    (each(polls), each(start.elapsed()))
}

#[test]
fn a_broadcast_and_leaving_cost_the_same_for_one_of_few_and_of_many() {
    // Forty times as many cost each forty times as much once. Rounds may be disturbed.
    let grows = |round: usize| {
        let (few_polls, few_leaving) = own_and_shared(1_000);
        let (many_polls, many_leaving) = own_and_shared(40_000);
        println!("{round}: {few_polls:?} {many_polls:?}, {few_leaving:?} {many_leaving:?}");
        many_polls > 12 * few_polls || many_leaving > 12 * few_leaving
    };
    assert!(!(0..4).all(grows));
}

/// The time that subscribers of a prefix take to subscribe, to resume and to leave, with this many topics.
fn by_prefix(topics: usize) -> Duration {
    let hub = Hub::builder()
        .retain_events(usize::MAX)
        .retain_bytes(usize::MAX)
        .build();
    for n in 0..topics {
        hub.topic(&format!("room/{n}")).publish(Event::new("x"));
    }
    let place = hub.last_event_id();
    let start = Instant::now();
    for _ in 0..20 {
        let rooms = hub.subscriber().prefix("room/").after(place.clone());
        assert_eq!(rooms.subscribe().unwrap().outcome(), Outcome::Resumed(0));
        drop(hub.subscriber().prefix("room/").subscribe().unwrap());
    }
    start.elapsed()
}

#[test]
fn a_subscriber_of_a_prefix_costs_the_same_over_few_topics_and_many() {
    let grows = |round: usize| {
        let (few, many) = (by_prefix(100), by_prefix(20_000));
        println!("{round}: {few:?} {many:?}");
        many > 12 * few
    };
    assert!(!(0..4).all(grows));
}

/// The time that clients take to resume, each by a prefix of its own, where each of this many topics
/// has lost an event and retains one.
fn by_own_prefix(topics: usize) -> Duration {
    let hub = Hub::builder()
        .retain_events(1)
        .retain_bytes(usize::MAX)
        .build();
    let place = hub.publish(Event::new("x"));
    for n in 0..2 * topics {
        let user = n % topics;
        hub.topic(&format!("user/{user}/news"))
            .publish(Event::new("x"));
    }
    let start = Instant::now();
    for user in 0..50 {
        let user = hub.subscriber().prefix(format!("user/{user}/"));
        let resumed = user.after(place.clone()).subscribe().unwrap();
        assert_eq!(resumed.outcome(), Outcome::Gap);
    }
    start.elapsed()
}

#[test]
fn a_resume_by_an_own_prefix_costs_the_same_over_few_topics_and_many() {
    let grows = |round: usize| {
        let (few, many) = (by_own_prefix(100), by_own_prefix(20_000));
        println!("{round}: {few:?} {many:?}");
        many > 8 * few
    };
    assert!(!(0..4).all(grows));
}

#[test]
fn places_near_each_other_share_frames() {
    let hub = Hub::builder()
        .epoch(36)
        .retain_events(20_000)
        .retain_bytes(16 << 20)
        .build();
    for n in 0..10_000 {
        hub.publish(Event::new(format!("{n:0100}")));
    }
    let mut seen = std::collections::BTreeMap::<usize, Vec<Bytes>>::new();
    let mut bodies: Vec<_> = (0..50)
        .map(|n| hub.resume(id(format!("10-{}", n * 37))).unwrap())
        .collect();
    let mut frames = 0;
    for body in &mut bodies {
        while let Some(Some(frame)) = body.frame().now_or_never() {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= 64 * 1024);
            frames += 1;
            seen.entry(data.as_ptr() as usize).or_default().push(data);
        }
    }
    // Each has a first frame of its own, and shares the rest.
    assert!(
        frames > 900 && seen.len() < 80,
        "{} of {frames}",
        seen.len()
    );
}

// 7. The users' code under the lock.

struct Nosy(Hub);

impl AsRef<[u8]> for Nosy {
    fn as_ref(&self) -> &[u8] {
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        _ = self.0.stats();
    }
}

#[test]
fn what_is_dropped_may_ask_the_hub() {
    ends(|| {
        let hub = Hub::builder().retain_events(2).keep_event_ids().build();
        let mut bodies = [hub.subscribe().unwrap(), hub.subscribe().unwrap()];
        for n in 0..20 {
            // An entry's data, its ID, the same ID twice, a transient, and one nobody follows.
            let bytes = || Bytes::from_owner(Nosy(hub.clone()));
            let same = EventId::try_from(bytes()).unwrap();
            hub.publish(Event::new(Data::try_from(bytes()).unwrap()).with_id(same.clone()));
            hub.publish(Event::new("y").with_id(same));
            hub.publish_transient(Event::new(Data::try_from(bytes()).unwrap()));
            hub.topic("other")
                .publish_transient(Event::new(Data::try_from(bytes()).unwrap()));
            let large = Bytes::from_owner(Large(Nosy(hub.clone()), vec![b'x'; 40_000]));
            hub.publish(Event::new(Data::try_from(large).unwrap()));
            if n % 3 == 0 {
                bodies.iter_mut().for_each(|body| _ = drain(body));
            }
        }
    });
}

struct Large(#[expect(dead_code, reason = "dropped")] Nosy, Vec<u8>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

/// A task whose every part asks the hub.
struct NosyTask(Hub);

impl Wake for NosyTask {
    fn wake(self: Arc<Self>) {
        _ = self.0.stats();
    }
}

impl Drop for NosyTask {
    fn drop(&mut self) {
        _ = self.0.stats();
    }
}

/// Polls by a new task each time, which leaves the last reference to the one before behind.
fn polled_by_new_tasks(hub: &Hub, mut poll: impl FnMut(&mut Context<'_>)) {
    for _ in 0..5 {
        let task = Waker::from(Arc::new(NosyTask(hub.clone())));
        poll(&mut Context::from_waker(&task));
    }
}

#[test]
fn a_task_may_ask_the_hub() {
    ends(|| {
        let hub = Hub::new();
        let mut body = hub.subscribe().unwrap();
        polled_by_new_tasks(&hub, |cx| {
            while std::pin::Pin::new(&mut body).poll_frame(cx).is_ready() {}
        });
        let mut linger =
            Box::pin(hub.linger_with_timer(Duration::ZERO, |_| std::future::ready(())));
        polled_by_new_tasks(&hub, |cx| _ = linger.poll_unpin(cx));
        let mut drain = Box::pin(hub.drain());
        polled_by_new_tasks(&hub, |cx| _ = drain.poll_unpin(cx));
        hub.publish(Event::new("x"));
        let mut wait = Box::pin(hub.caught_up(0));
        polled_by_new_tasks(&hub, |cx| _ = wait.poll_unpin(cx));
        drop((linger, drain, wait, body));
    });
}

// 8. Waiting.

#[tokio::test(start_paused = true)]
async fn a_spread_close_takes_its_time_and_no_more() {
    // A timer whose sleeps are at least a tenth too long, on the machine's clock.
    let asked = Arc::new(Mutex::new(Duration::ZERO));
    let slow = {
        let asked = Arc::clone(&asked);
        move |time: Duration| {
            *asked.lock().unwrap() += time;
            after(time.mul_f32(1.1))
        }
    };
    let (hub, start, time) = (Hub::new(), Instant::now(), Duration::from_millis(600));
    hub.close_over_with_timer(time, slow).await;
    assert!(start.elapsed() >= time);
    // It makes up for that, however long they were: otherwise it would have asked for all of it.
    let asked = *asked.lock().unwrap();
    assert!(asked < time * 19 / 20, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_has_a_deadline() {
    let hub = Hub::new();
    let _stalled = hub.subscribe().unwrap();
    let gone = hub.subscribe().unwrap();
    hub.close();
    let deadline = tokio::time::sleep(Duration::from_secs(3));
    let drain = tokio::spawn(hub.drain().or_after(deadline));
    drop(gone);
    assert_eq!(drain.await.unwrap(), 1);
}

#[tokio::test]
async fn each_publisher_waits_for_its_own_distance() {
    let hub = Hub::new();
    let mut body = hub.subscribe().unwrap();
    drain(&mut body);
    for _ in 0..100 {
        // A payload of its own frame each.
        let large = Bytes::from(vec![b'x'; 40_000]);
        hub.publish(Event::new(Data::try_from(large).unwrap()));
    }
    let (far, far_task) = Count::new();
    let (near, near_task) = Count::new();
    let mut far_wait = Box::pin(hub.caught_up(50));
    let mut near_wait = Box::pin(hub.caught_up(0));
    assert!(
        far_wait
            .poll_unpin(&mut Context::from_waker(&far_task))
            .is_pending()
    );
    assert!(
        near_wait
            .poll_unpin(&mut Context::from_waker(&near_task))
            .is_pending()
    );
    // Three chunks each.
    for _ in 0..80 * 3 {
        body.frame().now_or_never().unwrap();
    }
    assert_eq!((far.woken(), near.woken()), (1, 0));
    assert!(
        far_wait
            .poll_unpin(&mut Context::from_waker(&far_task))
            .is_ready()
    );
    drain(&mut body);
    assert_eq!(near.woken(), 1);
    assert!(
        near_wait
            .poll_unpin(&mut Context::from_waker(&near_task))
            .is_ready()
    );
}

#[test]
fn what_waits_no_longer_is_let_go() {
    let hub = Hub::new();
    let _body = hub.subscribe().unwrap();
    hub.publish(Event::new("x"));
    let (task, waker) = Count::new();
    for _ in 0..100 {
        let mut cx = Context::from_waker(&waker);
        assert!(hub.caught_up(0).poll_unpin(&mut cx).is_pending());
        assert!(hub.drain().poll_unpin(&mut cx).is_pending());
        let mut linger =
            Box::pin(hub.linger_with_timer(Duration::ZERO, |_| std::future::ready(())));
        assert!(linger.poll_unpin(&mut cx).is_pending());
    }
    assert_eq!(Arc::strong_count(&task), 2);
}

#[test]
fn a_publisher_is_woken_when_the_slow_one_loses_what_it_was_behind() {
    let (task, waker) = Count::new();
    let (hub, mut wait, _stalled) = in_time(|age| {
        let hub = Hub::builder().retain_for(age).build();
        let stalled = hub.subscribe().unwrap();
        let start = Instant::now();
        hub.publish(Event::new("x"));
        let mut wait = Box::pin(hub.caught_up(0));
        let waits = wait
            .poll_unpin(&mut Context::from_waker(&waker))
            .is_pending();
        if start.elapsed() >= age {
            return None;
        }
        assert!(waits);
        thread::sleep(2 * age);
        Some((hub, wait, stalled))
    });
    // Subscribing looks at the clock, and the event is gone.
    let _other = hub.subscribe().unwrap();
    assert_eq!(task.woken(), 1);
    assert!(wait.poll_unpin(&mut Context::from_waker(&waker)).is_ready());
}

#[tokio::test]
async fn a_client_that_crawls_does_not_hold_the_publisher_for_ever() {
    let hub = Hub::new();
    let mut slow = hub.subscribe().unwrap();
    drain(&mut slow);
    let mut patience = 0;
    for _ in 0..50 {
        for _ in 0..10 {
            let large = Bytes::from(vec![b'x'; 40_000]);
            hub.publish(Event::new(Data::try_from(large).unwrap()));
        }
        // It takes an event each time, and falls further behind all the same.
        (0..3).for_each(|_| _ = slow.frame().now_or_never());
        patience += hub.caught_up(5).or_after(std::future::ready(())).await;
    }
    assert_eq!(patience, 1, "waited for again and again");
    // Once it has caught up it is waited for again.
    drain(&mut slow);
    (0..10).for_each(|_| _ = hub.publish(Event::new("x")));
    assert_eq!(hub.caught_up(5).or_after(std::future::ready(())).await, 1);
}

// 9. The rest.

#[tokio::test(start_paused = true)]
async fn a_spread_close_wakes_each_once() {
    let hub = Hub::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..200)
        .map(|_| {
            let (mut body, polls) = (hub.subscribe().unwrap(), Arc::clone(&polls));
            tokio::spawn(std::future::poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::SeqCst);
                loop {
                    match std::pin::Pin::new(&mut body).poll_frame(cx) {
                        Poll::Ready(Some(_)) => {}
                        Poll::Ready(None) => return Poll::Ready(()),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }))
        })
        .collect();
    tokio::task::yield_now().await;
    hub.close_over(Duration::from_secs(10)).await;
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(polls.load(Ordering::SeqCst), 400);
}

#[test]
fn a_filter_that_lets_nothing_through_leaves_others_a_turn() {
    let hub = Hub::builder()
        .retain_events(100_000)
        .retain_bytes(1 << 30)
        .build();
    let calls = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&calls);
    let filtered = hub.subscriber().filter(move |_| {
        counts.fetch_add(1, Ordering::SeqCst);
        false
    });
    let mut body = filtered.subscribe().unwrap();
    drain(&mut body);
    for n in 0..50_000 {
        hub.publish(Event::display(n).unwrap());
    }
    let (woken, task) = Count::new();
    let mut cx = Context::from_waker(&task);
    let mut polls = 0;
    while calls.load(Ordering::SeqCst) < 50_000 {
        let before = calls.load(Ordering::SeqCst);
        assert!(
            std::pin::Pin::new(&mut body)
                .poll_frame(&mut cx)
                .is_pending()
        );
        assert!(calls.load(Ordering::SeqCst) - before <= 8_192);
        polls += 1;
        let over = calls.load(Ordering::SeqCst) == 50_000;
        assert!(over || woken.woken() == polls, "asks for no turn");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_on_a_busy_topic_ends() {
    let hub = Hub::builder().epoch(36).build();
    let body = hub.subscribe().unwrap();
    let mut body = Box::pin(body.long_poll(Duration::from_secs(25)));
    let start = tokio::time::Instant::now();
    let mut frames = 0;
    loop {
        hub.publish(Event::new("x"));
        if body.frame().await.is_none() {
            break;
        }
        frames += 1;
    }
    assert!(frames < 5 && start.elapsed() < Duration::from_secs(1));
}

fn text_of(frame: Option<Result<http_body::Frame<Bytes>, std::convert::Infallible>>) -> String {
    let data = frame.unwrap().unwrap().into_data().unwrap();
    String::from_utf8(data.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_not_told_of_losses_after_its_end() {
    let settings = Hub::builder().epoch(36).retain_bytes(1 << 20);
    let hub = settings
        .retain_topic("noisy", Retention::new().events(2))
        .build();
    let subscriber = hub.subscriber().topics(["quiet", "noisy"]);
    let body = subscriber.subscribe().unwrap();
    let mut body = Box::pin(body.long_poll(Duration::from_secs(25)));
    for _ in 0..3 {
        hub.topic("quiet").publish(Event::new("x".repeat(60_000)));
    }
    // Until the first event: the prelude and its place come before.
    let mut text = String::new();
    while !text.contains("data: x") {
        text += &text_of(body.frame().await);
    }
    for n in 0..5 {
        hub.topic("noisy").publish(Event::display(n).unwrap());
    }
    while let Some(frame) = body.frame().await {
        text += &text_of(Some(frame));
    }
    assert_eq!(text.matches("x\n\n").count(), 3);
    assert!(!text.contains("gap"), "nothing up to its end is lost");
    drop(body);
    let place = EventId::try_from("10-3").unwrap();
    let next = hub.subscriber().topics(["quiet", "noisy"]).after(place);
    assert_eq!(next.subscribe().unwrap().outcome(), Outcome::Gap);
}

#[tokio::test]
async fn a_stream_that_lags_says_so_before_it_ends() {
    let hub = Hub::builder().lag(LagPolicy::End).retain_events(2).build();
    let mut stream = hub.subscribe().unwrap().into_stream();
    (0..5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
}

#[test]
fn an_empty_list_of_topics_is_nothing() {
    let hub = Hub::new();
    let mut none = hub.subscriber().topics([""; 0]).subscribe().unwrap();
    drain(&mut none);
    hub.publish(Event::new("x"));
    assert_eq!(drain(&mut none).0, "");
    hub.close();
    assert!(drain(&mut none).1);
}

#[test]
fn a_transient_is_not_replayed_from_a_shared_frame() {
    let hub = Hub::builder().epoch(36).retain_bytes(10_000).build();
    let start = hub.publish(Event::new("start"));
    let mut live = [
        hub.resume(start.clone()).unwrap(),
        hub.resume(start.clone()).unwrap(),
    ];
    hub.publish_transient(Event::new("typing"));
    hub.publish(Event::new("1"));
    hub.publish(Event::new("2"));
    assert!(drain(&mut live[0]).0.contains("typing"));
    // It is displaced from the frames kept for live subscribers.
    for _ in 0..300 {
        hub.topic("other").publish(Event::new("x"));
    }
    let _other = hub.subscriber().topic("other").subscribe().unwrap();
    (0..300).for_each(|_| hub.topic("other").publish_transient(Event::new("x")));
    let mut late = hub.resume(start).unwrap();
    assert!(!drain(&mut late).0.contains("typing"));
}

#[test]
fn a_burst_larger_than_the_ring_ends_nobody_by_default() {
    let hub = Hub::builder().retain_events(1_024).build();
    let mut bodies: Vec<_> = (0..100).map(|_| hub.subscribe().unwrap()).collect();
    bodies.iter_mut().for_each(|body| _ = drain(body));
    (0..20_000).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    for body in &mut bodies {
        let (text, over) = drain(body);
        assert!(!over && text.starts_with("event: gap\n"));
        // The gap event has data as well.
        assert_eq!(text.matches("data: ").count(), 1_025);
    }
}
