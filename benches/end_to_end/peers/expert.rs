//! An expert's: hyper, and ready bytes from tokio's broadcast channel.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::broadcast::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

use super::{Channel, Flags};
use crate::Outcome;
use support::bodies::BoxError;

impl Channel for Sender<Bytes> {
    fn send(&self, id: u64, data: String) {
        _ = Sender::send(self, Bytes::from(format!("id: {id}\ndata: {data}\n\n")));
    }

    async fn send_soon(&self, id: u64, data: String) {
        Channel::send(self, id, data);
    }

    fn behind(&self) -> usize {
        self.len()
    }
}

/// The bytes, and a comment whenever there are none.
fn body(
    sender: &Sender<Bytes>,
    heartbeat: Duration,
) -> impl Body<Data = Bytes, Error = Infallible> + use<> {
    let start = tokio::time::Instant::now() + heartbeat;
    let heartbeats = tokio::time::interval_at(start, heartbeat);
    let bytes = BroadcastStream::new(sender.subscribe())
        .timeout_repeating(heartbeats)
        .filter_map(|item| item.unwrap_or(Ok(Bytes::from_static(b":\n\n"))).ok());
    let prelude = tokio_stream::once(Bytes::from_static(b":\n\n"));
    StreamBody::new(prelude.chain(bytes).map(|bytes| Ok(Frame::data(bytes))))
}

async fn answer(
    sender: Sender<Bytes>,
    heartbeat: Duration,
    request: Request<Incoming>,
) -> Response<impl Body<Data = Bytes, Error = BoxError>> {
    if request.method() == Method::POST {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let said = super::publish(sender, query).await;
        return Response::new(Either::Left(Full::from(said)));
    }
    let response = Response::builder()
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-cache");
    let body = Either::Right(body(&sender, heartbeat));
    response.body(body).expect("a response")
}

async fn serve(flags: Flags) -> std::io::Result<()> {
    let sender: Sender<Bytes> = channel(2 * 1024).0;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", flags.port)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let sender = sender.clone();
        tokio::spawn(async move {
            _ = socket.set_nodelay(true);
            // Boxed, as the hub's: the connection keeps a place for the future.
            let service = service_fn(move |request| {
                let answer = answer(sender.clone(), flags.heartbeat, request);
                Box::pin(async { Ok::<_, Infallible>(answer.await) })
            });
            _ = http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

pub(crate) fn run(flags: Flags) -> Outcome<()> {
    Ok(flags.runtime()?.block_on(serve(flags))?)
}
