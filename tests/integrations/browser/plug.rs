//! The live ticker while its plug is out.

use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

use crate::driver::Browser;
use crate::shown::{Shown, click, in_play, open, shown, until};
use crate::support::Example;

/// The plug goes back in by itself. Until then the page says how many events wait, and then receives
/// them under the marker.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn a_plug_left_out() {
    // Several events wait in a fraction of that time.
    let example = Example::start("live", &["--speed", "8", "--plug", "10"]);
    let browser = open(&example, "").await;
    let before = in_play(&browser).await;
    assert!(!before.stale);
    screenshots(&browser, "before").await;
    click(&browser, "plug").await;
    until(&browser, "away", Shown::is_unplugged).await;
    let one = until(&browser, "waiting", |page| page.waiting() > 0).await;
    let three = until(&browser, "waiting for more", |page| {
        assert!(!page.text.contains("Nothing") && page.stale, "{page:?}");
        page.waiting() >= 3
    });
    let three = three.await;
    assert_eq!((&*three.state, three.number), ("connecting", one.number));
    screenshots(&browser, "during").await;

    let after = until(&browser, "back", |page| {
        page.resumed == 1 && page.state == "open" && page.plug == "Pull the plug"
    });
    let after = after.await;
    screenshots(&browser, "after").await;
    assert!(after.is_whole() && !after.stale, "{after:?}");
    let (_, counted) = after.marker.rsplit_once(": ").unwrap();
    assert_eq!(counted, format!("caught up on {} events", after.caught_up));
    assert!(after.marker.contains(&three.last_id), "{}", after.marker);
    assert!(after.caught_up >= 3);
    assert!(after.number >= three.number + after.caught_up);
    browser.quit().await;
}

/// Until the page knows that it has all of the history, it says so, and counts a resumption then as well.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn a_plug_pulled_while_history_arrives() {
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
    let browser = Browser::start().await;
    // The server's status, which says how long the history is, does not arrive until the test lets it.
    browser
        .run_first(
            r#"
            const request = window.fetch;
            const status = new Promise((resolve) => { window.letStatusIn = resolve; });
            window.fetch = async (path, options) => {
                if (path.startsWith("status")) await status;
                return request(path, options);
            };
            "#,
        )
        .await;
    let address = format!("http://{}/", example.authority);
    browser.page.goto(address).await.unwrap();
    let before = until(&browser, "open", |page| {
        page.state == "open" && page.received >= 3
    });
    let before = before.await;
    assert_eq!(before.verdict, "history", "{before:?}");
    click(&browser, "plug").await;
    let away = until(&browser, "away", Shown::is_unplugged).await;
    assert_eq!(away.verdict, "away");
    let let_in = browser.page.execute("letStatusIn()", vec![]).await;
    let_in.unwrap();
    click(&browser, "plug").await;
    let back = until(&browser, "back", |page| {
        page.resumed == 1 && page.state == "open" && page.received > away.received
    });
    let back = back.await;
    assert!(back.is_whole(), "{back:?}");
    browser.quit().await;
}

/// The drawer shows the request that resumes.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn shows_what_goes_over_the_wire() {
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
    let browser = open(&example, "").await;
    in_play(&browser).await;
    let drawer = browser.page.find(By::Css("#wire summary")).await.unwrap();
    drawer.click().await.unwrap();
    click(&browser, "plug").await;
    until(&browser, "away", |page| page.waiting() > 0).await;
    let lost = shown(&browser).await.last_id;
    click(&browser, "plug").await;
    until(&browser, "back", |page| page.resumed == 1).await;
    let log = browser.page.find(By::Id("wire-log")).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let wire = loop {
        let text = log.prop("textContent").await.unwrap().unwrap();
        if text.matches("HTTP/1.1 200 OK").count() == 2 {
            break text;
        }
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let asked = format!("last-event-id: {lost}\n");
    let seen = format!("id: {lost}\n");
    let [seen, cut, asked, answered] =
        [&seen, "connection lost", &asked, "HTTP/1.1 200 OK"].map(|text| {
            wire.rfind(text)
                .unwrap_or_else(|| panic!("no {text}: {wire}"))
        });
    // The ID is also in the header that names it.
    let seen = wire[..seen].rfind(&format!("id: {lost}")).unwrap_or(seen);
    assert!(seen < cut && cut < asked && asked < answered, "{wire}");
    browser.screenshot("desktop-wire").await;
    browser.quit().await;
}

async fn screenshots(browser: &Browser, moment: &str) {
    for (name, width, height) in [("phone", 390, 844), ("desktop", 1280, 800)] {
        for scheme in ["light", "dark"] {
            browser.resize(width, height, scheme).await;
            let file = format!("{name}-{scheme}-{moment}-the-plug");
            browser.screenshot(&file).await;
        }
    }
}
