//! Redis is away, slow, full or refuses: subscribers stay, and publishers are told what is stored.

use std::error::Error;
use std::time::{Duration, Instant};

use tower_sse::Event;

use crate::rig::payload::Payload;
use crate::rig::proxy::{Mode, Proxy};
use crate::rig::server::{Aof, Server, is_7};
use crate::world::{Client, KEY, Log, Node, is_late, may_be_stored};

/// A node with a client that has seen some events.
async fn begin(url: &str) -> (Node, Log, Client) {
    let node = Node::with(url, |hub| hub.response_timeout(Duration::from_secs(2))).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    for topic in 0..9 {
        publish(&node, &mut log, topic % 2).await;
    }
    let event = publish(&node, &mut log, 1).await;
    client.until(event).await;
    (node, log, client)
}

/// Publishes an event, and another where that takes longer than it may, as on a busy machine.
async fn publish(node: &Node, log: &mut Log, topic: u16) -> Payload {
    for _ in 0..20 {
        match log.try_publish(&node.hub, topic).await {
            (_, Err(error)) if is_late(&error) => {}
            (payload, result) => {
                result.expect("it is stored");
                return payload;
            }
        }
    }
    panic!("each takes longer than it may");
}

/// The client is still on its first connection, and gets what is published now.
async fn end(node: &Node, log: &mut Log, client: &mut Client) {
    crate::rig::until("it publishes again", async || {
        log.try_publish(&node.hub, 1).await.1.is_ok()
    })
    .await;
    let event = publish(node, log, 1).await;
    client.until(event).await;
    log.check_gaps(client, 0);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_is_killed_and_comes_back() {
    let mut server = Server::with(Aof::Written, &[]).await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    for round in 1..=3 {
        server.kill();
        node.until_connected(false).await;
        crate::rig::until("it is refused", async || {
            let error = log.try_publish(&node.hub, 0).await.1.unwrap_err();
            !may_be_stored(&error)
        })
        .await;
        client.is_quiet(Duration::from_millis(200)).await;
        server.restart().await;
        end(&node, &mut log, &mut client).await;
        assert!(node.hub.status().reconnects >= round);
    }
}

/// What is in flight then is unknown, stored or not.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn what_is_in_flight_when_redis_dies_may_be_stored() {
    let mut server = Server::with(Aof::Written, &[]).await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.stop();
    let event = Event::new(log.payload(0).to_string());
    let hub = node.hub.clone();
    let publishing = tokio::spawn(async move { hub.topic("even/0").publish(event).await });
    // It is on its way when the connection breaks.
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.kill();
    assert!(may_be_stored(&publishing.await.unwrap().unwrap_err()));
    server.restart().await;
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_hangs_for_a_moment() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.stop();
    let (late, result) = log.try_publish(&node.hub, 0).await;
    assert!(may_be_stored(&result.unwrap_err()));
    client.is_quiet(Duration::from_millis(500)).await;
    server.resume();
    // It was stored, and is seen once.
    client.until(late).await;
    end(&node, &mut log, &mut client).await;
    assert_eq!(
        server.entries(KEY).await.len(),
        1 + log.check(&client).events
    );
}

