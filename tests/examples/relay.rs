//! A feed relayed from another server, whose connections break.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use crate::client::{field, get};
use crate::example_process::Example;
use crate::hostile_ids::try_all;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// The next request, and the connection that it came on.
fn accept(upstream: &TcpListener) -> (TcpStream, String) {
    let (mut socket, _) = upstream.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    (socket, String::from_utf8(request).unwrap().to_lowercase())
}

/// Answers one connection after the other, each when it is let, and gives the requests.
fn upstream(
    answers: Vec<String>,
    go_on: Receiver<()>,
) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let serve = move || {
        let answer = |answer: String| {
            let (mut socket, request) = accept(&listener);
            go_on.recv().unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    };
    (url, std::thread::spawn(serve))
}

#[tokio::test]
async fn the_upstreams_ids_resume_here() {
    let (next, go_on) = channel();
    let (url, upstream) = upstream(
        vec![
            format!(
                "{HEAD}retry: 100\nid: a\ndata: 1\n\nid: b\nevent: goal\ndata: 2\ndata: 3\n\ndata: cut"
            ),
            format!("{HEAD}event: gap\nid: d\ndata: {{}}\n\nid: e\ndata: 5\n\n"),
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        ],
        go_on,
    );
    let example = Example::start("relay", &[&url]);
    let mut live = get(&example.authority, "/feed", None).await;
    next.send(()).unwrap();
    let events = ["id: a\ndata: 1", "event: goal\nid: b\ndata: 2\ndata: 3"];
    assert!(live.event().await.contains(events[0]));
    assert_eq!(live.event().await, events[1]);
    let mut resumed = get(&example.authority, "/feed", Some("a")).await;
    assert_eq!(resumed.event().await, events[1]);

    // The connection broke in the middle of an event; the next one tells of a gap.
    next.send(()).unwrap();
    let gap = "event: gap\nid: d\ndata: {}";
    for stream in [&mut live, &mut resumed] {
        assert_eq!(stream.event().await, gap);
        assert_eq!(stream.event().await, "id: e\ndata: 5");
    }
    let mut late = get(&example.authority, "/feed", Some("b")).await;
    assert_eq!(late.event().await, gap);
    assert_eq!(late.event().await, "id: e\ndata: 5");
    // Of one that is not known, it cannot say what came after.
    let mut stranger = get(&example.authority, "/feed", Some("c")).await;
    assert_eq!(field(&stranger.event().await, "event"), Some("gap"));

    next.send(()).unwrap();
    for stream in [live, resumed, late, stranger] {
        assert_eq!(stream.rest().await, [] as [&str; 0]);
    }
    let requests = upstream.join().unwrap();
    assert!(!requests[0].contains("last-event-id"));
    assert!(
        requests[1].contains("last-event-id: b\r\n"),
        "{}",
        requests[1]
    );
    assert!(
        requests[2].contains("last-event-id: e\r\n"),
        "{}",
        requests[2]
    );

    // It has ended here too, and replays what there was.
    let events = get(&example.authority, "/feed", Some("b"))
        .await
        .rest()
        .await;
    assert_eq!(events, [gap, "id: e\ndata: 5"]);
    assert_eq!(
        get(&example.authority, "/feed", Some("e"))
            .await
            .head
            .status,
        204
    );
}

#[tokio::test]
async fn an_upstream_without_ids_leaves_a_gap() {
    let (next, go_on) = channel();
    let (url, _upstream) = upstream(
        vec![
            format!("{HEAD}retry: 100\ndata: 1\n\n"),
            format!("{HEAD}data: 3\n\n"),
        ],
        go_on,
    );
    let example = Example::start("relay", &[&url]);
    let mut live = get(&example.authority, "/feed", None).await;
    next.send(()).unwrap();
    next.send(()).unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let event = live.event().await;
        let event_type = field(&event, "event").unwrap_or("message").to_owned();
        seen.push((event_type, field(&event, "data").unwrap().to_owned()));
    }
    let expected = [("message", "1"), ("gap", "{}"), ("message", "3")];
    assert_eq!(
        seen,
        expected.map(|(kind, data)| (kind.to_owned(), data.to_owned()))
    );
}

#[tokio::test]
async fn without_an_upstream_it_has_its_own() {
    let mut example = Example::start("relay", &[]);
    try_all(&example.authority, "/feed").await;
    let mut live = get(&example.authority, "/feed", None).await;
    let number = |event: &str| field(event, "id").unwrap().parse::<u64>().unwrap();
    let first = number(&live.event().await);
    // Longer than the upstream lets a connection live.
    for n in 1..=14 {
        let event = live.event().await;
        assert_eq!(number(&event), first + n);
        assert_eq!(field(&event, "data"), Some(&*format!("tick {}", first + n)));
    }
    example.interrupt();
    live.rest().await;
    assert!(example.wait());
}
