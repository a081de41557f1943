//! Clients resume on any node, from the ring or from Redis, and there is no seam.

use std::time::{Duration, Instant};

use crate::rig::proxy::{Mode, Proxy};
use crate::rig::server::{Aof, Server};
use crate::rig::trace::{Key, Seen};
use crate::world::{Client, KEY, Log, Node, topic, within};

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_hops_between_nodes() {
    let server = Server::start().await;
    let nodes = Node::pair(&server).await;
    let (mut log, mut client) = (Log::default(), Client::at(&nodes[0]).await);
    for hop in 0..20 {
        let event = log.publish_all(&nodes[hop / 2 % 2].hub, 3, 4).await;
        client.follow(&nodes[hop % 2], event).await;
        if hop % 3 != 0 {
            client.leave();
        }
    }
    log.check_gaps(&client, 0);
}

/// The node's own reader is stalled, and what the client has is news to it.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_goes_to_a_node_behind_its_id() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let ahead = Node::start(&server.url()).await;
    let behind = Node::start(&proxy.url()).await;
    let (mut log, mut client) = (Log::default(), Client::at(&ahead).await);
    let first = log.publish_all(&ahead.hub, 10, 3).await;
    client.follow(&behind, first).await;

    proxy.set(Mode::Hold);
    client.connect(&ahead).await;
    let event = log.publish_all(&ahead.hub, 10, 3).await;
    client.until(event).await;
    client.connect(&behind).await;
    let last = log.publish_all(&ahead.hub, 10, 3).await;
    client.is_quiet(Duration::from_millis(700)).await;
    client.has_heartbeat().await;
    proxy.set(Mode::Pass);
    client.until(last).await;
    let last = log.publish_all(&behind.hub, 10, 3).await;
    client.until(last).await;
    log.check_gaps(&client, 0);
}

/// The same with a node that is only slow.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_hops_to_a_slow_node_and_back() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    proxy.set(Mode::Delay(Duration::from_millis(30)));
    let nodes = [
        Node::start(&server.url()).await,
        Node::start(&proxy.url()).await,
    ];
    let (mut log, mut client) = (Log::default(), Client::at(&nodes[0]).await);
    for hop in 0..20 {
        let event = log.publish_all(&nodes[0].hub, 5, 4).await;
        client.connect(&nodes[hop % 2]).await;
        client.until(event).await;
    }
    log.check_gaps(&client, 0);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_client_catches_up_while_much_is_published() {
    let server = Server::start().await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(300)).await;
    let mut log = Log::default();
    let (mut old, mut fresh) = (Client::all(), Client::of(&[1]));
    old.begin(&node).await;
    fresh.begin(&node).await;
    let first = log.publish(&node.hub, 1).await;
    old.until(first).await;
    fresh.until(first).await;
    old.leave();
    fresh.leave();
    log.add(&server, 3_000, 8).await;

    // 4,000 each second, for two.
    let end = log.payload(1);
    let publishing = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(25));
        for _ in 0..80 {
            ticks.tick().await;
            log.add(&server, 100, 8).await;
        }
        log.send(&node.hub, end).await.unwrap();
    };
    tokio::join!(publishing, old.follow(&node, end), fresh.follow(&node, end));
    log.check_gaps(&old, 0);
    log.check_gaps(&fresh, 0);
}

