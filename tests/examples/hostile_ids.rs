//! Every example server, asked with IDs that no event of its had.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::example_process::Example;

/// For anything that has to happen; nothing takes a tenth of it.
const DEADLINE: Duration = Duration::from_secs(120);

/// After this much silence, a stream that has begun is well.
const SILENCE: Duration = Duration::from_millis(1500);

/// What is sent as `Last-Event-ID`, and whether it can be an ID at all.
fn ids() -> Vec<(Vec<u8>, bool)> {
    let texts = [
        "",
        "0",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "-1",
        "-9223372036854775808",
        "+7",
        "007",
        "1e3",
        "0x10",
        "NaN",
        "not a number",
        "zürich 火",
        "7\tdata: x",
        "7\u{85}data: x",
        "-",
        "0-0",
        "10-18446744073709551615",
        "zzzzzzzzzzzzzzz-1",
        "%00",
    ];
    let mut ids: Vec<_> = texts
        .map(|text| (text.as_bytes().to_vec(), true))
        .into_iter()
        .collect();
    ids.push((vec![b'9'; 4096], true));
    ids.push((vec![b'9'; 4097], false));
    ids.push((vec![b'x'; 60_000], false));
    ids.push((b"\xff\xfe".to_vec(), false));
    ids.push((b"7\xc3".to_vec(), false));
    ids
}

/// The status, and what came until the first event, the end or the silence.
async fn ask(authority: &str, path: &str, id: &[u8]) -> (u16, String) {
    let mut socket = TcpStream::connect(authority).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ");
    let request = [head.as_bytes(), id, b"\r\n\r\n"].concat();
    socket.write_all(&request).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let head = text.split_once("\r\n\r\n");
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        if let (Some((_, body)), Some(status)) = (head, status) {
            let event = body.split_once("data: ");
            let complete = event.is_some_and(|(_, data)| data.contains("\n\n"));
            if status != 200 || complete || body.ends_with("\r\n0\r\n\r\n") {
                return (status, text);
            }
        }
        let wait = if head.is_some() { SILENCE } else { DEADLINE };
        match timeout(wait, socket.read_buf(&mut bytes)).await {
            Ok(read) => assert!(read.unwrap() > 0, "cut off after {text:?}"),
            Err(_) => return (status.expect("an answer within the deadline"), text),
        }
    }
}

/// Asks with each ID, all at once, and then for a stream as a good client does.
pub(crate) async fn try_all(authority: &str, path: &'static str) {
    let mut asked = JoinSet::new();
    for (id, can_be_an_id) in ids() {
        let authority = authority.to_owned();
        asked.spawn(async move {
            let (status, text) = ask(&authority, path, &id).await;
            let expected = if can_be_an_id { 200 } else { 400 };
            let id = String::from_utf8_lossy(&id[..id.len().min(50)]).into_owned();
            assert_eq!(status, expected, "{path} after {id:?}: {text}");
        });
    }
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
    assert_eq!(ask(authority, path, b"41").await.0, 200, "it still serves");
}

/// Asks an example.
pub(crate) async fn of_example(name: &str, args: &[&str], path: &'static str) {
    let example = Example::start(name, args);
    try_all(&example.authority, path).await;
}
