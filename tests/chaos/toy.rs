//! A node as one writes it in an hour: `XREAD` for each client, after the ID that the client has. It
//! knows no loss, so that runs with one have to fail.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::rig::resp::{Resp, Value};
use crate::topics;

pub(crate) async fn serve(listener: TcpListener, redis: SocketAddr, key: String) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let key = key.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (sender, receiver) = mpsc::channel(16);
            tokio::spawn(feed(redis, key.clone(), request, sender));
            let frames = ReceiverStream::new(receiver);
            let frames = frames.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
            std::future::ready(Ok::<_, Infallible>(Response::new(StreamBody::new(frames))))
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service),
        );
    }
}

async fn feed(
    redis: SocketAddr,
    key: String,
    request: Request<Incoming>,
    sender: mpsc::Sender<Bytes>,
) -> Option<()> {
    let (prefixes, names) = topics::of_query(request.uri().query().unwrap_or(""));
    let follows = |topic: &str| {
        prefixes.iter().any(|one| topic.starts_with(one)) || names.iter().any(|one| one == topic)
    };
    let last = request.headers().get("last-event-id");
    let mut last = last.map(|last| last.to_str().unwrap().to_owned());
    loop {
        let Ok(mut redis) = Resp::connect(redis).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        loop {
            let Some(after) = &last else {
                let words: [&[u8]; 6] = [b"XREVRANGE", key.as_bytes(), b"+", b"-", b"COUNT", b"1"];
                let Ok(newest) = redis.try_send(&words).await else {
                    break;
                };
                let id = match newest {
                    Value::List(entries) if !entries.is_empty() => entries[0].list()[0].text(),
                    _ => "0-0".to_owned(),
                };
                sender.send(format!("id: {id}\n\n").into()).await.ok()?;
                last = Some(id);
                continue;
            };
            let words = [
                "XREAD", "BLOCK", "500", "COUNT", "500", "STREAMS", &key, after,
            ];
            let Ok(answer) = redis.try_send(&words.map(str::as_bytes)).await else {
                break;
            };
            let Value::List(streams) = answer else {
                sender.send(":\n".into()).await.ok()?;
                continue;
            };
            let mut text = String::new();
            for entry in streams[0].list()[1].list() {
                let id = entry.list()[0].text();
                let fields: Vec<_> = entry.list()[1].list().iter().map(Value::text).collect();
                let fields: HashMap<_, _> =
                    fields.chunks(2).map(|two| (&*two[0], &*two[1])).collect();
                if follows(fields["topic"]) {
                    let data = fields["data"].replace('\n', "\ndata: ");
                    text.push_str(&format!("id: {id}\ndata: {data}\n\n"));
                }
                last = Some(id);
            }
            sender.send(text.into()).await.ok()?;
        }
    }
}

/// `Ok(None)`: not stored. `Err`: it may be stored.
pub(crate) async fn publish(
    connection: &mut Option<Resp>,
    redis: SocketAddr,
    words: &[&[u8]],
) -> std::io::Result<Option<String>> {
    if connection.is_none() {
        let Ok(new) = Resp::connect(redis).await else {
            return Ok(None);
        };
        *connection = Some(new);
    }
    match connection.as_mut().unwrap().try_send(words).await {
        Ok(Value::Error(_)) => Ok(None),
        Ok(id) => Ok(Some(id.text())),
        Err(error) => {
            *connection = None;
            Err(error)
        }
    }
}
