//! A dashboard: the latest value of each key, and then each change.
//!
//! `cargo run --example dashboard --features axum`, then open the address, or
//! `curl -N localhost:8080/prices`. A client that reconnects or lags gets the latest price of each share
//! and skips those in between.

#[path = "support/cli.rs"]
mod cli;
#[path = "support/serve.rs"]
mod serve;

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::interval;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubService, Retention, Start};

use self::cli::{Args, Failure};

const HELP: &str = "
A dashboard: the latest price of each share, then each change.

usage: dashboard [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

const SHARES: [(&str, u64); 6] = [
    ("ABB", 5_712),
    ("Nestlé", 8_534),
    ("Novartis", 10_126),
    ("Roche", 28_210),
    ("Swisscom", 57_450),
    ("UBS", 3_017),
];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Prices on http://{}/", listener.local_addr()?);

    // More than the number of keys. Beyond this, the oldest event is evicted, even if it is its
    // key's latest.
    let keys = Retention::new().events(10 * SHARES.len());
    let hub = Hub::builder().retain_topic("prices", keys).build();
    tokio::spawn(feed(hub.clone()));

    let prices = HubService::new(hub.clone())
        .select(|_, subscriber| Ok(subscriber.topic("prices").start(Start::Oldest)));
    let app = Router::new()
        .route("/", get(Html(include_str!("pages/dashboard.html"))))
        .route_service("/prices", prices);

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

/// Stands in for an exchange.
async fn feed(hub: Hub) {
    let mut prices = SHARES;
    for (share, price) in prices {
        publish(&hub, share, price);
    }
    let mut random = 1_u64;
    let mut trades = interval(Duration::from_millis(50));
    loop {
        trades.tick().await;
        // Knuth's MMIX generator.
        random = random.wrapping_mul(6_364_136_223_846_793_005);
        random = random.wrapping_add(1_442_695_040_888_963_407);
        // Some shares are traded all the time, and one is never traded.
        let index = match random >> 60 {
            0 => 0,
            1..=3 => 1,
            4..=7 => 2,
            8..=14 => 3,
            _ => 5,
        };
        let (share, price) = &mut prices[index];
        *price = (*price + (random >> 40) % 21).saturating_sub(10).max(1);
        publish(&hub, share, *price);
    }
}

fn publish(hub: &Hub, share: &'static str, rappen: u64) {
    let price = format!("{}.{:02}", rappen / 100, rappen % 100);
    let event = Event::new(json!({ "share": share, "price": price }).to_string());
    hub.topic("prices").publish_latest(share, event);
}
