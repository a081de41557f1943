//! A child process of this program, in one of its roles.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;

use crate::rig::server::signal;

/// It ends with its parent: each role reads its input to the end.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: JoinHandle<()>,
    number: u32,
}

impl Process {
    /// Starts a role, and gives its lines to `take`.
    pub(crate) fn start(
        arguments: &[String],
        log: &Path,
        mut take: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let output = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                take(&line);
            }
        });
        Self {
            child,
            input,
            output,
            number: arguments[1].parse().unwrap_or_default(),
        }
    }

    /// The first argument of its role.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Writes a line to its input.
    pub(crate) async fn tell(&mut self, line: &str) {
        let line = format!("{line}\n");
        _ = self.input.write_all(line.as_bytes()).await;
    }

    /// SIGKILL, and everything that it wrote before.
    pub(crate) async fn kill(&mut self) {
        _ = self.child.kill().await;
        _ = (&mut self.output).await;
    }

    /// Waits until it ends by itself; whether it did well.
    pub(crate) async fn ended(&mut self) -> bool {
        let status = self.child.wait().await;
        _ = (&mut self.output).await;
        status.is_ok_and(|status| status.success())
    }

    pub(crate) fn signal(&self, name: &str) {
        if let Some(process) = self.child.id() {
            signal(process, name);
        }
    }
}

/// The lines that this process is told.
pub(crate) fn told() -> tokio::io::Lines<BufReader<tokio::io::Stdin>> {
    BufReader::new(tokio::io::stdin()).lines()
}
