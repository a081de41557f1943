//! Nodes that start before Redis, at once, or on what is there.

use std::time::{Duration, Instant};

use crate::rig::server::{Aof, Server};
use crate::rig::trace::Seen;
use crate::world::{Client, KEY, Log, Node, within};

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn nodes_start_while_redis_is_down() {
    let mut server = Server::with(Aof::Written, &[]).await;
    server.kill();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::start(&server.url()).await);
    }
    let (mut log, mut clients) = (Log::default(), Vec::new());
    for at in 0..6 {
        let mut client = Client::all();
        client.connect(&nodes[at % 3]).await;
        clients.push(client);
    }
    let mut late = Client::all().after("12345-0");
    late.connect(&nodes[0]).await;
    let (_, refused) = log.try_publish(&nodes[0].hub, 0).await;
    assert!(!crate::world::may_be_stored(&refused.unwrap_err()));
    for client in &mut clients {
        client.is_quiet(Duration::from_millis(100)).await;
        client.has_heartbeat().await;
    }
    server.restart().await;
    for client in &mut clients {
        assert!(matches!(client.next("a place").await, Seen::Place { .. }));
    }
    assert!(matches!(late.next("a gap").await, Seen::Gap { .. }));
    let event = log.publish_all(&nodes[1].hub, 9, 3).await;
    for client in &mut clients {
        client.until(event).await;
        log.check_gaps(client, 0);
    }
    late.until(event).await;
    assert_eq!(late.gaps(), 1);
    for node in &nodes {
        assert!(node.hub.status().connected);
    }
}

/// In many rounds, since it is a race.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn three_nodes_at_once_on_an_empty_stream_tell_of_no_gap() {
    let server = Server::start().await;
    for round in 0..12 {
        server.send("FLUSHALL").await;
        let url = server.url();
        let (a, b, c) = tokio::join!(Node::start(&url), Node::start(&url), Node::start(&url));
        let nodes = [a, b, c];
        let (mut log, mut clients) = (Log::default(), Vec::new());
        for at in 0..6 {
            let mut client = Client::all();
            client.connect(&nodes[at % 3]).await;
            if at % 2 == 0 {
                client.next("its place").await;
            }
            clients.push(client);
        }
        // They hop before anything is published.
        for (at, client) in clients.iter_mut().enumerate().filter(|(at, _)| at % 2 == 0) {
            client.connect(&nodes[(at + 1 + round) % 3]).await;
        }
        for client in &mut clients {
            if client.last.is_none() {
                client.next("its place").await;
            }
        }
        let event = log.publish_all(&nodes[round % 3].hub, 5, 2).await;
        for (at, client) in clients.iter_mut().enumerate() {
            client.until(event).await;
            client.connect(&nodes[(at + 2) % 3]).await;
        }
        let event = log.publish_all(&nodes[round % 3].hub, 5, 2).await;
        for client in &mut clients {
            client.until(event).await;
            log.check_gaps(client, 0);
        }
    }
}

/// Those that have their place already, and those that wait for one.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_fresh_node_knows_what_its_ring_holds() {
    let server = Server::start().await;
    let mut log = Log::default();
    log.add(&server, 500, 3).await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(100)).await;
    let entries = server.entries(KEY).await;
    let event = log.publish(&node.hub, 0).await;
    let (before, start) = (server.calls("xrange").await, Instant::now());
    // The ring has the newest hundred, and begins after the one before them.
    for at in [400, 401, 450, 499] {
        let mut client = Client::all().after(&entries[at].0);
        client.connect(&node).await;
        client.until(event).await;
        log.check_gaps(&client, 0);
    }
    // The reader's own, as it looks for losses now and then.
    let own = 3 + start.elapsed().as_secs();
    assert!(server.calls("xrange").await - before <= own);
    let mut client = Client::all().after(&entries[200].0);
    client.connect(&node).await;
    within("its event", client.until(event)).await;
    log.check_gaps(&client, 0);
}
