//! Topics that finish, and hubs that are closed: what is replayed, and what is refused.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sse::hub::{Hub, HubService, LagPolicy, Outcome, Retention, Start, Subscription};
use tower_sse::{Event, EventId};

/// All that comes before the end or the next wait, and whether it is the end.
fn read(body: &mut Subscription) -> (String, bool) {
    let mut text = String::new();
    loop {
        match body.frame().now_or_never() {
            Some(Some(Ok(frame))) => {
                text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            }
            Some(_) => return (data(&text), true),
            None => return (data(&text), false),
        }
    }
}

fn data(text: &str) -> String {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.collect::<Vec<_>>().join(" ")
}

fn id(text: &'static str) -> EventId {
    EventId::from_static(text)
}

fn publish(hub: &Hub, topic: &str, data: &[&'static str]) {
    for data in data {
        hub.topic(topic).publish(Event::new(*data));
    }
}

#[test]
fn a_run_is_read_whole_by_those_who_are_there_come_late_or_resume() {
    let hub = Hub::builder().epoch(36).build();
    let run = || hub.subscriber().topic("run");
    let mut there = run().subscribe().unwrap();
    let mut slow = run().subscribe().unwrap();
    publish(&hub, "run", &["a", "b"]);
    assert_eq!(read(&mut there), ("a b".into(), false));
    let end = hub.topic("run").finish(Event::new("end"));
    assert_eq!(end.as_str(), "10-3");
    assert_eq!(read(&mut there), ("end".into(), true));
    assert_eq!(read(&mut slow), ("a b end".into(), true));
    for start in [Start::Now, Start::Oldest] {
        let mut late = run().start(start).subscribe().unwrap();
        assert_eq!(late.outcome(), Outcome::Fresh);
        assert_eq!(read(&mut late), ("a b end".into(), true));
    }
    let mut late = run().start(Start::Last(1)).subscribe().unwrap();
    assert_eq!(read(&mut late), ("end".into(), true));
    let mut resumed = run().after(id("10-1")).subscribe().unwrap();
    assert_eq!(resumed.outcome(), Outcome::Resumed(2));
    assert_eq!(read(&mut resumed), ("b end".into(), true));
    // An ID that is not known: the whole, after the gap event.
    let mut unknown = run().after(id("x")).subscribe().unwrap();
    assert_eq!(unknown.outcome(), Outcome::Unknown);
    assert_eq!(read(&mut unknown), ("{} a b end".into(), true));
    // Who has seen the end, or what came after it in other topics.
    publish(&hub, "other", &["x"]);
    for seen in [end, id("10-4")] {
        assert!(run().after(seen).subscribe().unwrap_err().is_finished());
    }
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn a_run_without_a_farewell_ends_where_it_is() {
    let hub = Hub::builder().epoch(36).build();
    let run = || hub.subscriber().topic("run");
    let mut there = run().subscribe().unwrap();
    publish(&hub, "run", &["a"]);
    assert_eq!(read(&mut there), ("a".into(), false));
    assert_eq!(hub.topic("run").finish(None).as_str(), "10-1");
    assert_eq!(read(&mut there), (String::new(), true));
    assert_eq!(
        hub.topic("run").finish(Event::new("again")).as_str(),
        "10-1"
    );
    let mut late = run().subscribe().unwrap();
    assert_eq!(read(&mut late), ("a".into(), true));
    assert!(
        run()
            .after(id("10-1"))
            .subscribe()
            .unwrap_err()
            .is_finished()
    );
    // Where there is nothing to remember it by, nothing is.
    hub.topic("empty").finish(None);
    assert!(hub.subscriber().topic("empty").subscribe().is_ok());
    assert_eq!(hub.stats().topics, 1);
}

#[tokio::test]
async fn a_task_that_waits_is_woken_by_the_end() {
    for farewell in [None, Some(Event::new("end"))] {
        let hub = Hub::new();
        publish(&hub, "run", &["a"]);
        let bodies: Vec<_> = (0..3)
            .map(|_| {
                let body = hub.subscriber().topic("run").subscribe().unwrap();
                tokio::spawn(body.collect())
            })
            .collect();
        tokio::task::yield_now().await;
        hub.topic("run").finish(farewell);
        for body in bodies {
            body.await.unwrap().unwrap();
        }
    }
}

#[test]
fn a_subscriber_of_several_topics_stays_until_all_are_finished() {
    let hub = Hub::builder().epoch(36).build();
    let both = || hub.subscriber().topics(["a", "b"]);
    let (mut both_there, mut prefix) = (both().subscribe().unwrap(), {
        hub.subscriber().topic("a").prefix("b").subscribe().unwrap()
    });
    publish(&hub, "a", &["a1"]);
    publish(&hub, "b", &["b1"]);
    hub.topic("a").finish(Event::new("a2"));
    assert_eq!(read(&mut both_there), ("a1 b1 a2".into(), false));
    hub.topic("b").finish(Event::new("b2"));
    assert_eq!(read(&mut both_there), ("b2".into(), true));
    assert_eq!(read(&mut prefix), ("a1 b1 a2 b2".into(), false));
    let mut late = both().subscribe().unwrap();
    assert_eq!(read(&mut late), ("a1 b1 a2 b2".into(), true));
    // Nothing at all is not finished.
    let mut nothing = hub.subscriber().topics::<&str>([]).subscribe().unwrap();
    assert_eq!(read(&mut nothing), (String::new(), false));
}

#[test]
fn the_next_run_is_for_those_who_come_then() {
    let hub = Hub::builder().epoch(36).build();
    let run = || hub.subscriber().topic("run");
    let mut first = run().subscribe().unwrap();
    publish(&hub, "run", &["a"]);
    hub.topic("run").finish(Event::new("end"));
    let mut late = run().subscribe().unwrap();
    publish(&hub, "run", &["b"]);
    let mut second = run().subscribe().unwrap();
    publish(&hub, "run", &["c"]);
    assert_eq!(read(&mut first), ("a end".into(), true));
    assert_eq!(read(&mut late), ("a end".into(), true));
    assert_eq!(read(&mut second), ("c".into(), false));
    hub.topic("run").finish(None);
    assert_eq!(read(&mut second), (String::new(), true));
    let mut resumed = run().after(id("10-2")).subscribe().unwrap();
    assert_eq!(read(&mut resumed), ("b c".into(), true));
    drop((first, late, second, resumed));
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn runs_come_and_go_and_leave_nothing() {
    let hub = Hub::builder().retain_bytes(20_000).build();
    for n in 0..20_000 {
        let name = format!("run/{n}");
        let mut there = hub.subscriber().topic(&*name).subscribe().unwrap();
        hub.topic(&name).publish(Event::new("token"));
        hub.topic(&name).finish(Event::new("end"));
        assert_eq!(read(&mut there), ("token end".into(), true));
    }
    let stats = hub.stats();
    assert!(
        stats.topics < 100 && stats.retained_bytes <= 20_000,
        "{stats:?}"
    );
    // What retention has taken is as new.
    let first = hub.subscriber().topic("run/0").subscribe().unwrap();
    assert_eq!(first.outcome(), Outcome::Fresh);
}

#[tokio::test]
async fn a_service_says_204_of_what_has_been_seen() {
    let hub = Hub::builder().epoch(36).build();
    publish(&hub, "", &["a"]);
    hub.topic("").finish(Event::new("end"));
    let plain = HubService::new(hub.clone());
    for service in [plain.clone(), plain.refuse_with_retry()] {
        for method in [Method::GET, Method::HEAD] {
            for (last, status) in [("", 200), ("10-1", 200), ("10-2", 204), ("x", 200)] {
                let request = Request::builder().method(&method).uri("/");
                let request = request.header("last-event-id", last).body(()).unwrap();
                let response = service.clone().oneshot(request).await.unwrap();
                assert_eq!(response.status(), status, "{method} {last}");
                assert!(!response.headers().contains_key("retry-after"));
                let is_stream = response.headers().contains_key("content-type");
                assert_eq!(is_stream, status == 200);
                let body = response.into_body().collect().await.unwrap().to_bytes();
                let ended = body.ends_with(b"data: end\n\n");
                assert_eq!(ended, method == Method::GET && status == 200);
            }
        }
    }
    let refused = hub.resume(id("10-2")).unwrap_err();
    let response = refused.into_retry_response::<bytes::Bytes>();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(hub.stats().subscribers, 0);
}

#[test]
fn a_closed_hub_replays_what_it_retains() {
    for lag in [LagPolicy::Oldest, LagPolicy::Newest, LagPolicy::End] {
        let settings = Hub::builder().epoch(36).lag(lag).retain_events(3);
        let hub = settings.farewell(Event::new("bye")).build();
        publish(&hub, "", &["a", "b", "c", "d"]);
        hub.close();
        publish(&hub, "", &["late"]);
        let mut resumed = hub.resume(id("10-3")).unwrap();
        assert_eq!(read(&mut resumed), ("d bye".into(), true));
        let mut gap = hub.resume(id("10-0")).unwrap();
        assert_eq!(gap.outcome(), Outcome::Gap);
        assert_eq!(read(&mut gap), ("{} c d bye".into(), true));
        let all = hub.subscriber().start(Start::Oldest).subscribe();
        assert_eq!(read(&mut all.unwrap()), ("c d bye".into(), true));
        for nothing in [hub.subscribe(), hub.resume(id("10-4")), hub.resume(id("x"))] {
            assert!(nothing.unwrap_err().is_closed());
        }
        assert_eq!(hub.stats().subscribers, 0);
        assert_eq!(hub.drain().now_or_never(), Some(0));
    }
}

/// What is published and lost after a close was for nobody, whether a topic exists or not.
#[test]
fn losses_after_a_close_are_no_gap_before_it() {
    for (with_follower, later) in [(false, "b"), (true, "b"), (false, "c"), (true, "c")] {
        let one = Retention::new().events(1);
        let aged = Retention::new().age(Duration::from_millis(1));
        let settings = Hub::builder().epoch(36).retain_topic("b", one);
        let hub = settings.retain_topic("c", aged).build();
        let come = || hub.subscriber().after(id("10-1"));
        let there = with_follower.then(|| come().topics(["a", "b", "c"]).subscribe());
        publish(&hub, "a", &["1", "2"]);
        hub.close();
        publish(&hub, later, &["late", "late", "late"]);
        std::thread::sleep(Duration::from_millis(5));
        let resumed = [
            come().topics(["a", "b", "c"]),
            come().prefix("a").prefix("b").prefix("c"),
            come().prefix(""),
        ];
        for resumed in resumed {
            let mut resumed = resumed.subscribe().unwrap();
            assert_eq!(resumed.outcome(), Outcome::Resumed(1));
            assert_eq!(read(&mut resumed), ("2".into(), true));
        }
        drop(there);
        // The next life knows of them.
        let next = Hub::builder().tail(hub.tail()).build();
        let after = next.subscriber().topic(later).after(id("10-2")).subscribe();
        assert_eq!(after.unwrap().outcome(), Outcome::Gap);
        let other = next.subscriber().topic("a").after(id("10-2")).subscribe();
        assert_eq!(other.unwrap().outcome(), Outcome::Resumed(0));
    }
}

#[test]
fn a_stream_of_deliveries_ends_with_its_run() {
    let hub = Hub::new();
    let mut stream = hub
        .subscriber()
        .topic("run")
        .subscribe()
        .unwrap()
        .into_stream();
    publish(&hub, "run", &["a"]);
    hub.topic("run").finish(Event::new("end"));
    let mut next = || stream.next().now_or_never().unwrap();
    assert_eq!(next().unwrap().unwrap().data(), "a");
    assert_eq!(next().unwrap().unwrap().data(), "end");
    assert!(next().is_none() && next().is_none());
}

#[test]
fn a_client_knows_of_the_end_whatever_its_filter_lets_through() {
    for hidden in ["", "a", "end", "a end"] {
        let hub = Hub::builder().epoch(36).build();
        let run = || {
            let hidden = hidden.split(' ');
            let hidden: Vec<_> = hidden.collect();
            let run = hub.subscriber().topic("run");
            run.filter(move |delivery| !hidden.contains(&&*delivery.data()))
        };
        let mut there = run().subscribe().unwrap();
        publish(&hub, "run", &["a"]);
        let place = hub.topic("run").finish(Event::new("end"));
        publish(&hub, "other", &["x"]);
        let mut late = run().subscribe().unwrap();
        let mut resumed = run().after(id("10-0")).subscribe().unwrap();
        for body in [&mut there, &mut late, &mut resumed] {
            let text = body.collect().now_or_never().unwrap().unwrap().to_bytes();
            let text = String::from_utf8(text.into()).unwrap();
            let last = text
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("id: "));
            assert_eq!(last, Some(place.as_str()), "{hidden}: {text}");
        }
        assert!(run().after(place).subscribe().unwrap_err().is_finished());
    }
}

#[test]
fn what_comes_after_a_close_is_not_counted() {
    let hub = Hub::builder().epoch(36).build();
    publish(&hub, "", &["a", "b", "c"]);
    hub.close();
    publish(&hub, "", &["d"]);
    hub.topic("").finish(Event::new("e"));
    let mut resumed = hub.resume(id("10-1")).unwrap();
    assert_eq!(resumed.outcome(), Outcome::Resumed(2));
    assert_eq!(read(&mut resumed), ("b c".into(), true));
    let last = hub.subscriber().start(Start::Last(1)).subscribe();
    assert_eq!(read(&mut last.unwrap()), ("c".into(), true));
    assert!(hub.resume(id("10-3")).unwrap_err().is_closed());
}

#[test]
fn an_end_is_known_as_long_as_an_event_is_retained() {
    // Whether somebody else follows the topic or not.
    for other in [false, true] {
        let hub = Hub::builder().epoch(36).retain_bytes(20_000).build();
        let run = || hub.subscriber().topic("run");
        let follow = || hub.subscriber().topics(["run", "other"]).subscribe();
        let other = other.then(|| follow().unwrap());
        publish(&hub, "run", &["a"]);
        hub.topic("run").finish(Event::new("end"));
        assert!(
            run()
                .after(id("10-2"))
                .subscribe()
                .unwrap_err()
                .is_finished()
        );
        (0..200).for_each(|_| publish(&hub, "noise", &["x"]));
        (0..200).for_each(|n| publish(&hub, &format!("room/{n}"), &["x"]));
        assert_eq!(hub.topic("run").stats().retained, 0);
        assert_eq!(
            run().after(id("10-1")).subscribe().unwrap().outcome(),
            Outcome::Gap
        );
        let mut fresh = run().subscribe().unwrap();
        assert_eq!(read(&mut fresh), (String::new(), false));
        publish(&hub, "run", &["b"]);
        assert_eq!(read(&mut fresh), ("b".into(), false));
        drop(other);
    }
    // An end without an event reaches present subscribers only.
    let hub = Hub::new();
    let mut there = hub.subscriber().topic("run").subscribe().unwrap();
    hub.topic("run").finish(None);
    let mut late = hub.subscriber().topic("run").subscribe().unwrap();
    assert!(read(&mut there).1 && !read(&mut late).1);
}

#[test]
fn an_end_that_is_known_is_said_to_those_for_whom_there_is_no_room() {
    let hub = Hub::builder().max_subscribers(1).max_per_owner(1).build();
    let _one = hub.subscriber().owner("anna").subscribe().unwrap();
    publish(&hub, "run", &["a"]);
    let end = hub.topic("run").finish(Event::new("end"));
    publish(&hub, "other", &["x"]);
    assert_eq!(hub.topic("run").finish(Event::new("again")), end);
    assert_eq!(hub.topic("run").finish(None), end);
    let run = || hub.subscriber().topic("run").owner("anna");
    assert!(run().after(end).subscribe().unwrap_err().is_finished());
    assert!(run().subscribe().unwrap_err().is_too_many());
}

#[test]
fn an_end_counts_for_those_who_are_there_whatever_is_retained() {
    for (empty_first, aged) in [(true, false), (false, false), (true, true)] {
        let retention = Retention::new().age(Duration::from_millis(1));
        let hub = Hub::builder().retain_topic("s", retention).build();
        let mut there = hub.subscriber().topics(["r", "s"]).subscribe().unwrap();
        if aged {
            publish(&hub, "s", &["gone"]);
            read(&mut there);
            std::thread::sleep(Duration::from_millis(5));
        }
        if empty_first {
            hub.topic("s").finish(None);
        }
        publish(&hub, "r", &["a"]);
        hub.topic("r").finish(Event::new("end"));
        if !empty_first {
            hub.topic("s").finish(None);
        }
        assert_eq!(read(&mut there), ("a end".into(), true));
        // For those that come, the one that retains nothing is as new.
        let mut late = hub.subscriber().topics(["r", "s"]).subscribe().unwrap();
        assert!(!read(&mut late).1);
        hub.topic("s").finish(None);
        assert!(read(&mut late).1);
    }
}
