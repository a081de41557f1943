//! `examples/fan_out.rs` beside axum servers of the same shape, over loopback.
//!
//! Server and client are processes of their own, the server pinned to one core and the client to
//! another. What is measured is the server's CPU time per delivery, with the publisher held back by
//! the slowest subscriber; and its resident memory per idle subscriber.
//!
//! ```sh
//! cargo bench --manifest-path benches/Cargo.toml --bench end_to_end          # all of it
//! cargo bench --manifest-path benches/Cargo.toml --bench end_to_end -- idle  # or a part
//! ```

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

#[path = "end_to_end/broadcast.rs"]
mod broadcast;
#[allow(dead_code, reason = "its own `main`")]
#[path = "../examples/fan_out.rs"]
mod fan_out;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is served, by which runtime, with how many milliseconds of linger.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    runtime: &'static str,
    linger: &'static str,
}

const fn kind(name: &'static str, runtime: &'static str, linger: &'static str) -> Kind {
    Kind {
        name,
        runtime,
        linger,
    }
}

const FULL_SPEED: [Kind; 6] = [
    kind("hub", "multi", "0"),
    kind("hub", "current", "0"),
    kind("axum", "multi", "0"),
    kind("axum", "current", "0"),
    kind("ready", "multi", "0"),
    kind("ready", "current", "0"),
];

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(kind: Kind, heartbeat: &str) -> Outcome<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe()?)
            .args([
                "--serve",
                kind.name,
                "--port",
                "0",
                "--runtime",
                kind.runtime,
            ])
            .args(["--linger", kind.linger, "--heartbeat", heartbeat])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("a pipe")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").ok_or("an address")?;
        Ok(Self {
            child,
            address: address.to_owned(),
        })
    }

    /// User and system time so far, of all threads. To the nanosecond: the ticks in `stat` miss work
    /// that comes with the ticks, as that of a timer does.
    fn cpu(&self) -> Outcome<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += times.split(' ').next().ok_or("a time")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn resident(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let digits = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(digits.ok_or("VmRSS")?.parse::<u64>()? * 1024)
    }

    async fn post(&self, query: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let request = format!(
            "POST /publish?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok(response
            .rsplit("\r\n")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Counts the events that all subscribers receive.
#[derive(Default)]
struct Received {
    events: u64,
    bytes: u64,
}

async fn subscribe(address: &str, count: usize) -> Outcome<Rc<RefCell<Received>>> {
    let received = Rc::new(RefCell::new(Received::default()));
    let buffer = Rc::new(RefCell::new(vec![0; 256 * 1024]));
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            .await?;
        let (received, buffer) = (Rc::clone(&received), Rc::clone(&buffer));
        tokio::task::spawn_local(async move {
            // Each event has one line of data; a needle may lie over a border.
            const NEEDLE: &[u8] = b"\ndata: ";
            let finder = memchr::memmem::Finder::new(NEEDLE);
            let mut tail = Vec::new();
            while stream.readable().await.is_ok() {
                let mut buffer = buffer.borrow_mut();
                buffer[..tail.len()].copy_from_slice(&tail);
                match stream.try_read(&mut buffer[tail.len()..]) {
                    Ok(0) => return,
                    Ok(n) => {
                        let all = &buffer[..tail.len() + n];
                        let mut received = received.borrow_mut();
                        received.events += finder.find_iter(all).count() as u64;
                        received.bytes += n as u64;
                        tail = all[all.len().saturating_sub(NEEDLE.len() - 1)..].to_vec();
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(received)
}

/// Microseconds of CPU per delivery.
async fn measure(kind: Kind, subscribers: usize, query: &str, events: u64) -> Outcome<f64> {
    let server = Server::start(kind, "60000")?;
    let received = subscribe(&server.address, subscribers).await?;
    let before = server.cpu()?;
    let start = Instant::now();
    let said = server.post(query).await?;
    let expected = events * subscribers as u64;
    while received.borrow().events < expected && start.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (cpu, time) = (server.cpu()? - before, start.elapsed());
    let got = received.borrow().events;
    assert_eq!(got, expected, "{} {}: {said}", kind.name, kind.runtime);
    let per_delivery = cpu.as_secs_f64() * 1e6 / expected as f64;
    println!(
        "  {:<6} {:<8} linger {:<3} {per_delivery:>8.3} us CPU {:>12.0} deliveries/s  {said}",
        kind.name,
        kind.runtime,
        kind.linger,
        expected as f64 / time.as_secs_f64(),
    );
    Ok(per_delivery)
}

/// Microseconds of CPU per event where there are no subscribers.
async fn publisher_alone(kind: Kind, query: &str, events: u64) -> Outcome<f64> {
    let server = Server::start(kind, "60000")?;
    let before = server.cpu()?;
    server.post(query).await?;
    Ok((server.cpu()? - before).as_secs_f64() * 1e6 / events as f64)
}

async fn full_speed(quick: bool) -> Outcome<()> {
    let cases: &[(usize, u64)] = if quick {
        &[(20, 200)]
    } else {
        &[(1, 100_000), (100, 20_000), (1_000, 4_000), (5_000, 1_500)]
    };
    for (subscribers, events) in cases {
        println!("{subscribers} subscribers, {events} events of 120 bytes at full speed");
        for kind in FULL_SPEED {
            measure(kind, *subscribers, &format!("n={events}&size=120"), *events).await?;
        }
    }
    Ok(())
}

/// Every subscriber has an event before the next is published: nobody can merge anything.
async fn one_by_one() -> Outcome<()> {
    for (subscribers, events) in [(1, 20_000), (100, 2_000), (1_000, 300), (5_000, 60)] {
        println!("{subscribers} subscribers, {events} events of 120 bytes one by one");
        for kind in FULL_SPEED {
            let query = format!("n={events}&size=120&distance=0");
            measure(kind, subscribers, &query, events).await?;
        }
    }
    Ok(())
}

async fn linger() -> Outcome<()> {
    for rate in [1_000, 3_000, 5_000] {
        let events = 2 * rate;
        println!("100 subscribers, {events} events of 120 bytes, {rate} a second");
        let query = format!("n={events}&size=120&rate={rate}");
        let mut takes = Vec::new();
        for (name, linger) in [("axum", "0"), ("hub", "0"), ("hub", "2"), ("hub", "5")] {
            let kind = kind(name, "multi", linger);
            let alone = publisher_alone(kind, &query, events).await? / 100.0;
            let all = measure(kind, 100, &query, events).await?;
            let (axum_all, axum_beyond) = *takes.first().unwrap_or(&(all, all - alone));
            println!(
                "         axum takes {:.1}x; {:.1}x beyond {alone:.3} us for the publisher's clock",
                axum_all / all,
                axum_beyond / (all - alone),
            );
            takes.push((all, all - alone));
        }
    }
    Ok(())
}

async fn idle() -> Outcome<()> {
    const SUBSCRIBERS: usize = 10_000;
    println!("{SUBSCRIBERS} idle subscribers, a heartbeat each second");
    for kind in FULL_SPEED {
        let server = Server::start(kind, "1000")?;
        let before = server.resident()?;
        let received = subscribe(&server.address, SUBSCRIBERS).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (cpu, bytes) = (server.cpu()?, received.borrow().bytes);
        tokio::time::sleep(Duration::from_secs(6)).await;
        let cpu = server.cpu()? - cpu;
        // Its own three bytes and five of its HTTP chunk, with all three servers.
        let heartbeats = (received.borrow().bytes - bytes) as f64 / 8.0;
        println!(
            "  {:<6} {:<8} {:>8.2} KB resident each {:>8.2} us CPU per heartbeat, {heartbeats:.0} of them",
            kind.name,
            kind.runtime,
            (server.resident()? - before) as f64 / 1_000.0 / SUBSCRIBERS as f64,
            cpu.as_secs_f64() * 1e6 / heartbeats,
        );
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = args.iter().position(|arg| arg == "--serve") {
        let rest = args[at + 2..].to_vec();
        return match &*args[at + 1] {
            "hub" => fan_out::run(rest),
            name => broadcast::run(name == "ready", &rest),
        };
    }
    let quick = !args.iter().any(|arg| arg == "--bench");
    let part = args
        .iter()
        .find(|arg| !arg.starts_with('-'))
        .map(String::as_str);
    if !quick {
        // This process, and the threads it makes.
        let pid = std::process::id().to_string();
        Command::new("taskset")
            .args(["-cp", "1", &pid])
            .stdout(Stdio::null())
            .status()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        if part.is_none_or(|part| part == "speed") {
            full_speed(quick).await?;
        }
        if part == Some("single") || (part.is_none() && !quick) {
            one_by_one().await?;
        }
        if part == Some("linger") || (part.is_none() && !quick) {
            linger().await?;
        }
        if part == Some("idle") || (part.is_none() && !quick) {
            idle().await?;
        }
        Ok(())
    })
}
