//! An nginx of a test's own.

#![allow(dead_code, reason = "not every binary needs all of it")]
#![allow(unreachable_pub, reason = "a module of each test binary")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_port;

/// nginx in the foreground, in a folder of its own, until it is dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    pub address: SocketAddr,
    folder: PathBuf,
}

/// What differs from nginx's defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'a> {
    /// Directives of the `http` block.
    pub http: &'a str,
    /// Parameters of `listen`.
    pub listen: &'a str,
}

impl Nginx {
    /// With its defaults, before these servers, which it asks in turn.
    pub fn before(upstreams: &[SocketAddr]) -> Self {
        Self::with(Settings::default(), upstreams)
    }

    pub fn with(settings: Settings<'_>, upstreams: &[SocketAddr]) -> Self {
        // Another process may take the port before nginx does.
        let mut attempts = (0..20).map(|_| Self::try_start(settings, upstreams));
        let started = attempts.find_map(|nginx| nginx);
        started.expect("nginx starts; its folder says why not")
    }

    /// `None` if it ends at once.
    fn try_start(settings: Settings<'_>, upstreams: &[SocketAddr]) -> Option<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let name = format!("tower-sse-nginx-{}-{}", std::process::id(), address.port());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(settings, upstreams, address, &folder)).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is missing; install it with: apt-get install -y nginx");
        let mut nginx = Self {
            process,
            address,
            folder,
        };
        let deadline = Instant::now() + Duration::from_secs(120);
        // It writes its ID once it listens; whoever else has the port would accept connections too.
        let is_up = |folder: &Path| {
            let id = std::fs::read_to_string(folder.join("pid"));
            id.is_ok_and(|id| !id.is_empty())
        };
        while !is_up(&nginx.folder) {
            if nginx.process.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(nginx)
    }
}

fn configuration(
    Settings { http, listen }: Settings<'_>,
    upstreams: &[SocketAddr],
    address: SocketAddr,
    folder: &Path,
) -> String {
    let folder = folder.display();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .concat();
    let servers: String = upstreams
        .iter()
        .map(|upstream| format!("server {upstream};"))
        .collect();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
         events {{}}
         http {{
             access_log off; {paths} {http}
             upstream nodes {{ {servers} }}
             server {{
                 listen {address} {listen};
                 location / {{ proxy_pass http://nodes; }}
             }}
         }}"
    )
}

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}
