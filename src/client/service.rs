use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::body::BoxError;

/// An alias for the bounds of a [`Service`] from HTTP requests to HTTP responses.
///
/// It is sealed, and implemented for every such service whose errors, and those of its response
/// bodies, convert into a boxed error.
///
/// ```
/// use http::{Request, Response};
/// use tower_sse::client::HttpService;
///
/// fn is_one<S: HttpService<String>>(service: S) -> S {
///     service
/// }
/// let service = is_one(tower::service_fn(|_: Request<String>| async {
///     Ok::<_, std::io::Error>(Response::new(String::new()))
/// }));
/// assert_eq!(size_of_val(&service), 0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP service that takes this request",
    label = "not a `tower_service::Service` from an `http::Request` to an `http::Response`",
    note = "hyper-util's `Client` is one for request bodies that are `http_body::Body + Send + Unpin`, such as `http_body_util::Full<Bytes>`",
    note = "for reqwest and other libraries see `tower_sse::client`, \"Over reqwest\": `tower::service_fn` turns a function into a service",
    note = "its errors, and those of its response's body, must convert into `Box<dyn Error + Send + Sync>`"
)]
pub trait HttpService<B>:
    Service<Request<B>, Response = Response<Self::ResponseBody>, Error: Into<BoxError>>
    + sealed::Sealed<B>
{
    /// The type of its response bodies.
    type ResponseBody: Body<Error: Into<BoxError>>;
}

#[diagnostic::do_not_recommend]
impl<S, B, R> HttpService<B> for S
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    type ResponseBody = R;
}

mod sealed {
    use super::{Request, Response, Service};

    pub trait Sealed<B> {}
    #[diagnostic::do_not_recommend]
    impl<S, B, R> Sealed<B> for S where S: Service<Request<B>, Response = Response<R>> {}
}

/// Polls the service for readiness, with its error boxed.
pub(super) fn poll_ready<S: HttpService<B>, B>(
    service: &mut S,
    cx: &mut Context<'_>,
) -> Poll<Result<(), BoxError>> {
    service.poll_ready(cx).map_err(Into::into)
}
