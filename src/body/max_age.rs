use std::time::Duration;

use crate::random;

/// The maximum age of a stream, after which it ends cleanly and its client reconnects.
///
/// Long streams outlive tokens, deployments and the load balance between servers. The spread keeps
/// clients that connected together from reconnecting together.
///
/// ```
/// use std::time::Duration;
/// use http_body_util::BodyExt;
/// use tower_sse::{Event, MaxAge, SseBody, timer::TokioTimer};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// // Between 30 and 35 minutes.
/// let age = MaxAge::new(Duration::from_secs(1800)).spread(Duration::from_secs(300));
/// let silence = futures_util::stream::pending::<Event>();
/// let body = SseBody::with_timer(silence, TokioTimer).max_age(age);
/// let body = body.farewell(Event::comment("see you soon"));
/// assert_eq!(body.collect().await.unwrap().to_bytes(), ": see you soon\n\n");
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct MaxAge {
    age: Duration,
    spread: Duration,
}

impl MaxAge {
    /// Creates a maximum age of exactly this time, counted from the first poll of the body.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, MaxAge, SseBody, timer::TokioTimer};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::with_timer(futures_util::stream::pending::<Event>(), TokioTimer);
    /// let body = silence.max_age(MaxAge::new(Duration::from_secs(60)));
    /// assert!(body.collect().await.unwrap().to_bytes().is_empty());
    /// assert_eq!(start.elapsed(), Duration::from_secs(60));
    /// # }
    /// ```
    pub const fn new(age: Duration) -> Self {
        Self {
            age,
            spread: Duration::ZERO,
        }
    }

    /// Adds a random time up to this one to the age of each stream.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::{Event, MaxAge, SseBody, timer::TokioTimer};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::with_timer(futures_util::stream::pending::<Event>(), TokioTimer);
    /// let age = MaxAge::new(Duration::from_secs(60)).spread(Duration::from_secs(30));
    /// silence.max_age(age).collect().await.unwrap();
    /// assert!((60..=90).contains(&start.elapsed().as_secs()));
    /// # }
    /// ```
    pub const fn spread(self, spread: Duration) -> Self {
        Self { spread, ..self }
    }

    pub(crate) fn draw(&self) -> Duration {
        self.age.saturating_add(random::up_to(self.spread))
    }
}
