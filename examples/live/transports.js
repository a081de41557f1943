// Two ways to the same events. Each is something with close() that goes on after `lastId`, reports
// events as { type, id, data } and states as "connecting", "open" or "closed", and knows nothing of
// the page.

/** The browser's own: one response that stays open. It reconnects by itself. */
export function eventSource(url, types, lastId, onEvent, onState) {
  // A new EventSource sends no Last-Event-ID. Once it has seen an ID, its header overrules this.
  const source = new EventSource(withId(url, lastId));
  const report = () => onState(["connecting", "open", "closed"][source.readyState]);
  source.onopen = source.onerror = report;
  for (const type of types) {
    source.addEventListener(type, ({ data, lastEventId }) => onEvent({ type, id: lastEventId, data }));
  }
  report();
  return source;
}

/** Request after request, where no EventSource is or no stream gets through: each is answered as soon
 *  as there is something. What a broken one has brought is dropped, and asked for again. */
export function longPoll(url, types, lastId, onEvent, onState) {
  const closed = new AbortController();
  let wait = 100; // milliseconds between two requests; the server's `retry` says
  let failures = 0;

  async function poll() {
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(40_000)]);
    const response = await fetch(withId(`${url}&long-poll`, lastId), { signal, cache: "no-store" });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    onState("open");
    const { events, id, retry } = parse(await response.text(), lastId);
    lastId = id;
    wait = retry ?? wait;
    for (const event of events) {
      if (closed.signal.aborted) return;
      if (types.includes(event.type)) onEvent(event);
    }
  }

  async function run() {
    onState("connecting");
    while (!closed.signal.aborted) {
      let pause;
      try {
        await poll();
        failures = 0;
        pause = wait;
      } catch {
        if (closed.signal.aborted) return;
        onState("connecting");
        pause = Math.min(500 * 2 ** failures, 8000) * (1 + Math.random() / 2);
        failures += 1;
      }
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  }

  run();
  return { close: () => closed.abort() };
}

/** What is in a whole response, by the standard; an event without an empty line after it is none. */
export function parse(text, id = "") {
  const parsed = { events: [], id, retry: null };
  let type = "";
  let data = [];
  const lines = text.split(/\r\n|\r|\n/);
  lines.pop(); // a line ends with a line break
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
