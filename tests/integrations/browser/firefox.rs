//! A headless Firefox, told in Marionette what WebDriver says: the part of geckodriver that these tests
//! need.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use thirtyfour::error::{WebDriverError, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::driver::Process;

/// What a profile says so that Firefox is quiet and takes a free port.
const PREFERENCES: &str = r#"
    user_pref("app.normandy.enabled", false);
    user_pref("app.update.enabled", false);
    user_pref("browser.shell.checkDefaultBrowser", false);
    user_pref("datareporting.policy.dataSubmissionEnabled", false);
    user_pref("extensions.update.enabled", false);
    user_pref("marionette.port", 0);
    user_pref("network.captive-portal-service.enabled", false);
    user_pref("network.connectivity-service.enabled", false);
    user_pref("toolkit.telemetry.enabled", false);
"#;

/// Starts Firefox with a new profile in this folder. Returns the process and its WebDriver.
pub(super) async fn start(profile: &Path) -> (Process, Marionette) {
    std::fs::create_dir_all(profile).unwrap();
    std::fs::write(profile.join("user.js"), PREFERENCES).unwrap();
    // Debian's, or the only one that there is.
    let installed = ["firefox-esr", "firefox"].into_iter().find_map(|name| {
        let mut firefox = Command::new(name);
        prepare(&mut firefox, profile);
        firefox.spawn().ok()
    });
    let firefox = Process(installed.expect("package firefox-esr is installed"));
    let file = profile.join("MarionetteActivePort");
    let deadline = Instant::now() + Duration::from_secs(120);
    let port = loop {
        let port = std::fs::read_to_string(&file).unwrap_or_default();
        if let Ok(port) = port.trim().parse() {
            break port;
        }
        assert!(Instant::now() < deadline, "Firefox has not begun to listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    (firefox, Marionette::connect(port).await)
}

fn prepare(firefox: &mut Command, profile: &Path) {
    firefox
        .args(["--headless", "--marionette", "--no-remote", "--profile"])
        .arg(profile)
        .env("HOME", profile)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
}

/// The folder of the next profile.
pub(super) fn profile() -> PathBuf {
    static PROFILES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = PROFILES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("tower-sse-firefox-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

#[derive(Clone)]
pub(super) struct Marionette(Arc<Mutex<Connection>>);

struct Connection {
    socket: BufReader<TcpStream>,
    commands: u64,
}

impl Marionette {
    async fn connect(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut connection = Connection {
            socket: BufReader::new(socket),
            commands: 0,
        };
        connection.read().await.expect("a greeting");
        Self(Arc::new(Mutex::new(connection)))
    }
}

impl Connection {
    /// Messages are JSON after their length and a colon.
    async fn read(&mut self) -> io::Result<Value> {
        let mut length = 0;
        loop {
            match self.socket.read_u8().await? {
                b':' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut message = vec![0; length];
        self.socket.read_exact(&mut message).await?;
        Ok(serde_json::from_slice(&message)?)
    }

    /// The result, or the error as WebDriver has it.
    async fn tell(
        &mut self,
        command: &str,
        parameters: &Value,
    ) -> io::Result<Result<Value, Value>> {
        self.commands += 1;
        let message = json!([0, self.commands, command, parameters]).to_string();
        let message = format!("{}:{message}", message.len());
        self.socket.write_all(message.as_bytes()).await?;
        let mut answer = self.read().await?;
        assert_eq!(answer[1], self.commands, "{answer}");
        let [error, result] = [2, 3].map(|at| answer[at].take());
        Ok(if error.is_null() {
            Ok(result)
        } else {
            Err(error)
        })
    }
}

/// The command for a request to `/session/ID/...`, and what it takes from the path.
fn command(method: &Method, path: &[&str]) -> Option<(&'static str, Value)> {
    let command = match (method.as_str(), path) {
        ("POST", ["url"]) => "WebDriver:Navigate",
        ("POST", ["timeouts"]) => "WebDriver:SetTimeouts",
        ("POST", ["refresh"]) => "WebDriver:Refresh",
        ("POST", ["execute", "sync"]) => "WebDriver:ExecuteScript",
        ("POST", ["execute", "async"]) => "WebDriver:ExecuteAsyncScript",
        ("POST", ["element"]) => "WebDriver:FindElement",
        ("GET", ["screenshot"]) => "WebDriver:TakeScreenshot",
        ("DELETE", []) => "Marionette:Quit",
        ("POST", ["element", id, "click"]) => {
            return Some(("WebDriver:ElementClick", json!({ "id": id })));
        }
        _ => return None,
    };
    Some((command, json!({})))
}

#[async_trait::async_trait]
impl HttpClient for Marionette {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let path: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        let (command, mut parameters) = match &*path {
            // There is nobody to choose a browser, so these are the capabilities.
            ["session"] => (
                "WebDriver:NewSession",
                json!({ "acceptInsecureCerts": true }),
            ),
            ["session", _, rest @ ..] => command(request.method(), rest)
                .unwrap_or_else(|| panic!("not spoken here: {} {path:?}", request.method())),
            _ => panic!("not spoken here: {path:?}"),
        };
        if let (Body::Json(Value::Object(body)), false) = (request.body(), path == ["session"]) {
            let parameters = parameters.as_object_mut().expect("an object");
            parameters.extend(body.clone());
        }
        let answer = self.0.lock().await.tell(command, &parameters).await;
        let answer = answer.map_err(|error| WebDriverError::HttpError(error.to_string()))?;
        let (status, body) = match answer {
            Ok(result) if result.get("value").is_some() => (200, result),
            Ok(result) => (200, json!({ "value": result })),
            Err(error) => (500, json!({ "value": error })),
        };
        let response = Response::builder().status(status);
        Ok(response.body(body.to_string().into()).expect("a response"))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(self.clone())
    }
}