/// Longer than the reader waits for an answer.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_hangs_longer_than_the_reader_waits() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.stop();
    let (late, result) = log.try_publish(&node.hub, 0).await;
    assert!(may_be_stored(&result.unwrap_err()));
    node.until_connected(false).await;
    client.is_quiet(Duration::from_millis(300)).await;
    server.resume();
    client.until(late).await;
    end(&node, &mut log, &mut client).await;
    node.until_connected(true).await;
    assert_eq!(
        server.entries(KEY).await.len(),
        1 + log.check(&client).events
    );
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_connection_is_half_open() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let (node, mut log, mut client) = begin(&proxy.url()).await;
    proxy.set(Mode::Hold);
    let start = Instant::now();
    let (_, result) = log.try_publish(&node.hub, 0).await;
    assert!(may_be_stored(&result.unwrap_err()));
    node.until_connected(false).await;
    assert!(start.elapsed() < Duration::from_secs(30));
    let other = log.add(&server, 20, 2).await;
    client.is_quiet(Duration::from_millis(200)).await;
    proxy.set(Mode::Pass);
    client.until(other).await;
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn connections_are_cut_again_and_again() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let (node, mut log, mut client) = begin(&proxy.url()).await;
    for _ in 0..20 {
        proxy.cut();
        let event = log.add(&server, 5, 2).await;
        client.until(event).await;
    }
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn clients_are_killed() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    for _ in 0..5 {
        server.send("CLIENT KILL TYPE normal SKIPME yes").await;
        server.send("CLIENT KILL TYPE pubsub SKIPME yes").await;
        // One may fail, and then it works.
        let (_, result) = log.try_publish(&node.hub, 0).await;
        if let Err(error) = result {
            assert!(may_be_stored(&error));
        }
        let event = publish(&node, &mut log, 0).await;
        client.until(event).await;
    }
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_is_out_of_memory() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.send("CONFIG SET maxmemory 1").await;
    for _ in 0..3 {
        let (_, result) = log.try_publish(&node.hub, 0).await;
        assert!(!may_be_stored(&result.unwrap_err()));
    }
    client.is_quiet(Duration::from_millis(200)).await;
    server.send("CONFIG SET maxmemory 0").await;
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_becomes_a_replica() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    // Of nobody: it keeps what it has.
    server.send("REPLICAOF 127.0.0.1 1").await;
    for _ in 0..3 {
        let (_, result) = log.try_publish(&node.hub, 0).await;
        assert!(!may_be_stored(&result.unwrap_err()));
    }
    client.is_quiet(Duration::from_millis(200)).await;
    server.send("REPLICAOF NO ONE").await;
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_key_is_something_else() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.send(&format!("RENAME {KEY} aside")).await;
    server.send(&format!("SET {KEY} text")).await;
    for _ in 0..3 {
        let (_, result) = log.try_publish(&node.hub, 0).await;
        assert!(!may_be_stored(&result.unwrap_err()));
    }
    node.until_connected(false).await;
    client.is_quiet(Duration::from_millis(200)).await;
    // Back as it was.
    server.send(&format!("RENAME aside {KEY}")).await;
    end(&node, &mut log, &mut client).await;
    node.until_connected(true).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_password_is_changed() {
    let server = Server::start().await;
    let url = server.url().replace("redis://", "redis://:secret@");
    server.send("CONFIG SET requirepass secret").await;
    let (node, mut log, mut client) = begin(&url).await;
    let mut admin = server.connection().await;
    admin.send("AUTH secret").await;
    admin.send("CONFIG SET requirepass other").await;
    admin.send("CLIENT KILL TYPE normal SKIPME yes").await;
    node.until_connected(false).await;
    crate::rig::until("it is refused", async || {
        let error = log.try_publish(&node.hub, 0).await.1.unwrap_err();
        !may_be_stored(&error)
    })
    .await;
    client.is_quiet(Duration::from_millis(200)).await;
    admin.send("CONFIG SET requirepass secret").await;
    end(&node, &mut log, &mut client).await;
}

/// Under a password that the node was never given.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_wants_a_password() {
    let server = Server::start().await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    let mut admin = server.connection().await;
    admin.send("CONFIG SET requirepass secret").await;
    admin.send("CLIENT KILL TYPE normal SKIPME yes").await;
    crate::rig::until("it is refused", async || {
        let error = log.try_publish(&node.hub, 0).await.1.unwrap_err();
        !may_be_stored(&error)
    })
    .await;
    admin.send("AUTH secret").await;
    admin
        .send_words(&[b"CONFIG", b"SET", b"requirepass", b""])
        .await;
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_loads_its_file() {
    if !is_7() {
        // It answers nothing while it loads as little as this.
        return;
    }
    let mut server = Server::with(Aof::Written, &[]).await;
    let (node, mut log, mut client) = begin(&server.url()).await;
    server.send("DEBUG POPULATE 2000").await;
    server.send("BGREWRITEAOF").await;
    crate::rig::until("the file is written", async || {
        let info = server.send("INFO persistence").await.text();
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    })
    .await;
    let mut loading = 0;
    // Microseconds for each key. A test that is held up for that long sees nothing of it.
    for delay in ["500", "2000", "8000"] {
        server.kill();
        let slow = [
            "--key-load-delay",
            delay,
            "--loading-process-events-interval-bytes",
            "1024",
        ];
        server.arguments().extend(slow.map(str::to_owned));
        server.launch();
        crate::rig::until("it has loaded", async || {
            match log.try_publish(&node.hub, 0).await.1 {
                Ok(_) => true,
                Err(error) => {
                    let cause = error.source().map(ToString::to_string);
                    let cause = cause.unwrap_or_default().to_lowercase();
                    loading += usize::from(cause.contains("loading"));
                    // The first may have been on the connection that broke, and Redis may be late.
                    let may_be_stored = may_be_stored(&error) && !is_late(&error);
                    assert!(loading == 0 || !may_be_stored, "{error}");
                    false
                }
            }
        })
        .await;
        if loading > 0 {
            break;
        }
    }
    assert!(loading > 0, "it was not seen loading");
    end(&node, &mut log, &mut client).await;
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_node_dies_and_its_clients_hop() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let mut dying = crate::child::Child::start(&server.url(), 100).await;
    let (mut log, mut client) = (Log::default(), Client::all());
    client.connect_to(dying.address()).await;
    client.next("its place").await;
    let event = log.publish_all(&node.hub, 20, 2).await;
    client.until(event).await;
    dying.end().await;
    while client.step().await.is_some() {}
    let event = log.publish_all(&node.hub, 20, 2).await;
    client.follow(&node, event).await;
    log.check_gaps(&client, 0);
}
