//! The hub's wake-up path under thousands of interleavings: no wake-up is lost, no event is lost,
//! doubled or out of order.
//!
//! The hub's own source is compiled here once more, with shuttle's mutex, atomics and `Arc` in place
//! of the standard library's.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unexpected_cfgs,
    unused_imports,
    reason = "sources of the crate"
)]

include!("../sources.rs");

#[path = "../../../src/clock.rs"]
mod clock;

mod sync {
    pub(crate) use shuttle::sync::atomic::AtomicU64;
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, Weak};

    /// Each group of a topic with several is told under a hold of the lock of its own.
    pub(crate) fn crowd() -> usize {
        1
    }

    /// The unit tests have one thread each, and so one schedule. An encoder's state needs a larger stack.
    pub(crate) fn run(test: fn()) {
        let mut config = shuttle::Config::new();
        config.stack_size = 1 << 20;
        shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new(1), config).run(test);
    }
}

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use http_body::Body;
use shuttle::{future, thread};

use hub::{Hub, Subscription};
use protocol::Event;

async fn next(body: &mut Subscription) -> Option<String> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    let Ok(frame) = frame;
    let bytes = frame.into_data().ok().map(|data| data.to_vec());
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Reads until it has this many events; deadlocks, which shuttle reports, if a wake-up is lost.
async fn read(body: &mut Subscription, after: u64, events: u64) -> u64 {
    let mut last = after;
    while last < after + events {
        let frame = next(body).await.expect("not over yet");
        for block in frame.split_terminator("\n\n") {
            let mut lines = block.lines();
            let id: u64 = lines.next().unwrap()["id: 10-".len()..].parse().unwrap();
            if lines.next().is_some() {
                last += 1;
            }
            assert_eq!(id, last, "in order, none twice, none missing");
        }
    }
    last
}

fn read_to_end(mut body: Subscription) -> thread::JoinHandle<()> {
    thread::spawn(move || future::block_on(async { while next(&mut body).await.is_some() {} }))
}

/// Publishes this many events in a thread of its own.
fn publish(hub: &Hub, events: usize) -> thread::JoinHandle<()> {
    let hub = hub.clone();
    thread::spawn(move || (0..events).for_each(|_| _ = hub.publish(event())))
}

fn hub() -> Hub {
    Hub::builder().epoch(36).build()
}

fn event() -> Event {
    Event::new("x")
}

#[test]
fn every_subscriber_gets_every_event_while_two_publish() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut threads = Vec::new();
            for _ in 0..2 {
                let mut body = hub.subscribe().unwrap();
                threads.push(thread::spawn(move || {
                    future::block_on(async { assert_eq!(read(&mut body, 0, 4).await, 4) });
                }));
            }
            for _ in 0..2 {
                threads.push(publish(&hub, 2));
            }
            for thread in threads {
                thread.join().unwrap();
            }
        },
        3_000,
    );
}

#[test]
fn history_goes_over_into_live_without_a_seam() {
    shuttle::check_random(
        || {
            let hub = hub();
            let first = hub.publish(event());
            let publisher = publish(&hub, 4);
            let mut body = hub.resume(first).unwrap();
            future::block_on(async { assert_eq!(read(&mut body, 1, 4).await, 5) });
            publisher.join().unwrap();
        },
        3_000,
    );
}

#[test]
fn a_close_reaches_everybody() {
    shuttle::check_random(
        || {
            let hub = hub();
            let readers: Vec<_> = (0..2)
                .map(|_| read_to_end(hub.subscribe().unwrap()))
                .collect();
            let publisher = publish(&hub, 1);
            hub.close();
            future::block_on(hub.drain());
            assert_eq!(hub.stats().subscribers, 0);
            for reader in readers {
                reader.join().unwrap();
            }
            publisher.join().unwrap();
        },
        3_000,
    );
}

