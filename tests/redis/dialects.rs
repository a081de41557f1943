//! Versions of the protocol, and rights.

use std::time::Duration;

use crate::rig::resp::Value;
use crate::rig::server::Server;
use crate::world::{Client, KEY, Log, Node, may_be_stored};

/// Live, from the ring and from pages.
pub(crate) async fn works(url: &str, server: &Server) {
    let node = Node::with(url, |hub| hub.ring_events(50)).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let event = log.publish_all(&node.hub, 10, 3).await;
    client.until(event).await;
    client.leave();
    log.add(server, 200, 3).await;
    client.connect(&node).await;
    let event = log.publish_all(&node.hub, 10, 3).await;
    client.follow(&node, event).await;
    let event = tower_sse::Event::new("once");
    let first = node.hub.publish_once("a", event.clone()).await.unwrap();
    assert_eq!(node.hub.publish_once("a", event).await.unwrap(), first);
    log.check_gaps(&client, 0);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn both_versions_of_the_protocol() {
    for version in ["resp2", "resp3"] {
        let server = Server::start().await;
        let url = format!("{}?protocol={version}", server.url());
        works(&url, &server).await;
    }
}

/// With the rights that the documentation asks for and no others.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_documented_rights_are_enough() {
    let all = "+time +xadd +xread +xrange +xrevrange +eval +get +set +publish +subscribe";
    have_enough_rights(all, &["client", "client|setinfo"]).await;
}

/// A node then cannot ask Redis for the time when it begins a stream.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn the_right_to_ask_for_the_time_is_not_needed() {
    let all = "+xadd +xread +xrange +xrevrange +eval +get +set +publish +subscribe";
    have_enough_rights(all, &["client", "client|setinfo", "time"]).await;
}

/// Works with these rights, and is denied only these commands.
async fn have_enough_rights(rights: &str, denied: &[&str]) {
    let server = Server::start().await;
    server
        .send(&format!(
            "ACL SETUSER hub on >secret ~{KEY} ~{{{KEY}}}:* resetchannels &{{{KEY}}}:* {rights}"
        ))
        .await;
    let url = server.url().replace("redis://", "redis://hub:secret@");
    works(&url, &server).await;
    let log = server.send("ACL LOG").await;
    // redis-rs names itself if it has the right to, and goes on if it has not. Redis 7.0 does not know
    // that command.
    for entry in log.list() {
        let is_of = |name: &&str| entry.list().contains(&Value::Text((*name).into()));
        assert!(denied.iter().any(is_of), "{log}");
    }
}

/// A right that is missing is an error, and no loop.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_missing_right_is_told_to_publishers() {
    let server = Server::start().await;
    server
        .send(&format!(
            "ACL SETUSER hub on >secret ~{KEY} +xread +xrange +xrevrange"
        ))
        .await;
    let url = server.url().replace("redis://", "redis://hub:secret@");
    let node = Node::start(&url).await;
    let mut log = Log::default();
    let (_, result) = log.try_publish(&node.hub, 0).await;
    assert!(!may_be_stored(&result.unwrap_err()));
    let before = server.send("INFO commandstats").await.text();
    assert!(!before.is_empty());
    tokio::time::sleep(Duration::from_millis(300)).await;
    // It backs off.
    assert!(server.send("ACL LOG").await.list().len() < 20);
}
