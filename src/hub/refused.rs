use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

/// Why a hub takes no subscriber: it has as many as it may have, or is closed.
///
/// ```
/// use tower_sse::hub::Hub;
///
/// let hub = Hub::builder().max_subscribers(1).build();
/// let _first = hub.subscribe()?;
/// let refused = hub.subscribe().unwrap_err();
/// assert_eq!(refused.to_string(), "as many subscribers as there may be");
/// let response = refused.into_http_response::<String>();
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.headers()["retry-after"], "5");
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone)]
pub struct Refused {
    pub(super) closed: bool,
    pub(super) retry_after: Duration,
}

impl Refused {
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

    /// 503 with `Retry-After`, in whole seconds, rounded up.
    ///
    /// A browser's `EventSource` does not come back after that by itself: the page has to.
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
        let seconds = HeaderValue::from(self.retry_after.as_secs().saturating_add(up));
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.closed {
            "the hub is closed"
        } else {
            "as many subscribers as there may be"
        })
    }
}

impl Error for Refused {}
