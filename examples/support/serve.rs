//! Serves an application until Ctrl-C, and then shuts it down with its hub's streams open.

use std::future::{IntoFuture, ready};
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_sse::Hub;

/// How long subscribers have to receive their pending events.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) async fn until_ctrl_c<L>(
    listener: TcpListener,
    app: Router,
    hub: Hub<L>,
) -> io::Result<()> {
    let mut ctrl_c = pin!(tokio::signal::ctrl_c());
    // Its first poll installs the handler. Until then, a signal would kill the process.
    tokio::select! {
        biased;
        stopped = &mut ctrl_c => return stopped,
        () = ready(()) => {}
    }
    let stop = CancellationToken::new();
    let serve = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serve = tokio::spawn(serve.into_future());
    ctrl_c.await?;
    // First stop accepting: a browser retries a refused connection, but not a closed hub's 503.
    stop.cancel();
    // axum waits for the open streams, which end only when their hub is closed.
    hub.close();
    // A client that has stopped reading would hold this up forever.
    hub.drain().or_after(sleep(GRACE)).await;
    _ = timeout(Duration::from_secs(1), serve).await;
    Ok(())
}
