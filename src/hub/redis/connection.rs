use std::fmt;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::io::tcp::{TcpSettings, socket2};
use redis::{AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, RedisError, Value};

use crate::random;

/// How long it may take to connect, handshakes included.
const CONNECT: Duration = Duration::from_secs(3);

/// When a connection on which nothing is heard is given up by the system.
const SILENCE: Duration = Duration::from_secs(10);

/// Where Redis is.
#[derive(Clone)]
pub(super) enum Server {
    Single(Client),
}

/// A connection.
#[derive(Clone)]
pub(super) enum Link {
    Single(MultiplexedConnection),
}

impl Server {
    pub(super) fn parse(url: &str) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?.set_tcp_settings(tcp());
        Client::open(info).map(Self::Single)
    }

    /// A connection of one's own, whose commands are answered within this time or fail.
    pub(super) async fn connect(&self, answer: Duration) -> Result<Link, RedisError> {
        match self {
            Self::Single(client) => {
                let config = config(answer);
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                connection.await.map(Link::Single)
            }
        }
    }

    /// A connection of one's own, on which the messages of a channel come.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<Channel, RedisError> {
        let Self::Single(client) = self;
        let open = async {
            let (mut requests, messages) = client.get_async_pubsub().await?.split();
            requests.subscribe(channel).await?;
            Ok(Channel { requests, messages })
        };
        let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        tokio::time::timeout(CONNECT, open).await.map_err(late)?
    }
}

/// A connection on which messages come.
pub(super) struct Channel {
    pub(super) requests: PubSubSink,
    pub(super) messages: PubSubStream,
}

fn config(answer: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(answer))
}

/// A connection whose other end has gone in silence is found out even where nothing is sent.
fn tcp() -> TcpSettings {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(SILENCE / 2)
        .with_interval(SILENCE / 10);
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let tcp = tcp.set_user_timeout(SILENCE);
    tcp
}

impl Link {
    pub(super) async fn query(&mut self, cmd: &Cmd) -> Result<Value, RedisError> {
        match self {
            Self::Single(connection) => cmd.query_async(connection).await,
        }
    }
}

impl fmt::Debug for Server {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(client) => {
                let addr = client.get_connection_info().addr();
                f.debug_tuple("Server").field(&addr.to_string()).finish()
            }
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Waits longer from failure to failure.
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

    /// All nodes would come back at once without chance.
    pub(super) async fn wait(&mut self) {
        let half = self.next / 2;
        tokio::time::sleep(half + random::up_to(half)).await;
        self.next = (2 * self.next).min(Self::MOST);
    }

    pub(super) fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}
