//! The live ticker behind an nginx with TLS and HTTP/2: what a site deploys.

use std::path::PathBuf;

use serde_json::json;

use crate::driver::Browser;
use crate::nginx::{Nginx, Settings};
use crate::plugs::pull_plugs;
use crate::shown::in_play;
use crate::support::Example;

struct Front {
    nginx: Nginx,
    /// Of the certificate and its key.
    folder: PathBuf,
}

impl Front {
    fn before(example: &Example) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let name = format!("tower-sse-front-{}", example.port());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        std::fs::write(&certificate, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let http = format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            certificate.display(),
            key.display()
        );
        let settings = Settings {
            http: &http,
            listen: "ssl http2",
        };
        let nginx = Nginx::with(settings, &[example.authority.parse().unwrap()]);
        Self { nginx, folder }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Opens streams that are not shared, and waits until each has a line of the match.
const STREAMS: &str = r#"
    const [count, done] = arguments;
    const sources = [];
    let open = 0;
    for (let n = 0; n < count; n += 1) {
        const source = new EventSource(`events?page=${n}`);
        sources.push(source);
        source.addEventListener("message", () => {
            open += 1;
            if (open < count) return;
            for (const source of sources) source.close();
            done(performance.getEntriesByType("navigation")[0].nextHopProtocol);
        }, { once: true });
        source.onerror = () => done(`stream ${n} failed after ${open} opened`);
    }
"#;

async fn plays(browser: Browser) {
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
    let front = Front::before(&example);
    let address = format!("https://localhost:{}/", front.nginx.address.port());
    browser.page.goto(address).await.unwrap();
    in_play(&browser).await;
    pull_plugs(&browser, 3).await;

    let protocol = browser
        .page
        .execute_async(STREAMS, vec![json!(20)])
        .await
        .unwrap();
    assert_eq!(protocol.convert::<String>().unwrap(), "h2");
    browser.quit().await;
}

#[tokio::test]
#[ignore = "needs chromium, chromium-driver and nginx; .ci/run runs it"]
async fn plays_in_chromium() {
    plays(Browser::start().await).await;
}

#[tokio::test]
#[ignore = "needs firefox-esr and nginx; .ci/run runs it"]
async fn plays_in_firefox() {
    plays(Browser::firefox().await).await;
}
