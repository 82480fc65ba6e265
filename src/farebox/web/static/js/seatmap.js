// The seats as they are drawn: a checkbox each, with its status, what was chosen, and a label for those who listen.
import { moveWithKeys } from "./arrows.js";
import { fill } from "./voice.js";

/** The seats of the form `form`. Knows what each looks like, and nothing of why. */
export class SeatMap {
  #texts;
  #boxes;

  constructor(form) {
    this.#texts = form.dataset;
    this.#boxes = new Map([...form.querySelectorAll("input[name=seats]")].map((box) => [box.value, box]));
    for (const box of this.#boxes.values()) box.disabled = false; // reachable by arrow keys, so that its state can be heard
    for (const deck of form.querySelectorAll("[data-deck]")) moveWithKeys(deck, (box) => this.isOpen(box.value));
  }

  get numbers() { return [...this.#boxes.keys()]; }
  has(number) { return this.#boxes.has(number); }
  hasAll(numbers) { return numbers.length === this.#boxes.size && numbers.every((number) => this.has(number)); }
  statusOf(number) { return seatOf(this.#boxes.get(number)).dataset.status; }
  isOwn(number) { return this.statusOf(number) === "own"; }
  isOpen(number) { return this.isOwn(number) ? "canKeep" in this.#texts : ["available", "mine"].includes(this.statusOf(number)); }
  isFocused(number) { return this.#boxes.get(number) === document.activeElement; }
  focus(number) { this.#boxes.get(number).focus(); }

  /** Draw one seat. `mark`: "" as it is, "waiting" while the server is being asked, "unsent" when it could not be. */
  draw(number, status, { isChosen = status === "mine", mark = "" } = {}) {
    const box = this.#boxes.get(number);
    const seat = seatOf(box);
    seat.dataset.status = status;
    seat.classList.toggle("is-waiting", mark === "waiting");
    seat.classList.toggle("is-unsent", mark === "unsent");
    box.checked = isChosen;
    if (this.isOpen(number)) box.removeAttribute("aria-disabled");
    else box.setAttribute("aria-disabled", "true");
    box.setAttribute("aria-label", `${box.dataset.label}, ${this.#word(status, isChosen, mark)}`);
  }

  /** Point at seats that are offered. */
  offer(numbers) {
    for (const [number, box] of this.#boxes) seatOf(box).classList.toggle("is-offered", numbers.includes(number));
  }

  /** A sentence about what has become of a seat. */
  sentence(number, status) {
    const text = { available: this.#texts.textFreed, locked: this.#texts.textHeld, blocked: this.#texts.textBlocked, own: this.#texts.textOwn }[status];
    return fill(text ?? this.#texts.textTaken, { seat: number });
  }

  #word(status, isChosen, mark) {
    if (mark === "unsent" && isChosen) return this.#texts.labelUnsent;
    if (mark === "waiting") return isChosen ? this.#texts.labelAsking : this.#texts.labelReturning;
    if (status === "own" && isChosen) return this.#texts.labelKept;
    return this.#texts[`label${status[0].toUpperCase()}${status.slice(1)}`];
  }
}

const seatOf = (box) => box.closest(".seat");
