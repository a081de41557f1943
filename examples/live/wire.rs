//! What goes over a page's wire, published for the page to show.

use std::fmt::Write as _;
use std::task::{Poll, ready};

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Response};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tower_sse::Event;
use tower_sse::hub::Hub;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One request and its response. Dropping it reports that the connection is gone.
pub(crate) struct Wire {
    wires: Hub,
    page: String,
    complete: bool,
}

impl Wire {
    pub(crate) fn request(wires: &Hub, page: &str, parts: &Parts) -> Self {
        let wire = Self {
            wires: wires.clone(),
            page: page.to_owned(),
            complete: false,
        };
        let mut head = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
        // These headers hold no secrets. Others, such as cookies, may, so they are not shown.
        let shown = [ACCEPT, CACHE_CONTROL, LAST_EVENT_ID];
        write_headers(&mut head, &parts.headers, &shown);
        wire.tell("request", &head);
        wire
    }

    pub(crate) fn response(mut self, response: Response<Body>) -> Response<Body> {
        let mut head = format!("{:?} {}\n", response.version(), response.status());
        let shown = [CONTENT_TYPE, CACHE_CONTROL, X_ACCEL_BUFFERING];
        write_headers(&mut head, response.headers(), &shown);
        self.tell("response", &head);
        response.map(|body| {
            let mut data = body.into_data_stream();
            Body::from_stream(stream::poll_fn(move |cx| {
                let chunk = ready!(data.poll_next_unpin(cx));
                match &chunk {
                    Some(Ok(bytes)) => self.tell("bytes", &String::from_utf8_lossy(bytes)),
                    Some(Err(_)) => {}
                    None => self.complete = true,
                }
                Poll::Ready(chunk)
            }))
        })
    }

    fn tell(&self, what: &str, text: &str) {
        if !self.page.is_empty() {
            let event = Event::new(json!({ "what": what, "text": text }).to_string());
            self.wires.topic(&self.page).publish(event);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let how = if self.complete {
            "response complete"
        } else {
            "connection lost"
        };
        self.tell("end", how);
    }
}

fn write_headers(text: &mut String, headers: &HeaderMap, shown: &[HeaderName]) {
    for name in shown {
        for value in headers.get_all(name) {
            let value = String::from_utf8_lossy(value.as_bytes());
            _ = writeln!(text, "{name}: {value}");
        }
    }
}
