// A page in five parts: the books, which check that nothing is lost; what an event does to the page; the
// connection as the page shows it; the controls; and the wire. What brings events is in transports.js.

import { SharedEventSource } from "./shared.js";
import { eventSource, longPoll } from "./transports.js";

const $ = (id) => document.getElementById(id);

// ---- The books ---------------------------------------------------------------------------------
// The server numbers its lines consecutively, so the page can check them. The stream's own IDs are
// "<epoch>-<position>": they say where to resume, and whether it is still the same server.

const books = {
  start() {
    Object.assign(this, { epoch: null, first: null, last: null, lastId: null, received: 0, missing: 0, doubled: 0 });
  },

  /** Enters a line. Returns false if the page already has it. */
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

  get whole() {
    return this.received === this.last - this.first + 1 && this.missing === 0 && this.doubled === 0;
  },
};

const verdicts = {
  none: { icon: "wait", text: () => "Waiting for the first event" },
  closed: { icon: "bad", text: () => `Closed after ${lines(books.received)}` },
  down: { icon: "bad", text: () => "The server is not responding" },
  away: { icon: "wait", text: () => waitingText() },
  behind: { icon: "wait", text: () => "Catching up…" },
  history: { icon: "wait", text: () => "Loading the match so far…" },
  bad: { icon: "bad", text: () => `${books.missing} missing, ${books.doubled} duplicated` },
  gap: { icon: "wait", text: () => "Complete since the gap" },
  good: { icon: "ok", text: () => "Nothing missing, no duplicates" },
};

/** What is certain. While lines may still be waiting on the server, nothing is said to be complete. */
function verdict() {
  if (link.state === "closed") return "closed";
  if (link.down) return "down";
  if (books.last === null) return "none";
  if (link.state === "connecting") return "away";
  if (!books.whole) return "bad";
  if (link.away) return "behind";
  if (link.fresh) return "history";
  return link.gap ? "gap" : "good";
}

function waitingText() {
  const waiting = link.latest - books.last;
  if (link.latest === null || waiting < 0) return "Reconnecting…";
  return waiting === 1 ? "1 event waiting" : `${waiting} events waiting`;
}

function render() {
  for (const count of ["received", "missing", "doubled"]) setText($(count), books[count]);
  setText($("last-id"), books.lastId ?? "none yet");
  const now = verdict();
  $("verdict").dataset.verdict = now;
  setText($("verdict-text"), verdicts[now].text());
  setIcon($("verdict"), verdicts[now].icon);
  document.body.classList.toggle("stale", ["closed", "down", "away", "behind"].includes(now));
  setText($("state-text"), states[link.state]);
  $("state").dataset.state = link.state;
  const seconds = Math.ceil(link.plugOut / 1000);
  setText($("plug-text"), seconds > 0 ? `Put it back (${seconds})` : "Pull the plug");
  $("plug").classList.toggle("out", seconds > 0);
  $("plug").disabled = seconds === 0 && (link.down || link.state === "closed");
  setText($("toggle"), link.state === "closed" ? "Reconnect" : "Close");
}

const lines = (count) => (count === 1 ? "1 line" : `${count} lines`);
const events = (count) => (count === 1 ? "1 event" : `${count} events`);

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

/** Every event passes through here, over either transport. */
function receive({ type, id, data }) {
  const show = control[type] ?? comment;
  show(data && JSON.parse(data), id);
  render();
}

// Events about the stream rather than the match. They have no number and do not enter the books.
const control = {
  /** The server's clock and its subscribers. */
  ping({ now, subscribers }) {
    setText($("clock"), new Date(now * 1000).toLocaleTimeString([], { hourCycle: "h23" }));
    $("clock").dateTime = new Date(now * 1000).toISOString();
    setText($("subscribers"), subscribers);
    restart($("pulse"), "beat");
    countTabs();
  },

  /** The next events do not continue what the page has: say so, and start over without an ID. */
  gap() {
    const after = books.lastId;
    if (after === null) return; // the page had nothing to lose
    link.away = null;
    link.gap = true;
    link.fresh = true;
    books.start();
    $("feed").replaceChildren();
    notice(`The server cannot resume after ${after}. Events after it may be lost.`);
    open();
  },

  bye({ text }) {
    note(text);
  },
};

function comment(data, id) {
  const fresh = books.enter(data.number, id);
  if (!fresh) return;
  books.lastId = id;
  if (link.away) link.away.count += 1;
  if (data.fixture) kickOff(data.fixture);
  showScore(data);
  addLine(data);
  mark(data);
  caughtUpAt(data.number);
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
    if (setText($(id), goals) && what === "goal" && isLive()) restart($(id), "scored");
  }
  setText($("minute"), { "half-time": "Half-time", "full-time": "Full time" }[what] ?? `${clock}′`);
  $("played").style.width = `${along(clock)}%`;
  document.title = `${home}:${away} ${teams.home} – ${teams.away} · tower-sse`;
}

