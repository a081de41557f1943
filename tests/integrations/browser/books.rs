//! What the page of `live` makes of streams, good and bad.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::shown::{open, until};
use crate::support::Example;

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
        // A block with an ID but no data moves the place; without data, no event is dispatched and the type is reset.
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
        // The server is as far as the last of them.
        window.fetch = async () => Response.json({ latest: IDS.at(-1), plug_out: 0 });
    "#;
    let example = Example::start("live", &[]);
    for (ids, missing, doubled, text) in [
        ("[7, 8, 9]", 0, 0, "Nothing missing, no duplicates"),
        ("[7, 9, 10]", 1, 0, "1 missing, 0 duplicated"),
        ("[7, 8, 8, 9]", 0, 1, "0 missing, 1 duplicated"),
        ("[7, 8, 7, 8, 12]", 3, 2, "3 missing, 2 duplicated"),
    ] {
        let browser = Browser::start().await;
        browser.run_first(&faulty.replace("IDS", ids)).await;
        let address = format!("http://{}/", example.authority);
        browser.page.goto(address).await.unwrap();
        let read = until(&browser, "read", |page| {
            page.received > 2 && page.verdict != "history"
        });
        let page = read.await;
        assert_eq!((page.missing, page.doubled), (missing, doubled), "{ids}");
        assert_eq!(page.text, text);
        assert_eq!(page.verdict == "good", missing + doubled == 0);
        assert_eq!(page.lines, page.received - doubled, "shown once");
        browser.quit().await;
    }
}
