// A page in four parts: the books, which check that nothing is lost; what an event does to the
// page; the transport, which brings events and knows nothing of the page; and the buttons.

const $ = (id) => document.getElementById(id);

// ---- The books ---------------------------------------------------------------------------------
// IDs are "<epoch>-<number>", numbered without a hole: so the page can check for itself.

const books = {
  start() {
    Object.assign(this, { epoch: null, first: null, last: null, lastId: null, received: 0, missing: 0, doubled: 0 });
  },

  /** Enters an ID; false if this event has been here before. */
  enter(id) {
    const [epoch, digits] = id.split("-");
    const number = Number(digits);
    this.received += 1;
    this.first ??= number;
    this.epoch ??= epoch;
    if (epoch !== this.epoch) this.missing += 1; // at least: a reset should have come first
    else if (this.last !== null && number <= this.last) {
      this.doubled += 1;
      return false;
    } else if (this.last !== null) this.missing += number - this.last - 1;
    this.epoch = epoch;
    this.last = number;
    this.lastId = id;
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
  (control[type] ?? comment)(data, id);
}

// Events about the stream rather than the match. They have no ID, so they do not enter the books.
const control = {
  /** The server's clock. It comes after what was caught up on, so it also ends that. */
  ping({ now }) {
    setText($("clock"), new Date(now).toLocaleTimeString([], { hourCycle: "h23" }));
    $("clock").dateTime = new Date(now).toISOString();
    restart($("pulse"), "beat");
    caughtUp();
  },

  /** What follows does not join on to what the page has: say so, and start over. */
  reset({ reason }) {
    const after = books.lastId;
    const why = {
      unknown: `The server has been restarted and does not know ${after}`,
      gap: `Away for longer than the server remembers: what came after ${after} is gone`,
    };
    books.start();
    showBooks();
    $("feed").replaceChildren();
    outage = null;
    notice(`${why[reason] ?? "The stream has a gap"}. Started over.`);
  },

  bye({ text }) {
    note(text);
  },
};

function comment(data, id) {
  const fresh = books.enter(id);
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

function addLine({ clock, what, side, text }) {
  const line = $("line").content.cloneNode(true).firstElementChild;
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

const states = { connecting: "Connecting", open: "Open", closed: "Closed" };
let outage = null; // while it lasts and is caught up on: since when, after which ID, how many lines, the note

function showState(state) {
  const before = $("state").dataset.state;
  if (state === before) return;
  $("state").dataset.state = state;
  setText($("state"), states[state]);
  $("plug").disabled = $("close").disabled = state === "closed";
  $("open").disabled = state !== "closed";
  if (before === "open") {
    caughtUp();
    notice("");
    const lost = state === "closed" ? "Closed" : "Connection lost…";
    outage = { since: performance.now(), after: books.lastId, count: 0, line: note(lost) };
  }
  if (state === "open" && outage) {
    outage.seconds = (performance.now() - outage.since) / 1000;
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

// ---- The transport -----------------------------------------------------------------------------
// Something with close() that reports events and states. EventSource is the one there is; another
// needs the same three arguments and no more.

const TYPES = ["message", "goal", "card", "whistle", "ping", "reset", "bye"];
const page = crypto.randomUUID(); // by which the server knows whose plug is pulled

function eventSource(lastId, onEvent, onState) {
  const query = new URLSearchParams({ page });
  // A new EventSource sends no Last-Event-ID. Once it has seen an ID, its header overrules this.
  if (lastId !== null) query.set("lastEventId", lastId);
  const source = new EventSource(`events?${query}`);
  const report = () => onState(["connecting", "open", "closed"][source.readyState]);
  source.onopen = source.onerror = report;
  for (const type of TYPES) {
    source.addEventListener(type, ({ data, lastEventId }) => {
      onEvent({ type, id: lastEventId, data: JSON.parse(data) });
    });
  }
  report();
  return {
    close() {
      source.close();
      report();
    },
  };
}

// ---- The buttons -------------------------------------------------------------------------------

let connection = null;
const open = () => { connection = eventSource(books.lastId, receive, showState); };

$("plug").onclick = () => fetch(`plug?${new URLSearchParams({ page })}`, { method: "POST" }).catch(() => {});
$("close").onclick = () => { connection.close(); $("open").focus(); };
$("open").onclick = () => { open(); $("close").focus(); };

setText($("curl"), `curl -N ${new URL("events", location)}`);
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
