use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;

use super::body::ResponseBody;
use crate::last_event_id::InvalidLastEventId;
use crate::timer::MaybeTimer;

/// A response by the layer itself: a status, and the reason as text.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(super) fn not_acceptable() -> Self {
        Self {
            status: StatusCode::NOT_ACCEPTABLE,
            reason: "this resource is an event stream (text/event-stream)\n".to_owned(),
        }
    }

    pub(super) fn bad_id(error: &InvalidLastEventId) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            reason: format!("{error}\n"),
        }
    }

    /// With `head`, leaves out the text, which hyper would otherwise send on HTTP/2.
    pub(super) fn into_response<B: Body, T: MaybeTimer>(
        self,
        head: bool,
    ) -> Response<ResponseBody<B, T>> {
        let body = if head {
            ResponseBody::unsent()
        } else {
            ResponseBody::text(Bytes::from(self.reason))
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
        response
    }
}
