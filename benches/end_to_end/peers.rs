//! Servers of the same shape as the load server, each as its users write it.

use std::time::{Duration, Instant};

use crate::load_server::{Publish, at_rate, data};

pub(crate) mod actix;
pub(crate) mod axum;
pub(crate) mod expert;
pub(crate) mod floor;
pub(crate) mod merged;

/// A way to many subscribers.
pub(crate) trait Channel: Clone + Send + 'static {
    /// Sends what there is room for.
    fn send(&self, id: u64, data: String);
    /// Sends when there is room.
    fn send_soon(&self, id: u64, data: String) -> impl Future<Output = ()> + Send;
    /// How many events the slowest subscriber has before it.
    fn behind(&self) -> usize;
}

/// Does what the query says, as the hub's server does.
pub(crate) async fn publish(channel: impl Channel, query: String) -> String {
    let publish = Publish::from_query(&query);
    let start = Instant::now();
    if let Some(rate) = publish.rate {
        let mut ids = 0..publish.n;
        let send = move || channel.send(ids.next().unwrap_or_default(), data(publish.size));
        let all = move || at_rate(publish.n, rate, send);
        _ = tokio::task::spawn_blocking(all).await;
    } else {
        let distance = usize::try_from(publish.distance).unwrap_or(usize::MAX);
        for n in 1..=publish.n {
            channel.send_soon(n, data(publish.size)).await;
            if n % publish.batch == 0 && channel.behind() > distance {
                // As the hub's wake-up does, it waits for half of them.
                while channel.behind() > distance / 2 {
                    match distance {
                        0 => tokio::task::yield_now().await,
                        _ => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            }
            if publish.yields {
                tokio::task::yield_now().await;
            }
        }
    }
    let time = start.elapsed().as_secs_f64();
    format!("{} events in {time:.3} s\n", publish.n)
}

/// What the command line says.
#[derive(Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) current_thread: bool,
    pub(crate) port: u16,
    pub(crate) heartbeat: Duration,
}

impl Flags {
    pub(crate) fn parse(args: &[String]) -> crate::Outcome<Self> {
        let flag = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1);
        let heartbeat = flag("--heartbeat").ok_or("a heartbeat")?.parse()?;
        Ok(Self {
            current_thread: flag("--runtime").is_some_and(|runtime| runtime == "current"),
            port: flag("--port").ok_or("a port")?.parse()?,
            heartbeat: Duration::from_millis(heartbeat),
        })
    }

    pub(crate) fn runtime(self) -> std::io::Result<tokio::runtime::Runtime> {
        let mut builder = match self.current_thread {
            true => tokio::runtime::Builder::new_current_thread(),
            false => tokio::runtime::Builder::new_multi_thread(),
        };
        builder.enable_all().build()
    }
}
