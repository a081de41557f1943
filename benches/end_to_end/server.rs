//! A server in a process of its own, on core 0, and what it has used.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::process;

use crate::{Kind, Outcome};

pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(kind: Kind, heartbeat: &str) -> Outcome<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe()?)
            .args([
                "--serve",
                kind.server,
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

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        Ok(process::cpu(self.child.id())?)
    }

    pub(crate) fn resident(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let digits = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(digits.ok_or("VmRSS")?.parse::<u64>()? * 1024)
    }

    pub(crate) async fn post(&self, query: &str) -> Outcome<String> {
        Ok(process::request(&self.address, "POST", &format!("/publish?{query}")).await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
