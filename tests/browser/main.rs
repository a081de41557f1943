//! The live ticker in a real browser: what its page shows is what is tested.

mod driver;
#[path = "../support/example.rs"]
mod support;

use std::time::{Duration, Instant};

use serde::Deserialize;
use thirtyfour::prelude::*;

use self::driver::Browser;
use self::support::Example;

/// What the page shows about its connection.
#[derive(Debug, Deserialize)]
struct Shown {
    state: String,
    verdict: String,
    text: String,
    last_id: String,
    received: u64,
    missing: u64,
    doubled: u64,
    resumed: u64,
    notice: Option<String>,
    lines: u64,
}

const SHOWN: &str = r#"
    const text = (id) => document.getElementById(id).textContent;
    const notice = document.getElementById("notice");
    return {
        state: document.getElementById("state").dataset.state,
        verdict: document.getElementById("verdict").dataset.verdict,
        text: text("verdict-text"),
        last_id: text("last-id"),
        received: Number(text("received")),
        missing: Number(text("missing")),
        doubled: Number(text("doubled")),
        resumed: Number(text("resumed")),
        notice: notice.hidden ? null : notice.textContent,
        lines: document.querySelectorAll(".line").length,
    };
"#;

impl Shown {
    fn is_whole(&self) -> bool {
        (self.missing, self.doubled) == (0, 0)
            && self.verdict == "good"
            && self.text == "Nothing missing, nothing twice"
    }

    fn epoch(&self) -> &str {
        self.last_id.split('-').next().unwrap()
    }

    fn number(&self) -> u64 {
        self.last_id.split('-').nth(1).unwrap().parse().unwrap()
    }
}

async fn shown(browser: &Browser) -> Shown {
    let shown = browser.page.execute(SHOWN, vec![]).await.unwrap();
    shown.convert().unwrap()
}

