// A page in four parts: the books, which check that nothing is lost; what an event does to the
// page; the connection as the page shows it; and the controls. What brings events is elsewhere.

import { eventSource, longPoll } from "./transports.js";

const $ = (id) => document.getElementById(id);

// ---- The books ---------------------------------------------------------------------------------
// Lines are numbered without a hole, so the page can check for itself. The stream's own IDs are
// "<epoch>-<place>": they say where to go on, and whether it is still the same server.

const books = {
  start() {
    Object.assign(this, { epoch: null, first: null, last: null, lastId: null, received: 0, missing: 0, doubled: 0 });
  },

  /** Enters a line; false if it has been here before. */
  enter(number, id) {
    const epoch = id.split("-")[0];
    this.received += 1;
    this.first ??= number;
    this.epoch ??= epoch;
    if (epoch !== this.epoch) this.missing += 1; // at least: a gap event should have come first
    else if (this.last !== null && number <= this.last) {
      this.doubled += 1;
      return false;
    } else if (this.last !== null) this.missing += number - this.last - 1;
    this.epoch = epoch;
    this.last = number;
    return true;
  },

  get verdict() {
    if (this.last === null) return "none";
    const whole = this.received === this.last - this.first + 1;
    return whole && this.missing === 0 && this.doubled === 0 ? "good" : "bad";
  },
};

const verdicts = {
  none: { icon: "wait", text: () => "Waiting for the first event" },
  good: { icon: "ok", text: () => "Nothing missing, nothing twice" },
  bad: { icon: "bad", text: () => `${books.missing} missing, ${books.doubled} twice` },
};

function showBooks() {
  for (const count of ["received", "missing", "doubled"]) setText($(count), books[count]);
  setText($("last-id"), books.lastId ?? "none yet");
  $("verdict").dataset.verdict = books.verdict;
  setText($("verdict-text"), verdicts[books.verdict].text());
  setIcon($("verdict"), verdicts[books.verdict].icon);
}

// ---- What an event does to the page ------------------------------------------------------------

const FEED_LIMIT = 200;
const titles = {
  goal: "Goal", yellow: "Yellow card", red: "Red card", save: "Save", chance: "Chance",
  corner: "Corner", foul: "Foul", offside: "Offside", change: "Substitution", video: "Video check",
  "kick-off": "Kick-off", "half-time": "Half-time", "second-half": "Second half", "full-time": "Full time",
};
const icons = {
  yellow: "card", red: "card", corner: "flag", offside: "flag",
  "kick-off": "whistle", "half-time": "whistle", "second-half": "whistle", "full-time": "whistle",
};
let teams = { home: "", away: "" };

/** Every event comes through here, whatever brought it. */
function receive({ type, id, data }) {
  const show = control[type] ?? comment;
  show(data && JSON.parse(data), id);
}

// Events about the stream rather than the match. They have no number and do not enter the books.
const control = {
  /** The server's clock. */
  ping({ now }) {
    setText($("clock"), new Date(now).toLocaleTimeString([], { hourCycle: "h23" }));
    $("clock").dateTime = new Date(now).toISOString();
    restart($("pulse"), "beat");
  },

  /** What follows does not join on to what the page has: say so, and start over without an ID. */
  gap() {
    const after = books.lastId;
    if (after === null) return; // nothing of this page's is lost
    connection.close();
    showState("connecting");
    outage = null;
    books.start();
    showBooks();
    $("feed").replaceChildren();
    notice(`The server cannot go on after ${after}: it has been restarted, or this page was away for too long. Started over.`);
    open();
  },

  bye({ text }) {
    note(text);
  },
};

function comment(data, id) {
  const fresh = books.enter(data.number, id);
  if (fresh) books.lastId = id;
  showBooks();
  if (!fresh) return;
  if (outage) outage.count += 1;
  if (data.fixture) kickOff(data.fixture);
  showScore(data);
  addLine(data);
  mark(data);
}

function kickOff({ home, away, ground }) {
  teams = { home: home.name, away: away.name };
  for (const [side, team] of Object.entries({ home, away })) {
    $(side).style.setProperty("--team", team.colour);
    setText($(side).querySelector("text"), team.short);
    setText($(side).querySelector(".name"), team.name);
  }
  setText($("ground"), ground);
  $("marks").replaceChildren();
}

function showScore({ what, clock, score: [home, away] }) {
  for (const [id, goals] of [["home-score", home], ["away-score", away]]) {
    if (setText($(id), goals) && what === "goal") restart($(id), "scored");
  }
  setText($("minute"), { "half-time": "Half-time", "full-time": "Full time" }[what] ?? `${clock}′`);
  $("played").style.width = `${along(clock)}%`;
  document.title = `${home}:${away} ${teams.home} – ${teams.away}`;
}

function addLine({ number, clock, what, side, text }) {
  const line = $("line").content.cloneNode(true).firstElementChild;
  line.dataset.number = number;
  line.dataset.what = what;
  if (outage) line.classList.add("caught-up");
  setText(line.querySelector(".at"), `${clock}′`);
  setText(line.querySelector(".title"), [titles[what], teams[side]].filter(Boolean).join(" · "));
  setText(line.querySelector(".text"), text);
  setIcon(line, icons[what] ?? what);
  prepend(line);
}

