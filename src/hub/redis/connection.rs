use std::fmt;
use std::io;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::io::tcp::{TcpSettings, socket2};
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisError, Value};

use crate::random;

/// How long the operating system keeps a connection whose other end is silent.
const SILENCE: Duration = Duration::from_secs(10);

/// A connection on which commands are sent.
#[derive(Clone)]
pub(super) struct Link {
    connection: MultiplexedConnection,
}

impl Link {
    /// Limits the time to connect, including handshakes.
    pub(super) const CONNECT: Duration = Duration::from_secs(3);

    pub(super) async fn open(client: &Client, answer: Duration) -> Result<Self, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Self::CONNECT))
            .set_response_timeout(Some(answer));
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(|connection| Self { connection })
    }

    pub(super) async fn query(&mut self, cmd: &Cmd) -> Result<Value, RedisError> {
        cmd.query_async(&mut self.connection).await
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// A connection that is subscribed to a channel.
pub(super) struct Channel {
    pub(super) requests: PubSubSink,
    pub(super) messages: PubSubStream,
}

impl Channel {
    pub(super) async fn open(client: &Client, name: &str) -> Result<Self, RedisError> {
        let open = async {
            let (mut requests, messages) = client.get_async_pubsub().await?.split();
            requests.subscribe(name).await?;
            Ok(Self { requests, messages })
        };
        let open = tokio::time::timeout(Link::CONNECT, open).await;
        open.map_err(|_| timed_out())?
    }
}

pub(super) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// Enables keepalives, so that a dead connection is noticed even while nothing is sent.
pub(super) fn tuned(info: ConnectionInfo) -> ConnectionInfo {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(SILENCE / 2)
        .with_interval(SILENCE / 10);
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let tcp = tcp.set_user_timeout(SILENCE);
    info.set_tcp_settings(tcp)
}

/// An exponential backoff with jitter.
#[derive(Debug)]
pub(super) struct Patience {
    next: Duration,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_millis(3200);

    pub(super) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// Without jitter, all nodes would reconnect at the same moment.
    pub(super) async fn wait(&mut self) {
        let half = self.next / 2;
        tokio::time::sleep(half + random::up_to(half)).await;
        self.next = (2 * self.next).min(Self::MOST);
    }

    pub(super) fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}
