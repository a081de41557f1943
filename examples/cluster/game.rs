//! A match that the nodes play together.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower_sse::Event;
use tower_sse::hub::{Hub, Redis, Start};

/// What happens on the pitch, over and over.
const LINES: [&str; 8] = [
    "A long ball over the top, and the goalkeeper is off her line to meet it.",
    "Corner. Headed clear at the near post.",
    "They keep the ball, from side to side, looking for a gap.",
    "A shot from 20 metres, just wide.",
    "Free kick in the centre circle, quickly taken.",
    "Saved! Both hands behind it.",
    "The flag is up: offside, by a boot.",
    "Goal! Nobody tracked the run.",
];

/// Publishes the next line one second after the last, whichever node published that. All nodes try
/// and one succeeds, so the match continues while any node is running.
pub(crate) async fn play(hub: Hub<Redis>, node: String) {
    let mut last = 0;
    // A stream ends when Redis has lost events.
    while let Ok(lines) = hub
        .subscriber()
        .topic("match")
        .start(Start::Last(1))
        .subscribe()
    {
        let mut lines = lines.into_stream();
        loop {
            // The jitter lets the nodes take turns.
            let pause = 1_000 + RandomState::new().hash_one(last) % 50;
            match timeout(Duration::from_millis(pause), lines.next()).await {
                Ok(Some(Ok(line))) => last = number(&line.data()),
                Ok(Some(Err(_))) => {}
                Ok(None) => break,
                Err(_) => publish(&hub, last + 1, &node).await,
            }
        }
    }
}

async fn publish(hub: &Hub<Redis>, number: u64, node: &str) {
    let text = LINES[usize::try_from(number).unwrap_or_default() % LINES.len()];
    let line = json!({ "number": number, "by": node, "text": text });
    let topic = hub.topic("match");
    let name = format!("line {number}");
    // An error does no harm: some node tries again in a second, under the same name.
    if let Err(error) = topic
        .publish_once(&name, Event::new(line.to_string()))
        .await
    {
        eprintln!("line {number}: {error}");
    }
}

fn number(line: &str) -> u64 {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    line["number"].as_u64().unwrap_or_default()
}
