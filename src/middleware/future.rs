use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ResponseBody;
use super::layer::SseLayer;
use crate::headers::{is_encoded, is_event_stream};
use crate::timer::MaybeTimer;

pin_project! {
    /// The future of [`SseService`](super::SseService).
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower::Service;
    /// use tower_sse::SseService;
    /// # use std::convert::Infallible;
    /// # use tower::service_fn;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(Response::new(String::from(":\n\n")))
    /// # });
    /// let future = SseService::new(service).call(Request::new(()));
    /// assert_eq!(future.await.unwrap().headers()["content-type"], "text/event-stream");
    /// # }
    /// ```
    pub struct ResponseFuture<F, B, T: MaybeTimer> {
        #[pin]
        state: State<F, B, T>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B, T: MaybeTimer> {
        Inner {
            #[pin]
            future: F,
            layer: SseLayer<T>,
            keep_alive: bool,
            head: bool,
        },
        Ready {
            response: Option<Response<ResponseBody<B, T>>>,
        },
    }
}

impl<F, B, T: MaybeTimer> ResponseFuture<F, B, T> {
    pub(super) fn new(future: F, layer: SseLayer<T>, keep_alive: bool, head: bool) -> Self {
        Self {
            state: State::Inner {
                future,
                layer,
                keep_alive,
                head,
            },
        }
    }

    pub(super) fn ready(response: Response<ResponseBody<B, T>>) -> Self {
        Self {
            state: State::Ready {
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
            StateProj::Inner {
                future,
                layer,
                keep_alive,
                head,
            } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(finish(response, layer, *keep_alive, *head)))
            }
            StateProj::Ready { response } => Poll::Ready(Ok(response
                .take()
                .expect("futures are not polled after completion"))),
        }
    }
}

fn finish<B: Body, T: MaybeTimer + Clone>(
    mut response: Response<B>,
    layer: &SseLayer<T>,
    keep_alive: bool,
    head: bool,
) -> Response<ResponseBody<B, T>> {
    let settings = &layer.settings;
    let labelled_here = !settings.detect_only && is_unlabelled(&response, head);
    if !labelled_here && !is_event_stream(response.headers()) {
        return response.map(ResponseBody::passed);
    }
    let headers = response.headers_mut();
    settings.headers.add(keep_alive, headers);
    headers.remove(CONTENT_LENGTH);
    if head {
        return response.map(|_never_opened| ResponseBody::empty());
    }
    match &settings.keep_alive {
        Some(heartbeats) if !is_encoded(response.headers()) => response
            .map(|body| ResponseBody::kept_alive(body, heartbeats.clone(), layer.timer.clone())),
        _ => response.map(ResponseBody::passed),
    }
}

/// Whether the handler has left it to the layer to say that this is an event stream.
fn is_unlabelled<B: Body>(response: &Response<B>, head: bool) -> bool {
    response.status() == StatusCode::OK
        && !response.headers().contains_key(CONTENT_TYPE)
        && (head || !response.body().is_end_stream())
}

impl<F, B, T: MaybeTimer> fmt::Debug for ResponseFuture<F, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
