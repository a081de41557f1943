//! The live ticker through many pulled plugs, a closed stream and a new server.

use crate::driver::Browser;
use crate::ports::free_port;
use crate::shown::{Shown, click, in_play, open, shown, until};
use crate::support::Example;

/// On a port that it can come back to. A slow machine gets around to putting its plugs back.
fn live(port: &str) -> Example {
    Example::start("live", &["--speed", "10", "--plug", "60", "--port", port])
}

/// Pulls the plug and puts it back, this many times, and sees the page resume with nothing lost.
pub(crate) async fn pull_plugs(browser: &Browser, plugs: u64) {
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
async fn twenty_pulled_plugs() {
    let example = live(&free_port().to_string());
    let browser = open(&example, "").await;
    assert_eq!(in_play(&browser).await.via, "EventSource");
    pull_plugs(&browser, 20).await;
    browser.screenshot("desktop-resumed").await;

    closes_and_opens_again(&browser).await;
    let _example = starts_over_with_a_new_server(&browser, example).await;
    fits_its_screens(&browser, "").await;
    browser.quit().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn ten_pulled_plugs_in_long_polls() {
    let example = live(&free_port().to_string());
    let browser = open(&example, "?transport=poll").await;
    assert_eq!(in_play(&browser).await.via, "Long poll");
    pull_plugs(&browser, 10).await;
    browser.screenshot("desktop-resumed-poll").await;

    closes_and_opens_again(&browser).await;
    let _example = starts_over_with_a_new_server(&browser, example).await;
    fits_its_screens(&browser, "-poll").await;
    browser.quit().await;
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
    assert_eq!(before.text, "The server is not responding");
    assert!(before.stale);
    let example = live(&port);
    let after = until(browser, "started over", |page| {
        page.verdict == "gap" && page.notice.is_some() && page.received > 5
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
        document.getElementById("state-text").textContent = "Connecting";
        document.getElementById("subscribers").textContent = "123";
        const [words, state] = [".state .words", ".state"]
            .map((name) => document.querySelector(name).getBoundingClientRect());
        const padded = words.left >= state.left + 20 && words.right <= state.right - 8;
        const inside = (element) => element.scrollWidth <= element.clientWidth;
        const at = document.querySelector(".line .at");
        return padded && inside(document.documentElement) && inside(document.querySelector(".board"))
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

#[tokio::test]
#[ignore = "needs firefox-esr; .ci/run runs it"]
async fn twenty_pulled_plugs_in_firefox() {
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
    let browser = Browser::firefox().await;
    let address = format!("http://{}/", example.authority);
    browser.page.goto(address).await.unwrap();
    assert_eq!(in_play(&browser).await.via, "EventSource");
    pull_plugs(&browser, 20).await;
    browser.quit().await;
}
