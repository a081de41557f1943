//! What the page of `live` shows.

use std::time::{Duration, Instant};

use serde::Deserialize;
use thirtyfour::prelude::*;

use crate::driver::Browser;
use crate::support::Example;

/// What the page shows about its connection.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    pub(crate) state: String,
    /// The name of the transport.
    pub(crate) via: String,
    pub(crate) verdict: String,
    pub(crate) text: String,
    pub(crate) last_id: String,
    /// Of the newest line.
    pub(crate) number: u64,
    pub(crate) received: u64,
    pub(crate) missing: u64,
    pub(crate) doubled: u64,
    pub(crate) resumed: u64,
    pub(crate) notice: Option<String>,
    pub(crate) lines: u64,
    /// The text of the button.
    pub(crate) plug: String,
    pub(crate) subscribers: String,
    pub(crate) tabs: String,
    pub(crate) stale: bool,
    /// The newest one, and how many of the lines below it were caught up on.
    pub(crate) marker: String,
    pub(crate) caught_up: u64,
}

const SHOWN: &str = r#"
    const text = (id) => document.getElementById(id).textContent;
    const notice = document.getElementById("notice");
    const marker = document.querySelector(".note");
    let caughtUp = 0;
    let line = marker?.nextElementSibling;
    for (; line?.matches(".caught-up"); line = line.nextElementSibling) caughtUp += 1;
    return {
        state: document.getElementById("state").dataset.state,
        via: text("state-via"),
        verdict: document.getElementById("verdict").dataset.verdict,
        text: text("verdict-text"),
        last_id: text("last-id"),
        number: Number(document.querySelector(".line")?.dataset.number ?? 0),
        received: Number(text("received")),
        missing: Number(text("missing")),
        doubled: Number(text("doubled")),
        resumed: Number(text("resumed")),
        notice: notice.hidden ? null : notice.textContent,
        lines: document.querySelectorAll(".line").length,
        plug: text("plug-text"),
        subscribers: text("subscribers"),
        tabs: text("tabs"),
        stale: document.body.matches(".stale"),
        marker: marker?.textContent ?? "",
        caught_up: caughtUp,
    };
"#;

impl Shown {
    pub(crate) fn is_whole(&self) -> bool {
        (self.missing, self.doubled) == (0, 0)
            && self.verdict == "good"
            && self.text == "Nothing missing, no duplicates"
    }

    pub(crate) fn is_whole_since_a_gap(&self) -> bool {
        (self.missing, self.doubled) == (0, 0)
            && self.verdict == "gap"
            && self.text == "Complete since the gap"
    }

    /// The plug is out, and the page has noticed.
    pub(crate) fn is_unplugged(&self) -> bool {
        self.plug.starts_with("Put it back") && self.state == "connecting"
    }

    pub(crate) fn waiting(&self) -> u64 {
        let number = self.text.split_once(" event").map(|(number, _)| number);
        number.map_or(0, |number| number.parse().unwrap())
    }

    pub(crate) fn epoch(&self) -> &str {
        self.last_id.split('-').next().unwrap()
    }
}

pub(crate) async fn shown(browser: &Browser) -> Shown {
    let shown = browser.page.execute(SHOWN, vec![]).await.unwrap();
    shown.convert().unwrap()
}

/// Looks at the page until it shows this.
pub(crate) async fn until(browser: &Browser, what: &str, holds: impl Fn(&Shown) -> bool) -> Shown {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let shown = shown(browser).await;
        if holds(&shown) {
            return shown;
        }
        assert!(Instant::now() < deadline, "not {what} in time: {shown:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn click(browser: &Browser, button: &str) {
    let button = browser.page.find(By::Id(button)).await.unwrap();
    // The driver would leave it under the drawer.
    button.scroll_into_view().await.unwrap();
    button.click().await.unwrap();
}

pub(crate) async fn open(example: &Example, path: &str) -> Browser {
    let browser = Browser::start().await;
    browser.resize(1280, 800, "light").await;
    let address = format!("http://{}/{path}", example.authority);
    browser.page.goto(address).await.unwrap();
    browser
}

pub(crate) async fn in_play(browser: &Browser) -> Shown {
    let start = until(browser, "open", |page| {
        page.state == "open" && page.received >= 3 && page.is_whole()
    });
    let start = start.await;
    assert!(start.lines >= 3);
    start
}
