// The part beside the map about the seats chosen: drawn by the server, with what the page itself has to say.
import { startClock } from "./clock.js";
import { announce } from "./voice.js";

export class Panel {
  #element;
  #notice;

  constructor(form) {
    this.#element = form.querySelector("[data-selection]");
    this.#notice = form.querySelector("template[data-notice]");
  }

  get total() { return this.#element.querySelector(".sum__total")?.textContent.replace(/\s+/g, " ").trim() ?? ""; }
  get hint() { return this.#element.querySelector(".sum__none")?.textContent.trim() ?? ""; }
  get facts() { return factsOf(this.#element); }

  set isBusy(value) {
    this.#element.classList.toggle("is-busy", value);
    if (value) this.#element.setAttribute("aria-busy", "true");
    else this.#element.removeAttribute("aria-busy");
  }

  /** Show the server's answer, and what the page itself said. `keepsNotice`: what the server explained a moment ago is
   * still to be read. Returns what the answer explains, if anything. */
  show(answer, { keepsNotice = false } = {}) {
    const said = answer.querySelector("[data-say]")?.textContent ?? "";
    const kept = [this.#element.querySelector("[data-said]")];
    if (keepsNotice && !said) kept.unshift(this.#element.querySelector("#seat-notice"));
    answer.querySelector(".sum__go").prepend(...kept.filter(Boolean));
    const focused = this.#element.contains(document.activeElement) ? document.activeElement : null;
    const { id, name, value } = focused ?? {};
    for (const key of ["mine", "lock", "viewer", "lost"]) this.#element.dataset[key] = answer.dataset[key] ?? "";
    this.#element.replaceChildren(...answer.childNodes);
    if (focused) this.#refocus(id, name, value);
    startClock();
    return said;
  }

  /** Say something to everybody: shown beside the total and read out. `isPassing`: it is about what is being sent. */
  say(text, { isPassing = false, canRetry = false, canReload = false } = {}) {
    this.quiet();
    const notice = this.#notice.content.firstElementChild.cloneNode(true);
    notice.dataset.said = isPassing ? "passes" : "stays";
    notice.querySelector("[data-said-text]").textContent = text;
    notice.querySelector("[data-retry]").parentElement.hidden = !canRetry;
    notice.querySelector("[data-reload]").parentElement.hidden = !canReload;
    this.#element.querySelector(".sum__go").prepend(notice);
    announce(text);
  }

  /** Take back what `say` said, or only what was about sending. */
  quiet({ onlyPassing = false } = {}) {
    this.#element.querySelector(onlyPassing ? "[data-said=passes]" : "[data-said]")?.remove();
  }

  #refocus(id, name, value) {
    const buttons = [...this.#element.querySelectorAll("button, a")];
    const same = buttons.find((each) => each.name === name && each.value === value && each.id === (id ?? ""));
    (same ?? this.#element.querySelector(".sum__go > .btn"))?.focus();
  }
}

/** What the server's part says about a choice. */
export function factsOf(part) {
  const list = (value) => (value ?? "").split(",").filter(Boolean);
  return {
    mine: new Set(list(part.dataset.mine)),
    lost: new Map(list(part.dataset.lost).map((each) => each.split(":"))),
    offered: [...part.querySelectorAll("[data-take]")].flatMap((each) => list(each.dataset.take)),
    lock: part.dataset.lock ?? "",
    viewer: part.dataset.viewer ?? "",
  };
}
