//! The rig itself, without a hub.

use std::time::{Duration, Instant};

use crate::rig::groups::{Cluster, Watched};
use crate::rig::proxy::{Mode, Proxy};
use crate::rig::resp::{Resp, Value};
use crate::rig::server::{Aof, Server};

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_server_keeps_what_its_file_keeps() {
    let mut server = Server::with(Aof::Written, &[]).await;
    for n in 0..20 {
        server.send(&format!("XADD log * n {n}")).await;
    }
    server.kill();
    server.restart().await;
    assert_eq!(server.entries("log").await.len(), 20);
    server.kill();
    assert!(server.truncate(200) == 200);
    server.restart().await;
    let kept = server.entries("log").await.len();
    assert!((14..20).contains(&kept), "{kept}");
    assert_eq!(server.calls("xrange").await, 1);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_proxy_loses_connections_in_each_way() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let mut connection = Resp::connect(proxy.address()).await.unwrap();
    assert_eq!(connection.send("PING").await.text(), "PONG");

    proxy.set(Mode::HoldReplies);
    connection.write(&[b"INCR", b"n"]).await.unwrap();
    crate::rig::until("it arrives", async || {
        server.send("GET n").await == Value::Text(b"1".to_vec())
    })
    .await;
    let reply = tokio::time::timeout(Duration::from_millis(50), connection.read());
    assert!(reply.await.is_err());

    proxy.cut();
    assert!(connection.read().await.is_err());

    proxy.set(Mode::Hold);
    let mut connection = Resp::connect(proxy.address()).await.unwrap();
    connection.write(&[b"INCR", b"n"]).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_millis(50), connection.read());
    assert!(reply.await.is_err());
    let start = Instant::now();
    proxy.set(Mode::Delay(Duration::from_millis(50)));
    assert_eq!(connection.read().await.unwrap(), Value::Int(2));
    assert!(start.elapsed() >= Duration::from_millis(100));

    proxy.set(Mode::Refuse);
    let mut connection = Resp::connect(proxy.address()).await.unwrap();
    assert!(connection.try_send(&[b"PING"]).await.is_err());
    drop(proxy);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_stopped_server_answers_once_it_goes_on() {
    let server = Server::start().await;
    let mut connection = server.connection().await;
    server.stop();
    connection.write(&[b"PING"]).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_millis(50), connection.read());
    assert!(reply.await.is_err());
    server.resume();
    assert_eq!(connection.read().await.unwrap().text(), "PONG");
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_cluster_moves_who_asks_elsewhere() {
    let cluster = Cluster::start().await;
    let owner = cluster.owner("log").await;
    owner.send("XADD log * data x").await;
    let words = ["XLEN", "log"].map(str::as_bytes);
    let mut moved = 0;
    for server in &cluster.servers {
        match server.connection().await.try_send(&words).await.unwrap() {
            Value::Error(error) => moved += usize::from(error.starts_with("MOVED")),
            length => assert_eq!(length, Value::Int(1)),
        }
    }
    assert_eq!(moved, 2);
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_sentinel_fails_over() {
    let mut watched = Watched::start().await;
    watched.master.send("SET a 1").await;
    crate::rig::until("the replica has it", async || {
        watched.replica.says("GET a", "1").await
    })
    .await;
    watched.fail_over().await;
    watched.replica.send("SET a 2").await;
}
