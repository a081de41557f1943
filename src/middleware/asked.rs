use http::{Method, Request};

#[cfg(feature = "compression")]
use crate::compression::Encoding;
use crate::headers::{accepts_event_stream, may_keep_alive};
use crate::last_event_id::InvalidLastEventId;

/// The properties of the request that the response depends on, read before the inner service takes
/// the request.
#[derive(Debug)]
pub(super) struct Asked {
    /// Whether the method is HEAD.
    pub(super) head: bool,
    /// Whether the response may have `Connection: keep-alive`.
    pub(super) keep_alive: bool,
    /// Whether a response without a `Content-Type` may be labelled as an event stream.
    pub(super) may_label: bool,
    /// The encoding that the client prefers.
    #[cfg(feature = "compression")]
    pub(super) encoding: Encoding,
    /// Why the `Last-Event-ID` is invalid.
    pub(super) invalid: Option<InvalidLastEventId>,
}

impl Asked {
    pub(super) fn new<B>(request: &Request<B>, detect_only: bool) -> Self {
        let method = request.method();
        Self {
            head: method == Method::HEAD,
            keep_alive: may_keep_alive(request.version(), request.headers()),
            // A successful CONNECT opens a tunnel.
            may_label: !detect_only
                && method != Method::CONNECT
                && accepts_event_stream(request.headers()),
            #[cfg(feature = "compression")]
            encoding: Encoding::negotiate(request.headers()),
            invalid: None,
        }
    }
}
