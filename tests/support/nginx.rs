//! An nginx of a test's own.

#![allow(dead_code, reason = "not every binary needs all of it")]
#![allow(unreachable_pub, reason = "a module of each test binary")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

    pub fn with(Settings { http, listen }: Settings<'_>, upstreams: &[SocketAddr]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let folder = std::env::temp_dir().join(format!("tower-sse-nginx-{}", address.port()));
        std::fs::create_dir_all(&folder).unwrap();
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};", folder.display()))
            .concat();
        let servers: String = upstreams
            .iter()
            .map(|upstream| format!("server {upstream};"))
            .collect();
        let folder_name = folder.display();
        let config = format!(
            "daemon off; master_process off; pid {folder_name}/pid; error_log {folder_name}/error.log;
             events {{}}
             http {{
                 access_log off; {paths} {http}
                 upstream nodes {{ {servers} }}
                 server {{
                     listen {address} {listen};
                     location / {{ proxy_pass http://nodes; }}
                 }}
             }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is missing; install it with: apt-get install -y nginx");
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "nginx does not listen"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Self {
            process,
            address,
            folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}
