//! The same deliveries through hyper's HTTP/1 server and sockets: what a server's thread pays for each.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use support::{median, rounds, row};
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, yield_now};

use crate::contestants::{self, Contestant, IDENTITY, SHARED, TOWER_HTTP};
use crate::cpu;
use crate::payloads::Payload;
use crate::table::{Table, micros};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// As many as one process's descriptors allow for three contestants.
const SUBSCRIBERS: usize = 1_000;

/// Prints the processor time of the server's thread for each delivery, and the shared streams' beside
/// the others'.
pub(crate) fn print(title: &str, payload: &Payload, runtime: &Runtime, table: &mut Table) {
    let subscribers = if rounds().is_some() { SUBSCRIBERS } else { 3 };
    let mut servers: Vec<Server> = contestants::all()
        .into_iter()
        .filter(|one| [IDENTITY, SHARED, TOWER_HTTP].contains(&one.name))
        .map(|one| Server::start(one, subscribers, runtime))
        .collect();
    let mut times = vec![Vec::new(); servers.len()];
    for round in 0..rounds().map_or(1, |rounds| rounds.min(15)) {
        for n in 0..servers.len() {
            let n = (n + round) % servers.len();
            let time = servers[n].deliver(payload, 2, runtime);
            times[n].push(time.as_nanos() as f64 / (2 * subscribers) as f64);
        }
    }
    println!("  served by hyper to {subscribers} sockets, processor time for each delivery:");
    for (server, times) in servers.iter().zip(&times) {
        let (name, time) = (server.contestant.name, median(times.clone()));
        println!("  {name:<18}{time:>12.0} ns");
        table.add(format!("{name}, served, {subscribers}"), micros(time));
    }
    for n in [0, 2] {
        let ratios = times[n].iter().zip(&times[1]).map(|(than, own)| than / own);
        let (ours, theirs) = (median(times[1].clone()), median(times[n].clone()));
        let other = servers[n].contestant.name;
        let title = format!("{title}, served/{SHARED} beside {other}");
        row::print(&title, ours, theirs, median(ratios.collect()), other);
    }
}

struct Server {
    contestant: Contestant,
    tasks: LocalSet,
    published: u64,
    delivered: Rc<Cell<u64>>,
}

impl Server {
    fn start(mut contestant: Contestant, subscribers: usize, runtime: &Runtime) -> Self {
        let tasks = LocalSet::new();
        let delivered = Rc::<Cell<u64>>::default();
        let mut clients = Vec::with_capacity(subscribers);
        for _ in 0..subscribers {
            let (mut client, server) = UnixStream::pair().expect("a socket");
            client.write_all(REQUEST).expect("room for a request");
            client.set_nonblocking(true).expect("a socket");
            server.set_nonblocking(true).expect("a socket");
            clients.push(client);
            let server = {
                let _context = runtime.enter();
                tokio::net::UnixStream::from_std(server).expect("a socket")
            };
            let delivered = Rc::clone(&delivered);
            let body = contestant.connect().into_body().map_frame(move |frame| {
                delivered.set(delivered.get() + 1);
                frame
            });
            let body = Cell::new(Some(body));
            tasks.spawn_local(async move {
                let service = service_fn(move |_: Request<Incoming>| {
                    let body = body.take().expect("one request");
                    std::future::ready(Ok::<_, Infallible>(Response::new(body)))
                });
                let connection = http1::Builder::new();
                _ = connection
                    .serve_connection(TokioIo::new(server), service)
                    .await;
            });
        }
        // Reads everything away, on another core.
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while clients
                .iter_mut()
                .all(|client| match client.read(&mut buffer) {
                    Ok(read) => read > 0,
                    Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
                })
            {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let mut server = Self {
            contestant,
            tasks,
            published: 0,
            delivered,
        };
        server.settle(runtime);
        server
    }

    /// Publishes some events, one after the other, and returns what this thread has taken for them.
    fn deliver(&mut self, payload: &Payload, events: u64, runtime: &Runtime) -> Duration {
        let texts = payload.texts(self.published..self.published + events);
        self.published += events;
        let start = cpu();
        for text in texts {
            self.contestant.publish(text);
            self.settle(runtime);
        }
        cpu() - start
    }

    /// Runs the connections until none of them sends anything.
    fn settle(&mut self, runtime: &Runtime) {
        let delivered = Rc::clone(&self.delivered);
        self.tasks.block_on(runtime, async move {
            let mut before = None;
            while before != Some(delivered.get()) {
                before = Some(delivered.get());
                for _ in 0..3 {
                    yield_now().await;
                }
            }
        });
    }
}