/// Looks at the page until it shows this.
async fn until(browser: &Browser, what: &str, holds: impl Fn(&Shown) -> bool) -> Shown {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let shown = shown(browser).await;
        if holds(&shown) {
            return shown;
        }
        assert!(Instant::now() < deadline, "not {what} in time: {shown:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn click(browser: &Browser, button: &str) {
    let button = browser.page.find(By::Id(button)).await.unwrap();
    button.click().await.unwrap();
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn ten_pulled_plugs() {
    let example = Example::start("live", &["--speed", "10"]);
    let browser = Browser::start().await;
    browser.resize(1280, 800, "light").await;
    let address = format!("http://{}/", example.authority);
    browser.page.goto(address).await.unwrap();
    let start = until(&browser, "open", |page| {
        page.state == "open" && page.received >= 3 && page.is_whole()
    });
    let start = start.await;
    assert!(start.lines >= 3);

    let mut before = start.received;
    for plug in 1..=10 {
        click(&browser, "plug").await;
        // `resumed` counts the times the state has left open and come back to it.
        let back = until(&browser, "back", |page| {
            page.resumed == plug && page.state == "open" && page.received > before
        });
        let back = back.await;
        assert!(back.is_whole(), "after plug {plug}: {back:?}");
        before = back.received;
    }
    let end = shown(&browser).await;
    assert_eq!(end.epoch(), start.epoch());
    assert_eq!(end.number() - start.number(), end.received - start.received);
    assert!(end.number() > start.number() + 10);
    browser.screenshot("desktop-resumed").await;

    closes_and_opens_again(&browser).await;
    let _example = starts_over_with_a_new_server(&browser, example).await;
    fits_its_screens(&browser).await;
    browser.quit().await;
}

/// The page's books are worth something: they see what a stream has lost or sent again.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn sees_what_is_missing_and_what_is_twice() {
    let faulty = r#"
        window.EventSource = class extends EventTarget {
            readyState = 0;
            constructor() {
                super();
                setTimeout(() => {
                    this.readyState = 1;
                    this.onopen();
                    for (const number of IDS) {
                        const data = JSON.stringify({ clock: "1", what: "words", score: [0, 0], text: "x" });
                        this.dispatchEvent(new MessageEvent("message", { data, lastEventId: `a-${number}` }));
                    }
                });
            }
        };
    "#;
    let example = Example::start("live", &[]);
    for (ids, missing, doubled, text) in [
        ("[7, 8, 9]", 0, 0, "Nothing missing, nothing twice"),
        ("[7, 9, 10]", 1, 0, "1 missing, 0 twice"),
        ("[7, 8, 8, 9]", 0, 1, "0 missing, 1 twice"),
        ("[7, 8, 7, 8, 12]", 3, 2, "3 missing, 2 twice"),
    ] {
        let browser = Browser::start().await;
        browser.run_first(&faulty.replace("IDS", ids)).await;
        let address = format!("http://{}/", example.authority);
        browser.page.goto(address).await.unwrap();
        let page = until(&browser, "open", |page| page.received > 2).await;
        assert_eq!((page.missing, page.doubled), (missing, doubled), "{ids}");
        assert_eq!(page.text, text);
        assert_eq!(page.verdict == "good", missing + doubled == 0);
        assert_eq!(page.lines, page.received - doubled, "shown once");
        browser.quit().await;
    }
}

async fn closes_and_opens_again(browser: &Browser) {
    click(browser, "close").await;
    let closed = until(browser, "closed", |page| page.state == "closed").await;
    // Another connection sees the match go on, and this page does not.
    let others = r#"
        const [last, done] = arguments;
        const other = new EventSource(`events?lastEventId=${last}`);
        let seen = 0;
        other.onmessage = () => {
            if (++seen < 3) return;
            other.close();
            done(seen);
        };
    "#;
    let last = closed.last_id.clone().into();
    browser
        .page
        .execute_async(others, vec![last])
        .await
        .unwrap();
    let still = shown(browser).await;
    assert_eq!(still.received, closed.received);

    click(browser, "open").await;
    let again = until(browser, "open again", |page| {
        page.resumed == closed.resumed + 1 && page.received > closed.received + 2
    });
    let again = again.await;
    assert!(again.is_whole(), "{again:?}");
    assert_eq!(again.epoch(), closed.epoch());
    let since = again.number() - closed.number();
    assert_eq!(since, again.received - closed.received);
}

/// A restarted server does not know the page's ID: it says so, and the page shows it.
async fn starts_over_with_a_new_server(browser: &Browser, example: Example) -> Example {
    let before = shown(browser).await;
    let port = example.port().to_owned();
    drop(example);
    until(browser, "cut off", |page| page.state == "connecting").await;
    let example = Example::start("live", &["--speed", "10", "--port", &port]);
    let after = until(browser, "started over", |page| {
        page.state == "open" && page.notice.is_some() && page.received > 5
    });
    let after = after.await;
    assert_ne!(after.epoch(), before.epoch());
    assert!(after.notice.as_ref().unwrap().contains(&before.last_id));
    browser.screenshot("desktop-started-over").await;
    assert!(after.is_whole(), "{after:?}");
    // The plug works there too, and the notice goes.
    click(browser, "plug").await;
    let back = until(browser, "back", |page| page.resumed > before.resumed).await;
    assert_eq!(back.notice, None);
    assert!(back.is_whole(), "{back:?}");
    example
}

async fn fits_its_screens(browser: &Browser) {
    until(browser, "in full swing", |page| {
        page.state == "open" && page.lines > 20
    })
    .await;
    let fits =
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    for (name, width, height) in [
        ("small", 320, 640),
        ("phone", 390, 844),
        ("desktop", 1280, 800),
    ] {
        for scheme in ["light", "dark"] {
            browser.resize(width, height, scheme).await;
            let fits = browser.page.execute(fits, vec![]).await.unwrap();
            assert!(fits.convert::<bool>().unwrap(), "{name} scrolls sideways");
            browser.screenshot(&format!("{name}-{scheme}")).await;
        }
    }
}
