// One EventSource for all tabs of an origin: a recipe to copy.
//
// Over HTTP/1.1 a browser opens at most six connections to an origin, counted over all tabs, and an
// event stream occupies one of them. A seventh tab would wait forever. Here the tabs elect a leader with
// a Web Lock. The leader opens the EventSource and forwards its events through a BroadcastChannel. When
// the leader's tab is closed, the lock passes to another tab, which resumes after the last event it has
// seen.
//
//     const source = new SharedEventSource("/events", { types: ["goal"], lastEventId });
//     source.addEventListener("goal", ({ data, lastEventId }) => …);
//     source.onopen = source.onerror = () => console.log(source.readyState);
//
// It differs from EventSource in two ways. `types` names the events in advance, besides "message". And
// `lastEventId` resumes: it is sent as a query parameter, since a script cannot set the header.

const REMEMBERED = 256; // events, for tabs that join later

export class SharedEventSource extends EventTarget {
  readyState = 0;
  onopen = null;
  onerror = null;

  #name = crypto.randomUUID();
  #url;
  #types;
  #channel = null;
  #source = null; // of the leader, or of a tab that the leader cannot bring up to date
  #leads = false;
  #follows = false;
  #asking = false;
  #askAgain = false;
  #closed = new AbortController();

  #from; // the ID before the first event that is remembered
  #past = [];

  constructor(url, { types = [], lastEventId = "" } = {}) {
    super();
    this.#url = url;
    this.#types = ["message", ...types];
    this.#from = lastEventId ?? "";
    if (!("locks" in navigator) || !("BroadcastChannel" in globalThis)) {
      this.#open();
      return;
    }
    this.#channel = new BroadcastChannel(`sse ${url}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#ask();
    const lead = () => this.#lead();
    navigator.locks.request(`sse ${url}`, { signal: this.#closed.signal }, lead).catch(() => {});
  }

  close() {
    this.readyState = 2;
    this.#source?.close();
    this.#channel?.close();
    this.#closed.abort();
  }

  /** How many tabs share the stream. */
  static async tabs(url) {
    const { held, pending } = (await navigator.locks?.query()) ?? { held: [{}], pending: [] };
    return [...held, ...pending].filter(({ name }) => name === `sse ${url}`).length;
  }

  get #lastEventId() {
    return this.#past.at(-1)?.id ?? this.#from;
  }

  #lead() {
    if (this.#closed.signal.aborted) return null;
    this.#leads = true;
    if (!this.#source) this.#open();
    this.#tell({ leader: this.#name });
    return new Promise((resolve) => { this.#closed.signal.onabort = resolve; });
  }

  #open() {
    const last = this.#lastEventId;
    const query = `${this.#url.includes("?") ? "&" : "?"}lastEventId=${encodeURIComponent(last)}`;
    const source = new EventSource(last ? this.#url + query : this.#url);
    this.#source = source;
    source.onopen = source.onerror = () => {
      const { readyState } = source;
      // A server that refuses this stream refuses the next leader as well.
      if (this.#leads && readyState !== 2) this.#tell({ state: readyState });
      this.#setState(readyState);
      if (readyState === 2) this.close();
    };
    for (const type of this.#types) {
      source.addEventListener(type, ({ data, lastEventId: id }) => {
        // EventSource reports an event without an ID under the previous ID.
        const event = { type, data, id, placed: id !== this.#lastEventId };
        if (this.#leads) this.#tell({ event });
        this.#deliver(event);
        if (!this.#leads) this.#ask();
      });
    }
  }

  #deliver(event) {
    if (event.placed) this.#past.push(event);
    if (this.#past.length > REMEMBERED) this.#from = this.#past.shift().id;
    this.dispatchEvent(new MessageEvent(event.type, { data: event.data, lastEventId: event.id }));
  }

  #setState(state) {
    if (this.#closed.signal.aborted || state === this.readyState && state !== 0) return;
    this.readyState = state;
    const event = new Event(state === 1 ? "open" : "error");
    this[`on${event.type}`]?.(event);
    this.dispatchEvent(event);
  }

  // ---- Between tabs ----

  #tell(message) {
    if (!this.#closed.signal.aborted) this.#channel?.postMessage(message);
  }

  /** Asks the leader for what this tab lacks, at most every 100 ms. */
  #ask() {
    if (!this.#channel) return;
    this.#askAgain = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    this.#tell({ from: this.#name, after: this.#lastEventId });
    setTimeout(() => {
      this.#asking = false;
      if (this.#askAgain) this.#ask();
    }, 100);
  }

  #hear({ leader, from, after, to, events, state, event }) {
    if (this.#closed.signal.aborted) return;
    if (this.#leads) {
      if (from) this.#tell({ to: from, events: this.#since(after), state: this.readyState });
    } else if (leader) {
      this.#follows = false;
      this.#ask();
    } else if (to) {
      if (to === this.#name && !this.#follows) this.#follow(events, state);
    } else if (this.#follows) {
      if (event && !this.#has(event)) this.#deliver(event);
      if (state !== undefined) this.#setState(state);
    }
  }

  #follow(events, state) {
    if (!events) {
      // The leader no longer remembers that far back. The server may.
      if (!this.#source) this.#open();
      return;
    }
    this.#source?.close();
    this.#source = null;
    this.#follows = true;
    for (const event of events) if (!this.#has(event)) this.#deliver(event);
    this.#setState(state);
  }

  #since(id) {
    if (id === this.#from) return this.#past;
    const at = this.#past.findIndex((event) => event.id === id);
    return at < 0 ? null : this.#past.slice(at + 1);
  }

  #has({ placed, id }) {
    return placed && this.#past.some((event) => event.id === id);
  }
}
