// Keeps a seat map up to date: told by WebSocket, and asking every few seconds where no socket comes through.
// What it is told may come late, twice or not at all; each connection begins with everything, so nothing stays wrong.

const POLL_MS = 5000;
const PATIENCE_MS = 5000; // who has not answered by then is not there, or blocked on the way
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;
const STEADY_MS = 10000; // a connection that lasted so long was no flicker: waiting begins anew
const SILENCE_MS = 60000; // then ask: a line that was cut says nothing either
const ASK_MS = 1000; // the server answers one question a second
const REST_MS = 60000; // a page that nobody looks at goes on for so long

const OVERLOADED = 1013;
const NO_SUCH_TRIP = 4404;
const OVERLOADED_ATTEMPTS = 3; // wait as after so many failures
const GONE = [404, 410, 422];

/** Follows the seats of one ride. `onSeats([{number, status}], isWhole)` gets all seats or those that changed, `onState`
 * one of: live, reconnecting, polling, offline, over (there is no such ride any more). */
export class Feed {
  #onSeats;
  #onState;
  #liveUrl;
  #pollUrl;
  #socket = null;
  #isLive = false;
  #liveSince = 0;
  #version = 0;
  #attempts = 0;
  #askedAt = -ASK_MS;
  #isPolling = false;
  #isAsking = false;
  #polledAt = -Infinity;
  #since = "";
  #etag = "";
  #isResting = false;
  #isOver = false;
  #state = "";
  #timers = {};

  constructor({ liveUrl, pollUrl, onSeats, onState }) {
    this.#onSeats = onSeats;
    this.#onState = onState;
    this.#liveUrl = new URL(liveUrl, location.href);
    this.#liveUrl.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#pollUrl = new URL(pollUrl, location.href);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#later("rest", REST_MS, () => this.#rest());
      else this.#wake();
    });
    window.addEventListener("online", () => this.#wake());
    window.addEventListener("offline", () => { this.resync(); this.#tell(); });
    window.addEventListener("pagehide", () => this.#rest());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.#wake(); });
    this.reconnect();
  }

  /** Hear everything again, as soon as may be. */
  resync() {
    this.#since = this.#etag = "";
    if (this.#isLive) this.#ask();
    else if (this.#isPolling) this.#poll();
  }

  /** Forget what polling was told: the map has learned something since, from somebody else. */
  forget() {
    this.#since = this.#etag = "";
  }

  /** Connect anew, as somebody else perhaps. */
  reconnect() {
    if (this.#isOver || this.#isResting) return;
    this.#hangUp();
    let socket;
    try {
      socket = new WebSocket(this.#liveUrl);
    } catch { // no WebSocket here, or a policy forbids it
      this.#failed(0);
      return;
    }
    this.#socket = socket;
    socket.addEventListener("message", (event) => { if (socket === this.#socket) this.#hear(event.data); });
    socket.addEventListener("close", (event) => { if (socket === this.#socket) this.#failed(event.code); });
    this.#expect();
  }

  #hear(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    this.#stop("patience");
    this.#later("silence", SILENCE_MS, () => this.#ask());
    if (message.type === "snapshot") {
      if (!this.#isLive) this.#goLive();
    } else if (message.type !== "delta") {
      return;
    } else if (message.since !== this.#version) { // one was missed
      this.#ask();
      return;
    }
    this.#version = message.version;
    this.#onSeats(message.seats, message.type === "snapshot");
  }

  #goLive() {
    this.#isLive = true;
    this.#liveSince = performance.now();
    this.#isPolling = false;
    this.#stop("poll");
    this.forget();
    this.#tell();
  }

  #ask() {
    if (!this.#isLive) return;
    const wait = this.#askedAt + ASK_MS - performance.now();
    if (wait > 0) {
      this.#later("ask", wait, () => this.#ask());
      return;
    }
    this.#askedAt = performance.now();
    this.#socket.send('{"type":"snapshot"}');
    this.#expect();
  }

  /** Somebody must say something soon. */
  #expect() {
    if (!this.#timers.patience) this.#later("patience", PATIENCE_MS, () => this.#failed(0));
  }

  #failed(code) {
    const wasLive = this.#isLive;
    this.#hangUp();
    if (code === NO_SUCH_TRIP) {
      this.#end();
      return;
    }
    if (wasLive && performance.now() - this.#liveSince > STEADY_MS) this.#attempts = 0;
    if (code === OVERLOADED) this.#attempts = Math.max(this.#attempts, OVERLOADED_ATTEMPTS);
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // spread out, or all who watched come back to a restarted server in the same instant
    this.#later("retry", longest * (0.25 + 0.75 * Math.random()), () => this.reconnect());
    // a connection that was there and is lost is mostly back at the next try; who was never let in asks meanwhile
    if ((!wasLive || code === OVERLOADED) && !this.#isPolling) {
      this.#isPolling = true;
      this.#poll();
    }
    this.#tell();
  }

  #hangUp() {
    for (const name of ["patience", "silence", "ask", "retry"]) this.#stop(name);
    this.#isLive = false;
    const socket = this.#socket;
    this.#socket = null; // whatever it still says is of the past
    socket?.close();
  }

  async #poll() {
    this.#stop("poll");
    if (this.#isAsking) return; // it goes on by itself
    this.#isAsking = true;
    let wait = POLL_MS;
    let told = null;
    const isWhole = !this.#since;
    const url = new URL(this.#pollUrl);
    if (this.#since) url.searchParams.set("since", this.#since);
    try {
      const answer = await fetch(url, {
        headers: this.#etag ? { Accept: "application/json", "If-None-Match": this.#etag } : { Accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout?.(2 * PATIENCE_MS),
      });
      if (GONE.includes(answer.status)) this.#end();
      else if (answer.ok || answer.status === 304) this.#polledAt = performance.now();
      else wait = Math.max(wait, 1000 * Number(answer.headers.get("Retry-After") ?? 0));
      if (answer.status === 200) told = { ...await answer.json(), etag: answer.headers.get("ETag") ?? "" };
    } catch { /* the next one may get through */ }
    this.#isAsking = false;
    this.#tell();
    if (!this.#isPolling) return; // a socket has told more meanwhile
    if (told) {
      this.#etag = told.etag;
      this.#since = told.version;
      this.#onSeats(told.seats, isWhole);
    }
    this.#later("poll", wait * (0.9 + 0.2 * Math.random()), () => this.#poll());
  }

  #rest() {
    this.#isResting = true;
    this.#isPolling = false;
    this.#hangUp();
    this.#stop("poll");
  }

  /** Somebody looks at the page again, or the network is back. */
  #wake() {
    this.#stop("rest");
    this.#isResting = false;
    if (this.#isLive) {
      this.resync();
      return;
    }
    this.#attempts = 0;
    if (this.#isPolling) this.resync();
    this.reconnect();
  }

  #end() {
    this.#isOver = true;
    this.#rest();
    this.#tell();
  }

  #tell() {
    const state = this.#now();
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }

  #now() {
    if (this.#isOver) return "over";
    if (this.#isLive) return "live";
    if (!navigator.onLine) return "offline";
    if (this.#isPolling && performance.now() - this.#polledAt < 2 * POLL_MS) return "polling";
    return "reconnecting";
  }

  #later(name, milliseconds, action) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => { delete this.#timers[name]; action(); }, milliseconds);
  }

  #stop(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}
