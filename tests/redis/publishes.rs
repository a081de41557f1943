//! What publishing says, and events that are published once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tower_sse::Event;
use tower_sse::hub::Hub;

use crate::rig::proxy::{Mode, Proxy};
use crate::rig::server::{Aof, Server};
use crate::rig::trace::Key;
use crate::world::{Client, KEY, Log, Node, may_be_stored, within};

fn count(entries: &[(String, Vec<String>)], data: &str) -> usize {
    let has = |one: &&(String, Vec<String>)| one.1.iter().any(|field| field == data);
    entries.iter().filter(has).count()
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_id_is_the_entry_s() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let first = node.hub.publish(Event::new("a")).await.unwrap();
    let second = node.hub.topic("t").publish(Event::new("b")).await.unwrap();
    let entries = server.entries(KEY).await;
    assert_eq!(
        entries.iter().filter(|one| one.0 == first.as_str()).count(),
        1
    );
    assert_eq!(entries.last().unwrap().0, second.as_str());
    assert_eq!(entries.last().unwrap().1, ["topic", "t", "data", "b"]);
}

/// A node reads each event once, and the one before it again to see that it is still there.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_single_event_costs_two_reads() {
    const EVENTS: u64 = 50;
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let mut log = Log::default();
    let mut client = Client::at(&node).await;
    log.publish(&node.hub, 0).await;
    let start = Instant::now();
    let before = (server.calls("xread").await, server.calls("xrange").await);
    for _ in 0..EVENTS {
        let event = log.publish(&node.hub, 0).await;
        client.until(event).await;
    }
    let reads = server.calls("xread").await - before.0;
    let checks = server.calls("xrange").await - before.1;
    // A wait that is over adds one of each.
    let most = EVENTS + 2 + start.elapsed().as_secs();
    assert!(reads <= most && checks <= most, "{reads} {checks}");
}

/// Many at once, from several nodes: all are stored, and all clients see one order.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn many_publish_at_once() {
    let server = Server::start().await;
    let nodes = Node::pair(&server).await;
    let (mut log, mut clients) = (Log::default(), [Client::all(), Client::all()]);
    for (client, node) in clients.iter_mut().zip(&nodes) {
        client.begin(node).await;
    }
    let mut publishing = tokio::task::JoinSet::new();
    for at in 0..400 {
        let (payload, hub) = (log.payload(at % 5), nodes[usize::from(at) % 2].hub.clone());
        publishing.spawn(async move {
            let event = Event::new(payload.to_string());
            let topic = crate::world::topic(payload.topic);
            (payload, hub.topic(&topic).publish(event).await.unwrap())
        });
    }
    for (payload, id) in within("all are stored", publishing.join_all()).await {
        log.truth.stored(payload, Key::parse(id.as_str()).unwrap());
    }
    let end = log.publish(&nodes[0].hub, 0).await;
    for client in &mut clients {
        client.until(end).await;
        log.check_gaps(client, 0);
    }
    let order = |client: &Client| client.trace.iter().skip(2).copied().collect::<Vec<_>>();
    assert_eq!(order(&clients[0]), order(&clients[1]));
}

/// The reply is lost: it may be stored, and is; published again it is still one.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn once_is_once_where_the_reply_is_lost() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let node = Node::start(&proxy.url()).await;
    let hub = &node.hub;
    hub.topic("t")
        .publish_once("warm", Event::new("warm"))
        .await
        .unwrap();
    proxy.set(Mode::HoldReplies);
    let publishing = hub.topic("t").publish_once("order-7", Event::new("paid"));
    let cutting = async {
        crate::rig::until("it is stored", async || {
            count(&server.entries(KEY).await, "paid") == 1
        })
        .await;
        proxy.cut();
        proxy.set(Mode::Pass);
    };
    let (result, ()) = tokio::join!(publishing, cutting);
    assert!(may_be_stored(&result.unwrap_err()));
    let again = hub
        .topic("t")
        .publish_once("order-7", Event::new("paid"))
        .await
        .unwrap();
    let and_again = hub
        .topic("t")
        .publish_once("order-7", Event::new("paid"))
        .await
        .unwrap();
    assert_eq!(again, and_again);
    let entries = server.entries(KEY).await;
    assert_eq!(count(&entries, "paid"), 1);
    assert!(entries.iter().any(|one| one.0 == again.as_str()));
    let other = hub
        .topic("t")
        .publish_once("order-8", Event::new("paid"))
        .await
        .unwrap();
    assert_ne!(other, again);
}

