//! Saltmarsh Rovers against Copperhill Town.

use crate::game::Line;
use crate::game::Side::{Away, Home};

pub(super) const LINES: &[Line] = &[
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
