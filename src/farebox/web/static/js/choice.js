// What the visitor chooses: shown at once, asked of the server one request after the other, and put right by its answer.
import { factsOf } from "./panel.js";
import { announce, fill } from "./voice.js";

const TRIES = 3; // of one request, while the server says that it is too busy
const LONGEST_WAIT_SECONDS = 10; // longer than that, people decide for themselves when to try again
const ANSWER_MS = 15000;
const BUSY = [409, 503];
const TOO_OFTEN = 429;
const OVER = [403, 404, 410]; // the page is not the present one any more: a new one says what is

/** The choice of one window. `onAnswer(facts, before, {isOwn})` gets the server's word on what is held, now and as it
 * was, and whether this window changed it. */
export class Choice {
  #form;
  #map;
  #panel;
  #onAnswer;
  #texts;
  #status; // seat -> as the server last said
  #held; // the server's word: {mine, lock, viewer}
  #wishes = new Map(); // seat -> whether it is wanted; what the server has not answered yet
  #isSending = false;
  #hasFailed = false;
  #wantsNews = false;
  #idle = Promise.resolve(true);

  constructor({ form, map, panel, onAnswer }) {
    this.#form = form;
    this.#map = map;
    this.#panel = panel;
    this.#onAnswer = onAnswer;
    this.#texts = form.dataset;
    this.#held = panel.facts;
    this.#status = new Map(map.numbers.map((number) => [number, map.statusOf(number)]));
    // in what is sent, by a script or by the form's own button
    form.addEventListener("formdata", ({ formData }) => {
      formData.set("known", [...this.#held.mine].join(","));
      formData.set("lock", this.#held.lock);
    });
    this.#draw();
  }

  get held() { return this.#held; }
  get hasFailed() { return this.#hasFailed; }
  get isBusy() { return this.#isSending; }
  get chosen() { return this.#map.numbers.filter((number) => this.#isChosen(number)); }
  isWaitingFor(number) { return this.#wishes.has(number); }

  /** Take seats, or give them back. */
  choose(numbers, isWanted) {
    this.#panel.quiet();
    const limit = Number(this.#texts.max);
    for (const number of numbers) {
      if (isWanted && !this.#isChosen(number) && this.chosen.length >= limit) {
        this.#panel.say(this.#texts.textLimit);
        break;
      }
      this.#wishes.set(number, isWanted);
    }
    this.send();
  }

  /** Send what has not been sent, and say whether all of it was answered. */
  send() {
    this.#hasFailed = false;
    this.#draw();
    if (!this.#isSending) this.#idle = this.#work();
    return this.#idle;
  }

  /** Ask the server what is held, and show it. */
  refresh() {
    this.#wantsNews = true;
    if (!this.#isSending) this.#idle = this.#work();
    return this.#idle;
  }

  /** What the feed says of a seat. Returns whether that is news about somebody else's doing. */
  hear(number, status) {
    const before = this.#status.get(number);
    if (before === status || before === "own") return false; // whose it is now stays the same while the page is open
    this.#status.set(number, status);
    const wish = this.#wishes.get(number);
    const isOwn = status === "mine" || before === "mine";
    // What is the visitor's, and why it is no more, says the server's part; until it is here, the seat stays as it is.
    if (isOwn && !(this.#isSending && wish === (status === "mine"))) this.refresh();
    if (wish && this.#hasFailed && !isOwn && status !== "available") {
      this.#wishes.delete(number);
      this.#panel.say(this.#map.sentence(number, status), { isPassing: true, canRetry: this.#wishes.size > 0 });
    }
    this.#drawOne(number);
    return !isOwn && wish === undefined;
  }

  async #work() {
    this.#isSending = true;
    this.#panel.isBusy = true;
    this.#forgetGranted(); // chosen and given back before it was ever sent
    const before = this.#held;
    let isAnswered = true;
    let hasAsked = false;
    let said = "";
    while (isAnswered && (this.#isOwing() || this.#wantsNews)) {
      const isChange = this.#isOwing();
      const answer = await (isChange ? this.#ask() : this.#look());
      isAnswered = Boolean(answer);
      // what one answer explains is not wiped away by the next one to the same clicks, or by a look at what is held
      if (answer) said = this.#settle(answer, { keepsNotice: hasAsked || !isChange }) || said;
      hasAsked ||= isChange;
    }
    this.#isSending = false;
    this.#panel.isBusy = false;
    this.#draw();
    const isNew = !isSame(before.mine, this.#held.mine);
    if (said || (isAnswered && isNew)) announce(said || this.#panel.total);
    return isAnswered;
  }

  /** Send the choice as it stands. Gives the server's part about it, or nothing once people were told why not. */
  async #ask() {
    for (let attempt = 1; ; attempt += 1) {
      const { part, status, wait, sent } = await alone(this.#form, () => this.#post());
      if (part) {
        this.#panel.quiet({ onlyPassing: true });
        return { part, sent };
      }
      if (OVER.includes(status)) location.reload();
      if (!BUSY.includes(status) || wait > LONGEST_WAIT_SECONDS || attempt === TRIES) {
        this.#fail(status, wait);
        return null;
      }
      this.#panel.say(this.#texts.textBusy, { isPassing: true });
      await pause(1000 * wait * (1 + Math.random() / 2));
    }
  }

  async #post() {
    const sent = new Map(this.#wishes);
    const body = new URLSearchParams(new FormData(this.#form));
    return { sent, ...await exchange(this.#form.action, { method: "POST", body }) };
  }

  async #look() {
    this.#wantsNews = false;
    const url = new URL(this.#form.action);
    url.searchParams.set("known", [...this.#held.mine].join(","));
    url.searchParams.set("lock", this.#held.lock);
    const { part, status } = await exchange(url, {});
    if (!part && (OVER.includes(status) || status === 200)) location.reload(); // led elsewhere: sales have closed
    return part ? { part, sent: new Map() } : null;
  }

  #fail(status, wait) {
    this.#hasFailed = true;
    this.#wantsNews = false;
    let text = this.#texts.textUnsent;
    if (status === TOO_OFTEN) text = fill(this.#texts.textOften, { minutes: Math.max(1, Math.ceil(wait / 60)) });
    else if (BUSY.includes(status)) text = this.#texts.textStillBusy;
    this.#panel.say(text, { isPassing: true, canRetry: true });
  }

  #settle({ part, sent }, { keepsNotice }) {
    const before = this.#held;
    const facts = factsOf(part);
    const has = facts.mine;
    this.#held = facts;
    for (const number of this.#map.numbers) {
      if (this.#map.isOwn(number)) this.#status.set(number, "own");
      else if (has.has(number)) this.#status.set(number, "mine");
      else if (facts.lost.has(number)) this.#status.set(number, facts.lost.get(number));
      else if (this.#status.get(number) === "mine") this.#status.set(number, "available");
      // refused; unless it was clicked again meanwhile, which the next request is about
      if (sent.has(number) && sent.get(number) === this.#wishes.get(number)) this.#wishes.delete(number);
    }
    this.#forgetGranted();
    const said = this.#panel.show(part, { keepsNotice });
    this.#map.offer(this.#panel.facts.offered); // of what is still to be read, too
    this.#draw();
    this.#onAnswer(facts, before, { isOwn: sent.size > 0 });
    return said;
  }

  #isChosen(number) {
    return this.#wishes.get(number) ?? this.#held.mine.has(number);
  }

  #isOwing() {
    return !this.#hasFailed && [...this.#wishes].some(([number, isWanted]) => isWanted !== this.#held.mine.has(number));
  }

  #forgetGranted() {
    for (const [number, isWanted] of this.#wishes) if (isWanted === this.#held.mine.has(number)) this.#wishes.delete(number);
  }

  #draw() {
    for (const number of this.#map.numbers) this.#drawOne(number);
  }

  #drawOne(number) {
    const isMine = this.#held.mine.has(number);
    const own = this.#map.isOwn(number) ? "own" : "";
    if (this.#wishes.has(number)) {
      const mark = this.#hasFailed ? "unsent" : "waiting";
      this.#map.draw(number, own || "available", { isChosen: this.#wishes.get(number), mark });
    } else this.#map.draw(number, own || (isMine ? "mine" : this.#status.get(number)), { isChosen: isMine });
  }
}

/** One request of this visitor about this ride at a time, whatever the window, so that none is decided on old news. */
function alone(form, request) {
  if (!navigator.locks) return request(); // only on secure origins; the server puts windows together as well
  return navigator.locks.request(`seats of ${new URL(form.action).pathname}`, request);
}

async function exchange(url, options) {
  try {
    const answer = await fetch(url, {
      ...options,
      headers: { Accept: "text/html", "HX-Request": "true" },
      cache: "no-store",
      signal: AbortSignal.timeout?.(ANSWER_MS),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const wait = Number(answer.headers.get("Retry-After")) || 1;
    return { part: page.querySelector("[data-selection]"), status: answer.status, wait };
  } catch {
    return { part: null, status: 0, wait: 0 }; // no network, or no answer in time
  }
}

export const isSame = (one, other) => one.size === other.size && [...one].every((each) => other.has(each));
const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
