//! Which public types are `Send`, `Sync` and `Unpin`: all of them, where what they wrap is.

#![cfg(feature = "tokio")]

use std::any::type_name;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::future::{Pending, Ready};
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::{Empty, Stream};
use http::{Request, Response};
use http_body_util::Full;
use tower::util::ServiceFn;
use tower_sse::body::{self, KeepAliveBody, Written};
use tower_sse::client::{self, EventSource};
#[cfg(feature = "compression")]
use tower_sse::compression;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::hub::{self, Hub, HubService};
use tower_sse::middleware::{self, SseLayer, SseService};
use tower_sse::protocol::{self, Writer};
use tower_sse::timer::{NoTimer, TokioSleep, TokioTimer};
use tower_sse::{
    Event, EventStream, KeepAlive, LastEventId, MaxAge, Prelude, SseBody, Subscription,
};

type Events = Empty<Event>;
type Write = fn(u8, &mut Writer) -> Result<(), Infallible>;
/// A stream that is not `Sync`, and a body of which has to be boxed to be.
type NotSync = Pin<Box<dyn Stream<Item = Event> + Send>>;
type Answer = Ready<Result<Response<Full<Bytes>>, Infallible>>;
type Service = ServiceFn<fn(Request<()>) -> Answer>;
type Source = EventSource<Service, (), TokioTimer>;

fn all<T: Send + Sync + Unpin>() -> &'static str {
    type_name::<T>()
}

/// tokio's sleeps are not `Unpin`, and what holds one without a box is not either.
fn but_unpin<T: Send + Sync>() -> &'static str {
    type_name::<T>()
}

fn send<T: Send>() {}

/// The name without its path and parameters.
fn short(name: &str) -> String {
    let path = name.split('<').next().unwrap();
    path.rsplit("::").next().unwrap().to_owned()
}

