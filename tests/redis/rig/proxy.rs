//! A TCP proxy that loses connections in the ways that networks do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::server::url;

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Each read is passed on later.
    Delay(Duration),
    /// Half-open: nothing is passed on, nothing is closed, and new connections are accepted.
    Hold,
    /// Commands arrive, their replies do not.
    HoldReplies,
    /// Connections are accepted and closed at once.
    Refuse,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    /// Connections of an earlier number are closed.
    generation: u64,
    upstream: SocketAddr,
}

/// A proxy, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepts: JoinHandle<()>,
}

impl Proxy {
    pub async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State {
            mode: Mode::Pass,
            generation: 0,
            upstream,
        });
        let accepts = tokio::spawn(async move {
            loop {
                let (down, _) = listener.accept().await.unwrap();
                tokio::spawn(connection(down, watched.clone()));
            }
        });
        Self {
            address,
            state,
            accepts,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        url(self.address)
    }

    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Closes all connections.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.generation += 1);
    }

    /// Leads new connections elsewhere.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.state.send_modify(|state| state.upstream = upstream);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

async fn connection(down: TcpStream, state: watch::Receiver<State>) {
    let State {
        mode,
        generation,
        upstream,
    } = *state.borrow();
    if mode == Mode::Refuse {
        return;
    }
    let Ok(up) = TcpStream::connect(upstream).await else {
        return;
    };
    _ = down.set_nodelay(true);
    _ = up.set_nodelay(true);
    let (down_read, down_write) = down.into_split();
    let (up_read, up_write) = up.into_split();
    let mut cut = state.clone();
    // Dropping the halves closes both sides.
    tokio::select! {
        () = pump(down_read, up_write, state.clone(), generation, false) => {}
        () = pump(up_read, down_write, state, generation, true) => {}
        // With the proxy, its connections end.
        _ = cut.wait_for(|state| state.generation != generation) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    generation: u64,
    replies: bool,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let passes = |state: &State| match state.mode {
            _ if state.generation != generation => true,
            Mode::Hold => false,
            Mode::HoldReplies => !replies,
            Mode::Pass | Mode::Delay(_) | Mode::Refuse => true,
        };
        let mode = match state.wait_for(passes).await {
            Ok(state) if state.generation == generation => state.mode,
            _ => return,
        };
        // What is tested is how long a reply takes, with timeouts on the real clock.
        if let Mode::Delay(time) = mode {
            tokio::time::sleep(time).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
