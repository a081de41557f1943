//! Ways from a hub to compressed streams, each a Tower service over a hub of its own.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use support::bodies::BoxError;
use tower::{Service, ServiceBuilder};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_sse::compression::Compression;
use tower_sse::{Event, Hub, HubService};

pub(crate) type Stream = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) const IDENTITY: &str = "identity";
pub(crate) const SHARED: &str = "shared";
pub(crate) const SHARED_6: &str = "shared, level 6";
pub(crate) const OWN: &str = "own";
pub(crate) const OWN_6: &str = "own, level 6";
pub(crate) const TOWER_HTTP: &str = "tower-http";

pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    hub: Hub,
    connect: Box<dyn FnMut() -> Stream>,
}

/// A response's body, as a server holds it.
pub(crate) struct Connection(Pin<Box<Stream>>);

/// The levels are the default ones, or 6, which is tower-http's.
pub(crate) fn all() -> [Contestant; 6] {
    let (default, six) = (Compression::new(), Compression::new().level(6));
    [
        contestant(IDENTITY, &default, |service| service),
        contestant(SHARED, &default, |service| {
            service.compression(default.clone())
        }),
        contestant(SHARED_6, &six, |service| service.compression(six.clone())),
        contestant(OWN, &default, |service| {
            filtered(service).compression(default.clone())
        }),
        contestant(OWN_6, &default, |service| {
            filtered(service).compression(six.clone())
        }),
        contestant(TOWER_HTTP, &default, |service| {
            let layer = CompressionLayer::new().compress_when(SizeAbove::new(0));
            ServiceBuilder::new().layer(layer).service(service)
        }),
    ]
}

type Feed = HubService<tower_sse::timer::TokioTimer>;

/// A filter is the subscriber's own, so its frames are compressed for it alone.
fn filtered(service: Feed) -> Feed {
    service.select(|_, subscriber| Ok(subscriber.filter(|_| true)))
}

fn contestant<S, B>(
    name: &'static str,
    settings: &Compression,
    wrap: impl FnOnce(Feed) -> S,
) -> Contestant
where
    S: Service<Request<String>, Response = Response<B>, Error = Infallible> + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let hub = Hub::builder()
        .epoch(36)
        .compression(settings.clone())
        .build();
    let mut service = wrap(HubService::new(hub.clone()));
    let connect = Box::new(move || {
        let request = Request::get("/").header("accept-encoding", "gzip");
        let answer = service.call(request.body(String::new()).expect("a request"));
        let Ok(response) = answer.now_or_never().expect("nothing to wait for");
        let encoding = response.headers().get("content-encoding");
        assert_eq!(encoding.is_some(), name != IDENTITY, "{name}");
        response.into_body().map_err(Into::into).boxed_unsync()
    });
    Contestant { name, hub, connect }
}

impl Contestant {
    pub(crate) fn publish(&self, data: String) {
        self.hub.publish(Event::new(data));
    }

    pub(crate) fn connect(&mut self) -> Connection {
        Connection(Box::pin((self.connect)()))
    }
}

impl Connection {
    pub(crate) fn into_body(self) -> Pin<Box<Stream>> {
        self.0
    }

    /// Takes everything that is ready; returns the number of bytes.
    #[inline]
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&Bytes)) -> usize {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut bytes = 0;
        while let Poll::Ready(frame) = self.0.as_mut().poll_frame(cx) {
            let frame = frame.expect("no stream ends").expect("no stream fails");
            let data = frame.data_ref().expect("data");
            bytes += data.len();
            each(data);
        }
        bytes
    }
}
