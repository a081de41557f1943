//! A thousand disconnects at random bytes: nothing lost, nothing twice.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response};
use hyper::body::Incoming;
use tower_sse::client::{ClientError, SourceEvent};
use tower_sse::{Event, EventId, EventType};

use crate::hostile::{Hostile, Then, source, stream};
use crate::support::chunks;
use crate::support::net::{serve, within};
use crate::support::rng::Rng;

const EVENTS: usize = 1_500;

/// The event with this number: with an ID, and with everything that is hard to cut.
fn event(n: usize) -> (Event, String) {
    let pieces = [
        "x",
        "ö",
        "🦀\n",
        "\n\nlines",
        " ",
        "a longer text to cut in, ",
    ];
    let mut rng = Rng::new(n as u64);
    let mut data = n.to_string();
    for _ in 0..rng.below(12) {
        let piece: &&str = rng.pick(&pieces);
        data.push_str(piece);
    }
    let mut event = Event::new(data.clone()).with_id(EventId::try_from(format!("nº {n}")).unwrap());
    if rng.one_in(3) {
        event = event.with_type(EventType::from_static("other"));
    }
    if rng.one_in(5) {
        event = event.with_comment("heartbeat");
    }
    (event, data)
}

async fn disconnects(http2: bool) {
    let rng = Arc::new(Mutex::new(Rng::new(u64::from(http2))));
    let wire: Vec<Bytes> = (0..EVENTS)
        .map(|n| event(n).0.encode().into_bytes())
        .collect();
    let server = tower::service_fn(move |request: Request<Incoming>| {
        let next = request.headers().get("last-event-id").map_or(0, |id| {
            let id = std::str::from_utf8(id.as_bytes()).unwrap();
            id.strip_prefix("nº ").unwrap().parse::<usize>().unwrap() + 1
        });
        let mut rng = rng.lock().unwrap();
        // Line ends of all three kinds; of CRLF, and of the first byte after it, in particular.
        let end = ["\n", "\r", "\r\n"][rng.below(3)];
        let mut bytes = String::new();
        if rng.one_in(3) {
            bytes.push('\u{feff}');
        }
        for block in wire[next..].iter().take(8) {
            bytes.push_str(&std::str::from_utf8(block).unwrap().replace('\n', end));
        }
        let response = if next == EVENTS {
            let mut response = Response::new(Hostile {
                chunks: [].into(),
                then: Then::End,
                flushed: true,
            });
            *response.status_mut() = http::StatusCode::NO_CONTENT;
            response
        } else {
            // Short enough for a thousand.
            let cut = rng.below(bytes.len().min(300)) + 1;
            stream(Hostile {
                chunks: chunks::random(&mut rng, 100, &bytes.as_bytes()[..cut]).into(),
                then: [Then::End, Then::Break][rng.below(2)],
                flushed: true,
            })
        };
        std::future::ready(Ok::<_, Infallible>(response))
    });

    let mut source = source(serve(server).await, http2);
    let mut next = 0;
    let mut broken = 0;
    while let Some(said) = within(source.next()).await {
        match said {
            SourceEvent::Message(message) => {
                let (wanted, data) = event(next);
                assert_eq!(message.data(), data);
                assert_eq!(
                    Some(message.last_event_id()),
                    wanted.id().map(EventId::as_str)
                );
                let event_type = wanted.event_type().map_or("message", EventType::as_str);
                assert_eq!(message.event_type(), event_type);
                next += 1;
            }
            SourceEvent::Error(
                ClientError::Ended | ClientError::Cut | ClientError::Transport(_),
            ) => broken += 1,
            SourceEvent::Failed(error) => {
                assert_eq!(error.rejection().unwrap().status(), 204);
            }
            SourceEvent::Open(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next, EVENTS);
    assert!(broken >= 1_000, "only {broken} disconnects");
}

// Clauses: reconnect, resume
#[tokio::test]
async fn lose_nothing_on_http_1() {
    disconnects(false).await;
}

// Clauses: reconnect, resume
#[tokio::test]
async fn lose_nothing_on_http_2() {
    disconnects(true).await;
}
