//! Redis loses entries. Each client that missed one is told, once.

use std::time::Duration;

use crate::rig::payload::Payload;
use crate::rig::proxy::{Mode, Proxy};
use crate::rig::resp::Resp;
use crate::rig::server::{Aof, Server};
use crate::rig::trace::{Key, Seen};
use crate::world::{Client, KEY, Log, Node, topic, within};

/// A power cut takes the end of the file.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_lost_tail_is_told_to_each_client_once() {
    for bytes in [300, 3_000] {
        let mut server = Server::with(Aof::Written, &[]).await;
        let nodes = Node::pair(&server).await;
        let mut log = Log::default();
        // One has seen everything, one is away since the middle, one has other topics.
        let mut clients = [
            Client::all(),
            Client::all(),
            Client::all(),
            Client::of(&[1]),
        ];
        for (at, client) in clients.iter_mut().enumerate() {
            client.begin(&nodes[at % 2]).await;
        }
        let middle = log.publish_all(&nodes[0].hub, 20, 2).await;
        for client in &mut clients {
            client.until(middle).await;
        }
        clients[1].leave();
        let end = log.publish_all(&nodes[0].hub, 40, 2).await;
        clients[0].until(end).await;
        clients[2].until(end).await;
        let before = server.entries(KEY).await.len();
        server.kill();
        server.truncate(bytes);
        server.restart().await;
        let kept = server.entries(KEY).await.len();
        assert!((21..before).contains(&kept), "{kept} of {before}");

        log.publish_again(&nodes[1].hub, 0).await;
        log.publish_again(&nodes[0].hub, 0).await;
        crate::rig::until("it is noticed", async || {
            nodes.iter().all(|node| node.hub.status().losses > 0)
        })
        .await;
        until_marked(&server).await;
        let end = log.publish_all(&nodes[1].hub, 10, 2).await;
        for client in &mut clients {
            client.follow(&nodes[0], end).await;
        }
        log.lossy(&server).await;
        for client in &clients {
            log.check_gaps(client, 1);
        }
        // Once and for all.
        for client in &mut clients {
            client.connect(&nodes[1]).await;
        }
        let end = log.publish_all(&nodes[0].hub, 10, 2).await;
        for client in &mut clients {
            client.until(end).await;
        }
        log.lossy(&server).await;
        for client in &clients {
            log.check_gaps(client, 1);
        }
    }
}

/// Until a node has told of a loss. What is published before that may come before the mark.
async fn until_marked(server: &Server) {
    crate::rig::until("a loss is marked", async || {
        let entries = server.entries(KEY).await;
        let mut fields = entries.iter().map(|(_, fields)| fields);
        fields.any(|fields| fields[0] == "mark" && fields[1] == "lost")
    })
    .await;
}

/// The node that published knows what no node has read yet.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn what_was_acknowledged_and_not_yet_read_is_told_when_it_is_lost() {
    let mut server = Server::with(Aof::Written, &[]).await;
    let node = Node::start(&server.url()).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let event = log.publish_all(&node.hub, 10, 2).await;
    client.until(event).await;
    let length = server.aof_length();
    log.publish(&node.hub, 0).await;
    server.kill();
    server.truncate(server.aof_length() - length);
    server.restart().await;
    let end = log.publish_again(&node.hub, 0).await;
    client.follow(&node, end).await;
    log.lossy(&server).await;
    log.check(&client);
}

