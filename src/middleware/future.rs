use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::asked::Asked;
use super::body::ResponseBody;
use super::coding::{coder, was_encoded_here};
use super::layer::SseLayer;
use super::refusal::Refusal;
use crate::headers::{is_encoded, is_event_stream};
use crate::timer::MaybeTimer;

pin_project! {
    /// The response future of [`SseService`](super::SseService).
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower::{Service, service_fn};
    /// use tower_sse::{Event, SseBody, SseService};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let service = service_fn(async |_| {
    ///     let events = futures_util::stream::iter([Event::new("hello")]);
    ///     Ok::<_, std::convert::Infallible>(Response::new(SseBody::new(events)))
    /// });
    /// let future = SseService::new(service).call(Request::new(()));
    /// assert_eq!(future.await.unwrap().headers()["content-type"], "text/event-stream");
    /// # }
    /// ```
    pub struct ResponseFuture<F, B: Body, T: MaybeTimer> {
        #[pin]
        state: FutureState<F, B, T>,
    }
}

pin_project! {
    #[project = FutureStateProj]
    enum FutureState<F, B: Body, T: MaybeTimer> {
        Inner {
            #[pin]
            future: F,
            layer: SseLayer<T>,
            asked: Asked,
        },
        Ready {
            response: Option<Response<ResponseBody<B, T>>>,
        },
    }
}

impl<F, B: Body, T: MaybeTimer> ResponseFuture<F, B, T> {
    pub(super) fn new(future: F, layer: SseLayer<T>, asked: Asked) -> Self {
        Self {
            state: FutureState::Inner {
                future,
                layer,
                asked,
            },
        }
    }

    pub(super) fn ready(response: Response<ResponseBody<B, T>>) -> Self {
        Self {
            state: FutureState::Ready {
                response: Some(response),
            },
        }
    }
}

impl<F, B, E, T> Future for ResponseFuture<F, B, T>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    T: MaybeTimer + Clone,
{
    type Output = Result<Response<ResponseBody<B, T>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            FutureStateProj::Inner {
                future,
                layer,
                asked,
            } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(finish(response, layer, asked)))
            }
            FutureStateProj::Ready { response } => Poll::Ready(Ok(response
                .take()
                .expect("futures are not polled after completion"))),
        }
    }
}

fn finish<B: Body, T: MaybeTimer + Clone>(
    mut response: Response<B>,
    layer: &SseLayer<T>,
    asked: &Asked,
) -> Response<ResponseBody<B, T>> {
    let is_stream = is_labelled(&response) || asked.may_label && is_bare_stream(&response);
    if !is_stream {
        return response.map(ResponseBody::passed);
    }
    if let Some(error) = &asked.invalid {
        return Refusal::bad_id(error).into_response(asked.head);
    }
    let settings = &layer.settings;
    let was_encoded_here = was_encoded_here(&response);
    let headers = response.headers_mut();
    if was_encoded_here {
        settings.headers.add_missing(asked.keep_alive, headers);
    } else {
        settings.headers.add(asked.keep_alive, headers);
    }
    headers.remove(CONTENT_LENGTH);
    let heartbeats = settings.keep_alive.as_ref();
    let heartbeats = heartbeats.filter(|_| !is_encoded(headers));
    let coder = coder(settings, asked, &mut response);
    if asked.head {
        return response.map(|_never_opened| ResponseBody::unsent());
    }
    response.map(|body| match heartbeats {
        None => ResponseBody::stream(body).coded(coder),
        Some(heartbeats) => {
            let timer = layer.timer.clone();
            ResponseBody::kept_alive(body, heartbeats.clone(), timer).coded(coder)
        }
    })
}

/// Whether the response is labelled as an event stream and can have a body.
fn is_labelled<B>(response: &Response<B>) -> bool {
    let status = response.status();
    let bodiless = status.is_informational()
        || matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        );
    !bodiless && is_event_stream(response.headers())
}

/// Whether the response may be an unlabelled event stream: the handler has set no `Content-Type`,
/// and the size of the body is unknown, as for a stream.
fn is_bare_stream<B: Body>(response: &Response<B>) -> bool {
    let (headers, body) = (response.headers(), response.body());
    response.status() == StatusCode::OK
        && !headers.contains_key(CONTENT_TYPE)
        && !headers.contains_key(CONTENT_LENGTH)
        && !body.is_end_stream()
        && body.size_hint().exact().is_none()
}

impl<F, B: Body, T: MaybeTimer> fmt::Debug for ResponseFuture<F, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
