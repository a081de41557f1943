//! The layer around mocks: what it touches, what it answers, what it lets pass.

#[path = "../support/mod.rs"]
mod support;

mod headers;
mod ids;
mod mock;
mod pass_through;
mod requests;
mod responses;

use std::convert::Infallible;

use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tower_layer::Layer;
use tower_service::Service;

/// What the service inside is asked and answers.
type Asked = Request<()>;
type Answer<B> = Response<B>;

/// Sends one request through the layer to a mock that gives this answer; what came out, and what
/// the mock was asked.
async fn through<L, B>(
    layer: L,
    request: Asked,
    answer: Answer<B>,
) -> (L::Service, Asked, Out<L, B>)
where
    L: Layer<mock::Mock<Asked, Answer<B>>>,
    L::Service: Service<Asked>,
    <L::Service as Service<Asked>>::Error: std::fmt::Debug,
    B: Body + Send + 'static,
{
    let (inner, mut handle) = mock::pair::<Asked, Answer<B>>();
    let mut service = layer.layer(inner);
    std::future::poll_fn(|cx| service.poll_ready(cx))
        .await
        .unwrap();
    let response = service.call(request);
    let answering = async {
        let (asked, send) = handle.next_request().await.unwrap();
        send.send_response(answer);
        asked
    };
    let (response, asked) = futures_util::future::join(response, answering).await;
    (service, asked, response.unwrap())
}

type Out<L, B> = <<L as Layer<mock::Mock<Asked, Answer<B>>>>::Service as Service<Asked>>::Response;

fn get() -> http::request::Builder {
    Request::get("/events")
}

fn full(text: &'static str) -> Full<Bytes> {
    Full::from(text)
}

/// A body whose size is not known beforehand.
fn unsized_body(text: &'static str) -> StreamBody<impl Stream<Item = Frames>> {
    let frames = (!text.is_empty()).then(|| Ok(Frame::data(Bytes::from(text))));
    StreamBody::new(futures_util::stream::iter(frames))
}

type Frames = Result<Frame<Bytes>, Infallible>;

async fn bytes<B>(response: Response<B>) -> Bytes
where
    B: Body,
    B::Error: std::fmt::Debug,
{
    response.into_body().collect().await.unwrap().to_bytes()
}