/// One owner's subscriptions are ended during publishing. A task that misses its end is a deadlock, and
/// those of another owner keep waiting.
#[test]
fn an_owners_end_is_missed_by_none_of_its_tasks() {
    shuttle::check_random(
        || {
            let hub = hub();
            let reader = |owner: &'static str| {
                let mut body = hub.subscriber().owner(owner).subscribe().unwrap();
                thread::spawn(move || {
                    future::block_on(async {
                        let mut events = 0;
                        while let Some(frame) = next(&mut body).await {
                            events += frame.matches("data: ").count();
                        }
                        events
                    })
                })
            };
            let (anna, also_anna, ben) = (reader("anna"), reader("anna"), reader("ben"));
            let publisher = publish(&hub, 2);
            assert_eq!(hub.owner("anna").end(), 2);
            assert_eq!(anna.join().unwrap(), also_anna.join().unwrap());
            publisher.join().unwrap();
            assert_eq!(hub.owner("ben").end(), 1);
            assert_eq!(ben.join().unwrap(), 2);
            assert_eq!(hub.stats().subscribers, 0);
        },
        3_000,
    );
}

/// A watch is told of everything, and of the end, whenever it begins to wait.
#[test]
fn a_watch_misses_nothing() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut watch = hub.watch();
            let watching = thread::spawn(move || {
                future::block_on(async {
                    let (mut changes, mut there) = (0, 0);
                    while let Some(change) =
                        poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut watch), cx))
                            .await
                    {
                        changes += 1;
                        there = change.unwrap().followers();
                    }
                    (changes, there)
                })
            });
            let followers: Vec<_> = (0..2)
                .map(|_| {
                    let hub = hub.clone();
                    thread::spawn(move || drop(hub.subscribe().unwrap()))
                })
                .collect();
            for follower in followers {
                follower.join().unwrap();
            }
            drop(hub);
            assert_eq!(watching.join().unwrap(), (4, 0));
        },
        3_000,
    );
}

/// The future that keeps the time may be polled before or after there is an instant to keep.
#[test]
fn an_instant_is_missed_by_nobody() {
    shuttle::check_random(
        || {
            let hub = hub();
            let sleep = |_| std::future::ready(());
            let keeping = [(); 2].map(|()| future::spawn(hub.keep_time_with_timer(sleep)));
            let readers: Vec<_> = (1..=2)
                .map(|hours| {
                    let hub = hub.clone();
                    thread::spawn(move || {
                        let at = std::time::Instant::now();
                        let at = at + std::time::Duration::from_secs(hours * 3_600);
                        let mut body = hub.subscriber().end_at(at).subscribe().unwrap();
                        future::block_on(async { while next(&mut body).await.is_some() {} });
                    })
                })
                .collect();
            hub.publish(event());
            for reader in readers {
                reader.join().unwrap();
            }
            assert_eq!(hub.stats().subscribers, 0);
            hub.close();
            for keeping in keeping {
                future::block_on(keeping).unwrap();
            }
        },
        3_000,
    );
}

#[test]
fn a_waiting_publisher_is_woken_by_reading_and_by_leaving() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut reader = hub.subscribe().unwrap();
            let leaver = hub.subscribe().unwrap();
            let threads = [
                thread::spawn(move || {
                    future::block_on(async { read(&mut reader, 0, 3).await });
                }),
                thread::spawn(move || drop(leaver)),
            ];
            for _ in 0..3 {
                hub.publish(event());
                future::block_on(hub.caught_up(0));
            }
            for thread in threads {
                thread.join().unwrap();
            }
        },
        3_000,
    );
}

/// Another task polls the body than the one that registered, and the first one's waker is replaced.
#[test]
fn a_body_may_move_to_another_task() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut body = hub.subscribe().unwrap();
            let publisher = publish(&hub, 2);
            let polled = thread::spawn(move || {
                future::block_on(poll_fn(|cx| {
                    // The position, and then most likely nothing.
                    let _position = Pin::new(&mut body).poll_frame(cx);
                    Poll::Ready(())
                }));
                body
            });
            let mut body = polled.join().unwrap();
            future::block_on(async { assert_eq!(read(&mut body, 0, 2).await, 2) });
            publisher.join().unwrap();
        },
        3_000,
    );
}

