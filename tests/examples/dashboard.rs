//! The latest value of each key, and then each change.

use std::collections::HashMap;

use serde_json::Value;

use crate::client::{field, get};
use crate::example_process::Example;
use crate::hostile_ids::try_all;

/// An event's share, number and price.
fn parts(event: &str) -> (String, u64, String) {
    let price: Value = serde_json::from_str(field(event, "data").unwrap()).unwrap();
    let (_, number) = field(event, "id").unwrap().rsplit_once('-').unwrap();
    let text = |key: &str| price[key].as_str().unwrap().to_owned();
    (text("share"), number.parse().unwrap(), text("price"))
}

#[tokio::test]
async fn a_page_begins_with_each_keys_latest() {
    let mut example = Example::start("dashboard", &[]);
    let mut early = get(&example.authority, "/prices", None).await;
    let (mut seen, mut last) = (HashMap::new(), String::new());
    // Several of most shares.
    for _ in 0..40 {
        let event = early.event().await;
        let (share, number, price) = parts(&event);
        seen.insert(share, (number, price));
        last = field(&event, "id").unwrap().to_owned();
    }
    assert_eq!(seen.len(), 6);

    // In six events one of each share, none older than what has been seen.
    let mut late = get(&example.authority, "/prices", None).await;
    let mut latest = HashMap::new();
    for _ in 0..6 {
        let (share, number, price) = parts(&late.event().await);
        let (seen, seen_price) = &seen[&share];
        assert!(number >= *seen);
        assert!(number > *seen || price == *seen_price);
        assert!(latest.insert(share, number).is_none(), "twice");
    }

    // What has changed since, and none of it is a gap.
    let mut resumed = get(&example.authority, "/prices", Some(&last)).await;
    let (_, after) = last.rsplit_once('-').unwrap();
    let after: u64 = after.parse().unwrap();
    for _ in 0..10 {
        assert!(parts(&resumed.event().await).1 > after);
    }
    // After a restart of the server.
    let mut stranger = get(&example.authority, "/prices", Some("1a-7")).await;
    assert!(stranger.event().await.starts_with("event: gap"));

    try_all(&example.authority, "/prices").await;
    example.interrupt();
    resumed.rest().await;
    assert!(example.wait());
}
