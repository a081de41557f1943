//! A client: an EventSource that is told where to reconnect to.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::server::DEADLINE;

/// What stands between two blank lines, as the standard reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    pub id: Option<String>,
    pub event: String,
    pub data: Option<String>,
    pub retry: Option<String>,
}

/// Blocks out of bytes. It knows no line end but the hub's.
#[derive(Debug, Default)]
pub struct Blocks {
    bytes: Vec<u8>,
    block: Block,
    /// Comments, which are heartbeats.
    pub comments: usize,
}

impl Blocks {
    pub fn push(&mut self, bytes: &[u8], mut take: impl FnMut(Block)) {
        self.bytes.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(length) = self.bytes[from..].iter().position(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(&self.bytes[from..from + length]);
            from += length + 1;
            if line.is_empty() {
                let block = std::mem::take(&mut self.block);
                if block != Block::default() {
                    take(block);
                }
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "" => self.comments += 1,
                "id" => self.block.id = Some(value.to_owned()),
                "event" => self.block.event = value.to_owned(),
                "retry" => self.block.retry = Some(value.to_owned()),
                "data" => match &mut self.block.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.block.data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        self.bytes.drain(..from);
    }
}

/// A response that is an event stream.
#[derive(Debug)]
pub struct Feed {
    body: Incoming,
    pub blocks: Blocks,
    ready: std::collections::VecDeque<Block>,
}

impl Feed {
    /// Connects. Any other status than 200 is an error with its number.
    pub async fn open(address: SocketAddr, path: &str, last: Option<&str>) -> io::Result<Self> {
        let opening = async {
            let socket = TokioIo::new(TcpStream::connect(address).await?);
            let (mut client, connection) = hyper::client::conn::http1::handshake(socket)
                .await
                .map_err(io::Error::other)?;
            tokio::spawn(connection);
            let mut request = Request::get(format!("http://{address}{path}"))
                .header("host", address.to_string())
                .header("accept", "text/event-stream");
            if let Some(last) = last {
                request = request.header("last-event-id", last);
            }
            let request = request
                .body(Empty::<Bytes>::new())
                .map_err(io::Error::other)?;
            client.send_request(request).await.map_err(io::Error::other)
        };
        let response = tokio::time::timeout(DEADLINE, opening)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if response.status() != 200 {
            return Err(io::Error::other(response.status().as_str().to_owned()));
        }
        Ok(Self {
            body: response.into_body(),
            blocks: Blocks::default(),
            ready: std::collections::VecDeque::new(),
        })
    }

    /// The next block; `None` where the response ends, in whatever way.
    ///
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Some(block);
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(bytes) = frame.into_data() {
                let ready = &mut self.ready;
                self.blocks.push(&bytes, |block| ready.push_back(block));
            }
        }
    }
}