#[test]
fn a_linger_lets_nobody_wait_for_ever() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut body = hub.subscribe().unwrap();
            let sleep = |_| std::future::ready(());
            let linger = hub.linger_with_timer(std::time::Duration::ZERO, sleep);
            let linger = future::spawn(linger);
            let publisher = publish(&hub, 2);
            future::block_on(async { assert_eq!(read(&mut body, 0, 2).await, 2) });
            publisher.join().unwrap();
            linger.abort();
        },
        3_000,
    );
}

/// Views come and go while their tasks are being woken, and nothing holds on to a task.
#[test]
fn a_subscriber_that_leaves_lets_its_task_go() {
    struct Task;

    impl std::task::Wake for Task {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    shuttle::check_random(
        || {
            let hub = hub();
            let tasks: [_; 3] = std::array::from_fn(|_| std::sync::Arc::new(Task));
            let mut threads = Vec::new();
            for task in tasks.clone() {
                let hub = hub.clone();
                threads.push(thread::spawn(move || {
                    let waker = task.into();
                    let mut cx = std::task::Context::from_waker(&waker);
                    for _ in 0..2 {
                        let mut body = hub.subscribe().unwrap();
                        for _ in 0..4 {
                            let _any = Pin::new(&mut body).poll_frame(&mut cx);
                        }
                    }
                }));
            }
            threads.push(publish(&hub, 3));
            for thread in threads {
                thread.join().unwrap();
            }
            assert!(
                tasks
                    .iter()
                    .all(|task| std::sync::Arc::strong_count(task) == 1)
            );
        },
        3_000,
    );
}

/// IDs follow the order of the log, not the order of encoding.
#[test]
fn each_event_has_its_own_number() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut body = hub.subscribe().unwrap();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let hub = hub.clone();
                    // Past the border between one digit and two.
                    thread::spawn(move || (0..4).map(|_| hub.publish(event())).collect::<Vec<_>>())
                })
                .collect();
            let mut ids = Vec::new();
            for thread in threads {
                ids.extend(thread.join().unwrap());
            }
            let mut numbers: Vec<u64> = ids
                .iter()
                .map(|id| id.as_str()["10-".len()..].parse().unwrap())
                .collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
            future::block_on(async { assert_eq!(read(&mut body, 0, 12).await, 12) });
        },
        1_000,
    );
}

/// The ID of an event is sealed before the hub's lock is taken, for the number that it then has.
#[cfg(feature = "sealed")]
#[test]
fn sealed_ids_are_in_the_order_of_the_log() {
    shuttle::check_random(
        || {
            let hub = Hub::builder().epoch(36).seal_ids([7; 32]).build();
            let mut body = hub.resume(hub.last_event_id()).unwrap();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let hub = hub.clone();
                    thread::spawn(move || {
                        let first = hub.publish(event());
                        hub.publish_transient(event());
                        [first, hub.publish(event())]
                    })
                })
                .collect();
            let mut ids = Vec::new();
            while ids.len() < 6 {
                let frame = future::block_on(next(&mut body)).unwrap();
                let sent = frame.lines().filter_map(|line| line.strip_prefix("id: "));
                ids.extend(sent.map(str::to_owned));
            }
            let published = threads.into_iter().map(|thread| thread.join().unwrap());
            for [first, second] in published {
                let at = |id: &protocol::EventId| ids.iter().position(|sent| id == sent.as_str());
                assert!(at(&first).unwrap() < at(&second).unwrap());
            }
            for (at, id) in (1..).zip(&ids) {
                let last = protocol::EventId::try_from(id.as_str()).unwrap();
                let outcome = hub.resume(last).unwrap().outcome();
                assert_eq!(outcome, hub::Outcome::Resumed(6 - at));
            }
        },
        1_000,
    );
}

#[test]
fn a_spread_close_reaches_everybody() {
    shuttle::check_random(
        || {
            let hub = hub();
            let readers: Vec<_> = (0..3)
                .map(|_| read_to_end(hub.subscribe().unwrap()))
                .collect();
            let publisher = publish(&hub, 2);
            let sleep = |_| shuttle::future::yield_now();
            let time = std::time::Duration::from_millis(100);
            future::block_on(hub.close_over_with_timer(time, sleep));
            for reader in readers {
                reader.join().unwrap();
            }
            publisher.join().unwrap();
        },
        2_000,
    );
}

