//! A node in a process of its own, so that it can be stopped.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tower_sse::hub::Hub;

use crate::rig::server::signal;
use crate::rig::serving::serve;
use crate::world::KEY;

const URL: &str = "TOWER_SSE_TEST_NODE";
const RING: &str = "TOWER_SSE_TEST_RING";

pub(crate) struct Child {
    process: tokio::process::Child,
    address: SocketAddr,
}

impl Child {
    pub(crate) async fn start(url: &str, ring: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "child::node"])
            .env(URL, url)
            .env(RING, ring.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("it begins");
            // Behind what the test harness writes.
            if let Some((_, address)) = line.split_once("listens on ") {
                break address.parse().unwrap();
            }
        };
        // What the harness writes at the end has to go somewhere.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.process.id().unwrap(), name);
    }

    pub(crate) async fn end(&mut self) {
        self.process.kill().await.unwrap();
    }
}

/// The child: [`Child::start`] runs it in a process of its own. Without the URL, it does nothing.
#[tokio::test]
#[ignore = "needs redis-server; other tests start it as a process"]
async fn node() {
    let Ok(url) = std::env::var(URL) else { return };
    let ring = std::env::var(RING).unwrap().parse().unwrap();
    let hub = Hub::redis(&url, KEY)
        .unwrap()
        .ring_events(ring)
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listens on {}", listener.local_addr().unwrap());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    tokio::select! {
        () = serve(hub, listener) => {}
        // Ends with its parent.
        _ = lines.next_line() => {}
    }
}
