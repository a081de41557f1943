//! How a node ends.

use std::time::Duration;

use futures_util::StreamExt;
use tower::ServiceExt;
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, EventStream};

use crate::rig::proxy::{Mode, Proxy};
use crate::rig::server::Server;
use crate::world::{Client, KEY, Log, Node, within};

async fn connections(server: &Server) -> i64 {
    let list = server.send("CLIENT LIST").await.text();
    // But for this one.
    list.lines().count() as i64 - 1
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_reader_ends_with_the_last_hub() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let event = log.publish(&node.hub, 0).await;
    client.until(event).await;
    assert!(connections(&server).await >= 2);
    let other = node.hub.clone();
    drop(node);
    log.publish(&other, 0).await;
    assert!(connections(&server).await >= 2);
    drop(other);
    crate::rig::until("all connections are closed", async || {
        connections(&server).await == 0
    })
    .await;
}

/// A service has no hub to publish with, and its subscribers get what others publish.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_reader_lasts_as_long_as_a_service() {
    let server = Server::start().await;
    let hub = || Hub::redis(&server.url(), KEY).unwrap().build().unwrap();
    let service = HubService::new(hub());
    // Its node may come to the stream after the event.
    let request = http::Request::get("/?lastEventId=0-0").body(()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    let mut events = Box::pin(EventStream::new(response.into_body()));
    let publisher = hub();
    let id = publisher.publish(Event::new("x")).await.unwrap();
    let event = within("an event", events.next()).await.unwrap().unwrap();
    assert_eq!((event.id(), event.data()), (Some(id.as_str()), "x"));
    drop((service, publisher));
    assert!(within("the end", events.next()).await.is_none());
    crate::rig::until("all connections are closed", async || {
        connections(&server).await == 0
    })
    .await;
}

/// Also while Redis is away, and while it hangs.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_reader_ends_while_redis_hangs() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::start(&proxy.url()).await;
    node.until_connected(true).await;
    proxy.set(Mode::Hold);
    drop(node);
    crate::rig::until("all connections are closed", async || {
        connections(&server).await == 0
    })
    .await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_close_ends_live_streams_and_those_that_catch_up() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::with(&proxy.url(), |hub| hub.ring_events(10)).await;
    let (mut log, mut live) = (Log::default(), Client::at(&node).await);
    let first = log.publish(&node.hub, 0).await;
    live.until(first).await;
    let mut catching_up = Client::all();
    catching_up.last = live.last.clone();
    log.add(&server, 300, 2).await;
    node.until_read(300).await;
    proxy.set(Mode::Hold);
    catching_up.connect(&node).await;
    let mut waiting = Client::all().after("99999999999999-0");
    waiting.connect(&node).await;

    let drained = node.hub.drain();
    tokio::pin!(drained);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut drained).await;
    assert!(early.is_err(), "three are there: {early:?}");
    node.hub.close();
    // The live one ends with what was published; those that wait for Redis are woken.
    for client in [&mut live, &mut catching_up, &mut waiting] {
        within("the end", async { while client.step().await.is_some() {} }).await;
    }
    within("nobody is left", drained).await;
}

/// Before Redis has ever answered.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_close_ends_those_that_wait_for_redis() {
    let mut server = Server::start().await;
    server.kill();
    let node = Node::start(&server.url()).await;
    let (mut fresh, mut late) = (Client::all(), Client::all().after("5-0"));
    fresh.connect(&node).await;
    late.connect(&node).await;
    node.hub.close();
    for client in [&mut fresh, &mut late] {
        within("the end", async { while client.step().await.is_some() {} }).await;
    }
}

/// Finished on one node, it is finished on all.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_finish_ends_the_topic_on_all_nodes() {
    let server = Server::start().await;
    let nodes = [
        Node::start(&server.url()).await,
        Node::with(&server.url(), |hub| hub.ring_events(5)).await,
    ];
    let mut log = Log::default();
    let mut clients = [Client::of(&[3]), Client::of(&[3])];
    for (client, node) in clients.iter_mut().zip(&nodes) {
        client.begin(node).await;
    }
    let begin = clients[0].last.clone();
    let event = log.publish(&nodes[0].hub, 3).await;
    nodes[0]
        .hub
        .topic(&crate::world::topic(3))
        .finish(None)
        .await
        .unwrap();
    for client in &mut clients {
        client.until(event).await;
        within("its end", async { while client.step().await.is_some() {} }).await;
    }
    // Out of the second's ring.
    log.add(&server, 100, 3).await;
    for node in &nodes {
        let mut late = Client::of(&[3]);
        late.last = begin.clone();
        late.connect(node).await;
        late.until(event).await;
        within("its end", async { while late.step().await.is_some() {} }).await;
    }
}
