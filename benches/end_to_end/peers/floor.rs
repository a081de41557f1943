//! The least that a server can do where nothing can be merged: one call of `write` with ready bytes for
//! each delivery. There is no HTTP server, and no subscriber has a task; the sockets are written one
//! after the other by the publisher.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Channel, Flags};
use crate::Outcome;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n3\r\n:\n\n\r\n";

#[derive(Clone, Default)]
struct Sockets(Arc<Mutex<Vec<Arc<TcpStream>>>>);

impl Channel for Sockets {
    fn send(&self, _: u64, _: String) {
        unreachable!("it is only run one by one");
    }

    async fn send_soon(&self, id: u64, data: String) {
        let event = format!("id: {id}\ndata: {data}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        let sockets = self.0.lock().expect("no panic").clone();
        for socket in sockets {
            let mut rest = chunk.as_bytes();
            while !rest.is_empty() {
                match socket.try_write(rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        _ = socket.writable().await;
                    }
                    Err(_) => break,
                }
            }
        }
    }

    fn behind(&self) -> usize {
        0
    }
}

async fn answer(sockets: Sockets, mut socket: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    if head.starts_with("POST") {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let (_, query) = path.split_once('?').unwrap_or_default();
        let said = super::publish(sockets, query.to_owned()).await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}",
            said.len()
        );
        return socket.write_all(answer.as_bytes()).await;
    }
    socket.set_nodelay(true)?;
    socket.write_all(HEAD).await?;
    sockets.0.lock().expect("no panic").push(Arc::new(socket));
    Ok(())
}

async fn serve(flags: Flags) -> io::Result<()> {
    let sockets = Sockets::default();
    let listener = TcpListener::bind(("127.0.0.1", flags.port)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(answer(sockets.clone(), socket));
    }
}

pub(crate) fn run(flags: Flags) -> Outcome<()> {
    Ok(flags.runtime()?.block_on(serve(flags))?)
}
