//! A client whose last event is lost is told at the mark of the loss, wherever it reconnects.

use std::time::{Duration, Instant};

use crate::rig::payload::Payload;
use crate::rig::proxy::{Mode, Proxy};
use crate::rig::server::{Aof, Server};
use crate::world::{Client, Log, Node};

/// A client that has read what Redis then loses, from a node that cannot say so yet.
struct Scene {
    server: Server,
    proxy: Proxy,
    node: Node,
    log: Log,
    client: Client,
    /// Published after the loss.
    later: Payload,
}

impl Scene {
    async fn new() -> Self {
        let mut server = Server::with(Aof::Written, &[]).await;
        let proxy = Proxy::before(server.address()).await;
        let node = Node::start(&proxy.url()).await;
        let (mut log, mut client) = (Log::default(), Client::at(&node).await);
        let event = log.publish_all(&node.hub, 10, 2).await;
        client.until(event).await;
        let length = server.aof_length();
        let lost = log.publish_all(&node.hub, 10, 2).await;
        client.until(lost).await;
        client.leave();
        proxy.set(Mode::Refuse);
        proxy.cut();
        server.kill();
        server.truncate(server.aof_length() - length);
        server.restart().await;
        let later = log.add(&server, 10, 2).await;
        Self {
            server,
            proxy,
            node,
            log,
            client,
            later,
        }
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_that_comes_before_the_mark_is_told_once() {
    // A node that finds no mark within five seconds tells without one.
    let (mut scene, fresh) = loop {
        let mut scene = Scene::new().await;
        let fresh = Node::start(&scene.server.url()).await;
        let start = Instant::now();
        scene.client.connect(&fresh).await;
        scene.client.is_quiet(Duration::from_millis(700)).await;
        scene.proxy.set(Mode::Pass);
        scene.client.follow(&fresh, scene.later).await;
        if start.elapsed() < Duration::from_secs(5) {
            break (scene, fresh);
        }
    };
    let (log, client) = (&mut scene.log, &mut scene.client);
    assert_eq!(client.gaps(), 0, "before the mark");
    // It hops before it comes to the mark.
    client.connect(&scene.node).await;
    client.follow_gap(&scene.node).await;
    client.connect(&fresh).await;
    let event = log.publish_all(&fresh.hub, 10, 2).await;
    client.follow(&fresh, event).await;
    log.lossy(&scene.server).await;
    log.check_gaps(client, 1);
}

/// The only node that knew the event is gone.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_is_told_where_nobody_is_left_to_mark() {
    let mut scene = Scene::new().await;
    drop(scene.node);
    let fresh = Node::start(&scene.server.url()).await;
    let (log, client) = (&mut scene.log, &mut scene.client);
    client.connect(&fresh).await;
    client.until(scene.later).await;
    log.lossy(&scene.server).await;
    log.check_gaps(client, 1);
}
