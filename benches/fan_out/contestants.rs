//! Ways from one event to many bodies. With heartbeats, each has those that its users have.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use ::axum::response::IntoResponse;
use ::axum::response::sse as axum;
use actix_web_lab::sse as actix;
use bytes::Bytes;
use bytestring::ByteString;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use support::Side;
use support::bodies::{Actix, TokioSleep};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;
use tower_sse::{Event, EventType, Hub, KeepAlive};

use crate::bodies::{BODIES, Bodies, bodies};
use crate::floor::floor;
use crate::locked::locked;

const TYPE: EventType = EventType::from_static("score");
const CAPACITY: usize = 1_024;
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    pub(crate) publish: Box<dyn FnMut(u64)>,
    pub(crate) bodies: Box<dyn Bodies>,
}

pub(crate) fn all(heartbeats: bool) -> Vec<Contestant> {
    let mut all = match heartbeats {
        false => bare(),
        true => with_heartbeats(),
    };
    all.push(floor(heartbeats));
    all.push(locked(heartbeats));
    all
}

fn bare() -> Vec<Contestant> {
    vec![
        hub(|body| body),
        broadcast("axum, broadcast data", axum_data, |stream| {
            axum::Sse::new(stream.map(axum_made))
                .into_response()
                .into_body()
        }),
        broadcast("axum, broadcast events", axum_event, |stream| {
            axum::Sse::new(stream).into_response().into_body()
        }),
        broadcast("ready bytes, broadcast", ready_bytes, |stream| {
            StreamBody::new(stream.map(|item| item.map(Frame::data)))
        }),
        broadcaster(|receiver| Actix::new(actix::Sse::from_infallible_receiver(receiver))),
    ]
}

fn with_heartbeats() -> Vec<Contestant> {
    let axum_keep_alive = || axum::KeepAlive::new().interval(HEARTBEAT);
    vec![
        hub(|body| body.keep_alive(KeepAlive::new().interval(HEARTBEAT))),
        broadcast("axum, broadcast data", axum_data, move |stream| {
            let events = axum::Sse::new(stream.map(axum_made));
            events
                .keep_alive(axum_keep_alive())
                .into_response()
                .into_body()
        }),
        broadcast("axum, broadcast events", axum_event, move |stream| {
            let events = axum::Sse::new(stream);
            events
                .keep_alive(axum_keep_alive())
                .into_response()
                .into_body()
        }),
        broadcast("sse-stream, broadcast events", sse_stream_event, |stream| {
            let keep_alive = sse_stream::KeepAlive::new().interval(HEARTBEAT);
            sse_stream::SseBody::<_, TokioSleep>::new_keep_alive(stream, keep_alive)
        }),
        // As one writes it who wants ready bytes and a comment whenever there are none.
        broadcast("ready bytes, broadcast", ready_bytes, |stream| {
            let stream = stream.timeout_repeating(tokio::time::interval(HEARTBEAT));
            let bytes =
                stream.filter_map(|item| item.unwrap_or(Ok(Bytes::from_static(b":\n\n"))).ok());
            StreamBody::new(bytes.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))))
        }),
        broadcaster(|receiver| {
            let body = actix::Sse::from_infallible_receiver(receiver);
            Actix::new(body.with_keep_alive(HEARTBEAT))
        }),
    ]
}

/// 120 digits. `format!` writes zero after zero, which takes as long as to publish the event.
fn data(n: u64) -> String {
    const ZEROS: &str = match std::str::from_utf8(&[b'0'; 120]) {
        Ok(zeros) => zeros,
        Err(_) => unreachable!(),
    };
    let digits = n.to_string();
    let mut data = String::with_capacity(ZEROS.len());
    data.push_str(&ZEROS[digits.len()..]);
    data + &digits
}

fn hub<B>(body: impl Fn(tower_sse::Subscription) -> B) -> Contestant
where
    B: Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    let hub = Hub::builder().epoch(36).build();
    let bodies = bodies(|_| body(hub.subscribe().unwrap()));
    Contestant {
        name: "hub",
        side: Side::Ours,
        bodies,
        publish: Box::new(move |n| {
            hub.publish(Event::new(data(n)).with_type(TYPE));
        }),
    }
}

/// tokio's channel of values that each subscriber has a clone of.
fn broadcast<T, B>(
    name: &'static str,
    make: impl Fn(u64) -> T + 'static,
    body: impl Fn(BroadcastStream<T>) -> B,
) -> Contestant
where
    T: Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    let (sender, _): (broadcast::Sender<T>, _) = broadcast::channel(CAPACITY);
    let bodies = bodies(|_| body(BroadcastStream::new(sender.subscribe())));
    Contestant {
        name,
        side: Side::Peer,
        bodies,
        publish: Box::new(move |n| _ = sender.send(make(n))),
    }
}

/// actix-web-lab's broadcaster: a channel for each subscriber.
fn broadcaster<B>(body: impl Fn(mpsc::Receiver<actix::Event>) -> B) -> Contestant
where
    B: Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    let mut senders = Vec::with_capacity(BODIES);
    let bodies = bodies(|_| {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        senders.push(sender);
        body(receiver)
    });
    Contestant {
        name: "actix-web-lab, broadcaster",
        side: Side::Peer,
        bodies,
        publish: Box::new(move |n| {
            let event = actix::Data::new(data(n)).event(ByteString::from_static("score"));
            let event = event.id(id(n));
            for sender in &senders {
                sender.try_send(event.clone().into()).expect("room");
            }
        }),
    }
}

/// As the hub names them.
fn id(n: u64) -> String {
    format!("10-{n}")
}

fn axum_data(n: u64) -> Arc<(u64, String)> {
    Arc::new((n, data(n)))
}

fn axum_made<E>(item: Result<Arc<(u64, String)>, E>) -> Result<axum::Event, E> {
    item.map(|item| {
        let event = axum::Event::default().event("score").id(id(item.0));
        event.data(&item.1)
    })
}

fn axum_event(n: u64) -> axum::Event {
    let event = axum::Event::default().event("score").id(id(n));
    event.data(data(n))
}

fn sse_stream_event(n: u64) -> sse_stream::Sse {
    let event = sse_stream::Sse::default().event("score").id(id(n));
    event.data(data(n))
}

pub(crate) fn ready_bytes(n: u64) -> Bytes {
    let event = Event::new(data(n)).with_type(TYPE);
    event.try_with_id(id(n)).unwrap().encode().into_bytes()
}
