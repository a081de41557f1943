//! The live ticker over both of its transports.

use thirtyfour::prelude::*;

use crate::driver::Browser;
use crate::plugs::pull_plugs;
use crate::shown::{Shown, click, in_play, open, shown, until};
use crate::support::Example;

/// Old clients have none, and some shields take it away.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn does_without_event_source() {
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
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
    let example = Example::start("live", &["--speed", "10", "--plug", "60"]);
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
    until(&browser, "open", |page| {
        page.received > closed.received + 2 && page.is_whole()
    })
    .await;

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
