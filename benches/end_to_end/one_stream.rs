//! One stream of typical events that are all ready, as a handler answers with it, to one client: each
//! contestant's body under the same server, which is hyper.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use support::bodies::{self, BoxError, Clock, Numbers, Pace};
use support::events::Typical;
use support::{median, rounds, row};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peers::Flags;
use crate::server::Server;
use crate::{Kind, Outcome, kind};

const EVENTS: u64 = 100_000;

/// The chunk that ends a body.
const END: &[u8] = b"\r\n0\r\n\r\n";

/// The first three are ours, the next two the peers'.
const KINDS: [Kind; 6] = [
    kind("Events of a String", "stream-ours", "current", 0),
    kind("Events of a &'static str", "stream-fixed", "current", 0),
    kind("writer form", "stream-written", "current", 0),
    kind("axum", "stream-axum", "current", 0),
    kind("sse-stream", "stream-sse-stream", "current", 0),
    kind("floor", "stream-floor", "current", 0),
];
const OURS: usize = 3;
const FLOOR: usize = 5;

async fn serve<B>(flags: Flags, make: fn(Numbers, Typical) -> B) -> std::io::Result<()>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    let events = Typical::new();
    let listener = TcpListener::bind(("127.0.0.1", flags.port)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        _ = socket.set_nodelay(true);
        let service = service_fn(|_| async move {
            let numbers = Numbers::new(EVENTS, Pace::Ready, Clock::default());
            let response = Response::builder().header("content-type", "text/event-stream");
            Ok::<_, Infallible>(response.body(make(numbers, events)).expect("a response"))
        });
        _ = http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service)
            .await;
    }
}

pub(crate) fn run(name: &str, flags: Flags) -> Outcome<()> {
    let runtime = flags.runtime()?;
    match name {
        "ours" => runtime.block_on(serve(flags, bodies::ours))?,
        "fixed" => runtime.block_on(serve(flags, bodies::ours_fixed))?,
        "written" => runtime.block_on(serve(flags, bodies::ours_written))?,
        "axum" => runtime.block_on(serve(flags, bodies::axum))?,
        "sse-stream" => runtime.block_on(serve(flags, bodies::sse_stream))?,
        "floor" => runtime.block_on(serve(flags, bodies::least_written))?,
        _ => return Err(format!("no stream {name}").into()),
    }
    Ok(())
}

/// Microseconds of CPU per event.
async fn measure(kind: Kind) -> Outcome<f64> {
    let server = Server::start(kind, "15000")?;
    let before = server.cpu()?;
    let mut client = TcpStream::connect(&server.address).await?;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await?;
    let (mut buffer, mut len, mut last) = (vec![0; 256 << 10], 0, Vec::new());
    while !last.ends_with(END) {
        let read = client.read(&mut buffer);
        let read = tokio::time::timeout(Duration::from_secs(60), read).await??;
        assert!(read > 0, "{}: cut after {len} bytes", kind.name);
        len += read as u64;
        last.extend_from_slice(&buffer[read.saturating_sub(END.len())..read]);
        last.drain(..last.len().saturating_sub(END.len()));
    }
    let cpu = (server.cpu()? - before).as_secs_f64() * 1e6 / EVENTS as f64;
    assert!(len > 150 * EVENTS, "{}: {len} bytes", kind.name);
    println!("  {:<26}{cpu:>8.3} us CPU", kind.name);
    Ok(cpu)
}

pub(crate) async fn compare() -> Outcome<()> {
    println!("one stream: {EVENTS} typical events");
    let mut all: Vec<Vec<f64>> = KINDS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds().map_or(1, |rounds| rounds.div_ceil(10)) {
        for (kind, figures) in KINDS.into_iter().zip(&mut all) {
            figures.push(measure(kind).await?);
        }
    }
    let of = |n: usize| median(all[n].clone());
    let best = (OURS..FLOOR).min_by(|n, m| of(*n).total_cmp(&of(*m)));
    let best = best.expect("a peer");
    for n in (0..OURS).chain([FLOOR]) {
        let ratios = all[best].iter().zip(&all[n]);
        let ratio = median(ratios.map(|(peer, ours)| peer / ours).collect());
        let name = format!("end_to_end/one stream/{}", KINDS[n].name);
        row::print(&name, of(n), of(best), ratio, KINDS[best].name);
    }
    Ok(())
}