#[test]
fn the_last_hub_that_goes_ends_all() {
    shuttle::check_random(
        || {
            let hub = hub();
            let reader = read_to_end(hub.subscribe().unwrap());
            let handles = [hub.clone(), hub];
            let threads = handles.map(|hub| thread::spawn(move || drop(hub)));
            for thread in threads {
                thread.join().unwrap();
            }
            reader.join().unwrap();
        },
        2_000,
    );
}

#[test]
fn of_two_lingers_either_may_go() {
    shuttle::check_random(
        || {
            let hub = hub();
            let mut body = hub.subscribe().unwrap();
            let lingers: Vec<_> = (0..2)
                .map(|_| {
                    let sleep = |_| std::future::ready(());
                    future::spawn(hub.linger_with_timer(std::time::Duration::ZERO, sleep))
                })
                .collect();
            let publisher = publish(&hub, 2);
            let mut lingers = lingers.into_iter();
            let end = |linger: Option<future::JoinHandle<_>>| {
                let linger = linger.unwrap();
                linger.abort();
                _ = future::block_on(linger);
            };
            end(lingers.next());
            future::block_on(async { assert_eq!(read(&mut body, 0, 2).await, 2) });
            publisher.join().unwrap();
            end(lingers.next());
        },
        2_000,
    );
}

/// What a subscriber of `topic` reads while others publish and move it, up to an event `end`: topics
/// and numbers of the events.
fn moved(topic: &str, moves: fn(&hub::Handle), end: &str) -> Vec<(char, u64)> {
    let hub = hub();
    let mut body = hub.subscriber().topic(topic).subscribe().unwrap();
    let handle = body.handle();
    let reader = thread::spawn(move || {
        let mut seen = Vec::new();
        future::block_on(async {
            loop {
                let frame = next(&mut body).await.expect("not over yet");
                for block in frame.split_terminator("\n\n") {
                    let mut lines = block.lines();
                    let id: u64 = lines.next().unwrap()["id: 10-".len()..].parse().unwrap();
                    let Some(data) = lines.next() else { continue };
                    if data == "data: end" {
                        return;
                    }
                    seen.push((data.chars().last().unwrap(), id));
                }
            }
        });
        seen
    });
    let publisher = hub.clone();
    let publisher = thread::spawn(move || {
        for topic in ["a", "b", "a", "b"] {
            publisher.topic(topic).publish(Event::new(topic));
        }
    });
    moves(&handle);
    publisher.join().unwrap();
    hub.topic(end).publish(Event::new("end"));
    reader.join().unwrap()
}

#[test]
fn a_subscriber_that_is_moved_misses_nothing() {
    shuttle::check_random(
        || {
            let seen = moved("a", |handle| assert!(handle.move_to(["b"])), "b");
            // All of one topic up to a place, and all of the other from there on.
            let expected = [
                vec![('b', 2), ('b', 4)],
                vec![('a', 1), ('b', 2), ('b', 4)],
                vec![('a', 1), ('b', 4)],
                vec![('a', 1), ('a', 3), ('b', 4)],
                vec![('a', 1), ('a', 3)],
            ];
            assert!(expected.contains(&seen), "{seen:?}");
        },
        4_000,
    );
}

#[test]
fn a_subscriber_that_is_moved_there_and_back_is_woken() {
    shuttle::check_random(
        || {
            let there_and_back = |handle: &hub::Handle| {
                assert!(handle.leave("a") && handle.follow("a"));
                assert!(handle.move_to(["b", "a"]) && handle.leave("b"));
            };
            let seen = moved("a", there_and_back, "a");
            assert!(seen.is_sorted_by_key(|(_, id)| *id), "{seen:?}");
            assert!(seen.len() <= 4, "{seen:?}");
        },
        4_000,
    );
}
