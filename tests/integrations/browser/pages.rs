//! The pages of the examples, which are a few lines of JavaScript each.

use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

use crate::driver::Browser;
use crate::ports::free_port;
use crate::support::Example;

async fn open(browser: &Browser, example: &Example, path: &str) {
    let address = format!("http://{}/{path}", example.authority);
    browser.page.goto(address).await.unwrap();
}

async fn eval(browser: &Browser, script: &str) -> serde_json::Value {
    let value = browser.page.execute(script, vec![]).await.unwrap();
    value.json().clone()
}

async fn text(browser: &Browser) -> String {
    let text = eval(browser, "return document.body.innerText").await;
    text.as_str().unwrap().to_owned()
}

async fn until(browser: &Browser, what: &str, holds: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let text = text(browser).await;
        if holds(&text) {
            return text;
        }
        assert!(Instant::now() < deadline, "not {what} in time: {text:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn find(browser: &Browser, css: &'static str) -> WebElement {
    browser.page.find(By::Css(css)).await.unwrap()
}

async fn llm(browser: &Browser) {
    let example = Example::start("llm", &[]);
    open(browser, &example, "").await;
    find(browser, "form button").await.click().await.unwrap();
    until(browser, "answering", |text| text.contains("You asked")).await;
    browser.page.refresh().await.unwrap();
    let end = "a token at a time.";
    let answer = until(browser, "answered", |text| text.contains(end)).await;
    let expected = "You asked: Why is the sky blue?\nA model would now";
    assert!(answer.contains(expected), "{answer}");
    assert_eq!(answer.matches("You asked").count(), 1);
    assert!(!answer.contains("[DONE]"));
    let closed = "return source.readyState === EventSource.CLOSED";
    while eval(browser, closed).await != true {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn chat(browser: &Browser) {
    let example = Example::start("chat", &[]);
    open(browser, &example, "").await;
    until(browser, "present", |text| text.contains("with anna")).await;
    let input = find(browser, "input").await;
    for line in ["Hello <b>all</b>", "/kick ben"] {
        input.send_keys(line).await.unwrap();
        input.send_keys(Key::Enter + "").await.unwrap();
    }
    let said = "anna: Hello <b>all</b>";
    until(browser, "said", |text| text.contains(said)).await;
    for (user, shown) in [("cleo", said), ("ben", "(You may not enter.)")] {
        let script = format!("$('#user').value = '{user}'; $('#user').onchange()");
        eval(browser, &script).await;
        until(browser, "entered", |text| text.contains(shown)).await;
    }
    assert!(!text(browser).await.contains("anna: /kick"));
}

async fn notifications(browser: &Browser) {
    let example = Example::start("notifications", &[]);
    open(browser, &example, "?9").await;
    until(browser, "unread", |text| text.contains("Welcome")).await;
    find(browser, "button").await.click().await.unwrap();
    until(browser, "read", |text| !text.contains("Welcome")).await;
    browser.page.refresh().await.unwrap();
    let post = "fetch(inbox, { method: 'POST', body: 'You have mail' })";
    eval(browser, post).await;
    let shown = until(browser, "new", |text| text.contains("You have mail")).await;
    assert!(!shown.contains("Welcome"), "{shown}");
}

async fn dashboard(browser: &Browser) {
    let port = free_port().to_string();
    let example = Example::start("dashboard", &["--port", &port]);
    open(browser, &example, "").await;
    let is_whole = |text: &str| text.contains("574.50") && text.lines().count() == 6;
    let before = until(browser, "six shares", is_whole).await;
    until(browser, "a change", |text| text != before).await;

    // The next server knows nothing of the page's last event ID.
    drop(example);
    let _example = Example::start("dashboard", &["--port", &port]);
    eval(
        browser,
        "for (const row of table.rows) row.cells[1].textContent = 'old'",
    )
    .await;
    until(browser, "all anew", |text| !text.contains("old")).await;
}

async fn relay(browser: &Browser) {
    let example = Example::start("relay", &[]);
    open(browser, &example, "").await;
    // Longer than one of the upstream's connections.
    let shown = until(browser, "relayed", |text| text.contains("16: tick 16")).await;
    let numbers = shown
        .lines()
        .filter_map(|line| line.split(": tick ").nth(1));
    let numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "{shown}"
    );
    assert!(!shown.contains("missing"));
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn of_the_examples() {
    let browser = Browser::start().await;
    llm(&browser).await;
    chat(&browser).await;
    notifications(&browser).await;
    dashboard(&browser).await;
    relay(&browser).await;
    browser.quit().await;
}
