use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::HubService;
use crate::body::SseBody;
#[cfg(feature = "compression")]
use crate::compression::Encoding;
use crate::hub::subscription::{Subscription, SubscriptionBuilder};
use crate::last_event_id::Policy;
use crate::timer::Timer;

impl<T: Timer + Clone> HubService<T> {
    #[cfg(feature = "compression")]
    pub(super) fn respond(&self, parts: &Parts) -> Response<SseBody<Subscription, T>> {
        let mut response = self.respond_plain(parts);
        let Some(compression) = &self.settings.compression else {
            return response;
        };
        let encoding = Encoding::negotiate(&parts.headers);
        let coder = compression.coder(encoding, &mut response);
        if parts.method == Method::HEAD {
            return response;
        }
        response.map(|body| body.coded(coder))
    }

    #[cfg(not(feature = "compression"))]
    pub(super) fn respond(&self, parts: &Parts) -> Response<SseBody<Subscription, T>> {
        self.respond_plain(parts)
    }

    fn respond_plain(&self, parts: &Parts) -> Response<SseBody<Subscription, T>> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            let mut response = self.status(StatusCode::METHOD_NOT_ALLOWED);
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allow);
            return response;
        }
        let query = parts.uri.query().unwrap_or_default();
        let policy = Policy {
            query: true,
            ignore_invalid: self.settings.ignore_invalid,
            ..Policy::new()
        };
        let last = policy.read(&parts.uri, &parts.headers, &parts.extensions);
        let last = last.into_result();
        let subscriber = SubscriptionBuilder::new(self.hub.clone());
        let subscriber = subscriber.after(last.clone().unwrap_or_default());
        let subscriber = match &self.settings.select {
            None => subscriber,
            Some(select) => match select(parts, subscriber) {
                Ok(subscriber) => subscriber,
                Err(refusal) => return self.status(refusal),
            },
        };
        // Only clients that may have the topics are told what is wrong with their ID.
        if let Err(error) = last {
            return self.says(StatusCode::BAD_REQUEST, format!("{error}\n"));
        }
        let mut response = self.status(StatusCode::OK);
        self.settings
            .headers
            .apply(parts.version, &parts.headers, response.headers_mut());
        let refused = if parts.method == Method::HEAD {
            match subscriber.refusal() {
                Some(refused) if !self.settings.refuse_with_retry || refused.is_finished() => {
                    refused
                }
                _ => return response,
            }
        } else {
            match subscriber.subscribe() {
                Ok(subscription) => return response.map(|_| self.body(subscription, query)),
                Err(refused) if self.settings.refuse_with_retry && !refused.is_finished() => {
                    return response.map(|_| self.text(refused.retry_lines()));
                }
                Err(refused) => refused,
            }
        };
        refused.into_http_response::<()>().map(|()| self.empty())
    }

    fn says(&self, status: StatusCode, text: String) -> Response<SseBody<Subscription, T>> {
        let mut response = Response::new(self.text(text));
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        response
    }

    fn text(&self, text: impl Into<Bytes>) -> SseBody<Subscription, T> {
        SseBody::text(text.into(), self.timer.clone())
    }

    fn empty(&self) -> SseBody<Subscription, T> {
        SseBody::from_source(None, self.timer.clone())
    }

    fn status(&self, status: StatusCode) -> Response<SseBody<Subscription, T>> {
        let mut response = Response::new(self.empty());
        *response.status_mut() = status;
        response
    }

    fn body(&self, subscription: Subscription, query: &str) -> SseBody<Subscription, T> {
        let settings = &self.settings;
        if query.split('&').any(is_long_poll) {
            return subscription.long_poll_with_timer(settings.long_poll, self.timer.clone());
        }
        let body = SseBody::with_timer(subscription, self.timer.clone())
            .keep_alive(settings.keep_alive.clone())
            .prelude(settings.prelude.clone());
        match settings.max_age {
            None => body,
            Some(age) => body.max_age(age),
        }
    }
}

fn is_long_poll(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    name == "long-poll" && !matches!(value, "0" | "false" | "no")
}
