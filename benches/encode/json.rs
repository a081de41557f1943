//! A struct, serialized within the time.

use std::hint::black_box;

use actix_web_lab::sse as actix;
use axum::response::sse as axum;
use bytes::Bytes;
use serde::Serialize;
use sse_stream::Sse;
use support::Case;
use support::Side::{Axum, Floor, Ours, Peer};
use support::peers::{russe_bytes, russe_data};
use tower_sse::{Block, Event};

use super::{add, through_actix, through_axum};

#[derive(Serialize)]
struct Score {
    home: &'static str,
    away: &'static str,
    goals: [u8; 2],
    minute: u16,
    scorer: Option<&'static str>,
    possession: f64,
}

const SCORE: Score = Score {
    home: "Müller United",
    away: "Real \"Tower\"",
    goals: [2, 1],
    minute: 87,
    scorer: Some("Ada"),
    possession: 61.5,
};

pub(super) fn all() {
    let score: &'static Score = Box::leak(Box::new(SCORE));
    case("encode/JSON struct", score);
    let scores: &'static [Score; 64] = Box::leak(Box::new([SCORE; 64]));
    case("encode/JSON of 64 structs", scores.as_slice());
}

fn case<T: Serialize + ?Sized + Sync>(title: &str, value: &'static T) {
    let expected = (
        String::new(),
        String::new(),
        serde_json::to_string(value).unwrap(),
    );
    let mut case = Case::new(title, 1);
    let axum = through_axum(move || axum::Event::default().json_data(black_box(value)).unwrap());
    add(&mut case, ("axum", Axum), &expected, axum);
    let text = move || serde_json::to_string(black_box(value)).unwrap();
    let sse_stream = move || Sse::default().data(text()).encode().unwrap();
    add(&mut case, ("sse-stream", Peer), &expected, sse_stream);
    let actix = through_actix(move || actix::Data::new_json(black_box(value)).unwrap());
    add(&mut case, ("actix-web-lab", Peer), &expected, actix);
    let russe = move || russe_bytes(russe_data(text()));
    add(&mut case, ("russe", Peer), &expected, russe);
    let event = || Event::json(black_box(value)).unwrap().encode().into_bytes();
    add(&mut case, ("Event::json", Ours), &expected, event);
    let block = || Block::write(|out| out.json(black_box(value)).unwrap()).into_bytes();
    add(&mut case, ("Block::write", Ours), &expected, block);
    // Serialized into a buffer that is there, and copied into one exact allocation.
    let mut scratch = Vec::new();
    let least = move || {
        scratch.clear();
        scratch.extend_from_slice(b"data: ");
        serde_json::to_writer(&mut scratch, black_box(value)).unwrap();
        scratch.extend_from_slice(b"\n\n");
        Bytes::copy_from_slice(&scratch)
    };
    add(&mut case, ("floor", Floor), &expected, least);
    case.run();
}
