//! A node: serves the hub over HTTP.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::process::told;
use crate::toy;

/// `node <port> <redis> <key> <ring> toy|hub`
pub(crate) async fn main(words: &[&str]) {
    let [port, redis, key, _ring, "toy"] = words[..] else {
        panic!("node {words:?}");
    };
    let address: SocketAddr = ([127, 0, 0, 1], port.parse().unwrap()).into();
    let listener = loop {
        // The one before may have been killed just now.
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    println!("ready");
    let mut lines = told();
    tokio::select! {
        () = toy::serve(listener, redis.parse().unwrap(), key.to_owned()) => {}
        _ = lines.next_line() => {}
    }
}
