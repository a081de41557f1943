use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

use crate::random;

/// Why a hub refuses a subscriber: it is full, or closed.
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
    closed: bool,
    retry_after: Duration,
}

impl Refused {
    pub(super) const fn new(closed: bool, retry_after: Duration) -> Self {
        Self {
            closed,
            retry_after,
        }
    }

    /// Whether the hub is closed.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// hub.close();
    /// assert!(hub.subscribe().unwrap_err().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// 503 with `Retry-After`, in whole seconds: at random between the
    /// [time](super::HubBuilder::retry_after) that is set and twice that, so that clients that were
    /// refused together do not return together.
    ///
    /// A browser's `EventSource` does not reconnect after a 503. The page has to.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(0).build();
    /// let response = hub.subscribe().unwrap_err().into_http_response::<String>();
    /// assert_eq!(response.status(), 503);
    /// ```
    pub fn into_http_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let up = u64::from(self.retry_after.subsec_nanos() > 0);
        let seconds = self.retry_after.as_secs().saturating_add(up);
        let seconds = seconds.saturating_add(random::below(seconds));
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.closed {
            "the hub is closed"
        } else {
            "the hub is full"
        })
    }
}

impl Error for Refused {}
