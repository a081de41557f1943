//! Servers that remember what they were asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tower::ServiceExt;

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The number of its connection.
    pub(crate) connection: usize,
    pub(crate) version: Version,
    pub(crate) path: String,
}

type Log = Arc<Mutex<Vec<Asked>>>;

/// Serves until it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    log: Log,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn serve(app: Router) -> Served {
    serve_with(app, None).await
}

/// HTTP/2 where the browser speaks it, with a certificate of its own.
pub(crate) async fn serve_tls(app: Router) -> Served {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth();
    let mut config = config
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    serve_with(app, Some(TlsAcceptor::from(Arc::new(config)))).await
}

async fn serve_with(app: Router, tls: Option<TlsAcceptor>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = Log::default();
    let requests = Arc::clone(&log);
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        for number in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            let (app, log, tls) = (app.clone(), Arc::clone(&requests), tls.clone());
            connections.spawn(async move {
                let Some(tls) = tls else {
                    return converse(socket, app, log, number).await;
                };
                // The browser may think better of it.
                if let Ok(socket) = tls.accept(socket).await {
                    converse(socket, app, log, number).await;
                }
            });
        }
    });
    Served { address, log, task }
}

async fn converse<S>(socket: S, app: Router, log: Log, connection: usize)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let app = app.map_request(move |request: Request<Incoming>| {
        log.lock().unwrap().push(Asked {
            connection,
            version: request.version(),
            path: request.uri().path().to_owned(),
        });
        request.map(axum::body::Body::new)
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(app);
    _ = server.serve_connection(TokioIo::new(socket), service).await;
}
