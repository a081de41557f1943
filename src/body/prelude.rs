use std::time::Duration;

use crate::protocol::Block;
use crate::random;

/// The first bytes of a stream, sent before the first event.
///
/// Firefox and some proxies only treat a stream as open when its first byte arrives. A prelude is a
/// comment, and optionally the reconnection time and padding. It is not followed by an empty line:
/// its lines belong to the block of the first event, so that no client treats it as an event of its
/// own. Clients apply the reconnection time as soon as its line ends.
///
/// ```
/// use std::time::Duration;
/// use http_body_util::BodyExt;
/// use tower_sse::{Event, Prelude, SseBody};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // Clients that lose their server together reconnect after two to five seconds.
/// let prelude = Prelude::new().retry(Duration::from_secs(2)).spread(Duration::from_secs(3));
/// let events = futures_util::stream::empty::<Event>();
/// let bytes = SseBody::new(events).prelude(prelude).collect().await.unwrap().to_bytes();
/// assert!(bytes.starts_with(b":\nretry: "));
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Prelude {
    retry: Option<Duration>,
    spread: Duration,
    padding: usize,
}

impl Prelude {
    /// Creates a prelude with only a comment, `:`.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let events = futures_util::stream::empty::<Event>();
    /// let body = SseBody::new(events).prelude(Prelude::new());
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), ":\n");
    /// # }
    /// ```
    pub const fn new() -> Self {
        Self {
            retry: None,
            spread: Duration::ZERO,
            padding: 0,
        }
    }

    /// Sets the client's reconnection time, rounded down to whole milliseconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let events = futures_util::stream::empty::<Event>();
    /// let body = SseBody::new(events).prelude(Prelude::new().retry(Duration::from_secs(2)));
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), ":\nretry: 2000\n");
    /// # }
    /// ```
    pub fn retry(self, time: Duration) -> Self {
        Self {
            retry: Some(time),
            ..self
        }
    }

    /// Adds a random time up to this one to each client's reconnection time, because browsers add
    /// no jitter of their own. Has no effect without [`retry`](Self::retry).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let events = futures_util::stream::empty::<Event>();
    /// let prelude = Prelude::new().retry(Duration::from_secs(2)).spread(Duration::from_secs(3));
    /// let bytes = SseBody::new(events).prelude(prelude).collect().await.unwrap().to_bytes();
    /// let retry = bytes.strip_prefix(b":\nretry: ").unwrap().trim_ascii_end();
    /// let retry: u64 = std::str::from_utf8(retry).unwrap().parse().unwrap();
    /// assert!((2000..=5000).contains(&retry));
    /// # }
    /// ```
    pub fn spread(self, spread: Duration) -> Self {
        Self { spread, ..self }
    }

    /// Makes the comment 2 KiB long, for old proxies and antivirus software that hold back a
    /// response until they have seen that much.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let events = futures_util::stream::empty::<Event>();
    /// let body = SseBody::new(events).prelude(Prelude::new().padding());
    /// assert!(body.collect().await.unwrap().to_bytes().len() > 2048);
    /// # }
    /// ```
    pub fn padding(self) -> Self {
        Self {
            padding: 2048,
            ..self
        }
    }

    pub(crate) fn to_block(&self) -> Block {
        if self.retry.is_none() && self.padding == 0 {
            return Block::HEARTBEAT;
        }
        let spread = |retry: Duration| retry.saturating_add(random::up_to(self.spread));
        Block::lines(&" ".repeat(self.padding), self.retry.map(spread))
    }
}
