//! Rooms: who may enter, who is there, what is said, and a kick.

use http::Request;
use serde_json::{Value, json};

use crate::client::{EventStream, ask, field};
use crate::example_process::Example;

/// The next event's type and data.
async fn event(stream: &mut EventStream) -> (String, Value) {
    let event = stream.event().await;
    let data = field(&event, "data").unwrap();
    let data = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
    (field(&event, "event").unwrap_or("message").to_owned(), data)
}

/// Reads on until these are there.
async fn here(stream: &mut EventStream, names: Value) {
    while event(stream).await != ("presence".to_owned(), names.clone()) {}
}

fn request(method: &str, path: &str, user: &str) -> http::request::Builder {
    let cookie = format!("session=anna; token={user}-7");
    Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
}

async fn enter(example: &Example, room: &str, user: &str) -> EventStream {
    let request = request("GET", room, user).body(String::new()).unwrap();
    ask(&example.authority, request).await
}

async fn post(example: &Example, path: &str, user: &str, text: &str) -> u16 {
    let request = request("POST", path, user).body(text.to_owned()).unwrap();
    ask(&example.authority, request).await.head.status.as_u16()
}

const LOBBY: &str = "/rooms/lobby";
const STAFF: &str = "/rooms/staff";
const KICK: &str = "/rooms/lobby/kick";

#[tokio::test]
async fn only_members_enter_and_a_few_times_each() {
    let example = Example::start("chat", &[]);
    for (room, user, status) in [
        (LOBBY, "", 401),
        (LOBBY, "eve", 401),
        (STAFF, "ben", 403),
        ("/rooms/cellar", "anna", 403),
        ("/rooms/", "anna", 404),
    ] {
        assert_eq!(enter(&example, room, user).await.head.status, status);
        assert_eq!(post(&example, room, user, "x").await, status);
    }
    assert_eq!(post(&example, KICK, "", "ben").await, 401);
    assert_eq!(post(&example, KICK, "ben", "cleo").await, 403);
    assert_eq!(post(&example, LOBBY, "anna", &"x".repeat(5_000)).await, 413);

    let mut open = Vec::new();
    for status in [200, 200, 200, 429] {
        let stream = enter(&example, STAFF, "anna").await;
        assert_eq!(stream.head.status, status);
        open.push(stream);
    }
    assert_eq!(enter(&example, LOBBY, "ben").await.head.status, 200);
}

#[tokio::test]
async fn a_room_hears_who_says_what_and_who_is_there() {
    let example = Example::start("chat", &[]);
    let mut anna = enter(&example, LOBBY, "anna").await;
    here(&mut anna, json!(["anna"])).await;
    let mut ben = enter(&example, LOBBY, "ben").await;
    here(&mut ben, json!(["anna", "ben"])).await;
    here(&mut anna, json!(["anna", "ben"])).await;

    let text = "Hello\n\"all\"";
    assert_eq!(post(&example, LOBBY, "ben", text).await, 200);
    let hello = ("message".to_owned(), json!({ "from": "ben", "text": text }));
    assert_eq!(event(&mut anna).await, hello);
    assert_eq!(event(&mut ben).await, hello);
    // Who comes later reads it too.
    let mut cleo = enter(&example, LOBBY, "cleo").await;
    assert_eq!(event(&mut cleo).await, hello);
    here(&mut anna, json!(["anna", "ben", "cleo"])).await;
    drop(cleo);
    here(&mut anna, json!(["anna", "ben"])).await;

    // A second tab is not a second user.
    let mut second = enter(&example, LOBBY, "ben").await;
    assert_eq!(event(&mut second).await, hello);
    here(&mut second, json!(["anna", "ben"])).await;
    here(&mut anna, json!(["anna", "ben"])).await;
    drop(second);
    assert_eq!(event(&mut anna).await.1, json!(["anna", "ben"]));

    // What is said elsewhere is not heard here.
    assert_eq!(post(&example, STAFF, "anna", "psst").await, 200);
    assert_eq!(post(&example, LOBBY, "anna", "bye").await, 200);
    assert_eq!(
        event(&mut anna).await.1,
        json!({ "from": "anna", "text": "bye" })
    );
}

#[tokio::test]
async fn a_kicked_user_hears_nothing_more_and_stays_out() {
    let mut example = Example::start("chat", &[]);
    let mut anna = enter(&example, LOBBY, "anna").await;
    let mut ben = enter(&example, LOBBY, "ben").await;
    here(&mut ben, json!(["anna", "ben"])).await;
    here(&mut anna, json!(["anna", "ben"])).await;
    assert_eq!(post(&example, KICK, "anna", "anna").await, 403);
    assert_eq!(post(&example, KICK, "anna", "ben").await, 200);
    assert_eq!(post(&example, LOBBY, "anna", "He is gone").await, 200);
    assert_eq!(ben.rest().await, [] as [&str; 0]);
    here(&mut anna, json!(["anna"])).await;
    assert_eq!(enter(&example, LOBBY, "ben").await.head.status, 403);
    assert_eq!(post(&example, LOBBY, "ben", "I am not").await, 403);

    example.interrupt();
    let rest = anna.rest().await.concat();
    assert!(!rest.contains("I am not"), "{rest}");
    assert!(example.wait());
}

#[tokio::test]
async fn hostile_ids() {
    // One after the other, since a user may have three streams.
    let example = Example::start("chat", &[]);
    let resume = |id: &str| {
        let request = request("GET", LOBBY, "ben").header("last-event-id", id);
        request.body(String::new()).unwrap()
    };
    for id in [
        "0",
        "18446744073709551616",
        "10-18446744073709551615",
        "%00",
        "-",
    ] {
        let mut stream = ask(&example.authority, resume(id)).await;
        assert_eq!(stream.head.status, 200);
        assert_eq!(event(&mut stream).await.0, "gap");
    }
    let long = ask(&example.authority, resume(&"9".repeat(5_000))).await;
    assert_eq!(long.head.status, 400);
}
