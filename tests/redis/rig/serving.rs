//! A hub over HTTP.

use std::time::Duration;

use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_sse::KeepAlive;
use tower_sse::hub::{Hub, HubService};

/// Serves a hub, until the future is dropped with all connections. The query says which topics:
/// `/?topic=even/2&prefix=odd/`.
pub async fn serve<L>(hub: Hub<L>, listener: TcpListener) {
    let service = HubService::new(hub)
        .keep_alive(KeepAlive::new().interval(Duration::from_millis(300)))
        .select(|request, mut subscriber| {
            for pair in request.uri.query().unwrap_or("").split('&') {
                subscriber = match pair.split_once('=') {
                    Some(("topic", name)) => subscriber.topic(name),
                    Some(("prefix", prefix)) => subscriber.prefix(prefix),
                    _ => return Err(StatusCode::BAD_REQUEST),
                };
            }
            Ok(subscriber)
        });
    let mut connections = JoinSet::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            Some(_) = connections.join_next() => continue,
        };
        socket.set_nodelay(true).unwrap();
        let service = TowerToHyperService::new(service.clone());
        connections.spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
