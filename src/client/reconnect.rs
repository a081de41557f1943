use http::Method;

/// When an [`EventSource`](super::EventSource) reconnects; set by
/// [`reconnect_when`](super::EventSource::reconnect_when).
///
/// The default depends on the request's method. A request with a safe method, such as `GET`, is
/// [always](Self::Always) repeated, as in a browser. Any other, such as the `POST` of a prompt, is
/// repeated only [after errors](Self::AfterErrors) of the connection: once the server has ended its
/// response, sending the request again would repeat its effect.
///
/// If the policy does not reconnect, a complete response closes the source without another event.
/// An incomplete response or an error yields [`Failed`](super::SourceEvent::Failed).
///
/// ```
/// use http::Method;
/// use tower_sse::client::Reconnect;
///
/// assert_eq!(Reconnect::for_method(&Method::GET), Reconnect::Always);
/// assert_eq!(Reconnect::for_method(&Method::POST), Reconnect::AfterErrors);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reconnect {
    /// After clean ends and after errors.
    Always,
    /// After errors only: the connection breaks, cannot be made, or is idle. A request is not
    /// repeated after the server has ended the response, even in the middle of an event or without
    /// its [terminator](super::EventSource::until).
    AfterErrors,
    /// After clean ends and after errors, but only with a last event ID, so that the server can
    /// resume instead of starting over.
    AfterId,
    /// Never: the request is sent once.
    Never,
}

impl Reconnect {
    /// Returns the default for a request with this method.
    ///
    /// ```
    /// use http::Method;
    /// use tower_sse::client::Reconnect;
    ///
    /// assert_eq!(Reconnect::for_method(&Method::HEAD), Reconnect::Always);
    /// assert_eq!(Reconnect::for_method(&Method::PUT), Reconnect::AfterErrors);
    /// ```
    #[must_use]
    pub fn for_method(method: &Method) -> Self {
        // The safe methods that `Method::is_safe` does not know.
        let is_safe = method.is_safe() || matches!(method.as_str(), "QUERY" | "REPORT");
        if is_safe {
            Self::Always
        } else {
            Self::AfterErrors
        }
    }

    pub(super) fn after(self, is_clean: bool, has_id: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Always => true,
            Self::AfterErrors => !is_clean,
            Self::AfterId => has_id(),
            Self::Never => false,
        }
    }
}
