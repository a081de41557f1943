//! Sentinels and clusters.

use std::time::{Duration, Instant};

use crate::dialects::works;
use crate::rig::groups::{Cluster, Watched};
use crate::rig::server::Server;
use crate::rig::until;
use crate::world::{Client, KEY, Log, Node, within};

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_failover_moves_the_hub_to_the_new_master() {
    let mut watched = Watched::start().await;
    let url = format!("redis+sentinel://{}/{}", watched.sentinel(), Watched::NAME);
    let node = Node::start(&url).await;
    let mut log = Log::default();
    let (mut live, mut away) = (Client::at(&node).await, Client::at(&node).await);
    let event = log.publish_all(&node.hub, 10, 2).await;
    live.until(event).await;
    away.until(event).await;
    away.leave();
    until("the replica has everything", async || {
        watched.replica.entries(KEY).await.len() == watched.master.entries(KEY).await.len()
    })
    .await;
    watched.fail_over().await;
    let event = log.publish_again(&node.hub, 0).await;
    live.follow(&node, event).await;
    away.follow(&node, event).await;
    log.check_gaps(&live, 0);
    log.check_gaps(&away, 0);
    assert!(!watched.replica.entries(KEY).await.is_empty());
    // A node that starts now finds it as well.
    let fresh = Node::start(&url).await;
    let event = log.publish_all(&fresh.hub, 10, 2).await;
    live.follow(&fresh, event).await;
    log.check_gaps(&live, 0);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_cluster_of_three_is_entered_by_any_of_them() {
    let cluster = Cluster::start().await;
    let owner = cluster.owner(KEY).await;
    let addresses: Vec<_> = cluster
        .servers
        .iter()
        .map(|one| one.address().to_string())
        .collect();
    let all = format!("redis://{}", addresses.join(","));
    for url in cluster.servers.iter().map(Server::url).chain([all]) {
        works(&url, owner).await;
        owner.send(&format!("DEL {KEY}")).await;
    }
}

/// While a read waits for the next entry.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_blocked_read_stalls_no_publisher_on_a_cluster() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster.servers[0].url()).await;
    node.until_connected(true).await;
    let mut log = Log::default();
    log.publish(&node.hub, 0).await;
    let mut times = Vec::new();
    for _ in 0..20 {
        until("the reader waits", async || {
            let clients = cluster.owner(KEY).await.send("CLIENT LIST").await.text();
            clients.contains("cmd=xread") && clients.contains("flags=b")
        })
        .await;
        let start = Instant::now();
        within("publishing", log.publish(&node.hub, 0)).await;
        times.push(start.elapsed());
    }
    // A read waits for two seconds. The machine may be slow now and then.
    times.sort_unstable();
    assert!(times[15] < Duration::from_secs(1), "{times:?}");
}
