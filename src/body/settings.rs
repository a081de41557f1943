use std::future::Future;

use super::keep_alive::{HEARTBEAT, KeepAlive};
use super::max_age::MaxAge;
use super::prelude::Prelude;
use super::rare::RareSettings;
use super::source::Source;
use super::sse_body::SseBody;
use crate::exclusive::Exclusive;
use crate::protocol::Block;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;
use crate::timer::{MaybeTimer, Timer};

#[cfg(feature = "tokio")]
impl<S: Source> SseBody<S> {
    /// Adds heartbeats on tokio's clock, and, unless it was set, a [`prelude`](Self::prelude).
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, KeepAlive, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let silence = futures_util::stream::pending::<Event>();
    /// let mut body = Box::pin(SseBody::new(silence).keep_alive(KeepAlive::default()));
    /// let start = tokio::time::Instant::now();
    /// body.frame().await; // the prelude
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// assert_eq!(start.elapsed().as_secs(), 15);
    /// # }
    /// ```
    pub fn keep_alive(self, keep_alive: KeepAlive) -> SseBody<S, TokioTimer> {
        self.timed(TokioTimer).keep_alive(keep_alive)
    }

    fn timed<T: Timer>(self, timer: T) -> SseBody<S, T> {
        SseBody {
            source: self.source,
            rare: self.rare,
            left: self.left,
            usual: self.usual,
            frame_size: self.frame_size,
            state: self.state,
            interrupts: self.interrupts.with_timer(timer),
            coder: self.coder,
        }
    }
}

// The bound on the method turns a forgotten timer into an error that names the remedy. With tokio,
// a body without a timer has a method of this name, which this impl would overlap.
impl<S, #[cfg(feature = "tokio")] T: Timer, #[cfg(not(feature = "tokio"))] T: MaybeTimer>
    SseBody<S, T>
where
    S: Source,
{
    /// Adds heartbeats on the timer of [`with_timer`](Self::with_timer), and, unless it was set, a
    /// [`prelude`](Self::prelude).
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, KeepAlive, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let silence = futures_util::stream::pending::<Event>();
    /// let keep_alive = KeepAlive::new().interval(std::time::Duration::from_millis(1));
    /// let body = SseBody::with_timer(silence, tokio::time::sleep).keep_alive(keep_alive);
    /// let mut body = Box::pin(body);
    /// body.frame().await; // the prelude
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// # }
    /// ```
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self
    where
        T: Timer,
    {
        let (interval, heartbeat) = keep_alive.into_parts();
        self.interrupts.heartbeat_every(interval);
        if heartbeat != HEARTBEAT {
            self.rare().heartbeat = Some(heartbeat);
        } else if let Some(rare) = &mut self.rare {
            rare.heartbeat = None;
        }
        self
    }
}

impl<S: Source, T: MaybeTimer> SseBody<S, T> {
    /// Sets the bytes to send at once, before the first event; `None` for nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, Prelude, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let silence = futures_util::stream::pending::<Event>();
    /// let mut body = SseBody::new(silence).prelude(Prelude::new().retry(Duration::from_secs(2)));
    /// let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    /// assert_eq!(first, ":\nretry: 2000\n");
    /// # }
    /// ```
    pub fn prelude(mut self, prelude: impl Into<Option<Prelude>>) -> Self {
        self.rare().prelude = Some(prelude.into());
        self
    }

    /// Sets how many bytes of ready events are gathered into a frame; 8 KiB by default.
    ///
    /// The event that reaches the size is the last of the frame and is not cut. With 1, every event
    /// is sent in its own frame; 0 counts as 1.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let events = futures_util::stream::iter([Event::new("x"), Event::new("y")]);
    /// let mut body = SseBody::new(events).frame_size(1);
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "data: x\n\n");
    /// # }
    /// ```
    pub fn frame_size(mut self, bytes: usize) -> Self {
        self.frame_size = bytes.max(1);
        self
    }

    /// Ends the stream cleanly when the future resolves, as in a graceful shutdown.
    ///
    /// Events that are ready then, up to a frame, are sent before the [`farewell`](Self::farewell).
    /// If this is called several times, the first future to resolve ends the stream.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (shutdown, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let silence = futures_util::stream::pending::<Event>();
    /// let body = SseBody::new(silence)
    ///     .end_when(async { _ = stopped.await })
    ///     .farewell(Event::new("back in a minute"));
    /// shutdown.send(()).unwrap();
    /// let bytes = body.collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, "data: back in a minute\n\n");
    /// # }
    /// ```
    pub fn end_when(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.interrupts.end_when(shutdown);
        self
    }

    /// Ends the stream cleanly at this age, counted from its first poll, so that the client
    /// reconnects.
    ///
    /// The timer is that of [`with_timer`](Self::with_timer), or tokio's if
    /// [`keep_alive`](Self::keep_alive) was called before. Without a timer, this does not compile.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, MaxAge, SseBody, timer::TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let start = tokio::time::Instant::now();
    /// let silence = futures_util::stream::pending::<Event>();
    /// let body = SseBody::with_timer(silence, TokioTimer);
    /// let body = body.max_age(MaxAge::new(Duration::from_secs(1800)));
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "");
    /// assert_eq!(start.elapsed(), Duration::from_secs(1800));
    /// # }
    /// ```
    pub fn max_age(mut self, age: MaxAge) -> Self
    where
        T: Timer,
    {
        self.interrupts.end_at(age);
        self
    }

    /// Sets the last block of a stream that [`end_when`](Self::end_when) or
    /// [`max_age`](Self::max_age) ends.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, SseBody};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let silence = futures_util::stream::pending::<Event>();
    /// let body = SseBody::new(silence).end_when(async {}).farewell(Event::new("bye"));
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "data: bye\n\n");
    /// # }
    /// ```
    pub fn farewell(mut self, farewell: impl Into<Block>) -> Self {
        self.rare().farewell = Some(farewell.into());
        self
    }

    /// Sets a last block to send if the stream fails, which then ends cleanly instead of aborting
    /// the body. The error itself is dropped; to log it, do so in the stream.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, EventType, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let events = futures_util::stream::iter([Ok(Event::new("x")), Err("database gone")]);
    /// let body = SseBody::new(events)
    ///     .on_error(Event::new("try later").with_type(EventType::from_static("failed")));
    /// let bytes = body.collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, "data: x\n\nevent: failed\ndata: try later\n\n");
    /// # }
    /// ```
    pub fn on_error(mut self, last: impl Into<Block>) -> Self {
        self.rare().on_error = Some(last.into());
        self
    }

    /// Holds a value until the stream ends: by itself, from outside, with an error, or because the
    /// body is dropped, as servers do when the client disconnects. May be called several times.
    ///
    /// Use it to count open streams, or to stop the task that feeds one. The stream is dropped
    /// first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let open = Arc::new(());
    /// let events = futures_util::stream::iter([Event::new("x")]);
    /// let mut body = SseBody::new(events).hold(Arc::clone(&open));
    /// assert_eq!(Arc::strong_count(&open), 2);
    /// while body.frame().await.is_some() {}
    /// assert_eq!(Arc::strong_count(&open), 1);
    /// # }
    /// ```
    pub fn hold(mut self, value: impl Send + 'static) -> Self {
        self.rare().held.push(Exclusive::new(Box::new(value)));
        self
    }

    fn rare(&mut self) -> &mut RareSettings {
        self.rare.get_or_insert_default()
    }
}