function addLine({ number, clock, what, side, text }) {
  const line = $("line").content.cloneNode(true).firstElementChild;
  line.dataset.number = number;
  line.dataset.what = what;
  setText(line.querySelector(".at"), `${clock}′`);
  setText(line.querySelector(".title"), [titles[what], teams[side]].filter(Boolean).join(" · "));
  setText(line.querySelector(".text"), text);
  setIcon(line, icons[what] ?? what);
  if (link.away) {
    // What was missed pours in under the marker.
    line.classList.add("caught-up");
    line.style.animationDelay = `${Math.min(link.away.count, 12) * 60}ms`;
    link.away.line.after(line);
    trim();
  } else {
    if (isLive()) line.classList.add("arrives");
    prepend(line);
  }
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

/** A message that must not scroll away with the feed. */
function notice(text) {
  setText($("notice"), text);
  $("notice").hidden = text === "";
}

function prepend(line) {
  $("feed").prepend(line);
  trim();
  return line;
}

function trim() {
  while ($("feed").childElementCount > FEED_LIMIT) $("feed").lastElementChild.remove();
}

// ---- The connection, as the page shows it ------------------------------------------------------

const states = { connecting: "Connecting", open: "Open", closed: "Closed" };
const losses = { connecting: "Connection lost", closed: "Closed" };
const link = {
  state: "connecting",
  fresh: true, // until the history has been replayed
  target: null, // the number of the latest line when the connection opened: lines up to it are replayed
  away: null, // from the loss of the connection until the page has caught up: since when, after which ID, how many lines, the marker
  gap: false,
  down: false,
  latest: null, // the number of the server's latest line, asked for while away
  plugOut: 0, // milliseconds
};

const isLive = () => link.state === "open" && !link.away && !link.fresh;

function showState(state, loss = losses[state]) {
  if (state === "open") link.down = false;
  if (state === link.state) return;
  // Even the history can be cut off, and then resumes.
  const begun = !link.fresh || books.lastId !== null;
  if (link.state === "open" && begun && !link.away) {
    link.away = { since: performance.now(), after: books.lastId, count: 0, line: note(`${loss} ${books.lastId ? `after ${books.lastId}` : "before the first event"}`) };
  }
  link.target = null;
  link.state = state;
  if (state !== "open") forgetPing();
  render();
  if (state === "open") askStatus("GET");
  if (state !== "closed") watchStatus();
}

/** Ends the replay if this line is its last. */
function caughtUpAt(number) {
  if (link.state === "open" && link.target !== null && number >= link.target) caughtUp();
}

function caughtUp() {
  link.target = null;
  link.fresh = false;
  $("log").ariaBusy = "false";
  if (link.away) {
    const { since, after, count, line } = link.away;
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    const missed = count === 0 ? "nothing was missed" : `caught up on ${events(count)}`;
    setText(line, `Away for ${seconds} s, resumed ${after ? `after ${after}` : "from the start"}: ${missed}`);
    line.classList.add("resumed");
    setText($("resumed"), Number($("resumed").textContent) + 1);
    link.away = null;
  }
  link.latest = null;
  render();
}

/** Asks for the latest line and the state of the plug until the stream is open and the page has caught up. */
async function watchStatus() {
  if (watchStatus.running) return;
  watchStatus.running = true;
  while (link.plugOut > 0 || (link.state !== "closed" && !isLive())) {
    await new Promise((resolve) => { setTimeout(resolve, 250); });
    await askStatus("GET");
  }
  watchStatus.running = false;
}

async function askStatus(method) {
  const path = method === "GET" ? "status" : "plug";
  const { state } = link;
  try {
    const response = await fetch(`${path}?page=${page}`, { method, cache: "no-store", signal: AbortSignal.timeout(3000) });
    const { latest, plug_out } = await response.json();
    Object.assign(link, { latest, plugOut: plug_out, down: false });
    if (state === "open" && link.state === "open" && !isLive()) {
      link.target ??= latest;
      // A server that is behind the page has restarted. A gap event follows.
      if (latest >= (books.last ?? 0)) caughtUpAt(books.last ?? 0);
    }
  } catch {
    Object.assign(link, { plugOut: 0, down: link.state === "connecting" });
  }
  render();
}

// ---- The controls ------------------------------------------------------------------------------

const page = browserName(); // tells the server whose plug is pulled
const types = ["goal", "card", "whistle", ...Object.keys(control)];
const transports = {
  stream: {
    connect: eventSource,
    name: "EventSource",
    hint: "One response stays open for all tabs. If the connection breaks, the browser reconnects on its own.",
    curl: `curl -N ${location.host}/events`,
  },
  poll: {
    connect: longPoll,
    name: "Long poll",
    hint: "Each response ends after its events, and the page sends the next request. For networks that buffer streams.",
    curl: `curl "${location.host}/events?long-poll"`,
  },
};
let transport = null;
let connection = null;

/** The same in all tabs, so that they share a stream and a plug. */
function browserName() {
  try {
    return (localStorage.page ??= crypto.randomUUID());
  } catch {
    return crypto.randomUUID(); // without storage, each tab has its own
  }
}

function open() {
  connection?.close();
  const mine = {};
  connection = mine;
  // A connection that has been replaced is ignored.
  const only = (act) => (...args) => { if (mine === connection) act(...args); };
  const on = { event: only(receive), state: only((state) => showState(state)) };
  mine.close = () => source.close();
  const source = transport.connect(`events?page=${page}`, types, books.lastId, on);
}

function choose(name) {
  transport = transports[name];
  document.querySelector(`[name="transport"][value="${name}"]`).checked = true;
  setText($("state-via"), transport.name);
  setText($("transport-hint"), transport.hint);
  setText($("curl"), transport.curl);
  setText($("tabs"), "");
}

/** Resumes over the other transport. */
function change(name) {
  choose(name);
  history.replaceState(null, "", `?transport=${name}`);
  if (link.state === "closed") return; // it is used once the page reconnects
  showState("connecting", "Transport changed");
  open();
}

/** What the last ping said is out of date. */
function forgetPing() {
  setText($("clock"), "--:--:--");
  setText($("subscribers"), "–");
}

async function countTabs() {
  if (transport !== transports.stream) return;
  const tabs = await SharedEventSource.tabs(`events?page=${page}`);
  setText($("tabs"), tabs > 1 ? `${tabs} tabs share it now.` : "");
}

$("plug").onclick = () => {
  askStatus(link.plugOut > 0 ? "DELETE" : "POST").then(watchStatus);
};
$("toggle").onclick = () => {
  if (link.state === "closed") {
    showState("connecting");
    open();
  } else {
    connection.close();
    showState("closed");
  }
};
$("transport").onchange = ({ target }) => change(target.value);

// ---- The wire ----------------------------------------------------------------------------------

const WIRE_LIMIT = 150;
let wire = null;

$("wire").ontoggle = () => {
  wire?.close();
  wire = null;
  $("wire-log").replaceChildren();
  if (!$("wire").open) return;
  wire = new SharedEventSource(`wire?page=${page}`);
  wire.addEventListener("message", ({ data }) => showWire(JSON.parse(data)));
};

function showWire({ what, text }) {
  const log = $("wire-log");
  const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const ping = what === "bytes" && text.startsWith("event: ping\n");
  // Consecutive pings share one entry.
  if (ping && log.lastElementChild?.classList.contains("ping")) log.lastElementChild.remove();
  const entry = document.createElement("li");
  entry.className = ping ? "bytes ping" : what;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const row = document.createElement("span");
    // Highlight the IDs after which a stream resumes.
    row.className = /^(id|last-event-id|GET .*lastEventId)/.test(line) ? "wire-id" : "";
    row.textContent = `${line}\n`;
    entry.append(row);
  }
  log.append(entry);
  while (log.childElementCount > WIRE_LIMIT) log.firstElementChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
}

// ---- Small tools -------------------------------------------------------------------------------

/** Sets the text if it differs, so that a screen reader does not repeat it. Returns whether it did. */
function setText(element, text) {
  if (element.textContent === String(text)) return false;
  element.textContent = text;
  return true;
}

function setIcon(element, name) {
  const use = element.querySelector("use");
  if (use.getAttribute("href") !== `#i-${name}`) use.setAttribute("href", `#i-${name}`);
}

/** Runs a CSS animation from its start. */
function restart(element, name) {
  element.classList.remove(name);
  void element.offsetWidth;
  element.classList.add(name);
}

/** The position of a minute on the strip, in per cent. Added time counts as the end of its half. */
function along(clock) {
  return Math.min(100, Number.parseInt(clock, 10) / 0.9);
}

// ---- The start ---------------------------------------------------------------------------------

const streams = "EventSource" in window;
const wanted = new URLSearchParams(location.search).get("transport");
$("stream").disabled = $("wire").hidden = !streams;
choose(streams && wanted !== "poll" ? "stream" : "poll");
books.start();
render();
open();
