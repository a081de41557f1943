//! What headers say: of a response, whether it is an event stream; of a request, whether one may be
//! the answer, and whether the connection stays.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, Version};
use tower_sse::SseLayer;
use tower_sse::headers::{EventStreamHeaders, accepts_event_stream, is_event_stream};

use crate::{full, get, through};

fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
    let value = |value: &&str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
    let pairs = values.iter().map(|v| (name.clone(), value(v)));
    pairs.collect()
}

#[test]
fn the_last_valid_content_type_counts() {
    for (values, expected) in [
        (&["text/event-stream"][..], true),
        (&["TEXT/EVENT-STREAM ;charset=\"utf-8\""], true),
        (&["\ttext/event-stream "], true),
        (&["text/event-stream;"], true),
        (&["text/event-stream;=,"], true),
        (&["text/html", "text/event-stream"], true),
        (&["text/event-stream", "text/html"], false),
        (&["text/event-stream, text/html"], false),
        (&["text/html, text/event-stream"], true),
        (&["text/event-stream", ""], true),
        (&["text/event-stream, nonsense"], true),
        (&["text/event-stream, */*"], true),
        (&["text/event-stream;x=\", text/html\""], true),
        (&["text/html;x=\", text/event-stream\""], false),
        (&["text/event-stream x"], false),
        (&["text/event-streams"], false),
        (&["text/ event-stream"], false),
        (&["\"text/event-stream\""], false),
        (&["/event-stream", "text/"], false),
        (&["é/text/event-stream"], false),
        (&[""], false),
        (&[], false),
    ] {
        let headers = headers(&CONTENT_TYPE, values);
        assert_eq!(is_event_stream(&headers), expected, "{values:?}");
    }
}

#[test]
fn accept_is_a_list_of_ranges_with_weights() {
    for (values, expected) in [
        (&[][..], true),
        (&["", " , "], true),
        (&["text/event-stream;q=0.001"], true),
        (&["text/event-stream;Q=0.000"], false),
        (&["text/event-stream ; q=0"], false),
        (&["text/event-stream;q = 0."], false),
        (&["text/event-stream;charset=utf-8;q=0"], false),
        (&["text/event-stream;q=0;ext=1"], false),
        (&["text/event-stream;q="], true),
        (&["text/event-stream;q=.2"], true),
        (&["text/event-stream;q=1.000"], true),
        (&["text/event-stream;quality=0"], true),
        (&["text/event-stream;x=\"q=0;q=0\""], true),
        (&["text/html;x=\", text/event-stream, \""], false),
        (&["text/html;x=\"\\\", text/event-stream"], false),
        (&["*/*;q=0", "text/event-stream"], true),
        (&["text/event-stream;q=0", "text/event-stream"], true),
        (&["text/event-stream;q=0", "text/*", "*/*"], false),
        (&["TEXT/*"], true),
        (&["text/html, image/gif, *; q=.2, */*; q=.2"], true),
        (&["text/html,application/xhtml+xml,*/*;q=0.8"], true),
        (&["application/json;q=0, */*;q=0"], false),
        (&["text"], false),
        (&["\u{ff}"], false),
        (&[";;;,;q=0,"], false),
    ] {
        let headers = headers(&ACCEPT, values);
        assert_eq!(accepts_event_stream(&headers), expected, "{values:?}");
    }
}

/// Lists written from what they mean: ranges, each with a weight or none, in all the forms that the
/// grammar and the tolerant allow.
#[test]
fn random_lists_of_ranges_are_read_as_they_were_meant() {
    let mut rng = crate::support::rng::Rng::new(3);
    let ranges = [
        ("text/event-stream", 3),
        ("Text/Event-Stream", 3),
        ("text/*", 2),
        ("*/*", 1),
        ("*", 1),
        ("text/html", 0),
        ("application/*", 0),
    ];
    let weights = [
        ("", true),
        ("q=1", true),
        ("Q=0.001", true),
        ("q=0", false),
        ("Q = 0.000", false),
    ];
    let noise = [
        "",
        "charset=utf-8",
        "x=\"a,b;q=0\"",
        "x=\"\\\",text/event-stream\"",
    ];
    for round in 0..5_000 {
        let mut map = HeaderMap::new();
        let mut meant: Vec<(u8, bool)> = Vec::new();
        for _ in 0..rng.below(4) {
            let mut value = String::new();
            for _ in 0..rng.below(4) {
                let (range, specific) = *rng.pick(&ranges);
                let (weight, accepted) = *rng.pick(&weights);
                let space = *rng.pick(&["", " ", "\t "]);
                value += &[
                    range,
                    ";",
                    space,
                    *rng.pick(&noise),
                    space,
                    ";",
                    weight,
                    space,
                    ",",
                ]
                .concat();
                meant.push((specific, accepted));
            }
            map.append(ACCEPT, HeaderValue::try_from(value).unwrap());
        }
        let best = meant.iter().map(|(specific, _)| *specific).max();
        let expected = match best {
            None => true,
            Some(0) => false,
            Some(best) => meant.contains(&(best, true)),
        };
        assert_eq!(accepts_event_stream(&map), expected, "{round}: {map:?}");
    }
}

