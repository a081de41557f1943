//! The live ticker in a real browser: what its page shows is what is tested.

mod driver;
#[cfg(all(feature = "axum", feature = "compression"))]
mod gzip;
#[cfg(feature = "axum")]
mod pages;
mod plug;
#[cfg(feature = "axum")]
mod readme;
mod refused;
#[path = "../../support/example.rs"]
mod support;
mod tabs;

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use self::driver::Browser;
use self::support::Example;

/// What the page shows about its connection.
#[derive(Debug, Deserialize)]
struct Shown {
    state: String,
    /// The name of the transport.
    via: String,
    verdict: String,
    text: String,
    last_id: String,
    /// Of the newest line.
    number: u64,
    received: u64,
    missing: u64,
    doubled: u64,
    resumed: u64,
    notice: Option<String>,
    lines: u64,
    /// The text of the button.
    plug: String,
    subscribers: String,
    tabs: String,
    stale: bool,
    /// The newest one, and how many of the lines below it were caught up on.
    marker: String,
    caught_up: u64,
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
    fn is_whole(&self) -> bool {
        (self.missing, self.doubled) == (0, 0)
            && self.verdict == "good"
            && self.text == "Nothing missing, nothing twice"
    }

    fn is_whole_since_a_gap(&self) -> bool {
        (self.missing, self.doubled) == (0, 0)
            && self.verdict == "gap"
            && self.text == "Complete since the gap"
    }

    /// The plug is out, and the page has noticed.
    fn is_unplugged(&self) -> bool {
        self.plug.starts_with("Put it back") && self.state == "connecting"
    }

    fn waiting(&self) -> u64 {
        let number = self.text.split_once(" event").map(|(number, _)| number);
        number.map_or(0, |number| number.parse().unwrap())
    }

