//! The command line of an example: `--help`, `--port`, and errors in words.

#![allow(dead_code, reason = "not every example takes options")]

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::exit;
use std::str::FromStr;

const DEFAULT_PORT: u16 = 8080;

/// What is left of the arguments.
pub(crate) struct Args(Vec<String>);

impl Args {
    /// Prints the help and exits if that is what the user asked for.
    pub(crate) fn new(help: &str) -> Self {
        let args: Vec<_> = std::env::args().skip(1).collect();
        if args.iter().any(|arg| arg == "--help" || arg == "-h") {
            println!("{}", help.trim());
            exit(0);
        }
        Self(args)
    }

    /// Takes `--name VALUE`.
    pub(crate) fn option<T>(&mut self, name: &str) -> Result<Option<T>, Failure>
    where
        T: FromStr<Err: Display>,
    {
        let Some(at) = self.0.iter().position(|arg| arg == name) else {
            return Ok(None);
        };
        let mut taken = self.0.drain(at..self.0.len().min(at + 2)).skip(1);
        let value = taken
            .next()
            .ok_or_else(|| fail(&format!("{name} needs a value")))?;
        let parsed = value.parse().map(Some);
        parsed.map_err(|error| fail(&format!("{name} {value}: {error}")))
    }

    /// Takes an argument that does not belong to an option.
    pub(crate) fn positional(&mut self) -> Option<String> {
        let at = self.0.iter().position(|arg| !arg.starts_with('-'))?;
        Some(self.0.remove(at))
    }

    /// Listens on `--port`.
    pub(crate) fn listen(mut self) -> Result<TcpListener, Failure> {
        let port = self.option("--port")?;
        self.listen_on(port)
    }

    /// Listens on this port. Without one, listens on 8080, or on any free port if that one is taken.
    pub(crate) fn listen_on(self, port: Option<u16>) -> Result<TcpListener, Failure> {
        if let Some(unknown) = self.0.first() {
            return Err(fail(&format!("unexpected argument {unknown}; see --help")));
        }
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match (bind(port.unwrap_or(DEFAULT_PORT)), port) {
            (Err(error), None) if error.kind() == ErrorKind::AddrInUse => bind(0),
            (listener, _) => listener,
        };
        let port = port.unwrap_or(DEFAULT_PORT);
        let listener = listener.map_err(|error| fail(&format!("port {port}: {error}")))?;
        // An asynchronous runtime takes it over.
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

/// An error that `main` returns. The standard library prints it with `Debug`.
pub(crate) struct Failure(String);

pub(crate) fn fail(text: &str) -> Failure {
    Failure(text.to_owned())
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