#[test]
fn long_lists_cost_one_pass() {
    for part in ["a/b;q=\"", "a/b;q=\\", ",", "\"\\\"", ";q=0"] {
        let value = HeaderValue::try_from(part.repeat(1_000_000 / part.len())).unwrap();
        let start = std::time::Instant::now();
        for name in [ACCEPT, CONTENT_TYPE] {
            let headers = HeaderMap::from_iter([(name, value.clone())]);
            _ = accepts_event_stream(&headers);
            _ = is_event_stream(&headers);
        }
        assert!(start.elapsed().as_secs() < 120, "{part}");
    }
}

#[test]
fn connection_is_for_http_1_1_and_open_connections() {
    for (version, request, expected) in [
        (Version::HTTP_09, &[][..], false),
        (Version::HTTP_10, &[], false),
        (Version::HTTP_10, &["keep-alive"], false),
        (Version::HTTP_11, &[], true),
        (Version::HTTP_11, &["keep-alive"], true),
        (Version::HTTP_11, &["closed, x-close"], true),
        (Version::HTTP_11, &["close"], false),
        (Version::HTTP_11, &["Keep-Alive ,\tCLOSE"], false),
        (Version::HTTP_11, &["upgrade", "Close"], false),
        (Version::HTTP_2, &[], false),
        (Version::HTTP_3, &[], false),
    ] {
        let request = headers(&CONNECTION, request);
        let mut response = HeaderMap::new();
        EventStreamHeaders::new().apply(version, &request, &mut response);
        let connection = response.get(CONNECTION);
        assert_eq!(connection.is_some(), expected, "{version:?} {request:?}");
    }
}

/// Through the layer, which reads the request before the handler has it.
#[tokio::test]
async fn a_handlers_own_connection_stays() {
    for (own, request, expected) in [
        (None, None, Some("keep-alive")),
        (None, Some("close"), None),
        (Some("close"), None, Some("close")),
        (Some("close"), Some("close"), Some("close")),
        (Some("x-own"), Some("Foo, Close"), Some("x-own")),
    ] {
        let mut answer = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        if let Some(own) = own {
            answer = answer.header(CONNECTION, own);
        }
        let mut asked = get();
        if let Some(request) = request {
            asked = asked.header(CONNECTION, request);
        }
        let answer = answer.body(full("data: x\n\n")).unwrap();
        let (_, _, response) = through(SseLayer::new(), asked.body(()).unwrap(), answer).await;
        let found: Vec<_> = response.headers().get_all(CONNECTION).iter().collect();
        assert_eq!(found, expected.as_slice(), "{own:?} {request:?}");
    }
}

#[tokio::test]
async fn an_encoded_stream_may_be_transformed() {
    let custom = HeaderValue::from_static("no-store, no-transform");
    let custom = EventStreamHeaders::new().cache_control(custom);
    for (layer, encodings, own, expected) in [
        (SseLayer::new(), &[][..], None, "no-cache, no-transform"),
        (
            SseLayer::new(),
            &["identity", ""],
            None,
            "no-cache, no-transform",
        ),
        (SseLayer::new(), &["gzip"], None, "no-cache"),
        (SseLayer::new(), &["Identity, br"], None, "no-cache"),
        // What our own response says, and what the program says.
        (
            SseLayer::new(),
            &["zstd"],
            Some("no-cache, no-transform"),
            "no-cache",
        ),
        (
            SseLayer::new(),
            &["zstd"],
            Some("no-store, no-transform"),
            "no-store, no-transform",
        ),
        (
            SseLayer::new().headers(custom),
            &["zstd"],
            None,
            "no-store, no-transform",
        ),
    ] {
        let mut answer = Response::new(http_body_util::Full::<Bytes>::from("data: x\n\n"));
        let map = answer.headers_mut();
        map.extend(headers(&CONTENT_ENCODING, encodings));
        map.extend(headers(&CONTENT_TYPE, &["text/event-stream"]));
        map.extend(headers(&CACHE_CONTROL, own.as_slice()));
        let (_, _, response) = through(layer, get().body(()).unwrap(), answer).await;
        assert_eq!(
            response.headers()[CACHE_CONTROL],
            expected,
            "{encodings:?} {own:?}"
        );
    }
}