/// IDs that were never given, or not by Redis, get a gap and then what there is.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn strange_ids_are_told_of_a_gap() {
    let server = Server::start().await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(10)).await;
    let mut log = Log::default();
    log.publish_all(&node.hub, 30, 2).await;
    let entries = server.entries(KEY).await;
    let (time, number) = entries[20].0.split_once('-').unwrap();
    let number = number.parse::<u64>().unwrap() + 7_000;
    let between = format!("{time}-{number}");
    let old = format!("{}-{number}", time.parse::<u64>().unwrap() - 1);
    let known = [
        "99999999999999-0",
        "18446744073709551615-18446744073709551615",
        "1-0",
        &between,
        &old,
    ];
    let unknown = [
        "+1-0",
        "01-0",
        "5",
        "5-",
        "-5",
        "1-1-1",
        "$",
        "+",
        "*",
        "18446744073709551616-0",
        "1-18446744073709551616",
        "10-5\u{e9}",
        "<script>",
        &"9".repeat(3_000),
    ];
    // All at once: some wait until it is sure that nobody is left who could tell of a loss.
    let mut clients = Vec::new();
    for id in known.iter().chain(&unknown) {
        let mut client = Client::all().after(id);
        client.trace.clear();
        client.connect(&node).await;
        clients.push((*id, client));
    }
    // Everything after these is sent.
    let mut resuming = Vec::new();
    for id in [&between, &old] {
        let mut client = Client::all().after(id);
        client.connect(&node).await;
        resuming.push((id, client));
    }
    for (id, mut client) in clients {
        let first = client.next(id).await;
        assert!(matches!(first, Seen::Gap { .. }), "{id}: {first:?}");
        let event = log.publish(&node.hub, 0).await;
        client.until(event).await;
        assert_eq!(client.gaps(), 1, "{id}");
        // And is known from then on.
        client.connect(&node).await;
        let event = log.publish(&node.hub, 0).await;
        client.until(event).await;
        assert_eq!(client.gaps(), 1, "{id}");
        log.check(&client);
    }
    for (id, mut client) in resuming {
        let last = log.publish(&node.hub, 0).await;
        client.until(last).await;
        let after = Key::parse(id).unwrap();
        let entries = server.entries(KEY).await;
        let later = entries.iter().filter(|one| {
            Key::parse(&one.0).unwrap() > after && one.1.iter().any(|field| field == "data")
        });
        assert_eq!(log.check(&client).events, later.count(), "{id}");
    }
}

/// A herd that reconnects to a fresh node is served from few reads, and the next from none.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_herd_shares_its_pages() {
    const CLIENTS: usize = 60;
    let server = Server::start().await;
    let mut log = Log::default();
    let first = log.add(&server, 1, 1).await;
    let last = log.add(&server, 5_000, 3).await;
    let entries = server.entries(KEY).await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(1_000)).await;
    node.until_connected(true).await;
    assert_eq!(first.n, 0);

    let mut reads = Vec::new();
    let start = Instant::now();
    for herd in 0..2 {
        let before = server.calls("xrange").await;
        let mut clients = tokio::task::JoinSet::new();
        for at in 0..CLIENTS {
            // All from different places, but the same in each herd.
            let mut client = Client::all().after(&entries[at * 7 % 1_000].0);
            let address = node.address();
            clients.spawn(async move {
                client.connect_to(address).await;
                client.until(last).await;
                client
            });
        }
        for client in within("the herd", clients.join_all()).await {
            log.check_gaps(&client, 0);
        }
        reads.push(server.calls("xrange").await - before);
        assert_eq!(herd + 1, reads.len());
    }
    // A page has 1,024 entries at most, and the node's reader looks for losses now and then.
    let status = node.hub.status();
    let own = 3 + start.elapsed().as_secs();
    assert!(reads[0] <= 5 * 3 / 2 + own, "{reads:?} {status:?}");
    assert!(reads[1] <= own, "{reads:?} {status:?}");
}

/// Whatever else is published, an ID stays good as long as Redis has it.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_quiet_topic_resumes_from_long_ago() {
    let server = Server::with(Aof::No, &[]).await;
    let node = Node::with(&server.url(), |hub| hub.ring_events(50)).await;
    let mut log = Log::default();
    let mut quiet = Client::of(&[7]);
    // Two topics and a prefix, by one ID.
    let mut mixed = Client::new(
        [7, 9].into_iter().chain((0..100).step_by(2)).collect(),
        &format!("topic={}&topic={}&prefix=even/", topic(7), topic(9)),
    );
    quiet.begin(&node).await;
    mixed.begin(&node).await;
    let event = log.publish(&node.hub, 7).await;
    quiet.until(event).await;
    mixed.until(event).await;
    let place = quiet.last.clone();
    quiet.leave();
    mixed.leave();
    log.add(&server, 2_000, 4).await;
    quiet.connect(&node).await;
    let event = log.publish(&node.hub, 7).await;
    quiet.until(event).await;
    mixed.connect(&node).await;
    mixed.until(event).await;
    log.check_gaps(&quiet, 0);
    log.check_gaps(&mixed, 0);
    let report = log.check(&mixed);
    assert_eq!(report.events, 1_002);
    assert_ne!(quiet.last, place);
}
