//! Which connections count as failures, on tokio's paused clock.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use tower_sse::client::SourceEvent;
use tower_sse::timer::TokioTimer;
use tower_sse::{EventSource, EventStream, Hub, HubService};

use crate::script::{Act, Answer, Script, all, send, stream as answer};
use crate::support::timer::ManualTimer;

const MINUTE: Duration = Duration::from_secs(60);

/// How long it waited between the end of a connection, which lasted this long, and the next request.
fn waits(script: &Script, lasted: Duration) -> Vec<Duration> {
    let times = script.times();
    times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).saturating_sub(lasted))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_cuts_silence_is_not_a_failure() {
    for end in [Some(Act::Break), None] {
        let end = &end;
        let script = Script::new((0..10).map(|_| {
            let end = end.as_ref().map(|_| Act::Break);
            answer([Act::Wait(MINUTE)].into_iter().chain(end))
        }));
        let all = all(&mut script.source().max_tries(4)).await;
        assert_eq!(
            all.last().unwrap(),
            "failed: the response is not an event stream: 204 No Content (closed)"
        );
        for wait in waits(&script, MINUTE) {
            assert!(wait < Duration::from_millis(6_010), "{wait:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_it_is_not_one_either() {
    let outage = (0..10).map(|_| Answer::Refuse);
    let cut = (0..5).map(|_| answer([Act::Wait(MINUTE), Act::Break]));
    let script = Script::new(outage.chain(cut));
    all(&mut script.source()).await;
    let waits = waits(&script, MINUTE);
    for wait in &waits[10..] {
        assert!(*wait < Duration::from_millis(6_010), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_sooner_than_the_wait_before_it_is() {
    let script =
        Script::new((0..10).map(|_| answer([Act::Wait(Duration::from_secs(2)), Act::Break])));
    let all = all(&mut script.source().max_tries(4)).await;
    assert_eq!(
        all.last().unwrap(),
        "failed: gave up after 4 tries (closed)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_ever_arrives_is() {
    let script = Script::new((0..10).map(|_| answer([Act::Stall])));
    let mut source = script.source().idle_timeout(MINUTE).max_tries(4);
    let all = all(&mut source).await;
    assert_eq!(
        all.last().unwrap(),
        "failed: gave up after 4 tries (closed)"
    );

    // A server that has once said something and then falls silent is not.
    let script = Script::new((0..10).map(|_| answer([send(":\n"), Act::Stall])));
    let mut source = script.source().idle_timeout(MINUTE).max_tries(4);
    let all = crate::script::all(&mut source).await;
    assert!(all.last().unwrap().contains("204"), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_long_poll_of_a_hub_is_not() {
    let hub = Hub::new();
    let service = HubService::new(hub.clone());
    let request = Request::get("/?long-poll")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut source = EventSource::new(service, request).max_tries(2);
    let start = tokio::time::Instant::now();
    let mut polls = 0;
    while polls < 20 {
        match source.next().await.unwrap() {
            SourceEvent::Open(_) => polls += 1,
            SourceEvent::Error(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // 25 s each, and at most 200 ms between them, of which tokio's clock makes 201.
    let most = Duration::from_millis(19 * (25_000 + 202));
    assert!(start.elapsed() <= most, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_that_is_answered_at_once_with_nothing_is_not() {
    let script = Script::new((0..20).map(|_| answer([send(":\nretry: 100\n")])));
    let all = all(&mut script.source().max_tries(2)).await;
    assert!(all.last().unwrap().contains("204"), "{all:?}");
    for wait in waits(&script, Duration::ZERO) {
        assert!(
            wait >= Duration::from_millis(100) && wait <= Duration::from_millis(201),
            "{wait:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_server_is_asked_in_a_tight_loop() {
    let script = Script::new((0..100).map(|_| answer([send("retry: 0\ndata: x\n\n")])));
    all(&mut script.source()).await;
    let last = *script.times().last().unwrap();
    assert!(
        last >= Duration::from_secs(10),
        "100 connections in {last:?}"
    );

    let script = Script::new((0..10).map(|_| answer([send("retry: 0\ndata: x\n\n")])));
    all(&mut script.source().min_reconnection_time(Duration::ZERO)).await;
    assert_eq!(*script.times().last().unwrap(), Duration::ZERO);
}

/// Polls the source once, which has to return.
fn polled(source: &mut (impl futures_core::Stream + Unpin)) -> bool {
    source.next().now_or_never().is_none()
}

#[tokio::test(start_paused = true)]
async fn one_poll_does_not_read_for_ever() {
    let endless = tower::service_fn(|_: Request<String>| async {
        let frames =
            stream::repeat_with(|| Ok::<_, std::io::Error>(Frame::data(Bytes::from(":\n\n"))));
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(StreamBody::new(frames))
    });
    let source = || EventSource::new(endless, Request::new(String::new()));
    assert!(polled(&mut source().into_messages()));
    assert!(polled(&mut source().comments().into_messages()));

    let mut source = EventSource::with_timer(
        tower::service_fn(|_: Request<String>| async {
            Err::<Response<String>, _>(std::io::Error::other("down"))
        }),
        Request::new(String::new()),
        TokioTimer,
    )
    .initial_reconnection_time(Duration::ZERO)
    .max_backoff(Duration::ZERO)
    .into_messages();
    assert!(polled(&mut source));
    let empty = || {
        let frames = stream::repeat_with(|| Ok::<_, std::io::Error>(Frame::data(Bytes::new())));
        Response::builder()
            .status(404)
            .body(StreamBody::new(frames))
            .unwrap()
    };
    let service = tower::service_fn(move |_: Request<String>| {
        std::future::ready(Ok::<_, std::io::Error>(empty()))
    });
    let mut source = EventSource::new(service, Request::default());
    assert!(polled(&mut source));
    assert!(EventStream::from_response(empty()).now_or_never().is_none());
}

#[test]
fn frames_without_data_do_not_keep_a_connection_alive() {
    let timer = ManualTimer::new();
    let service = tower::service_fn(|_: Request<String>| async {
        let frames = stream::repeat_with(|| Ok::<_, std::io::Error>(Frame::data(Bytes::new())));
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(StreamBody::new(frames))
    });
    let mut source =
        EventSource::with_timer(service, Request::default(), timer.clone()).idle_timeout(MINUTE);
    assert!(matches!(
        source.next().now_or_never(),
        Some(Some(SourceEvent::Open(_)))
    ));
    assert!(polled(&mut source));
    timer.advance(MINUTE);
    let Some(Some(SourceEvent::Error(error))) = source.next().now_or_never() else {
        panic!("still alive");
    };
    assert_eq!(error.to_string(), "no data received for 60 s");
}

/// As a proxy answers that holds the response back until it is complete.
#[tokio::test(start_paused = true)]
async fn a_long_poll_whose_head_comes_with_its_end_is_not() {
    let poll = Duration::from_secs(25);
    for (lasts, healthy) in [(poll, true), (Duration::ZERO, false)] {
        let mut requests = 0;
        let service = tower::service_fn(|_: Request<()>| {
            requests += 1;
            async move {
                tokio::time::sleep(lasts).await;
                let response = Response::builder().header("content-type", "text/event-stream");
                Ok::<_, std::convert::Infallible>(response.body(Empty::<Bytes>::new()).unwrap())
            }
        });
        let mut source = EventSource::new(service, Request::new(())).max_tries(4);
        let events = tokio::time::timeout(Duration::from_secs(600), async {
            while source.next().await.is_some() {}
        });
        assert_eq!(events.await.is_err(), healthy, "given up");
        drop(source);
        // 25 s each and 3 to 6 s between them; or four tries.
        assert_eq!(requests > 10, healthy, "{requests}");
    }
}
