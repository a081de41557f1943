//! The ready service, asked as a server would.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sse::client::SourceEvent;
use tower_sse::hub::{Hub, HubService, Subscription, SubscriptionBuilder};
use tower_sse::timer::TokioTimer;
use tower_sse::{Event, EventSource, SseBody};

type Answer = Response<Pin<Box<SseBody<Subscription, TokioTimer>>>>;

async fn ask(service: &HubService<TokioTimer>, request: http::request::Builder) -> Answer {
    let request = request.body(()).unwrap();
    service
        .clone()
        .oneshot(request)
        .await
        .unwrap()
        .map(Box::pin)
}

async fn first(answer: &mut Answer) -> String {
    let mut text = String::new();
    while !text.contains("data: ") {
        let frame = answer.body_mut().frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn resumes_by_header_and_by_query() {
    let hub = Hub::builder().epoch(36).build();
    let service = HubService::new(hub.clone());
    hub.publish(Event::new("a"));
    hub.publish(Event::new("b"));
    for request in [
        Request::get("/").header("last-event-id", "10-1"),
        Request::get("/?lastEventId=10-1"),
        Request::get("/?lastEventId=10-2").header("last-event-id", "10-1"),
    ] {
        let mut answer = ask(&service, request).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        assert_eq!(first(&mut answer).await, ":\nid: 10-2\ndata: b\n\n");
    }
    let bad = Request::get("/").header("last-event-id", &b"\xff"[..]);
    assert_eq!(ask(&service, bad).await.status(), 400);
}

#[tokio::test]
async fn heads_open_nothing_and_other_methods_are_not_allowed() {
    let hub = Hub::new();
    let service = HubService::new(hub.clone());
    let answer = ask(&service, Request::head("/")).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.body().is_end_stream());
    assert_eq!(hub.stats().subscribers, 0);
    let answer = ask(&service, Request::builder().method(Method::DELETE)).await;
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "GET, HEAD");
}

#[tokio::test]
async fn one_too_many_gets_503_and_nobody_is_evicted() {
    let hub = Hub::builder().max_subscribers(1).build();
    let service = HubService::new(hub.clone());
    let mut open = ask(&service, Request::get("/")).await;
    let answer = ask(&service, Request::get("/")).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(!answer.headers().contains_key("content-type"));
    hub.publish(Event::new("still there"));
    assert!(first(&mut open).await.ends_with("still there\n\n"));
    hub.close();
    assert_eq!(ask(&service, Request::get("/")).await.status(), 503);
}

#[tokio::test]
async fn head_says_what_get_says() {
    let hub = Hub::builder().max_subscribers(0).build();
    let service = HubService::new(hub.clone());
    assert_eq!(ask(&service, Request::head("/")).await.status(), 503);
    hub.close();
    assert_eq!(ask(&service, Request::head("/")).await.status(), 503);
    assert_eq!(hub.stats().refused, 0);
}

