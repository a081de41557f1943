//! Lanternfield against Port Wexley.

use crate::game::Line;
use crate::game::Side::{Away, Home};

pub(super) const LINES: &[Line] = &[
    Line::kick_off(
        "Kick-off under the lights at Chandler's Field. A cup tie, a full house, a brass band that knows one song.",
    ),
    Line::play(
        "2",
        "chance",
        Away,
        "Wexley nearly in front from the off, but Thornquist skies it towards the car park.",
    ),
    Line::say(
        "5",
        "Lanternfield have come to pass. Wexley have come to stop them. A contrast, as they say.",
    ),
    Line::play(
        "8",
        "foul",
        Away,
        "Grimsholt stops a dribble the old-fashioned way.",
    ),
    Line::play(
        "11",
        "save",
        Away,
        "Avelar bends the free kick round the wall. Moorcastle, full stretch, two hands. Superb.",
    ),
    Line::play(
        "11",
        "corner",
        Home,
        "Corner. The band strikes up. It is the song.",
    ),
    Line::say(
        "14",
        "Cleared as far as Pemberlane, who clears it as far as next week.",
    ),
    Line::yellow("17", Away, "Grimsholt, once more with feeling. Yellow."),
    Line::goal(
        "22",
        Away,
        "GOAL! Against the run of play: one long ball, one bad bounce, and Thornquist pokes Wexley ahead.",
    ),
    Line::say(
        "24",
        "Silence, but for the travelling supporters and one very loud tuba.",
    ),
    Line::play(
        "28",
        "chance",
        Home,
        "Lanternfield answer at once: Solvane's drive whistles past the angle.",
    ),
    Line::play(
        "31",
        "offside",
        Home,
        "Avelar is away, the flag is up, and the flag is right by the width of a bootlace.",
    ),
    Line::play(
        "34",
        "change",
        Home,
        "Harrowgate limps off, Okembe on. A blow for the hosts.",
    ),
    Line::play(
        "37",
        "save",
        Away,
        "Moorcastle once more, low to his left. He is having the evening of his life.",
    ),
    Line::yellow(
        "40",
        Home,
        "Pemberlane talks himself into the book. It was quite a short conversation.",
    ),
    Line::play(
        "43",
        "chance",
        Away,
        "Wexley break four on two and contrive to find none of the four.",
    ),
    Line::half_time(
        "45+1",
        "Half-time. Wexley lead. The band takes requests and plays the song.",
    ),
    Line::second_half(
        "46",
        "Back under way, Lanternfield shooting towards their own end.",
    ),
    Line::play(
        "49",
        "corner",
        Home,
        "Three corners in two minutes. Wexley have eleven behind the ball and would like more.",
    ),
    Line::play(
        "52",
        "video",
        Home,
        "A hand in the box? They are looking at it from an angle only pigeons know.",
    ),
    Line::say("53", "Penalty! He has pointed to the spot."),
    Line::play(
        "54",
        "save",
        Away,
        "MOORCASTLE SAVES IT! Avelar to his right, and the keeper simply catches it. Unreal.",
    ),
    Line::say(
        "56",
        "You would forgive Lanternfield a quiet spell after that. They decline.",
    ),
    Line::red(
        "59",
        Away,
        "Red card! Grimsholt takes out Solvane near the dugout. He was nearly there already, at least.",
    ),
    Line::play(
        "61",
        "change",
        Away,
        "Wexley bring on Vandermoor, a fifth defender. He is wearing somebody else's shirt.",
    ),
    Line::play(
        "65",
        "chance",
        Home,
        "Okembe, from nowhere, against the crossbar! The floodlights flickered, honestly.",
    ),
    Line::say(
        "69",
        "It is attack against defence now, wave upon wave, and the tide is coming in.",
    ),
    Line::play(
        "72",
        "foul",
        Home,
        "Okembe is a little too keen. Wexley take a minute and a half over the free kick.",
    ),
    Line::yellow(
        "74",
        Away,
        "Yellow for Moorcastle, for taking the scenic route to a goal kick.",
    ),
    Line::play(
        "78",
        "save",
        Away,
        "From Solvane, from six yards, with his face. He waves the physio away.",
    ),
    Line::play(
        "81",
        "change",
        Home,
        "Last throw of the dice: Brindlewood, thirty-eight, club record scorer, on for one more evening.",
    ),
    Line::play(
        "84",
        "corner",
        Home,
        "Corner number fourteen. The tuba player is standing on a chair.",
    ),
    Line::goal(
        "87",
        Home,
        "GOAL! BRINDLEWOOD! Who else? First touch, glancing header, one all! Moorcastle beaten at last.",
    ),
    Line::say(
        "89",
        "The band has learned a second song. It is the first song, faster.",
    ),
    Line::play(
        "90+2",
        "chance",
        Away,
        "Thornquist clean through to win it, and he lifts it onto the roof of the net!",
    ),
    Line::full_time(
        "90+4",
        "Full time, one each. A replay on Wednesday, and Moorcastle leaves with the ball and a handshake from everyone.",
    ),
];