/// Without a file, and others publish before the node looks.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn publishers_are_faster_than_the_check() {
    let mut server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::start(&proxy.url()).await;
    let mut log = Log::default();
    let (mut live, mut away) = (Client::at(&node).await, Client::at(&node).await);
    let event = log.publish_all(&node.hub, 50, 2).await;
    live.until(event).await;
    away.until(event).await;
    away.leave();
    log.publish_all(&node.hub, 50, 2).await;
    proxy.set(Mode::Refuse);
    server.kill();
    server.restart().await;
    proxy.cut();
    // More than there was.
    log.add(&server, 200, 2).await;
    proxy.set(Mode::Pass);
    node.until_connected(true).await;
    let end = log.publish_again(&node.hub, 0).await;
    live.follow(&node, end).await;
    away.follow(&node, end).await;
    log.lossy(&server).await;
    for client in [&live, &away] {
        log.check_gaps(client, 1);
        // All that was published since.
        assert_eq!(client.events_after_gap(), server.entries(KEY).await.len());
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_flush_under_a_blocked_read_goes_on() {
    for command in ["FLUSHALL", "DEL log", "UNLINK log", "RENAME log other"] {
        let server = Server::start().await;
        let nodes = Node::pair(&server).await;
        let mut log = Log::default();
        let (mut live, mut away) = (Client::at(&nodes[0]).await, Client::at(&nodes[1]).await);
        let mut end = log.publish_all(&nodes[0].hub, 10, 2).await;
        live.until(end).await;
        away.until(end).await;
        // Several times, as the stream is to begin again within a millisecond.
        for round in 1..=10 {
            away.leave();
            server.send(command).await;
            end = log.publish_all(&nodes[0].hub, 10, 2).await;
            live.follow(&nodes[0], end).await;
            away.follow(&nodes[1], end).await;
            log.lossy(&server).await;
            for client in [&live, &away] {
                let report = log.check(client);
                assert!(report.gaps <= round, "{command}: {report:?}");
                assert_eq!(report.events, 10 + 10 * round, "{command}");
            }
        }
        // An old ID is told.
        let mut old = Client::all().after("1000-0");
        old.connect(&nodes[0]).await;
        old.until(end).await;
        assert_eq!(old.gaps(), 1);
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_clock_that_went_back_ends_the_streams_and_tells() {
    let server = Server::start().await;
    let nodes = Node::pair(&server).await;
    let mut log = Log::default();
    let (mut live, mut away) = (Client::at(&nodes[0]).await, Client::at(&nodes[1]).await);
    log.publish_all(&nodes[0].hub, 10, 2).await;
    let future = log.payload(0);
    let (name, data) = (topic(0), future.to_string());
    let words = [
        "XADD",
        KEY,
        "99999999999999-0",
        "topic",
        &name,
        "data",
        &data,
    ];
    server
        .connection()
        .await
        .send_words(&words.map(str::as_bytes))
        .await;
    log.truth.stored(future, Key(99_999_999_999_999, 0));
    live.until(future).await;
    away.until(future).await;
    away.leave();
    server.send(&format!("DEL {KEY}")).await;
    log.publish_all(&nodes[1].hub, 10, 2).await;
    // Their IDs are ahead of all that follows: they are told, and continue with what comes then.
    tokio::join!(live.follow_gap(&nodes[0]), away.follow_gap(&nodes[1]));
    let end = log.publish_all(&nodes[1].hub, 10, 2).await;
    live.follow(&nodes[0], end).await;
    away.follow(&nodes[1], end).await;
    log.lossy(&server).await;
    // All is well again.
    live.connect(&nodes[1]).await;
    let end = log.publish_all(&nodes[0].hub, 10, 2).await;
    live.until(end).await;
    assert_eq!((live.gaps(), away.gaps()), (1, 1));
    // In the order of publishing, for what was there and what came after the gap. The IDs cannot say.
    let n = |seen: &Seen| match seen {
        Seen::Event { payload, .. } => Some(payload.n),
        _ => None,
    };
    let numbers: Vec<u32> = live.trace.iter().filter_map(n).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(numbers[..11], *Vec::from_iter(0..11));
    assert_eq!(numbers[numbers.len() - 20..], *Vec::from_iter(21..41));
}

/// It hangs, and is trimmed past. There are `XREAD`s blocked in it meanwhile.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_node_that_is_trimmed_past_tells_its_clients() {
    let server = Server::start().await;
    let mut stopped = crate::child::Child::start(&server.url(), 4_096).await;
    let node = Node::start(&server.url()).await;
    let (mut log, mut live, mut away) = (Log::default(), Client::all(), Client::all());
    live.connect_to(stopped.address()).await;
    live.next("its place").await;
    away.connect_to(stopped.address()).await;
    away.next("its place").await;
    let event = log.publish_all(&node.hub, 10, 2).await;
    live.until(event).await;
    away.until(event).await;
    away.leave();
    stopped.signal("STOP");
    log.add(&server, 500, 2).await;
    server.send(&format!("XTRIM {KEY} MAXLEN 100")).await;
    let end = log.publish(&node.hub, 0).await;
    stopped.signal("CONT");
    // It ends its streams, or tells in them.
    for client in [&mut live, &mut away] {
        within("the last event", async {
            loop {
                if client.feed.is_none() {
                    client.connect_to(stopped.address()).await;
                }
                while let Some(seen) = client.step().await {
                    if matches!(seen, Seen::Event { payload, .. } if payload == end) {
                        return;
                    }
                }
            }
        })
        .await;
        log.check_gaps(client, 1);
        // One gap, then all that is retained.
        assert_eq!(client.events_after_gap(), 101);
    }
    stopped.end().await;
}

/// The same for one that is cut off, in this process.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_node_that_was_cut_off_and_trimmed_past_tells_its_clients() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::start(&proxy.url()).await;
    let (mut log, mut live) = (Log::default(), Client::at(&node).await);
    let event = log.publish_all(&node.hub, 10, 2).await;
    live.until(event).await;
    proxy.set(Mode::Refuse);
    proxy.cut();
    log.add(&server, 500, 2).await;
    server.send(&format!("XTRIM {KEY} MAXLEN 100")).await;
    proxy.set(Mode::Pass);
    node.until_connected(true).await;
    let end = log.publish_again(&node.hub, 0).await;
    live.follow(&node, end).await;
    log.check_gaps(&live, 1);
    let retained = server.entries(KEY).await.len();
    assert_eq!(log.check(&live).events, 10 + retained);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_that_is_trimmed_past_gets_a_gap_and_all_that_is_retained() {
    let server = Server::start().await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(50)).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let event = log.publish_all(&node.hub, 10, 2).await;
    client.until(event).await;
    client.leave();
    log.add(&server, 500, 2).await;
    // Or its ring would pass the client, which would have to reconnect.
    node.until_read(510).await;
    server.send(&format!("XTRIM {KEY} MAXLEN 200")).await;
    client.connect(&node).await;
    let end = log.publish(&node.hub, 0).await;
    client.until(end).await;
    log.check_gaps(&client, 1);
    assert_eq!(log.check(&client).events, 10 + 201);
}

/// The client reads slowly, so that the pages wait for it, and the stream is trimmed between two.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn trimming_between_two_pages_is_told() {
    let server = Server::start().await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(10)).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let event = log.publish(&node.hub, 0).await;
    client.until(event).await;
    client.leave();
    // 64 KiB each: a page has few of them, and the sockets hold less than all.
    let mut connection = server.connection().await;
    for _ in 0..600 {
        let payload = Payload {
            publisher: Payload::LARGE,
            ..log.payload(1)
        };
        log.truth.begin(payload);
        let (name, data) = (topic(1), payload.to_string());
        let words = ["XADD", KEY, "*", "topic", &name, "data", &data].map(str::as_bytes);
        let id = connection.send_words(&words).await.text();
        log.truth.stored(payload, Key::parse(&id).unwrap());
    }
    client.connect(&node).await;
    for _ in 0..20 {
        client.next("the first pages").await;
    }
    // Until nothing is read any more.
    let mut reads = 0;
    crate::rig::until("the pages wait", async || {
        let before = std::mem::replace(&mut reads, node.hub.status().pages);
        tokio::time::sleep(Duration::from_millis(200)).await;
        before == reads && reads > 0
    })
    .await;
    server.send(&format!("XTRIM {KEY} MAXLEN 20")).await;
    let end = log.publish(&node.hub, 0).await;
    client.follow(&node, end).await;
    let report = log.check(&client);
    assert_eq!((report.gaps, report.repeated), (1, 0));
    assert!(report.missed > 100, "{report:?}");
}