#[tokio::test]
async fn a_head_has_the_status_and_headers_of_a_get() {
    let hub = Hub::builder()
        .epoch(36)
        .max_per_owner(1)
        .max_subscribers(2)
        .build();
    hub.topic("done").publish(Event::new("a"));
    let end = hub.topic("done").finish(Event::new("b"));
    let select = |request: &Parts, subscriber: SubscriptionBuilder| {
        let topic = request.uri.path().trim_start_matches('/');
        match topic {
            "locked" => Err(StatusCode::FORBIDDEN),
            "anna" => Ok(subscriber.topic(topic).owner(topic)),
            _ => Ok(subscriber.topic(topic.to_owned())),
        }
    };
    let service = HubService::new(hub.clone()).select(select);
    let retrying = service.clone().refuse_with_retry();
    let mut open = Vec::new();
    let mut seen = BTreeSet::new();
    // Empty, with Anna there, full, and closed.
    for step in 0..4 {
        match step {
            1 => open.push(ask(&service, Request::get("/anna")).await),
            2 => open.push(ask(&service, Request::get("/other")).await),
            3 => hub.close(),
            _ => {}
        }
        for service in [&service, &retrying] {
            for path in ["/anna", "/done", "/open", "/locked", "/open?long-poll"] {
                for last in ["", "10-1", end.as_str(), "x"] {
                    let (bad, last) = if last == "x" {
                        (true, &b"\xff"[..])
                    } else {
                        (false, last.as_bytes())
                    };
                    let request = |method| {
                        let request = Request::builder().method(method).uri(path);
                        request.header("last-event-id", last)
                    };
                    let before = hub.stats().subscribers;
                    let mut head = ask(service, request(Method::HEAD)).await;
                    assert_eq!(hub.stats().subscribers, before);
                    let mut get = ask(service, request(Method::GET)).await;
                    assert_eq!(head.status(), get.status(), "{step} {path} {last:?}");
                    for answer in [&mut head, &mut get] {
                        // It differs from client to client.
                        if let Some(time) = answer.headers_mut().get_mut("retry-after") {
                            *time = HeaderValue::from_static("5");
                        }
                    }
                    assert_eq!(head.headers(), get.headers(), "{step} {path} {last:?}");
                    assert!(bad || head.body().is_end_stream());
                    seen.insert(get.status().as_u16());
                }
            }
        }
    }
    assert!(seen.iter().eq(&[200, 204, 400, 403, 429, 503]), "{seen:?}");
}

#[tokio::test]
async fn clients_that_are_refused_together_do_not_return_together() {
    let hub = Hub::builder().max_subscribers(0);
    let hub = hub.retry_after(Duration::from_secs(60)).build();
    let service = HubService::new(hub);
    let mut times = BTreeSet::new();
    for _ in 0..50 {
        let answer = ask(&service, Request::get("/")).await;
        let time = answer.headers()["retry-after"].to_str().unwrap();
        times.insert(time.parse::<u64>().unwrap());
    }
    assert!(times.iter().all(|time| (60..=120).contains(time)));
    assert!(times.len() > 10, "{times:?}");
}

/// The reconnection time in a body that has nothing else.
async fn retry(answer: Answer) -> u64 {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&bytes).unwrap();
    let digits = text.strip_prefix(":\nretry: ").unwrap();
    digits.strip_suffix('\n').unwrap().parse().unwrap()
}

#[tokio::test]
async fn refuses_with_a_stream_that_ends_if_set() {
    let hub = Hub::builder()
        .max_subscribers(1)
        .retry_after(Duration::from_millis(1_500))
        .build();
    let service = HubService::new(hub.clone()).refuse_with_retry();
    let mut open = ask(&service, Request::get("/")).await;
    for closed in [false, true] {
        if closed {
            hub.publish(Event::new("still there"));
            assert!(first(&mut open).await.ends_with("still there\n\n"));
            hub.close();
        }
        let head = ask(&service, Request::head("/")).await;
        assert!(head.body().is_end_stream());
        let before = hub.stats().refused;
        let mut times = Vec::new();
        for request in ["/", "/?long-poll", "/?lastEventId=7", "/"] {
            let answer = ask(&service, Request::get(request)).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers(), head.headers());
            assert_eq!(answer.headers()["content-type"], "text/event-stream");
            assert!(!answer.headers().contains_key("retry-after"));
            times.push(retry(answer).await);
        }
        assert!(times.iter().all(|time| (1_500..=3_000).contains(time)));
        assert!(times.iter().any(|time| *time != times[0]), "{times:?}");
        // HEAD opens nothing, and is refused nothing.
        assert_eq!(hub.stats().refused, before + 4);
        assert_eq!(hub.stats().subscribers, 1);
    }
}