/** Goals and cards on the strip below the score, home above the line and away below it. */
function mark({ clock, what, side }) {
  if (!["goal", "yellow", "red"].includes(what)) return;
  const dot = document.createElement("span");
  dot.className = `mark ${what} ${side}`;
  dot.dataset.place = `${side} ${along(clock)}`;
  // Added time is all in one place: stand beside what is there.
  const beside = document.querySelectorAll(`[data-place="${dot.dataset.place}"]`).length;
  dot.style.left = `calc(${along(clock)}% + ${12 * beside}px)`;
  $("marks").append(dot);
}

/** A line in the feed about the connection. */
function note(text) {
  const line = document.createElement("li");
  line.className = "note";
  line.textContent = text;
  return prepend(line);
}

/** Something to know that would scroll away in the feed; nothing hides it. */
function notice(text) {
  setText($("notice"), text);
  $("notice").hidden = text === "";
}

function prepend(line) {
  $("feed").prepend(line);
  while ($("feed").childElementCount > FEED_LIMIT) $("feed").lastElementChild.remove();
  return line;
}

// ---- The connection, as the page shows it ------------------------------------------------------

const BURST = 300; // milliseconds in which all comes that was missed: it is there already, and comes at once
const states = { connecting: "Connecting", open: "Open", closed: "Closed" };
const losses = { connecting: "Connection lost…", closed: "Closed" };
let outage = null; // while it lasts and is caught up on: since when, after which ID, how many lines, the note

function showState(state, loss = losses[state]) {
  const before = $("state").dataset.state;
  if (state === before) return;
  $("state").dataset.state = state;
  setText($("state-text"), states[state]);
  $("plug").disabled = $("close").disabled = state === "closed";
  $("open").disabled = state !== "closed";
  if (before === "open") {
    caughtUp();
    notice("");
    outage = { since: performance.now(), after: books.lastId, count: 0, line: note(loss) };
  }
  if (state === "open") {
    const over = outage;
    if (over) over.seconds = (performance.now() - over.since) / 1000;
    setTimeout(() => { if (outage === over) caughtUp(); }, BURST);
  }
}

function caughtUp() {
  $("log").ariaBusy = "false";
  if (outage?.seconds === undefined) return;
  const { seconds, after, count, line } = outage;
  const missed = count === 0 ? "nothing happened meanwhile" : `${count} caught up`;
  setText(line, `Away for ${seconds.toFixed(1)} s, back after ${after ?? "the start"}: ${missed}`);
  setText($("resumed"), Number($("resumed").textContent) + 1);
  outage = null;
}

// ---- The controls ------------------------------------------------------------------------------

const page = crypto.randomUUID(); // by which the server knows whose plug is pulled
const types = ["message", "goal", "card", "whistle", ...Object.keys(control)];
const transports = {
  stream: {
    connect: eventSource,
    name: "EventSource",
    hint: "One response stays open; if it breaks, the browser comes back by itself.",
    curl: `curl -N ${location.host}/events`,
  },
  poll: {
    connect: longPoll,
    name: "Long poll",
    hint: "Each response ends after its events, and the page asks again: for where no stream gets through.",
    curl: `curl "${location.host}/events?long-poll"`,
  },
};
let transport = null;
let connection = null;

function open() {
  connection = transport.connect(`events?page=${page}`, types, books.lastId, receive, showState);
}

function choose(name) {
  transport = transports[name];
  document.querySelector(`[name="transport"][value="${name}"]`).checked = true;
  setText($("state-via"), transport.name);
  setText($("transport-hint"), transport.hint);
  setText($("curl"), transport.curl);
}

/** Over to the other transport; what it has to bring is the same. */
function change(name) {
  choose(name);
  history.replaceState(null, "", `?transport=${name}`);
  if ($("state").dataset.state === "closed") return; // then it is for the next time
  connection.close();
  showState("connecting", "Changing the transport…");
  open();
}

function close() {
  connection.close();
  showState("closed");
}

$("plug").onclick = () => fetch(`plug?page=${page}`, { method: "POST" }).catch(() => {});
$("close").onclick = () => { close(); $("open").focus(); };
$("open").onclick = () => { open(); $("close").focus(); };
$("transport").onchange = ({ target }) => change(target.value);

const streams = "EventSource" in window;
const wanted = new URLSearchParams(location.search).get("transport");
$("stream").disabled = !streams;
choose(streams && wanted !== "poll" ? "stream" : "poll");
books.start();
open();

// ---- Small tools -------------------------------------------------------------------------------

/** Sets text if it differs, so that a screen reader is not told again; says whether it did. */
function setText(element, text) {
  if (element.textContent === String(text)) return false;
  element.textContent = text;
  return true;
}

function setIcon(element, name) {
  element.querySelector("use").setAttribute("href", `#i-${name}`);
}

/** Runs a CSS animation from its start. */
function restart(element, name) {
  element.classList.remove(name);
  void element.offsetWidth;
  element.classList.add(name);
}

/** Where a minute lies on the strip, in per cent: added time counts for its half. */
function along(clock) {
  return Math.min(100, Number.parseInt(clock, 10) / 0.9);
}