/// Redis fails over to a replica that has not got everything.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_replica_that_is_behind_takes_over() {
    let server = Server::start().await;
    let replica = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::start(&proxy.url()).await;
    let mut log = Log::default();
    let (mut live, mut away) = (Client::at(&node).await, Client::at(&node).await);
    let shared = log.publish_all(&node.hub, 20, 2).await;
    live.until(shared).await;
    away.until(shared).await;
    away.leave();
    replica
        .send(&format!("REPLICAOF 127.0.0.1 {}", server.port()))
        .await;
    crate::rig::until("the replica has it", async || {
        let length = server.send(&format!("XLEN {KEY}")).await;
        replica.ask(&format!("XLEN {KEY}")).await == Some(length)
    })
    .await;
    replica.send("REPLICAOF NO ONE").await;
    let lost = log.publish_all(&node.hub, 20, 2).await;
    live.until(lost).await;
    proxy.lead_to(replica.address());
    proxy.cut();
    drop(server);
    log.publish_again(&node.hub, 0).await;
    until_marked(&replica).await;
    let end = log.publish_again(&node.hub, 0).await;
    live.follow(&node, end).await;
    away.follow(&node, end).await;
    log.lossy(&replica).await;
    log.check_gaps(&live, 1);
    log.check_gaps(&away, 1);
    _ = Resp::connect(replica.address()).await.unwrap();
}
