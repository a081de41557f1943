//! The plugs that pages pull. Not to be copied: they show what a broken connection looks like.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How many plugs can be out at once.
const MAX_OUT: usize = 1_000;

/// The pages whose plugs are out, and until when.
#[derive(Clone)]
pub(crate) struct Plugs {
    out: watch::Sender<HashMap<String, Instant>>,
    /// How long a plug stays out unless it is put back.
    time: Duration,
}

impl Plugs {
    pub(crate) fn new(time: Duration) -> Self {
        let out = watch::Sender::new(HashMap::new());
        Self { out, time }
    }

    /// Cuts all connections of this page.
    pub(crate) fn pull(&self, page: &str) {
        self.out.send_modify(|out| {
            let now = Instant::now();
            out.retain(|_, until| *until > now);
            if out.len() < MAX_OUT {
                out.insert(page.to_owned(), now + self.time);
            }
        });
    }

    pub(crate) fn put_back(&self, page: &str) {
        self.out.send_modify(|out| _ = out.remove(page));
    }

    /// How long the plug is still out.
    pub(crate) fn out_for(&self, page: &str) -> Option<Duration> {
        let until = *self.out.borrow().get(page)?;
        Some(until.duration_since(Instant::now())).filter(|rest| !rest.is_zero())
    }

    /// Waits until the plug is back in.
    pub(crate) async fn back_in(&self, page: &str) {
        let mut changes = self.out.subscribe();
        while let Some(rest) = self.out_for(page) {
            tokio::select! {
                () = sleep_until(Instant::now() + rest) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// A body that fails when the page's plug is pulled. The server then drops the connection in
    /// the middle, like a crash or a lost network.
    pub(crate) fn plug_in(&self, page: String, body: Body) -> Body {
        let mut pulls = self.out.subscribe();
        let plugs = self.clone();
        let pulled = async move {
            let is_mine = |_: &_| plugs.out_for(&page).is_some();
            if pulls.wait_for(is_mine).await.is_err() {
                pending::<()>().await; // the server is stopping
            }
        };
        let mut pulled = Box::pin(pulled.fuse());
        let mut data = Some(body.into_data_stream());
        Body::from_stream(stream::poll_fn(move |cx| match &mut data {
            Some(_) if pulled.poll_unpin(cx).is_ready() => {
                data = None;
                Poll::Ready(Some(Err(axum::Error::new(PlugPulled))))
            }
            Some(data) => data.poll_next_unpin(cx),
            None => Poll::Ready(None),
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
