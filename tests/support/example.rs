//! An example, run as a process, as a user runs it.

#![allow(dead_code, reason = "no test needs all of it")]
#![allow(unreachable_pub, reason = "a module of each test binary")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs until it is dropped.
pub struct Example {
    process: Child,
    /// `127.0.0.1:40123`
    pub authority: String,
}

impl Example {
    /// Starts an example and waits for the line with its address. Unless it is told otherwise, it takes
    /// a free port: another test may be about to reuse the default one.
    pub fn start(name: &str, args: &[&str]) -> Self {
        let free: &[&str] = if args.contains(&"--port") {
            &[]
        } else {
            &["--port", "0"]
        };
        Self::start_as_it_is(name, &[args, free].concat())
    }

    pub fn start_as_it_is(name: &str, args: &[&str]) -> Self {
        Self::spawn(&program(name), args)
    }

    /// Starts any program that prints its address.
    pub fn spawn(program: &Path, args: &[&str]) -> Self {
        let mut process = Command::new(program)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{}: {error}; `cargo test` builds the examples, `cargo test --test` does not: \
                     run `cargo build --examples` with the same features",
                    program.display()
                )
            });
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().expect("its output is piped"));
        stdout.read_line(&mut line).expect("its output is text");
        let (_, address) = line
            .split_once("http://")
            .unwrap_or_else(|| panic!("{} printed no address: {line:?}", program.display()));
        let authority = address.split('/').next().unwrap_or(address);
        Self {
            process,
            authority: authority.trim_end().to_owned(),
        }
    }

    pub fn port(&self) -> &str {
        let (_, port) = self.authority.rsplit_once(':').expect("it has a port");
        port
    }

    /// The process's resident memory in bytes, where Linux tells it.
    pub fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let status = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status();
        assert!(status.expect("there is a kill command").success());
    }

    /// Waits for it to end by itself; whether it was pleased with its run.
    pub fn wait(&mut self) -> bool {
        self.process.wait().expect("it can be waited for").success()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In `target/<profile>/examples`, beside the `deps` in which this test is.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows where it is");
    let profile = test.ancestors().nth(2).expect("it is in <profile>/deps");
    profile.join("examples").join(name)
}
