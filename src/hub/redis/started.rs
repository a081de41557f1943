//! A command that is sent before its reply is wanted.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use redis::{Cmd, RedisError, Value};

use super::connection::Link;

type Answer = Result<Value, RedisError>;

/// A command in flight. It is not cancelled when this is dropped.
pub(super) struct Started {
    query: Pin<Box<dyn Future<Output = Answer> + Send>>,
    /// The reply, if it came early.
    early: Option<Answer>,
}

impl Started {
    pub(super) fn new(mut link: Link, command: Cmd) -> Self {
        Self {
            query: Box::pin(async move { link.query(&command).await }),
            early: None,
        }
    }

    /// Sends it right after another command on the same connection, and returns the reply to the
    /// other.
    pub(super) async fn start_after(&mut self, first: impl Future<Output = Answer>) -> Answer {
        let mut first = pin!(first);
        let mut is_sent = false;
        std::future::poll_fn(|cx| {
            let answer = first.as_mut().poll(cx);
            if !std::mem::replace(&mut is_sent, true) {
                if let Poll::Ready(early) = self.query.as_mut().poll(cx) {
                    self.early = Some(early);
                }
            }
            answer
        })
        .await
    }

    pub(super) async fn reply(self) -> Answer {
        match self.early {
            Some(early) => early,
            None => self.query.await,
        }
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}
