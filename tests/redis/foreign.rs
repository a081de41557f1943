//! What others write to the stream.

use crate::rig::payload::Payload;
use crate::rig::server::Server;
use crate::rig::trace::Seen;
use crate::world::{Client, KEY, Log, Node};

/// Other programs publish as the documentation says.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn redis_cli_publishes() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let mut client = Client::of(&[0]);
    client.begin(&node).await;
    server
        .send(&format!("XADD {KEY} * topic even/0 event goal data 1:0"))
        .await;
    let block = client.feed.as_mut().unwrap().next().await.unwrap();
    assert_eq!(
        (&*block.event, block.data.as_deref()),
        ("goal", Some("1:0"))
    );
    assert_eq!(
        block.id,
        Some(server.entries(KEY).await.last().unwrap().0.clone())
    );
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn garbage_is_skipped_and_counted() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let (mut log, mut live) = (Log::default(), Client::at(&node).await);
    let first = log.publish(&node.hub, 0).await;
    live.until(first).await;
    let garbage: [&[&[u8]]; 9] = [
        &[b"a", b"b"],
        &[b"topic", b"even/0"],
        &[b"topic", b"even/0", b"event", b"x"],
        &[b"topic", b"even/0", b"event", b"a\nb", b"data", b"x"],
        &[b"topic", b"even/0", b"event", b"a\rdata: b", b"data", b"x"],
        &[b"topic", b"even/0", b"data", b"\xff\xfe"],
        &[b"topic", b"\xff", b"data", b"x"],
        &[b"topic", b"even/0", b"event", b"\xc0\x80", b"data", b"x"],
        &[b"", b""],
    ];
    let mut connection = server.connection().await;
    for fields in garbage {
        let mut words: Vec<&[u8]> = vec![b"XADD", KEY.as_bytes(), b"*"];
        words.extend(fields);
        connection.send_words(&words).await;
    }
    let last = log.publish(&node.hub, 0).await;
    live.until(last).await;
    log.check_gaps(&live, 0);
    assert_eq!(log.check(&live).events, 2);
    assert_eq!(node.hub.status().skipped, garbage.len() as u64);
    // By pages as well: on a node whose ring has none of it.
    log.add(&server, 200, 2).await;
    let fresh = Node::with(&server.url(), |hub| hub.ring_events(20)).await;
    let mut old = Client::all();
    old.last = live.trace.iter().find_map(|seen| match seen {
        Seen::Event { key, .. } => Some(key.to_string()),
        _ => None,
    });
    old.trace = live.trace[..3].to_vec();
    old.connect(&fresh).await;
    let last = log.publish(&fresh.hub, 0).await;
    old.until(last).await;
    log.check_gaps(&old, 0);
}

/// Whatever an event's data is, it ends up in data lines, and any ID of its own stays there.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn data_cannot_forge_fields() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let fresh = Node::with(&server.url(), |hub| hub.ring_events(1)).await;
    let mut clients = [Client::of(&[0]), Client::of(&[0])];
    clients[0].begin(&node).await;
    clients[1].last = clients[0].last.clone();
    let cases = [
        ("\n\nid: 9-9\r\n", "\n\nid: 9-9\n"),
        ("a\rb\r\nc\n", "a\nb\nc\n"),
        ("", ""),
        (" space", " space"),
        ("\n", "\n"),
        (
            ":comment\revent: gap\rdata: {}\r\r",
            ":comment\nevent: gap\ndata: {}\n\n",
        ),
        ("nul \0 and \u{feff}", "nul \0 and \u{feff}"),
    ];
    let mut connection = server.connection().await;
    for (data, _) in cases {
        let words = ["XADD", KEY, "*", "topic", "even/0", "data", data];
        connection.send_words(&words.map(str::as_bytes)).await;
    }
    let end = Payload {
        topic: 0,
        publisher: 1,
        n: 0,
    };
    let words = [
        "XADD",
        KEY,
        "*",
        "topic",
        "even/0",
        "data",
        &end.to_string(),
    ];
    connection.send_words(&words.map(str::as_bytes)).await;
    // Live, and by pages.
    clients[1].connect(&fresh).await;
    let entries = server.entries(KEY).await;
    let first = entries.len() - cases.len() - 1;
    for client in &mut clients {
        for (at, (_, data)) in cases.iter().enumerate() {
            let block = client.feed.as_mut().unwrap().next().await.unwrap();
            assert_eq!(block.data.as_deref(), Some(*data));
            assert_eq!(block.event, "");
            assert_eq!(block.id.as_deref(), Some(&*entries[first + at].0));
        }
        client.until(end).await;
    }
}

/// Megabytes in one entry, and thousands of fields.
#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn extremes_pass() {
    let server = Server::start().await;
    let node = Node::start(&server.url()).await;
    let (mut log, mut client) = (Log::default(), Client::at(&node).await);
    let large = "x".repeat(9 << 20);
    let words = ["XADD", KEY, "*", "topic", "even/0", "data", &large].map(str::as_bytes);
    let mut connection = server.connection().await;
    connection.send_words(&words).await;
    let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let mut words = vec!["XADD", KEY, "*", "topic", "even/0"];
    words.extend(many.iter().map(String::as_str));
    words.extend(["data", "last"]);
    words.push("odd");
    words.push("one");
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    connection.send_words(&words).await;
    let event = log.publish(&node.hub, 0).await;
    // The ring has no room for the large one; it comes from Redis.
    client.follow(&node, event).await;
    let aliens = client.trace.iter().filter(|seen| **seen == Seen::Alien);
    assert_eq!((aliens.count(), client.gaps()), (2, 0));
}
