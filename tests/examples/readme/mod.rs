//! The README's handlers, run: its doc tests compile them and no more.

mod publish;
mod ticks;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_sse::{Event, Hub, SseLayer};

use crate::hostile_ids::try_all;

const README: &str = include_str!("../../../README.md");

/// The code from its first function on, however it is laid out.
fn listing(source: &str) -> String {
    let from = source.find("async fn ").expect("a listing has a handler");
    source[from..].split_whitespace().collect()
}

#[test]
fn what_runs_here_is_what_it_says() {
    let readme: String = README.split_whitespace().collect();
    for source in [include_str!("ticks.rs"), include_str!("publish.rs")] {
        let listing = listing(source);
        assert!(readme.contains(&listing), "not in the README: {listing}");
    }
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

#[tokio::test]
async fn hostile_ids_at_ticks() {
    let app = Router::new().route("/feed", get(ticks::feed).layer(SseLayer::new()));
    try_all(&serve(app).await, "/feed").await;
}

#[tokio::test]
async fn hostile_ids_at_publish() {
    let hub = Hub::new();
    let app = Router::new().route("/feed", get(publish::feed));
    let address = serve(app.with_state(hub.clone())).await;
    hub.publish(Event::new("goal"));
    try_all(&address, "/feed").await;
}
