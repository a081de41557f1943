//! The plug that the page pulls. Nothing to copy: it is here to show what a cut line looks like.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

/// A plug stays out for a moment, so that it also meets a long poll that is between two requests.
const OUT: Duration = Duration::from_millis(300);

/// The plug that was pulled last, and when.
#[derive(Clone)]
pub(crate) struct Plugs(watch::Sender<Option<(String, Instant)>>);

impl Plugs {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Cuts all connections of this page.
    pub(crate) fn pull(&self, page: String) {
        self.0.send_replace(Some((page, Instant::now())));
    }

    /// A body that fails when the page's plug is pulled. The server then drops the connection where
    /// it stands, as a crash or a lost network would.
    pub(crate) fn plug_in(&self, page: String, body: Body) -> Body {
        let mut pulls = self.0.subscribe();
        let pulled = async move {
            let is_mine = |pull: &Option<(String, Instant)>| {
                pull.as_ref()
                    .is_some_and(|(other, at)| *other == page && at.elapsed() < OUT)
            };
            if pulls.wait_for(is_mine).await.is_err() {
                pending::<()>().await; // nobody is left to pull it
            }
        };
        let mut pulled = Box::pin(pulled.fuse());
        let mut data = body.into_data_stream();
        Body::from_stream(stream::poll_fn(move |cx| match pulled.poll_unpin(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(PlugPulled)))),
            Poll::Pending => data.poll_next_unpin(cx),
        }))
    }
}

#[derive(Debug)]
struct PlugPulled;

impl fmt::Display for PlugPulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the plug was pulled")
    }
}

impl Error for PlugPulled {}
