use http::{Method, Request};

use crate::headers::{accepts_event_stream, may_keep_alive};
use crate::last_event_id::InvalidLastEventId;

/// What the response depends on, read from the request before the inner service takes it.
#[derive(Debug)]
pub(super) struct Asked {
    /// Whether only the headers are wanted.
    pub(super) head: bool,
    /// Whether the response may say `Connection: keep-alive`.
    pub(super) keep_alive: bool,
    /// Whether a response without a type can be an event stream.
    pub(super) may_label: bool,
    /// Why the `Last-Event-ID` cannot be one.
    pub(super) invalid: Option<InvalidLastEventId>,
}

impl Asked {
    pub(super) fn new<B>(request: &Request<B>, detect_only: bool) -> Self {
        let method = request.method();
        Self {
            head: method == Method::HEAD,
            keep_alive: may_keep_alive(request.version(), request.headers()),
            // What follows the response to a CONNECT is a tunnel.
            may_label: !detect_only
                && method != Method::CONNECT
                && accepts_event_stream(request.headers()),
            invalid: None,
        }
    }
}