#[test]
fn every_public_type_is_send_sync_and_unpin_where_it_can_be() {
    let listed = [
        // body
        all::<SseBody<Events>>(),
        but_unpin::<SseBody<Events, TokioTimer>>(),
        all::<SseBody<Subscription>>(),
        but_unpin::<SseBody<Subscription, TokioTimer>>(),
        all::<body::BoxBody>(),
        all::<Written<Events, Write>>(),
        all::<KeepAliveBody<Full<Bytes>, NoTimer>>(),
        but_unpin::<KeepAliveBody<Full<Bytes>, TokioTimer>>(),
        all::<EventStream<Full<Bytes>>>(),
        all::<body::EventStreamError<Infallible>>(),
        all::<body::Chunks<Events>>(),
        all::<body::FromResponse<Full<Bytes>>>(),
        all::<body::Rejection>(),
        all::<KeepAlive>(),
        all::<MaxAge>(),
        all::<Prelude>(),
        // client
        all::<Source>(),
        all::<client::Messages<Service, (), TokioTimer>>(),
        all::<client::ClientError>(),
        all::<client::SourceEvent>(),
        all::<client::ReadyState>(),
        all::<client::Reconnect>(),
        // headers and the last event ID
        all::<EventStreamHeaders>(),
        all::<LastEventId>(),
        all::<tower_sse::InvalidLastEventId>(),
        // hub
        all::<Hub>(),
        all::<hub::HubBuilder>(),
        all::<hub::Memory>(),
        all::<hub::Topic<'_>>(),
        all::<hub::SubscriptionBuilder>(),
        all::<hub::After>(),
        all::<hub::Change>(),
        all::<hub::Reason>(),
        all::<hub::Watch>(),
        all::<hub::Subscription>(),
        all::<hub::Deliveries>(),
        all::<hub::Delivery>(),
        all::<hub::Missed>(),
        all::<hub::Outcome>(),
        all::<hub::SealKey>(),
        all::<hub::Owner<'_>>(),
        all::<hub::Handle>(),
        all::<hub::Start>(),
        all::<hub::LagPolicy>(),
        all::<hub::Refused>(),
        all::<hub::Retention>(),
        all::<hub::Stats>(),
        all::<hub::TopicStats>(),
        all::<hub::Tail>(),
        all::<hub::TailEvent>(),
        all::<hub::InvalidTail>(),
        all::<hub::Drain>(),
        but_unpin::<hub::Drain<TokioSleep>>(),
        all::<hub::CaughtUp>(),
        but_unpin::<hub::CaughtUp<TokioSleep>>(),
        but_unpin::<hub::KeepTime<TokioTimer>>(),
        but_unpin::<hub::Linger<TokioTimer>>(),
        but_unpin::<hub::CloseOver<TokioTimer>>(),
        all::<HubService<TokioTimer>>(),
        // middleware
        all::<SseLayer>(),
        all::<SseLayer<TokioTimer>>(),
        all::<SseService<Service>>(),
        all::<middleware::ResponseBody<Full<Bytes>>>(),
        but_unpin::<middleware::ResponseBody<Full<Bytes>, TokioTimer>>(),
        all::<middleware::ResponseFuture<Ready<()>, Full<Bytes>, NoTimer>>(),
        but_unpin::<middleware::ResponseFuture<Pending<()>, Full<Bytes>, TokioTimer>>(),
        // protocol
        all::<protocol::Block>(),
        all::<protocol::Data>(),
        all::<protocol::DataLines>(),
        all::<protocol::DataWriter<'_>>(),
        all::<protocol::Decoded>(),
        all::<protocol::Decoder>(),
        all::<protocol::Event>(),
        all::<protocol::EventId>(),
        all::<protocol::EventType>(),
        all::<protocol::EventWriter<'_>>(),
        all::<protocol::IdRef<'_>>(),
        all::<protocol::InvalidText>(),
        all::<protocol::Limit>(),
        all::<protocol::LimitExceeded>(),
        all::<protocol::MessageEvent>(),
        all::<protocol::MessageRef<'_>>(),
        all::<protocol::TypeRef<'_>>(),
        all::<protocol::Writer>(),
        // timer
        all::<NoTimer>(),
        all::<TokioTimer>(),
        but_unpin::<TokioSleep>(),
    ];
    #[cfg(feature = "json")]
    let listed = listed.into_iter().chain([all::<tower_sse::JsonError>()]);
    #[cfg(feature = "compression")]
    let listed = listed.into_iter().chain([
        all::<compression::CompressedBody<Full<Bytes>>>(),
        all::<compression::Compression>(),
        all::<compression::Encoding>(),
    ]);
    #[cfg(feature = "redis")]
    let listed = listed.into_iter().chain([
        all::<Hub<hub::Redis>>(),
        all::<hub::HubBuilder<hub::Redis>>(),
        all::<hub::Topic<'_, hub::Redis>>(),
        all::<hub::Redis>(),
        all::<hub::RedisError>(),
        all::<hub::RedisStatus>(),
        all::<hub::PublishError>(),
    ]);
    #[cfg(feature = "redis-tls")]
    let listed = listed.into_iter().chain([all::<hub::RedisTls>()]);
    send::<SseBody<NotSync, TokioTimer>>();

    let listed: BTreeSet<String> = listed.into_iter().map(short).collect();
    let mut public = BTreeSet::new();
    types(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut public,
    );
    // Of features that may be off, of the README's code, and of a trait that is sealed.
    public.retain(|name| match name.as_str() {
        "Readme" | "WholeFrame" => false,
        "CompressedBody" | "Compression" | "Encoding" => cfg!(feature = "compression"),
        "JsonError" => cfg!(feature = "json"),
        "PublishError" => cfg!(feature = "redis"),
        "RedisTls" => cfg!(feature = "redis-tls"),
        name if name.starts_with("Redis") => cfg!(feature = "redis"),
        _ => true,
    });
    let missing: Vec<_> = public.difference(&listed).collect();
    assert!(missing.is_empty(), "not listed here: {missing:?}");
    assert!(public.len() > 50, "found only {}", public.len());
}

/// The names of the public types in the files of this folder. The lint `unreachable_pub` sees to it
/// that a bare `pub` is reachable.
fn types(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            types(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let kind = (words.next(), words.next());
            if let (Some("pub"), Some("struct" | "enum" | "union")) = kind {
                let name = words.next().unwrap();
                let end = name
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(name.len());
                found.insert(name[..end].to_owned());
            }
        }
    }
}
