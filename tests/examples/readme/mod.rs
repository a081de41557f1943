//! The README's handlers, run: its doc tests compile them and no more.

#[expect(dead_code, reason = "its server has a fixed port")]
mod program;
mod ticks;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_sse::{Event, Hub, SseLayer};

use crate::hostile_ids::try_all;

const README: &str = include_str!("../../../README.md");

/// The code after its imports, however it is laid out.
fn listing(source: &str) -> String {
    let from = source.rfind("\nuse ").expect("a listing has imports");
    let code = source[from + 1..].split_once('\n').expect("and code").1;
    let code = code.replace("pub(crate) ", "").replace("pub(super) ", "");
    code.split_whitespace().collect()
}

#[test]
fn what_runs_here_is_what_it_says() {
    let readme: String = README.split_whitespace().collect();
    for source in [include_str!("program.rs"), include_str!("ticks.rs")] {
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
async fn hostile_ids_at_the_program() {
    let hub = Hub::new();
    let app = Router::new().route("/goals", get(program::goals).layer(SseLayer::new()));
    let address = serve(app.with_state(hub.clone())).await;
    hub.topic("goals").publish(Event::new("1' goal!"));
    try_all(&address, "/goals").await;
}
