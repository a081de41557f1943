//! Servers in processes of their own: what they use, and what they are told.

use std::fs;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// User and system time of a process so far, of all its threads.
///
/// To the nanosecond: the ticks in `stat` miss work that comes with the ticks, as that of a timer does.
///
/// # Errors
///
/// If the process has ended.
pub fn cpu(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        let running = times.split(' ').next().unwrap_or_default();
        nanoseconds += running.parse::<u64>().map_err(io::Error::other)?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The text that a server answers to a request without a body.
///
/// # Errors
///
/// If the server cannot be reached.
pub async fn request(address: &str, method: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let body = response.rsplit("\r\n").next().unwrap_or_default();
    Ok(body.trim().to_owned())
}
