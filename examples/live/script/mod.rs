//! Two matches, line by line. Clubs and players are invented.

mod cup_tie;
mod derby;

use crate::game::{Fixture, Team};

const SALTMARSH: Team = Team::new("Saltmarsh Rovers", "SAL", "#0f766e");
const COPPERHILL: Team = Team::new("Copperhill Town", "COP", "#c2410c");
const LANTERNFIELD: Team = Team::new("Lanternfield", "LAN", "#6d28d9");
const WEXLEY: Team = Team::new("Port Wexley", "PWX", "#1d4ed8");

/// What is played, over and over.
pub(crate) const SEASON: [Fixture; 2] = [
    Fixture {
        home: SALTMARSH,
        away: COPPERHILL,
        ground: "The Breakwater",
        lines: derby::LINES,
    },
    Fixture {
        home: LANTERNFIELD,
        away: WEXLEY,
        ground: "Chandler's Field",
        lines: cup_tie::LINES,
    },
];
