//! A topic for each user: what is unread is replayed, and only to its user.

use crate::client::{EventStream, field, get, post};
use crate::example_process::Example;
use crate::hostile_ids::try_all;

async fn data(stream: &mut EventStream) -> (String, String) {
    let event = stream.event().await;
    let field = |name| field(&event, name).unwrap_or_default().to_owned();
    (field("data"), field("id"))
}

async fn status(example: &Example, path: &str, body: &str) -> u16 {
    let answer = post(&example.authority, path, body).await;
    answer.head.status.as_u16()
}

#[tokio::test]
async fn unread_notifications_are_replayed_to_their_user() {
    let example = Example::start("notifications", &["--users", "100"]);
    let open = async |last| get(&example.authority, "/users/7", last).await;
    for text in ["one", "two"] {
        assert_eq!(status(&example, "/users/7", text).await, 200);
    }
    assert_eq!(status(&example, "/users/8", "not for 7").await, 200);
    let mut page = open(None).await;
    let mut ids = Vec::new();
    for text in ["Welcome", "one", "two"] {
        let (data, id) = data(&mut page).await;
        assert_eq!(data, text);
        ids.push(id);
    }
    assert_eq!(status(&example, "/users/7", "live").await, 200);
    assert_eq!(data(&mut page).await.0, "live");
    drop(page);

    // Read up to "one": a page that is opened begins after it, and one that resumes where it was.
    assert_eq!(status(&example, "/users/7/read", &ids[1]).await, 200);
    assert_eq!(data(&mut open(None).await).await.0, "two");
    assert_eq!(data(&mut open(Some(&ids[2])).await).await.0, "live");
    assert_eq!(data(&mut open(Some(&ids[0])).await).await.0, "one");

    // An ID that tells nothing has everything unread.
    assert_eq!(status(&example, "/users/7/read", "x").await, 200);
    assert_eq!(data(&mut open(None).await).await.0, "Welcome");
    assert_eq!(status(&example, "/users/7/read", "a\nb").await, 400);
    for path in ["/users/100", "/users/100/read"] {
        assert_eq!(status(&example, path, "x").await, 404);
    }
    let nobody = get(&example.authority, "/users/100", None).await;
    assert_eq!(nobody.head.status, 404);
    try_all(&example.authority, "/users/7").await;
}

#[tokio::test]
async fn each_user_keeps_the_newest_twenty() {
    let mut example = Example::start("notifications", &["--users", "3"]);
    for n in 0..30 {
        assert_eq!(status(&example, "/users/1", &n.to_string()).await, 200);
    }
    let stats = get(&example.authority, "/stats", None).await.text().await;
    assert!(
        stats.contains("topics: 3,") && stats.contains("retained: 22,"),
        "{stats}"
    );
    let mut page = get(&example.authority, "/users/1", None).await;
    for n in 10..30 {
        assert_eq!(data(&mut page).await.0, n.to_string());
    }
    example.interrupt();
    assert_eq!(page.rest().await, [] as [&str; 0]);
    assert!(example.wait());
}
