//! A node: serves the hub over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tower_sse::hub::Hub;

use crate::process::told;
use crate::rig::serving;
use crate::toy;

/// `node <port> <redis> <key> <ring> toy|hub`
pub(crate) async fn main(words: &[&str]) {
    let [port, redis, key, ring, kind] = words[..] else {
        panic!("node {words:?}");
    };
    let address: SocketAddr = ([127, 0, 0, 1], port.parse().unwrap()).into();
    let listener = loop {
        // The one before may have been killed just now.
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let mut lines = told();
    if kind == "toy" {
        tokio::select! {
            () = toy::serve(listener, redis.parse().unwrap(), key.to_owned()) => {}
            _ = lines.next_line() => {}
        }
        return;
    }
    let hub = Hub::redis(&format!("redis://{redis}/"), key).unwrap();
    let hub = hub.ring_events(ring.parse().unwrap()).build().unwrap();
    let closing = async {
        // Where the parent is gone, nobody waits.
        if let Ok(Some(_)) = lines.next_line().await {
            hub.close();
            let deadline = tokio::time::sleep(Duration::from_secs(5));
            hub.drain().or_after(deadline).await;
        }
    };
    tokio::select! {
        () = serving::serve(hub.clone(), listener) => {}
        () = closing => {}
    }
    eprintln!("{:?}", hub.status());
}
