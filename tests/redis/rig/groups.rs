//! Several servers together: a cluster of three masters, and a master that a Sentinel watches.

use std::net::SocketAddr;

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
            let arguments = ["--cluster-enabled", "yes"];
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
                server.says("CLUSTER INFO", "cluster_state:ok").await
                    && server.says("CLUSTER INFO", "cluster_known_nodes:3").await
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
            let up = "master_link_status:up";
            replica.says("INFO replication", up).await
        })
        .await;
        let sentinel = Server::with(Aof::No, &["--sentinel"]).await;
        let name = Self::NAME;
        let mut connection = sentinel.connection().await;
        // After two seconds in which it got nothing done, it would wait for thirty. Redis 6 cannot be
        // told not to.
        let patient = ["SENTINEL", "DEBUG", "TILT-TRIGGER", "600000"].map(str::as_bytes);
        _ = connection.try_send(&patient).await.unwrap();
        connection
            .send(&format!(
                "SENTINEL MONITOR {name} 127.0.0.1 {} 1",
                master.port()
            ))
            .await;
        until("the Sentinel knows the replica", async || {
            sentinel.says("INFO sentinel", "status=ok").await
                && sentinel.says("INFO sentinel", "slaves=1").await
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
        // Not before: a master that is slow would be taken for one that is gone.
        let mut connection = self.sentinel.connection().await;
        for setting in ["down-after-milliseconds 500", "failover-timeout 10000"] {
            let set = format!("SENTINEL SET {} {setting}", Self::NAME);
            connection.send(&set).await;
        }
        self.master.kill();
        until("the replica has taken over", async || {
            self.replica.says("INFO replication", "role:master").await
        })
        .await;
        let ask = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {}", Self::NAME);
        until("the Sentinel says so", async || {
            let address = self.sentinel.ask(&ask).await;
            address.is_some_and(|at| at.list()[1].text() == self.replica.port().to_string())
        })
        .await;
    }
}