/// Redis is killed under it, again and again; whoever publishes tries until it works.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn once_is_once_over_a_kill() {
    let mut server = Server::with(Aof::Written, &[]).await;
    let node = Node::with(&server.url(), |hub| {
        hub.response_timeout(Duration::from_secs(1))
    })
    .await;
    let over = Arc::new(AtomicBool::new(false));
    let failed = Arc::new(AtomicUsize::new(0));
    let publishing = {
        let (hub, over, failed) = (node.hub.clone(), over.clone(), failed.clone());
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let name = format!("name-{}", ids.len());
                match hub.publish_once(&name, Event::new(&*name)).await {
                    Ok(id) => ids.push((name, id)),
                    Err(_) => _ = failed.fetch_add(1, Ordering::Relaxed),
                }
                if over.load(Ordering::Relaxed) && ids.len() >= 60 {
                    return ids;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let before = failed.load(Ordering::Relaxed);
        server.kill();
        crate::rig::until("one fails", async || {
            failed.load(Ordering::Relaxed) > before
        })
        .await;
        server.restart().await;
    }
    over.store(true, Ordering::Relaxed);
    let ids = within("all are stored", publishing).await.unwrap();
    let entries = server.entries(KEY).await;
    for (name, id) in &ids {
        assert_eq!(count(&entries, name), 1, "{name}");
        assert!(entries.iter().any(|one| one.0 == id.as_str()), "{name}");
    }
}

/// The names do not stay for good.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_name_is_forgotten() {
    let server = Server::start().await;
    let hub = Hub::redis(&server.url(), KEY)
        .unwrap()
        .once_for(Duration::from_secs(1));
    let hub = hub.build().unwrap();
    let mut names = (0..).map(|n| n.to_string());
    let (name, first) = loop {
        let (name, start) = (names.next().unwrap(), Instant::now());
        let first = hub.publish_once(&name, Event::new("1")).await.unwrap();
        let again = hub.publish_once(&name, Event::new("2")).await.unwrap();
        // Or it may be forgotten already.
        if start.elapsed() < Duration::from_secs(1) {
            assert_eq!(again, first);
            break (name, first);
        }
    };
    crate::rig::until("it is forgotten", async || {
        hub.publish_once(&name, Event::new("3")).await.unwrap() != first
    })
    .await;
}

/// The stream stays about as long as it may be.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn publishers_trim_the_stream() {
    let server = Server::start().await;
    let url = server.url();
    let by_number = Node::with(&url, |hub| hub.max_events(300)).await;
    let mut log = Log::default();
    log.publish_all(&by_number.hub, 1_000, 2).await;
    let length = server.send(&format!("XLEN {KEY}")).await.int();
    assert!((300..=500).contains(&length), "{length}");
    drop(by_number);
    let by_age = Node::with(&url, |hub| hub.max_age(Duration::from_millis(300))).await;
    let old = log.publish(&by_age.hub, 0).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    log.publish_all(&by_age.hub, 300, 2).await;
    // Whole nodes of a hundred are trimmed.
    tokio::time::sleep(Duration::from_millis(400)).await;
    log.publish_all(&by_age.hub, 2, 2).await;
    let data = old.to_string();
    assert_eq!(count(&server.entries(KEY).await, &data), 0);
}
