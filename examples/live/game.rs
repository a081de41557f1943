//! The parts of a match, and playing one: each line of the script becomes an event.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tower_sse::hub::Hub;
use tower_sse::{Event, EventType};

use super::script::SEASON;
use super::ticker::Progress;

/// Plays one match after the other for as long as the program runs, and reports the progress.
pub(crate) async fn play(hub: Hub, progress: watch::Sender<Progress>, speed: f64) {
    let mut number = 0;
    for fixture in SEASON.iter().cycle() {
        let mut score = [0u32; 2];
        let mut minute = 0;
        for line in fixture.lines {
            tokio::time::sleep(pause(line.minute() - minute).div_f64(speed)).await;
            minute = line.minute();
            match line.what {
                What::Goal(Side::Home) => score[0] += 1,
                What::Goal(Side::Away) => score[1] += 1,
                _ => {}
            }
            number += 1;
            hub.publish(line.event(number, fixture, score));
            progress.send_modify(|progress| progress.latest = number);
        }
        tokio::time::sleep(Duration::from_secs(8).div_f64(speed)).await;
        progress.send_modify(|progress| progress.kick_off = hub.last_event_id());
    }
}

/// The pause before an event this many minutes of the match later.
fn pause(minutes: u32) -> Duration {
    Duration::from_millis(900) + Duration::from_millis(350) * minutes.min(4)
}

pub(crate) struct Fixture {
    pub(crate) home: Team,
    pub(crate) away: Team,
    pub(crate) ground: &'static str,
    pub(crate) lines: &'static [Line],
}

pub(crate) struct Team {
    name: &'static str,
    short: &'static str,
    colour: &'static str,
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Home,
    Away,
}

/// A line of commentary: the minute, what happened, and the words.
pub(crate) struct Line {
    clock: &'static str,
    what: What,
    text: &'static str,
}

#[derive(Clone, Copy)]
enum What {
    Words,
    Whistle(&'static str),
    Goal(Side),
    Card(&'static str, Side),
    Play(&'static str, Side),
}

impl Line {
    /// The line as the page receives it: goals, cards and whistles under their own names, the rest as
    /// plain messages. The number is for the page's books, since a hub's IDs are opaque.
    fn event(&self, number: u64, fixture: &Fixture, score: [u32; 2]) -> Event {
        let (event_type, what, side) = match self.what {
            What::Words => (None, "words", None),
            What::Whistle(what) => (Some("whistle"), what, None),
            What::Goal(side) => (Some("goal"), "goal", Some(side)),
            What::Card(what, side) => (Some("card"), what, Some(side)),
            What::Play(what, side) => (None, what, Some(side)),
        };
        let mut data = json!({
            "number": number,
            "clock": self.clock,
            "what": what,
            "side": side.map(|side| match side { Side::Home => "home", Side::Away => "away" }),
            "score": score,
            "text": self.text,
        });
        if what == "kick-off" {
            data["fixture"] = fixture.to_json();
        }
        let event = Event::new(data.to_string());
        match event_type {
            Some(name) => event.with_type(EventType::from_static(name)),
            None => event,
        }
    }

    /// The minute without stoppage time.
    fn minute(&self) -> u32 {
        let minute = self.clock.split('+').next().unwrap_or_default();
        minute.parse().unwrap_or_default()
    }
}

impl Fixture {
    fn to_json(&self) -> Value {
        json!({ "home": self.home.to_json(), "away": self.away.to_json(), "ground": self.ground })
    }
}

impl Team {
    pub(crate) const fn new(name: &'static str, short: &'static str, colour: &'static str) -> Self {
        Self {
            name,
            short,
            colour,
        }
    }

    fn to_json(&self) -> Value {
        json!({ "name": self.name, "short": self.short, "colour": self.colour })
    }
}

/// The vocabulary of `script.rs`.
impl Line {
    const fn new(clock: &'static str, what: What, text: &'static str) -> Self {
        Self { clock, what, text }
    }

    pub(crate) const fn say(clock: &'static str, text: &'static str) -> Self {
        Self::new(clock, What::Words, text)
    }

    pub(crate) const fn kick_off(text: &'static str) -> Self {
        Self::new("0", What::Whistle("kick-off"), text)
    }

    pub(crate) const fn half_time(clock: &'static str, text: &'static str) -> Self {
        Self::new(clock, What::Whistle("half-time"), text)
    }

    pub(crate) const fn second_half(clock: &'static str, text: &'static str) -> Self {
        Self::new(clock, What::Whistle("second-half"), text)
    }

    pub(crate) const fn full_time(clock: &'static str, text: &'static str) -> Self {
        Self::new(clock, What::Whistle("full-time"), text)
    }

    pub(crate) const fn goal(clock: &'static str, side: Side, text: &'static str) -> Self {
        Self::new(clock, What::Goal(side), text)
    }

    pub(crate) const fn yellow(clock: &'static str, side: Side, text: &'static str) -> Self {
        Self::new(clock, What::Card("yellow", side), text)
    }

    pub(crate) const fn red(clock: &'static str, side: Side, text: &'static str) -> Self {
        Self::new(clock, What::Card("red", side), text)
    }

    pub(crate) const fn play(
        clock: &'static str,
        what: &'static str,
        side: Side,
        text: &'static str,
    ) -> Self {
        Self::new(clock, What::Play(what, side), text)
    }
}
