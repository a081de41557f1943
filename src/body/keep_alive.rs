use std::time::Duration;

use bytes::Bytes;

use crate::protocol::Block;

/// The bytes of [`Block::HEARTBEAT`].
pub(super) const HEARTBEAT: &[u8] = b":\n";

/// Settings for heartbeats: when and with what a silent stream shows that it is alive.
///
/// The default is a comment line, `:`, after 15 seconds of silence. Browsers ignore it, and the
/// interval is well below common idle limits (60 s in nginx and AWS load balancers, 100 s at
/// Cloudflare). It is not followed by an empty line, which some clients would treat as an event;
/// see [`Block::HEARTBEAT`].
///
/// ```
/// use std::time::Duration;
/// use http_body_util::BodyExt;
/// use tower_sse::{Event, KeepAlive, SseBody};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let keep_alive = KeepAlive::new().interval(Duration::from_secs(5)).text("still here");
/// let silence = futures_util::stream::pending::<Event>();
/// let mut body = Box::pin(SseBody::new(silence).keep_alive(keep_alive));
/// body.frame().await; // the prelude
/// let frame = body.frame().await.unwrap().unwrap();
/// assert_eq!(frame.into_data().unwrap(), ": still here\n");
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct KeepAlive {
    interval: Duration,
    bytes: Bytes,
}

impl KeepAlive {
    /// Creates the default: a comment after 15 seconds of silence.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new()));
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// assert_eq!(start.elapsed(), Duration::from_secs(15));
    /// # }
    /// ```
    pub const fn new() -> Self {
        Self {
            interval: Duration::from_secs(15),
            bytes: Bytes::from_static(HEARTBEAT),
        }
    }

    /// Sets how long the stream may be silent; 15 seconds by default.
    ///
    /// On a stream that was busy just before, a heartbeat is sent up to an eighth of the interval
    /// later, because events do not read the clock. An interval below one millisecond counts as
    /// one.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let keep_alive = KeepAlive::new().interval(Duration::from_secs(5));
    /// Box::pin(silence.keep_alive(keep_alive)).frame().await;
    /// assert_eq!(start.elapsed(), Duration::from_secs(5));
    /// # }
    /// ```
    pub fn interval(self, interval: Duration) -> Self {
        Self {
            interval: interval.max(Duration::from_millis(1)),
            ..self
        }
    }

    /// Sends a comment with this text instead of an empty one. Line breaks make several comment
    /// lines.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new().text("still here")));
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ": still here\n");
    /// # }
    /// ```
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.event(Block::lines(text.as_ref(), None))
    }

    /// Sends a complete event instead of a comment, for pages that monitor the connection
    /// themselves.
    ///
    /// Do not set an ID: a client that reconnects with it would skip real events.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, EventType, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let ping = Event::new("").with_type(EventType::from_static("ping"));
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new().event(ping)));
    /// let frame = body.frame().await.unwrap().unwrap();
    /// assert_eq!(frame.into_data().unwrap(), "event: ping\ndata: \n\n");
    /// # }
    /// ```
    pub fn event(self, event: impl Into<Block>) -> Self {
        Self {
            bytes: event.into().into_bytes(),
            ..self
        }
    }

    pub(super) fn into_parts(self) -> (Duration, Bytes) {
        (self.interval, self.bytes)
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::new()
    }
}
