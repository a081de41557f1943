//! Several servers together: a cluster of three masters, and a master that a Sentinel watches.

use std::net::SocketAddr;

use super::resp::Resp;
use super::server::{Aof, Server};
use super::until;

/// Three masters that share the slots.
pub struct Cluster {
    pub servers: Vec<Server>,
}

impl Cluster {
    pub async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..3 {
            let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            servers.push(Server::with(Aof::No, &arguments).await);
        }
        for (server, slots) in servers.iter().zip([0..5461, 5461..10_923, 10_923..16_384]) {
            let slots: Vec<String> = slots.map(|slot: u16| slot.to_string()).collect();
            let add = format!("CLUSTER ADDSLOTS {}", slots.join(" "));
            server.send(&add).await;
            let meet = format!("CLUSTER MEET 127.0.0.1 {}", servers[0].port());
            server.send(&meet).await;
        }
        for server in &servers {
            until("the cluster is complete", async || {
                let info = server.send("CLUSTER INFO").await.text();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
            .await;
        }
        Self { servers }
    }

    /// The server that has a key.
    pub async fn owner(&self, key: &str) -> &Server {
        for server in &self.servers {
            let mut connection = server.connection().await;
            let words = [b"EXISTS", key.as_bytes()];
            if !connection.try_send(&words).await.unwrap().is_error() {
                return server;
            }
        }
        panic!("nobody has {key}");
    }
}

/// A master, its replica, and the Sentinel that fails over.
pub struct Watched {
    pub master: Server,
    pub replica: Server,
    sentinel: Server,
}

impl Watched {
    pub const NAME: &str = "feed";

    pub async fn start() -> Self {
        let master = Server::start().await;
        let of = ["--replicaof", "127.0.0.1", &master.port().to_string()].map(str::to_owned);
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        let replica = Server::with(Aof::No, &of).await;
        until("the replica follows", async || {
            replica
                .send("INFO replication")
                .await
                .text()
                .contains("master_link_status:up")
        })
        .await;
        let sentinel = Server::with(Aof::No, &["--sentinel"]).await;
        let name = Self::NAME;
        let mut connection = sentinel.connection().await;
        connection
            .send(&format!(
                "SENTINEL MONITOR {name} 127.0.0.1 {} 1",
                master.port()
            ))
            .await;
        for setting in ["down-after-milliseconds 500", "failover-timeout 3000"] {
            connection
                .send(&format!("SENTINEL SET {name} {setting}"))
                .await;
        }
        until("the Sentinel knows the replica", async || {
            let info = sentinel.send("INFO sentinel").await.text();
            info.contains("status=ok") && info.contains("slaves=1")
        })
        .await;
        Self {
            master,
            replica,
            sentinel,
        }
    }

    pub fn sentinel(&self) -> SocketAddr {
        self.sentinel.address()
    }

    /// Kills the master, and waits until its replica is one.
    pub async fn fail_over(&mut self) {
        self.master.kill();
        until("the replica has taken over", async || {
            let info = self.replica.send("INFO replication").await.text();
            info.contains("role:master")
        })
        .await;
        let connection = Resp::connect(self.sentinel()).await;
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME].map(str::as_bytes);
        let mut connection = connection.unwrap();
        until("the Sentinel says so", async || {
            let address = connection.try_send(&words).await.unwrap();
            address.list()[1].text() == self.replica.port().to_string()
        })
        .await;
    }
}