    fn epoch(&self) -> &str {
        self.last_id.split('-').next().unwrap()
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
    // The driver would leave it under the drawer.
    button.scroll_into_view().await.unwrap();
    button.click().await.unwrap();
}

async fn open(example: &Example, path: &str) -> Browser {
    let browser = Browser::start().await;
    browser.resize(1280, 800, "light").await;
    let address = format!("http://{}/{path}", example.authority);
    browser.page.goto(address).await.unwrap();
    browser
}

async fn in_play(browser: &Browser) -> Shown {
    let start = until(browser, "open", |page| {
        page.state == "open" && page.received >= 3 && page.is_whole()
    });
    let start = start.await;
    assert!(start.lines >= 3);
    start
}

/// Pulls the plug and puts it back, this many times, and sees the page resume with nothing lost.
async fn pull_plugs(browser: &Browser, plugs: u64) {
    let start = in_play(browser).await;
    let mut before = start.received;
    for plug in 1..=plugs {
        click(browser, "plug").await;
        until(browser, "away", Shown::is_unplugged).await;
        click(browser, "plug").await;
        // `resumed` counts the times the state has left open and come back to it.
        let back = until(browser, "back", |page| {
            page.resumed == start.resumed + plug
                && page.state == "open"
                && page.plug == "Pull the plug"
                && page.received > before
        });
        let back = back.await;
        assert!(back.is_whole(), "after plug {plug}: {back:?}");
        assert_eq!(back.via, start.via);
        before = back.received;
    }
    let end = shown(browser).await;
    assert_eq!(end.epoch(), start.epoch());
    assert_eq!(end.number - start.number, end.received - start.received);
    assert!(end.number >= start.number + plugs);
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn ten_pulled_plugs() {
    let example = Example::start("live", &["--speed", "10"]);
    let browser = open(&example, "").await;
    assert_eq!(in_play(&browser).await.via, "EventSource");
    pull_plugs(&browser, 10).await;
    browser.screenshot("desktop-resumed").await;

    closes_and_opens_again(&browser).await;
    let _example = starts_over_with_a_new_server(&browser, example).await;
    fits_its_screens(&browser, "").await;
    browser.quit().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn ten_pulled_plugs_in_long_polls() {
    let example = Example::start("live", &["--speed", "10"]);
    let browser = open(&example, "?transport=poll").await;
    assert_eq!(in_play(&browser).await.via, "Long poll");
    pull_plugs(&browser, 10).await;
    browser.screenshot("desktop-resumed-poll").await;

    closes_and_opens_again(&browser).await;
    let _example = starts_over_with_a_new_server(&browser, example).await;
    fits_its_screens(&browser, "-poll").await;
    browser.quit().await;
}

/// Old clients have none, and some shields take it away.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn does_without_event_source() {
    let example = Example::start("live", &["--speed", "10"]);
    let browser = Browser::start().await;
    browser.run_first("delete window.EventSource").await;
    let address = format!("http://{}/?transport=stream", example.authority);
    browser.page.goto(address).await.unwrap();
    assert_eq!(in_play(&browser).await.via, "Long poll");
    let stream = browser.page.find(By::Id("stream")).await.unwrap();
    assert!(!stream.is_enabled().await.unwrap());
    pull_plugs(&browser, 2).await;
    browser.quit().await;
}

/// From one transport to the other and back, with a plug pulled before, after, or amid it.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn changes_transports_and_loses_nothing() {
    let example = Example::start("live", &["--speed", "10"]);
    let browser = open(&example, "").await;
    let start = in_play(&browser).await;
    let mut before = start.received;
    for round in 0..8 {
        let (transport, name) = [("poll", "Long poll"), ("stream", "EventSource")][round % 2];
        if round % 3 == 1 {
            click(&browser, "plug").await;
        }
        click(&browser, transport).await;
        if round % 3 == 2 {
            click(&browser, "plug").await;
        }
        if round % 3 > 0 {
            until(&browser, "away", Shown::is_unplugged).await;
            click(&browser, "plug").await;
        }
        let after = until(&browser, "over", |page| {
            page.via == name
                && page.state == "open"
                && page.verdict != "behind"
                && page.received > before + 2
        });
        let after = after.await;
        assert!(after.is_whole(), "over to {name}: {after:?}");
        let address = browser.page.current_url().await.unwrap();
        assert_eq!(address.query(), Some(&*format!("transport={transport}")));
        before = after.received;
    }
    let end = until(&browser, "back", |page| page.resumed >= start.resumed + 8).await;
    assert!(end.is_whole(), "{end:?}");
    assert_eq!(end.epoch(), start.epoch());
    assert_eq!(end.number - start.number, end.received - start.received);

    // While it is closed, it is for the next time.
    browser.resize(390, 844, "light").await;
    click(&browser, "toggle").await;
    click(&browser, "poll").await;
    let closed = shown(&browser).await;
    let state = (&*closed.state, &*closed.via);
    assert_eq!(state, ("closed", "Long poll"));
    browser.screenshot("phone-closed-poll").await;
    click(&browser, "toggle").await;
    let again = until(&browser, "open", |page| page.received > closed.received + 2);
    assert!(again.await.is_whole());

    // Without a server both keep trying.
    drop(example);
    until(&browser, "cut off", |page| page.verdict == "down").await;
    browser.screenshot("phone-down-poll").await;
    click(&browser, "stream").await;
    let still = shown(&browser).await;
    let state = (&*still.state, &*still.via);
    assert_eq!(state, ("connecting", "EventSource"));
    browser.quit().await;
}

/// What the page's own parser makes of an event stream, by the standard.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn parses_as_the_standard_says() {
    let example = Example::start("live", &[]);
    let browser = open(&example, "?transport=poll").await;
    let parse = r#"
        const [text, done] = arguments;
        import("/transports.js").then(({ parse }) => done(JSON.stringify(parse(text, "old"))));
    "#;
    let event = |kind: &str, id: &str, data: &str| json!({ "type": kind, "id": id, "data": data });
    for (text, events, id, retry) in [
        ("", json!([]), "old", json!(null)),
        (
            ":\nretry: 100\nid: 1\ndata: x\n\n",
            json!([event("message", "1", "x")]),
            "1",
            json!(100),
        ),
        (
            "event: goal\r\nid:1\r\ndata:a\r\ndata: b\r\ndata:  c\r\n\r\ndata\r\rdata\ndata\n\n",
            json!([
                event("goal", "1", "a\nb\n c"),
                event("message", "1", ""),
                event("message", "1", "\n")
            ]),
            "1",
            json!(null),
        ),
        // An ID without data moves the place; an event without data is none, and its type is over.
        (
            "id: 2\n\nevent: goal\n\ndata: x\n\nid\n\n",
            json!([event("message", "2", "x")]),
            "",
            json!(null),
        ),
        // What is broken off counts for nothing.
        (
            "id: 3\ndata: x\n\nid: 4\ndata: y\n",
            json!([event("message", "3", "x")]),
            "3",
            json!(null),
        ),
        (
            "id: 3\ndata: x\n\ndata: y\n\nid: 4",
            json!([event("message", "3", "x"), event("message", "3", "y")]),
            "3",
            json!(null),
        ),
        (
            "id: a\0b\nretry: -1\nretry: 1e3\nDATA: x\ndatas: x\n data: x\ndata: \u{2028}y: z\n\n",
            json!([event("message", "old", "\u{2028}y: z")]),
            "old",
            json!(null),
        ),
    ] {
        let parsed = browser.page.execute_async(parse, vec![text.into()]);
        let parsed: String = parsed.await.unwrap().convert().unwrap();
        let parsed: Value = serde_json::from_str(&parsed).unwrap();
        let expected = json!({ "events": events, "id": id, "retry": retry });
        assert_eq!(parsed, expected, "{text:?}");
    }
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
                        const data = JSON.stringify({ number, clock: "1", what: "words", score: [0, 0], text: "x" });
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
    click(browser, "toggle").await;
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

