//! Subscribers, all on one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use memchr::memmem::Finder;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Outcome;

/// What all subscribers have received.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// How many have begun to receive.
    begun: usize,
    /// Milliseconds from publishing to reading, where they are asked for.
    latencies: Vec<f64>,
}

impl Received {
    /// The latency that `percent` of the events stay below; zero without events.
    pub(crate) fn latency(&mut self, percent: usize) -> f64 {
        self.latencies.sort_by(f64::total_cmp);
        let place = self.latencies.len() * percent / 100;
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Each event has one line of data.
const NEEDLE: &[u8] = b"\ndata: ";

/// How long ago the event was published whose data begins here, unless a read has cut it.
fn latency(data: &[u8], now: Duration) -> Option<f64> {
    let digits = data.get(..19)?;
    let sent: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((now.as_secs_f64() - Duration::from_nanos(sent).as_secs_f64()) * 1e3)
}

/// `header` gives lines to add to the head of the request of each.
pub(crate) async fn subscribe(
    address: &str,
    count: usize,
    latencies: bool,
    header: impl Fn(usize) -> String,
) -> Outcome<Rc<RefCell<Received>>> {
    let received = Rc::new(RefCell::new(Received::default()));
    let buffer = Rc::new(RefCell::new(vec![0; 256 * 1024]));
    for n in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{}\r\n",
            header(n)
        );
        stream.write_all(request.as_bytes()).await?;
        let (received, buffer) = (Rc::clone(&received), Rc::clone(&buffer));
        tokio::task::spawn_local(async move {
            let finder = Finder::new(NEEDLE);
            // A needle may lie over a border.
            let (mut tail, mut begun) = (Vec::new(), false);
            while stream.readable().await.is_ok() {
                let mut buffer = buffer.borrow_mut();
                buffer[..tail.len()].copy_from_slice(&tail);
                match stream.try_read(&mut buffer[tail.len()..]) {
                    Ok(0) => return,
                    Ok(n) => {
                        let all = &buffer[..tail.len() + n];
                        let mut received = received.borrow_mut();
                        received.bytes += n as u64;
                        received.begun += usize::from(!std::mem::replace(&mut begun, true));
                        let now = SystemTime::now().duration_since(UNIX_EPOCH);
                        let now = now.unwrap_or_default();
                        for place in finder.find_iter(all) {
                            received.events += 1;
                            if latencies {
                                let latency = latency(&all[place + NEEDLE.len()..], now);
                                received.latencies.extend(latency);
                            }
                        }
                        tail = all[all.len().saturating_sub(NEEDLE.len() - 1)..].to_vec();
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        });
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    while received.borrow().begun < count {
        let begun = received.borrow().begun;
        assert!(Instant::now() < deadline, "{begun} of {count} are answered");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // For what comes with the answer.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(received)
}
