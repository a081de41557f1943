use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

use super::core::Over;
use crate::body::Prelude;
use crate::headers::EventStreamHeaders;
use crate::random;

/// An error returned when a hub refuses a subscriber: the hub is full or closed, the owner has too
/// many subscriptions, or the topics are finished.
///
/// ```
/// use tower_sse::hub::Hub;
///
/// let hub = Hub::builder().max_subscribers(1).build();
/// let _first = hub.subscribe()?;
/// let refused = hub.subscribe().unwrap_err();
/// assert_eq!(refused.to_string(), "the hub is full");
/// let response = refused.into_http_response::<String>();
/// assert_eq!(response.status(), 503);
/// assert!(response.headers().contains_key("retry-after"));
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone)]
pub struct Refused {
    obstacle: Obstacle,
    retry_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Full,
    Closed,
    TooMany,
    Finished,
}

impl From<Over> for Obstacle {
    fn from(over: Over) -> Self {
        match over {
            Over::Closed => Self::Closed,
            Over::Finished => Self::Finished,
        }
    }
}

impl Refused {
    pub(super) const fn new(obstacle: Obstacle, retry_after: Duration) -> Self {
        Self {
            obstacle,
            retry_after,
        }
    }

    /// Returns `true` if the hub is closed.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// hub.close();
    /// assert!(hub.subscribe().unwrap_err().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.obstacle == Obstacle::Closed
    }

    /// Returns `true` if the hub has reached its [maximum number of
    /// subscribers](super::HubBuilder::max_subscribers).
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(0).build();
    /// assert!(hub.subscribe().unwrap_err().is_full());
    /// ```
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.obstacle == Obstacle::Full
    }

    /// Returns `true` if the owner has reached the [maximum number of
    /// subscriptions](super::HubBuilder::max_per_owner).
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_per_owner(1).build();
    /// let _first = hub.subscriber().owner("anna").subscribe()?;
    /// let refused = hub.subscriber().owner("anna").subscribe().unwrap_err();
    /// assert!(refused.is_too_many());
    /// assert_eq!(refused.into_http_response::<String>().status(), 429);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        self.obstacle == Obstacle::TooMany
    }

    /// Returns `true` if all topics are [finished](super::Topic::finish) and there is nothing to
    /// replay, because the client has seen the end.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let end = hub.topic("run/7").finish(tower_sse::Event::new("[DONE]"));
    /// let refused = hub.subscriber().topic("run/7").after(end).subscribe().unwrap_err();
    /// assert!(refused.is_finished());
    /// assert_eq!(refused.into_http_response::<String>().status(), 204);
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.obstacle == Obstacle::Finished
    }

    /// Converts the refusal into a 204, 429 or 503 response.
    ///
    /// The status is 204 for [finished](Self::is_finished) topics, after which a browser does not
    /// reconnect. Otherwise it is 503, or 429 for [too many subscriptions](Self::is_too_many), with
    /// a `Retry-After` in whole seconds. That is a random time between the configured
    /// [time](super::HubBuilder::retry_after) and twice that, so that clients refused together do
    /// not return together.
    ///
    /// On 503 or 429, load balancers try another instance, and clients that support `Retry-After`
    /// wait. A browser's `EventSource` does not reconnect after either: the page has to do that,
    /// unless it is sent a [retry response](Self::into_retry_response) instead.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(0).build();
    /// let response = hub.subscribe().unwrap_err().into_http_response::<String>();
    /// assert_eq!(response.status(), 503);
    /// ```
    pub fn into_http_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = match self.obstacle {
            Obstacle::Finished => {
                *response.status_mut() = StatusCode::NO_CONTENT;
                return response;
            }
            Obstacle::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Obstacle::Full | Obstacle::Closed => StatusCode::SERVICE_UNAVAILABLE,
        };
        let up = u64::from(self.retry_after.subsec_nanos() > 0);
        let seconds = self.retry_after.as_secs().saturating_add(up);
        let seconds = seconds.saturating_add(random::below(seconds));
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }

    /// Converts the refusal into a 200 response that makes a browser reconnect later.
    ///
    /// The body is an event stream that sets the reconnection time and ends. A browser's
    /// `EventSource` reconnects after a random time between the configured
    /// [time](super::HubBuilder::retry_after) and twice that. For [finished](Self::is_finished)
    /// topics the status is still 204.
    ///
    /// Load balancers and monitoring do not see this refusal. Use it where browsers connect and the
    /// page does not reconnect by itself, and [`into_http_response`](Self::into_http_response)
    /// elsewhere.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use bytes::Bytes;
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(0).retry_after(Duration::from_secs(9)).build();
    /// let response = hub.subscribe().unwrap_err().into_retry_response::<Bytes>();
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// let retry = response.body().strip_prefix(b":\nretry: ").unwrap().trim_ascii_end();
    /// let retry: u64 = std::str::from_utf8(retry).unwrap().parse().unwrap();
    /// assert!((9_000..=18_000).contains(&retry));
    /// ```
    #[must_use]
    pub fn into_retry_response<B: From<Bytes>>(self) -> Response<B> {
        if self.is_finished() {
            return self
                .into_http_response::<()>()
                .map(|()| B::from(Bytes::new()));
        }
        let mut response = Response::new(B::from(self.retry_lines()));
        EventStreamHeaders::new().add(false, response.headers_mut());
        response
    }

    /// Not a complete block, which some readers dispatch as an event without data. Clients apply
    /// the time as soon as its line ends.
    pub(super) fn retry_lines(&self) -> Bytes {
        let prelude = Prelude::new()
            .retry(self.retry_after)
            .spread(self.retry_after);
        prelude.to_block().into_bytes()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.obstacle {
            Obstacle::Full => "the hub is full",
            Obstacle::Closed => "the hub is closed",
            Obstacle::Finished => "all topics are finished",
            Obstacle::TooMany => "the owner has too many subscriptions",
        })
    }
}

impl Error for Refused {}
