// Two transports for the same events. Each resumes after `lastId`, calls on.event({ type, id, data }) and
// on.state("connecting", "open" or "closed"), and returns an object with close().

import { SharedEventSource } from "./shared.js";

/** One response that stays open, shared by all tabs. The browser reconnects on its own. */
export function eventSource(url, types, lastId, on) {
  const source = new SharedEventSource(url, { types, lastEventId: lastId });
  source.onopen = source.onerror = () => on.state(["connecting", "open", "closed"][source.readyState]);
  for (const type of ["message", ...types]) {
    source.addEventListener(type, ({ data, lastEventId }) => on.event({ type, id: lastEventId, data }));
  }
  on.state("connecting");
  return source;
}

/** One request after another, for clients without EventSource and networks that buffer streams. Each is
 *  answered as soon as there is an event. The events of a broken response are dropped and requested again. */
export function longPoll(url, types, lastId, on) {
  const closed = new AbortController();
  let wait = 100; // milliseconds between two requests, unless the server sends `retry`
  let failures = 0;

  async function poll() {
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(40_000)]);
    const response = await fetch(withId(`${url}&long-poll`, lastId), { signal, cache: "no-store" });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const { events, id, retry } = parse(await response.text(), lastId);
    lastId = id;
    wait = retry ?? wait;
    on.state("open");
    for (const event of events) {
      if (closed.signal.aborted) return;
      if (event.type === "message" || types.includes(event.type)) on.event(event);
    }
  }

  async function run() {
    on.state("connecting");
    while (!closed.signal.aborted) {
      let pause;
      try {
        await poll();
        failures = 0;
        pause = wait;
      } catch {
        if (closed.signal.aborted) return;
        on.state("connecting");
        pause = Math.min(500 * 2 ** failures, 2000) * (1 + Math.random() / 2);
        failures += 1;
      }
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  }

  run();
  return { close: () => closed.abort() };
}

/** Parses a complete response as the standard says. An event that no empty line follows is dropped. */
export function parse(text, id = "") {
  const parsed = { events: [], id, retry: null };
  let type = "";
  let data = [];
  const lines = text.split(/\r\n|\r|\n/);
  lines.pop(); // without a line break at its end
  for (const line of lines) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (line === "") {
      parsed.id = id;
      if (data.length > 0) parsed.events.push({ type: type || "message", id, data: data.join("\n") });
      type = "";
      data = [];
    } else if (field === "event") type = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) parsed.retry = Number(value);
  }
  return parsed;
}

const withId = (url, id) => (id ? `${url}&lastEventId=${encodeURIComponent(id)}` : url);