#[tokio::test]
async fn an_owner_with_too_many_subscriptions_is_told_when_to_retry() {
    let hub = Hub::builder().max_per_owner(1).build();
    let service = HubService::new(hub).select(|_, subscriber| Ok(subscriber.owner("anna")));
    let _first = ask(&service, Request::get("/")).await;
    assert_eq!(ask(&service, Request::get("/")).await.status(), 429);
    let service = service.refuse_with_retry();
    assert_eq!(ask(&service, Request::head("/")).await.status(), 200);
    let answer = ask(&service, Request::get("/")).await;
    assert!((5_000..=10_000).contains(&retry(answer).await));
}

#[tokio::test]
async fn other_refusals_stay_what_they_are() {
    let hub = Hub::builder().max_subscribers(0).build();
    let service = HubService::new(hub).refuse_with_retry();
    let bad = Request::get("/").header("last-event-id", &b"\xff"[..]);
    assert_eq!(ask(&service, bad).await.status(), 400);
    let post = Request::post("/");
    assert_eq!(ask(&service, post).await.status(), 405);
    let locked = service.select(|_, _| Err(StatusCode::FORBIDDEN));
    assert_eq!(ask(&locked, Request::get("/")).await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_refused_comes_again() {
    let hub = Hub::builder().max_subscribers(1).build();
    let only = hub.subscribe().unwrap();
    let service = HubService::new(hub.clone()).refuse_with_retry();
    let request = Request::get("/").body(()).unwrap();
    let mut source = Box::pin(EventSource::new(service, request));
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        let open = source.next().await.unwrap();
        assert!(matches!(open, SourceEvent::Open(_)), "{open:?}");
        let ended = source.next().await.unwrap();
        assert!(matches!(ended, SourceEvent::Error(_)), "{ended:?}");
    }
    assert!(start.elapsed() >= Duration::from_secs(10));
    drop(only);
    let open = source.next().await.unwrap();
    assert!(matches!(open, SourceEvent::Open(_)), "{open:?}");
    hub.publish(Event::new("welcome"));
    match source.next().await.unwrap() {
        SourceEvent::Message(event) => assert_eq!(event.data(), "welcome"),
        other => panic!("{other:?}"),
    }
    assert_eq!(hub.stats().refused, 3);
}

#[tokio::test]
async fn a_bad_id_is_told_with_the_reason_and_after_authorisation() {
    let service = HubService::new(Hub::new());
    let bad = || Request::get("/").header("last-event-id", &b"\xff"[..]);
    let answer = ask(&service, bad()).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text.starts_with(b"invalid Last-Event-ID: "), "{text:?}");
    let lenient = service.clone().ignore_invalid();
    assert_eq!(ask(&lenient, bad()).await.status(), 200);
    let locked = service.select(|_, _| Err(StatusCode::FORBIDDEN));
    assert_eq!(ask(&locked, bad()).await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn polls_long_if_asked_to() {
    let hub = Hub::builder().epoch(36).build();
    let service = HubService::new(hub.clone()).long_poll(Duration::from_secs(3));
    for query in ["/?long-poll", "/?x=1&long-poll=1&y"] {
        let answer = ask(&service, Request::get(query)).await;
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(bytes, ":\nretry: 100\nid: 10-0\n\n");
    }
    let mut answer = ask(&service, Request::get("/?long-poll=0")).await;
    hub.publish(Event::new("a"));
    first(&mut answer).await;
    assert!(!answer.body().is_end_stream());
}

#[tokio::test]
async fn an_id_opens_no_topic() {
    let hub = Hub::builder().epoch(36).build();
    let service = HubService::new(hub.clone()).select(|request, subscriber| {
        let user = request
            .headers
            .get("x-user")
            .ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(subscriber.topic(user.to_str().unwrap_or_default()))
    });
    hub.topic("anna").publish(Event::new("for anna"));
    hub.topic("bert").publish(Event::new("for bert"));
    assert_eq!(ask(&service, Request::get("/")).await.status(), 401);
    let request = Request::get("/")
        .header("x-user", "bert")
        .header("last-event-id", "10-0");
    let mut answer = ask(&service, request).await;
    assert_eq!(first(&mut answer).await, ":\nid: 10-2\ndata: for bert\n\n");
}
