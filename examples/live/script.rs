//! Two matches, line by line. Clubs and players are invented.

use super::game::{Fixture, Line, Side::Away, Side::Home, Team};

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
        lines: DERBY,
    },
    Fixture {
        home: LANTERNFIELD,
        away: WEXLEY,
        ground: "Chandler's Field",
        lines: CUP_TIE,
    },
];

const DERBY: &[Line] = &[
    Line::kick_off(
        "Kick-off at the Breakwater. Wind off the sea, rain sideways, everybody in shorts. It is derby day.",
    ),
    Line::say(
        "1",
        "Copperhill win the first header, the first tackle and the first argument.",
    ),
    Line::play(
        "3",
        "chance",
        Home,
        "Tarrowby tries it from the halfway line. Points for ambition, none for accuracy.",
    ),
    Line::play(
        "6",
        "corner",
        Away,
        "Ostrander's cross is turned behind. First corner of the afternoon.",
    ),
    Line::play(
        "6",
        "save",
        Home,
        "Bullet header from Kalvesen, and Oduvale claws it off the line! What a stop.",
    ),
    Line::say(
        "9",
        "A gull has landed in the centre circle and shows no sign of being substituted.",
    ),
    Line::goal(
        "12",
        Home,
        "GOAL! Wrenfield slides in at the far post, the ball slides in after him. The Breakwater erupts.",
    ),
    Line::play(
        "15",
        "foul",
        Away,
        "Quillon goes through the back of Penhallow. The referee has a quiet word. Quillon has a loud one.",
    ),
    Line::yellow(
        "18",
        Away,
        "Quillon again, Penhallow again, and this time it is yellow.",
    ),
    Line::play(
        "21",
        "chance",
        Away,
        "Brightmoor gets half a yard and fires just wide. The gull finally moves.",
    ),
    Line::say(
        "24",
        "Copperhill are knitting it together now: fourteen passes, then one too many.",
    ),
    Line::play(
        "27",
        "offside",
        Away,
        "Brightmoor is through, Brightmoor scores, Brightmoor is miles offside.",
    ),
    Line::play(
        "30",
        "save",
        Away,
        "Hollowell curls one for the top corner. Delacroft gets there with his fingernails.",
    ),
    Line::goal(
        "33",
        Away,
        "GOAL! Level. Ostrander's free kick goes over the wall, under the bar, and very quiet in the home end.",
    ),
    Line::say(
        "35",
        "One apiece, and both benches are standing. Nobody is sitting in this rain anyway.",
    ),
    Line::play(
        "38",
        "corner",
        Home,
        "Rovers corner. Marzanek trots up from the back with that look in his eye.",
    ),
    Line::play(
        "38",
        "chance",
        Home,
        "Marzanek meets it! Over the bar, over the stand, possibly over the harbour.",
    ),
    Line::yellow(
        "41",
        Home,
        "Lindqvarn stops a counter with both arms. No complaints.",
    ),
    Line::say("45", "Two minutes to be added, one of them for the gull."),
    Line::half_time(
        "45+2",
        "Half-time. One each, and the kit man is out looking for dry socks.",
    ),
    Line::second_half(
        "46",
        "We are off again. Copperhill kick with the wind behind them.",
    ),
    Line::play(
        "46",
        "change",
        Home,
        "Change for Rovers: Castellane on, Hollowell off with a knock.",
    ),
    Line::play(
        "49",
        "chance",
        Away,
        "Fenwicke lets fly from thirty yards. The post is still shaking.",
    ),
    Line::goal(
        "53",
        Away,
        "GOAL! Brightmoor, onside this time and he has checked twice. Copperhill lead at the Breakwater.",
    ),
    Line::say(
        "55",
        "The away end is singing about the ferry timetable. It scans surprisingly well.",
    ),
    Line::play(
        "57",
        "foul",
        Home,
        "Tarrowby takes ball, man and corner flag. Free kick.",
    ),
    Line::play(
        "60",
        "save",
        Home,
        "Oduvale again, with his feet, from Ngambe. He is keeping Rovers in this.",
    ),
    Line::play(
        "63",
        "change",
        Away,
        "Copperhill swap Fenwicke for Sandovar. Fresh legs, clean shirt, not for long.",
    ),
    Line::play(
        "66",
        "corner",
        Home,
        "A deflection, a corner, and the noise is rising.",
    ),
    Line::goal(
        "67",
        Home,
        "GOAL! Marzanek! The same run, the same leap, twelve feet lower. Two all!",
    ),
    Line::say(
        "70",
        "Twenty to go. You could power the lighthouse with this crowd.",
    ),
    Line::play(
        "73",
        "video",
        Away,
        "Kalvesen goes down in the box. The referee is listening to his ear.",
    ),
    Line::say("74", "No penalty. He tripped over the gull's divot."),
    Line::red(
        "78",
        Away,
        "Red card! Quillon's second yellow, for a tackle you could hear from the pier. Copperhill down to ten.",
    ),
    Line::play(
        "80",
        "change",
        Home,
        "Rovers throw on Abendroth, nineteen years old and all elbows.",
    ),
    Line::play(
        "83",
        "chance",
        Home,
        "Castellane rolls it across an empty goal. Nobody has brought a boot.",
    ),
    Line::play(
        "86",
        "save",
        Away,
        "Delacroft flings himself at Wrenfield's volley and it sticks. Magnificent.",
    ),
    Line::say("88", "Ten men in the box, nine of them orange."),
    Line::say(
        "90",
        "Four added minutes. Nobody has left. Nobody can find their feet.",
    ),
    Line::goal(
        "90+3",
        Home,
        "GOAL! ABENDROTH! Off the knee, off the post, off with the shirt! Three two!",
    ),
    Line::yellow(
        "90+3",
        Home,
        "Yellow for the shirt. Abendroth could not care less; his mother is on the pitch.",
    ),
    Line::full_time(
        "90+5",
        "Full time! Rovers take the derby in the last breath. See you at the next one.",
    ),
];

const CUP_TIE: &[Line] = &[
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
        "Wexley bring on Vandermoor, a fifth defender. He brings a sixth one's shirt by mistake.",
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