    click(browser, "toggle").await;
    let again = until(browser, "open again", |page| {
        page.resumed == closed.resumed + 1 && page.received > closed.received + 2
    });
    let again = again.await;
    assert!(again.is_whole(), "{again:?}");
    assert_eq!(again.epoch(), closed.epoch());
    let since = again.number - closed.number;
    assert_eq!(since, again.received - closed.received);
}

/// A restarted server does not know the page's ID: it says so, and the page shows it.
async fn starts_over_with_a_new_server(browser: &Browser, example: Example) -> Example {
    let port = example.port().to_owned();
    drop(example);
    let before = until(browser, "cut off", |page| page.verdict == "down").await;
    assert_eq!(before.text, "The server does not answer");
    assert!(before.stale);
    let example = Example::start("live", &["--speed", "10", "--port", &port]);
    let after = until(browser, "started over", |page| {
        page.state == "open" && page.notice.is_some() && page.received > 5
    });
    let after = after.await;
    assert_ne!(after.epoch(), before.epoch());
    assert!(after.notice.as_ref().unwrap().contains(&before.last_id));
    let transport = if after.via == "Long poll" {
        "-poll"
    } else {
        ""
    };
    browser
        .screenshot(&format!("desktop-started-over{transport}"))
        .await;
    // Whatever comes later, the page no longer says that nothing is missing.
    assert!(after.is_whole_since_a_gap(), "{after:?}");
    click(browser, "plug").await;
    until(browser, "away", |page| page.state == "connecting").await;
    click(browser, "plug").await;
    let back = until(browser, "back", |page| page.resumed > after.resumed).await;
    assert!(back.is_whole_since_a_gap(), "{back:?}");
    example
}

async fn fits_its_screens(browser: &Browser, transport: &str) {
    until(browser, "in full swing", |page| {
        page.state == "open" && page.lines > 20
    })
    .await;
    // Nothing scrolls sideways, and no text leaves its box, however long it is.
    let fits = r#"
        for (const name of document.querySelectorAll(".name")) {
            name.textContent = "Donaudampfschifffahrts-Verein für Leibesübungen 1900";
        }
        document.querySelector(".line .at").textContent = "90+5′";
        const inside = (element) => element.scrollWidth <= element.clientWidth;
        const at = document.querySelector(".line .at");
        return inside(document.documentElement) && inside(document.querySelector(".board"))
            && inside(at) && [...document.querySelectorAll(".name")].every(inside);
    "#;
    for (name, width, height) in [
        ("small", 320, 640),
        ("phone", 390, 844),
        ("desktop", 1280, 800),
    ] {
        for scheme in ["light", "dark"] {
            browser.resize(width, height, scheme).await;
            browser
                .screenshot(&format!("{name}-{scheme}{transport}"))
                .await;
            let fits = browser.page.execute(fits, vec![]).await.unwrap();
            let file = format!("{name}-{scheme}-long-names{transport}");
            browser.screenshot(&file).await;
            assert!(fits.convert::<bool>().unwrap(), "{name} does not fit");
        }
    }
}
