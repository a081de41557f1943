//! Ten thousand connections on which nothing happens.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::net::within;
use crate::{open_files, serve};

const MOST: usize = 10_000;

async fn connect(authority: String) -> TcpStream {
    let mut socket = TcpStream::connect(authority).await.unwrap();
    let request = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // The first line of the body is sent at once.
    while !answer.windows(4).any(|bytes| bytes == b"\r\n:\n") {
        assert!(within(socket.read_buf(&mut answer)).await.unwrap() > 0);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    socket
}

pub(crate) async fn run() -> String {
    let server = serve(&["--heartbeat", "600000"]);
    let Some(before) = server.resident() else {
        return "this system does not tell a process's memory".to_owned();
    };
    let connections = MOST.min(open_files().saturating_sub(100));
    let mut connecting = JoinSet::new();
    let mut sockets = Vec::with_capacity(connections);
    while sockets.len() < connections {
        while connecting.len() < 200 && connecting.len() + sockets.len() < connections {
            connecting.spawn(connect(server.authority.clone()));
        }
        sockets.push(connecting.join_next().await.unwrap().unwrap());
    }
    let bytes = server.resident().unwrap() - before;
    let each = bytes / connections as u64;
    assert!(each < 32 * 1024, "{each} bytes for each");
    drop(sockets);
    format!(
        "{connections} connections, {} MB, {each} bytes each",
        bytes >> 20
    )
}
