//! The live ticker in several tabs, which share one stream.

use crate::shown::{click, in_play, open, shown, until};
use crate::support::Example;

/// A browser opens six connections to a host. The tabs share one stream.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn a_seventh_tab() {
    let example = Example::start("live", &["--speed", "5", "--plug", "60"]);
    let browser = open(&example, "").await;
    let mut tabs = vec![browser.page.window().await.unwrap()];
    let address = format!("http://{}/", example.authority);
    for _ in 1..7 {
        tabs.push(browser.page.new_tab().await.unwrap());
        let tab = tabs.last().unwrap().clone();
        browser.page.switch_to_window(tab).await.unwrap();
        browser.page.goto(&address).await.unwrap();
        in_play(&browser).await;
    }
    until(&browser, "shared", |page| {
        page.tabs == "7 tabs share it now."
    })
    .await;
    assert_eq!(shown(&browser).await.subscribers, "1");

    // The last one's plug is the plug of all.
    click(&browser, "plug").await;
    until(&browser, "away", |page| page.waiting() > 1).await;
    click(&browser, "plug").await;
    for tab in &tabs {
        browser.page.switch_to_window(tab.clone()).await.unwrap();
        let back = until(&browser, "back", |page| {
            page.resumed == 1 && page.state == "open" && page.is_whole()
        });
        assert!(back.await.caught_up > 1);
    }

    // The first tab holds the stream. The others resume without it and lose nothing.
    browser
        .page
        .switch_to_window(tabs[0].clone())
        .await
        .unwrap();
    browser.page.close_window().await.unwrap();
    for tab in &tabs[1..] {
        browser.page.switch_to_window(tab.clone()).await.unwrap();
        let before = shown(&browser).await.received;
        let on = until(&browser, "going on", |page| {
            page.state == "open" && page.received > before + 3 && page.is_whole()
        });
        on.await;
    }
    until(&browser, "six", |page| page.tabs == "6 tabs share it now.").await;
    assert_eq!(shown(&browser).await.subscribers, "1");
    browser.quit().await;
}

/// A tab that has closed its stream resumes among the others, and a tab that opens then sees the whole
/// match, which the leading tab does not remember.
#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn a_tab_beside_one_that_has_resumed() {
    let example = Example::start("live", &["--speed", "5", "--plug", "60"]);
    let browser = open(&example, "").await;
    let first = browser.page.window().await.unwrap();
    in_play(&browser).await;
    click(&browser, "toggle").await;
    let closed = until(&browser, "closed", |page| page.state == "closed").await;
    click(&browser, "toggle").await;
    until(&browser, "resumed", |page| {
        page.received > closed.received + 1
    })
    .await;

    let second = browser.page.new_tab().await.unwrap();
    browser.page.switch_to_window(second).await.unwrap();
    let address = format!("http://{}/", example.authority);
    browser.page.goto(&address).await.unwrap();
    let whole = until(&browser, "shared", |page| {
        page.tabs == "2 tabs share it now." && page.subscribers == "1" && page.is_whole()
    });
    let whole = whole.await;
    assert!(whole.received >= closed.received, "{whole:?}");
    assert_eq!(
        whole.number, whole.received,
        "it begins with the first line"
    );
    browser.page.switch_to_window(first).await.unwrap();
    until(&browser, "whole", |page| {
        page.received > whole.received && page.is_whole()
    })
    .await;
    browser.quit().await;
}
