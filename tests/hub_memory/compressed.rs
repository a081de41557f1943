//! What subscribers take that share compressed frames.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http_body::Body;
use tower_sse::Event;
use tower_sse::compression::{CompressedBody, Compression, Encoding};
use tower_sse::hub::{Hub, Subscription};

use crate::held;

/// A compression context, which a thread keeps one of.
const CONTEXT: usize = 400_000;

fn compressed(body: Subscription, encoding: Encoding) -> CompressedBody<Subscription> {
    CompressedBody::new(body, encoding, &Compression::new())
}

fn drain(body: &mut CompressedBody<Subscription>) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = Pin::new(&mut *body).poll_frame(&mut cx) {}
}

pub(crate) fn what_compression_takes_comes_back() {
    what_a_connection_takes();
    contexts_are_bounded();
    what_joiners_take_comes_back();
}

fn what_a_connection_takes() {
    const SUBSCRIBERS: usize = 10_000;
    let [plain, gzip] = [Encoding::Identity, Encoding::Gzip].map(|encoding| {
        let hub = Hub::new();
        let before = held();
        let mut bodies: Vec<_> = (0..SUBSCRIBERS)
            .map(|_| compressed(hub.subscribe().unwrap(), encoding))
            .collect();
        for at in 0..10 {
            hub.publish(Event::new(format!("event number {at}")));
            bodies.iter_mut().for_each(drain);
        }
        held() - before
    });
    let each = gzip.saturating_sub(plain + CONTEXT) / SUBSCRIBERS;
    println!(
        "{each} bytes for each compressed connection, {} for all",
        gzip - plain
    );
    assert!(each <= 64, "{each} bytes");
}

/// A thousand topics with one subscriber each.
fn contexts_are_bounded() {
    const CONTEXTS: usize = 8;
    let before = held();
    let settings = Compression::new().max_contexts(CONTEXTS);
    let hub = Hub::builder().compression(settings).build();
    let subscriber = |n| {
        hub.subscriber()
            .topic(format!("user/{n}"))
            .subscribe()
            .unwrap()
    };
    let mut bodies: Vec<_> = (0..1_000)
        .map(|n| compressed(subscriber(n), Encoding::Gzip))
        .collect();
    bodies.iter_mut().for_each(drain);
    let idle = held() - before;
    for at in 0..20 {
        for (n, body) in bodies.iter_mut().enumerate() {
            let topic = format!("user/{n}");
            hub.topic(&topic)
                .publish(Event::new(format!("event number {at}").repeat(50)));
            drain(body);
        }
    }
    let full = held() - before;
    println!("{idle} bytes for a thousand subscribers, {full} with {CONTEXTS} contexts");
    // The history takes another 4 MiB.
    assert!(full - idle < (CONTEXTS + 1) * CONTEXT + (6 << 20));
    drop(bodies);
    drop(hub);
    let left = held().saturating_sub(before);
    assert!(left < CONTEXT, "{left} bytes");
}

fn what_joiners_take_comes_back() {
    let hub = Hub::builder().retain_events(10).build();
    let mut stays = compressed(hub.subscribe().unwrap(), Encoding::Gzip);
    hub.publish(Event::new("first"));
    drain(&mut stays);
    let before = held();
    for at in 0..10_000 {
        let mut body = compressed(hub.subscribe().unwrap(), Encoding::Gzip);
        hub.publish(Event::new(format!("event number {at}").repeat(50)));
        drain(&mut body);
        drain(&mut stays);
    }
    let grown = held().saturating_sub(before);
    println!("{grown} bytes after 10,000 joiners");
    assert!(grown < CONTEXT + (1 << 16), "{grown} bytes");
}
