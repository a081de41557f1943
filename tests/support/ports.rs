//! Ports for servers that cannot choose one themselves, or come back to theirs.

#![allow(unreachable_pub, reason = "a module of each test binary")]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that a server can come back to: outgoing connections, and listeners that take any, get
/// theirs from 32768 on. The bus of a Redis cluster is 10,000 above it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let spread = std::process::id()
            .wrapping_mul(193)
            .wrapping_add(n.wrapping_mul(7));
        let port = u16::try_from(10_000 + spread % 12_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
