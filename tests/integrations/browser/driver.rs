//! A headless browser of a test's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use thirtyfour::common::config::WebDriverConfig;
use thirtyfour::error::WebDriverError;
use thirtyfour::extensions::cdp::ChromeDevTools;
use thirtyfour::prelude::*;
use thirtyfour::session::http::{Body, HttpClient};

use crate::firefox;

pub(crate) struct Browser {
    pub(crate) page: WebDriver,
    /// Chromium's driver, or Firefox itself.
    process: Process,
    /// Of the driver. Kept open: writing to a closed one would end it.
    _output: Option<BufReader<ChildStdout>>,
    profile: PathBuf,
}

impl Browser {
    pub(crate) async fn firefox() -> Self {
        let profile = firefox::profile();
        let (process, client) = firefox::start(&profile).await;
        let page = WebDriver::new_with_config_and_client(
            "http://firefox",
            DesiredCapabilities::firefox(),
            WebDriverConfig::default(),
            client,
        );
        Self {
            page: patient(page.await.expect("a session")).await,
            process,
            _output: None,
            profile,
        }
    }

    /// Chromium, through a chromedriver of its own.
    pub(crate) async fn start() -> Self {
        // The port that it gets for one version of IP may be taken in the other, and then it ends.
        let started = (0..10).find_map(|_| chromedriver());
        let (chromedriver, output, port) = started.expect("chromedriver says where it is");

        let profile = std::env::temp_dir().join(format!("tower-sse-browser-{port}"));
        let mut chromium = DesiredCapabilities::chrome();
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // The tests' servers sign their own.
            "--ignore-certificate-errors",
            &format!("--user-data-dir={}", profile.display()),
        ] {
            chromium.add_arg(flag).unwrap();
        }
        let session = async || {
            let page = WebDriver::new_with_config_and_client(
                format!("http://127.0.0.1:{port}"),
                chromium.clone(),
                WebDriverConfig::default(),
                Http::new(),
            );
            page.await
        };
        // The driver gives a browser a minute to start, which a busy machine may need.
        let mut page = session().await;
        for _ in 0..2 {
            if let Err(error) = &page {
                eprintln!("{error}");
                page = session().await;
            }
        }
        Self {
            page: patient(page.expect("package chromium is installed")).await,
            process: chromedriver,
            _output: Some(output),
            profile,
        }
    }

    /// Lays the page out for a screen of this size, as on a phone if it is narrow.
    pub(crate) async fn resize(&self, width: u32, height: u32, scheme: &str) {
        let phone = width < 600;
        let screen = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": if phone { 2 } else { 1 },
            "mobile": phone,
        });
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            // Nothing is caught half-way.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        for (command, parameters) in [
            ("Emulation.setDeviceMetricsOverride", screen),
            ("Emulation.setEmulatedMedia", media),
        ] {
            self.tell(command, parameters).await;
        }
    }

    /// Runs a script in every page before the page's own.
    pub(crate) async fn run_first(&self, script: &str) {
        let script = json!({ "source": script });
        self.tell("Page.addScriptToEvaluateOnNewDocument", script)
            .await;
    }

    async fn tell(&self, command: &str, parameters: Value) {
        let tools = ChromeDevTools::new(Arc::clone(&self.page.handle));
        let answer = tools.execute_cdp_with_params(command, parameters).await;
        answer.unwrap();
    }

    /// Writes `target/screenshots/<name>.png`.
    pub(crate) async fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        self.page.screenshot(&file).await.unwrap();
    }

    pub(crate) async fn quit(self) {
        // `WebDriver::quit` takes what `Drop` forbids to give away; a clone is the same session.
        self.page.clone().quit().await.unwrap();
    }
}

/// Gives scripts as long as everything else has. The default is half a minute.
async fn patient(page: WebDriver) -> WebDriver {
    let time = Duration::from_secs(120);
    page.set_script_timeout(time).await.unwrap();
    page
}

/// Runs until it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    fn end(&mut self) {
        // Chromium goes with its driver. Errors say that it has gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.process.end();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// A chromedriver, its output, and the port that it has chosen; `None` if it has ended.
fn chromedriver() -> Option<(Process, BufReader<ChildStdout>, u16)> {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("package chromium-driver is installed");
    let stdout = process.stdout.take().expect("its output is piped");
    let (process, mut output) = (Process(process), BufReader::new(stdout));
    let port = port(&mut output)?;
    Some((process, output, port))
}

/// The port in `... started successfully on port 40123.`
fn port(output: &mut impl BufRead) -> Option<u16> {
    output.lines().find_map(|line| {
        let line = line.expect("its output is text");
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}

/// thirtyfour's own HTTP client would be the only one here that is not hyper.
struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let failed = |error: &dyn ToString| WebDriverError::HttpError(error.to_string());
        let request = request.map(|body| match body {
            Body::Empty => Full::default(),
            Body::Json(value) => Full::from(value.to_string()),
        });
        let response = self.0.request(request).await.map_err(|e| failed(&e))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|e| failed(&e))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Self::new())
    }
}
