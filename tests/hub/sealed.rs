//! Sealed IDs: what is sent with them, what they open, and what they do not tell.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sse::hub::{Hub, HubBuilder, HubService, Outcome, SealKey, Start, Subscription};
use tower_sse::{Event, EventId, KeepAlive, MaxAge};

use crate::support::rng::Rng;

const KEY: [u8; 32] = [7; 32];

fn sealed() -> HubBuilder {
    Hub::builder().epoch(36).seal_ids(KEY)
}

fn outcome(hub: &Hub, id: &str) -> Outcome {
    let id = EventId::try_from(id).unwrap();
    hub.resume(id).unwrap().outcome()
}

/// All that is ready, and the IDs in it.
fn drain(body: &mut Subscription) -> (String, Vec<String>) {
    let mut text = String::new();
    while let Some(Some(Ok(frame))) = body.frame().now_or_never() {
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    let ids = ids(&text);
    (text, ids)
}

fn ids(text: &str) -> Vec<String> {
    let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
    ids.map(str::to_owned).collect()
}

#[test]
fn random_places_are_found_again() {
    let mut rng = Rng::new(1);
    let hub = sealed().build();
    let mut places = vec![hub.last_event_id()];
    for n in 0..500_u32 {
        if rng.one_in(3) {
            hub.topic("other").publish(Event::display(n).unwrap());
        } else {
            let id = hub.publish(Event::display(n).unwrap());
            assert_eq!(id, hub.last_event_id());
            places.push(id);
        }
    }
    for _ in 0..200 {
        let at = rng.below(places.len());
        let mut body = hub.resume(places[at].clone()).unwrap();
        let missed = &places[at + 1..];
        assert_eq!(body.outcome(), Outcome::Resumed(missed.len() as u64));
        let (_, ids) = drain(&mut body);
        if missed.is_empty() {
            assert!(
                ids.len() <= 1,
                "its place, which other topics have moved on"
            );
        } else {
            assert_eq!(ids, missed);
        }
    }
    let distinct: HashSet<_> = places.iter().collect();
    assert_eq!(distinct.len(), places.len());
}

#[test]
fn what_is_altered_or_in_clear_is_unknown() {
    let hub = sealed().build();
    let id = hub.publish(Event::new("1"));
    let id = id.as_str();
    assert_eq!(outcome(&hub, id), Outcome::Resumed(0));
    for at in 0..id.len() {
        for other in "AQgw09-_.=\u{fc}".chars() {
            let altered = format!("{}{other}{}", &id[..at], &id[at + 1..]);
            if altered != id {
                assert_eq!(outcome(&hub, &altered), Outcome::Unknown, "{altered}");
            }
        }
        if at > 0 {
            assert_eq!(outcome(&hub, &id[..at]), Outcome::Unknown);
            assert_eq!(outcome(&hub, &id[at..]), Outcome::Unknown);
        }
    }
    for clear in [
        "10-0",
        "10-1",
        "10-2",
        "0",
        "-",
        &format!("{id}="),
        &format!(" {id}"),
    ] {
        assert_eq!(outcome(&hub, clear), Outcome::Unknown, "{clear}");
    }
    // A place that is still to come, of a hub that is otherwise the same.
    let ahead = sealed().build();
    (0..2).for_each(|_| _ = ahead.publish(Event::new("x")));
    assert_eq!(
        outcome(&hub, ahead.last_event_id().as_str()),
        Outcome::Unknown
    );
}

#[test]
fn a_key_and_an_epoch_make_a_hub() {
    let publish = |settings: HubBuilder| {
        let hub = settings.build();
        let id = hub.publish(Event::new("1"));
        (hub, id)
    };
    let (hub, id) = publish(sealed());
    let (same, same_id) = publish(sealed());
    assert_eq!(id, same_id, "of another process");
    assert_eq!(outcome(&same, id.as_str()), Outcome::Resumed(0));
    for other in [
        sealed().epoch(37),
        Hub::builder().seal_ids(KEY),
        sealed().seal_ids(SealKey::from([8; 32])),
        Hub::builder().epoch(36),
    ] {
        let (other, other_id) = publish(other);
        assert_ne!(id, other_id);
        assert_eq!(outcome(&other, id.as_str()), Outcome::Unknown);
        assert_eq!(outcome(&hub, other_id.as_str()), Outcome::Unknown);
    }
    let shown = format!("{:?} {:?}", sealed(), SealKey::from(KEY));
    assert!(
        shown.contains("SealKey(..)") && !shown.contains("7, 7"),
        "{shown}"
    );
}

/// Whatever the hub sends carries sealed IDs, and each is a place.
#[tokio::test(start_paused = true)]
async fn places_gaps_and_long_polls_are_sealed() {
    let hub = sealed().retain_events(2).build();
    let mut known = vec![hub.last_event_id()];
    let mut publish = |topic: &str| {
        hub.topic(topic).publish(Event::new("x"));
        known.push(hub.last_event_id());
    };
    let mut text = String::new();
    let mut body = hub.subscribe().unwrap();
    text.push_str(&drain(&mut body).0);
    (0..5).for_each(|_| publish(""));
    // It lags, is told of that, and gets what is retained.
    hub.publish_transient(Event::new("t"));
    let (lagged, ids_of_lagged) = drain(&mut body);
    assert_eq!(ids_of_lagged.len(), 3, "{lagged}");
    assert_eq!(ids_of_lagged[0], known[3].as_str());
    text.push_str(&lagged);
    // Unknown, and lost.
    for last in ["10-1", known[1].as_str()] {
        let last = EventId::try_from(last).unwrap();
        text.push_str(&drain(&mut hub.resume(last).unwrap()).0);
    }
    let poll = |last: Option<EventId>| {
        let body = hub.resume(last.unwrap_or(EventId::EMPTY)).unwrap();
        let body = body.long_poll(Duration::from_secs(25));
        body.collect().map(|bytes| bytes.unwrap().to_bytes())
    };
    known.push(hub.last_event_id());
    for last in [None, Some(known[4].clone()), Some(known[1].clone())] {
        text.push_str(std::str::from_utf8(&poll(last).await).unwrap());
    }
    // A place that moves on with a heartbeat.
    let quiet = hub.subscriber().topic("quiet").subscribe().unwrap();
    let age = MaxAge::new(Duration::from_secs(40));
    let quiet = quiet.keep_alive(KeepAlive::default()).max_age(age);
    let quiet = tokio::spawn(async { quiet.collect().await.unwrap().to_bytes() });
    tokio::time::sleep(Duration::from_secs(5)).await;
    hub.publish(Event::new("x"));
    known.push(hub.last_event_id());
    let quiet = quiet.await.unwrap();
    assert_eq!(ids(std::str::from_utf8(&quiet).unwrap()).len(), 2);
    text.push_str(std::str::from_utf8(&quiet).unwrap());

    let sent = ids(&text);
    assert!(sent.len() > 12, "{text}");
    for id in sent {
        assert!(known.iter().any(|known| *known == *id), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn deliveries_and_the_service_use_them() {
    let hub = sealed().build();
    let mut stream = hub.subscribe().unwrap().into_stream();
    let first = hub.publish(Event::new("1"));
    let delivery = stream.next().await.unwrap().unwrap();
    assert_eq!(delivery.id(), Some(first.as_str()));
    let second = hub.publish(Event::new("2"));
    let uri = format!("/?long-poll&lastEventId={first}");
    let request = Request::get(uri).body(()).unwrap();
    let response = HubService::new(hub).oneshot(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, format!(":\nretry: 100\nid: {second}\ndata: 2\n\n"));
}

/// What the handler says of where a client begins is read as a client's ID is.
#[test]
fn a_handler_speaks_of_places_by_their_sealed_ids() {
    let hub = sealed().build();
    let start = hub.last_event_id();
    let ids = [1, 2, 3].map(|n| hub.publish(Event::display(n).unwrap()));
    let anew = hub.subscriber().start(Start::After(ids[0].clone()));
    assert_eq!(
        drain(&mut anew.subscribe().unwrap()).1.len(),
        3,
        "place and two events"
    );
    let bounded = hub
        .subscriber()
        .not_before(ids[1].clone())
        .after(start.clone());
    assert_eq!(bounded.subscribe().unwrap().outcome(), Outcome::Resumed(1));
    let forged = EventId::from_static("10-1");
    let nothing = hub.subscriber().not_before(forged.clone()).after(start);
    assert!(
        !drain(&mut nothing.subscribe().unwrap())
            .0
            .contains("data: 1")
    );
    // A start that is not known is the oldest event, as in clear.
    let oldest = hub.subscriber().start(Start::After(forged));
    assert!(
        drain(&mut oldest.subscribe().unwrap())
            .0
            .contains("data: 1")
    );
}

/// An event's own ID goes out as it is; the hub's are sealed, and none of an event's own can stand
/// for one of them.
#[test]
fn own_ids_stay_as_they_are() {
    let hub = sealed().keep_event_ids().build();
    let own = |id: &str| Event::new("x").with_id(EventId::try_from(id).unwrap());
    let start = hub.last_event_id();
    assert_eq!(hub.publish(own("order-7")).as_str(), "order-7");
    let forged = hub.publish(own(start.as_str()));
    assert_ne!(forged, start);
    assert_eq!(forged.as_str().len(), 43);
    let none = hub.publish(Event::new("x"));
    assert_eq!(outcome(&hub, start.as_str()), Outcome::Resumed(3));
    assert_eq!(outcome(&hub, "order-7"), Outcome::Resumed(2));
    assert_eq!(outcome(&hub, forged.as_str()), Outcome::Resumed(1));
    assert_eq!(outcome(&hub, none.as_str()), Outcome::Resumed(0));
    assert_eq!(outcome(&hub, "10-1"), Outcome::Unknown);
}

/// Payloads that are shared and text that looks like the ID: the ID is put into an encoded event.
#[test]
fn the_id_is_put_where_it_belongs() {
    let hub = sealed().build();
    let blank = "-".repeat(43);
    let mut body = hub.subscribe().unwrap();
    drain(&mut body);
    for data in [
        format!("id: {blank}\nid: {blank}"),
        "x".repeat(100_000),
        String::new(),
    ] {
        let event = Event::new(data).with_type(tower_sse::EventType::from_static("id: x"));
        for event in [event.clone(), event.with_retry(Duration::from_secs(1))] {
            let id = hub.publish(&event);
            let (text, _) = drain(&mut body);
            let expected = event.with_id(id).encode();
            assert!(expected == *text.as_str(), "{text:.200}");
        }
    }
}

#[test]
fn publishers_on_all_sides_get_ids_in_order() {
    const EVENTS: usize = 500;
    let hub = sealed().keep_event_ids().retain_events(100_000).build();
    let start = hub.last_event_id();
    let published: Vec<HashSet<EventId>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let hub = &hub;
                scope.spawn(move || {
                    let publish = |n: usize| {
                        if n % 5 == 0 {
                            hub.publish_transient(Event::new("t"));
                        }
                        if n % 7 == 0 {
                            let own = Event::new("own").with_id(EventId::from_static("own"));
                            assert_eq!(hub.publish(own).as_str(), "own");
                        }
                        hub.publish(Event::display(n).unwrap())
                    };
                    (0..EVENTS).map(publish).collect()
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut all: HashSet<_> = published.iter().flatten().cloned().collect();
    assert_eq!(all.len(), 4 * EVENTS);
    let (text, ids) = drain(&mut hub.resume(start).unwrap());
    let count = ids.len() as u64;
    assert_eq!(text.matches("\n\n").count() as u64, count);
    for (at, id) in ids.iter().enumerate().filter(|(_, id)| *id != "own") {
        assert!(all.remove(id.as_str()), "{id}");
        assert_eq!(outcome(&hub, id), Outcome::Resumed(count - 1 - at as u64));
    }
    assert!(all.is_empty());
}

/// A publisher's turn is over when tasks are woken.
#[test]
fn a_waker_may_publish() {
    struct Publishes(Mutex<Option<Hub>>);

    impl Wake for Publishes {
        fn wake(self: Arc<Self>) {
            let hub = self.0.lock().unwrap().take();
            if let Some(hub) = hub {
                hub.publish(Event::new("from the waker"));
                hub.publish_transient(Event::new("t"));
            }
        }
    }

    for transient in [false, true] {
        let hub = sealed().build();
        let mut body = hub.subscribe().unwrap();
        drain(&mut body);
        let waker = Waker::from(Arc::new(Publishes(Mutex::new(Some(hub.clone())))));
        let poll = std::pin::Pin::new(&mut body).poll_frame(&mut Context::from_waker(&waker));
        assert!(matches!(poll, Poll::Pending));
        if transient {
            hub.publish_transient(Event::new("1"));
        } else {
            hub.publish(Event::new("1"));
        }
        let (text, _) = drain(&mut body);
        assert!(text.contains("data: from the waker\n\n"));
    }
}
