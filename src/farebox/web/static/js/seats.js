// The seat map made live: a choice holds the seat at once, the map follows what others do, arrow keys move in it.
import { startClock } from "./clock.js";
import { announce, failedText, fill } from "./voice.js";

const POLL_MS = 5000;
const QUIET_MS = 15000; // between two announcements of what others do

const form = document.querySelector("[data-seat-map]");
const selection = form.querySelector("[data-selection]");
const texts = form.dataset;
const boxes = new Map([...form.querySelectorAll("input[name=seats]")].map((box) => [box.value, box]));
const seatOf = (box) => box.closest(".seat");
const statusOf = (box) => seatOf(box).dataset.status;
const isOpen = (box) => ["available", "mine"].includes(statusOf(box));
const chosen = () => [...boxes.values()].filter((box) => box.checked);

let mine = new Set(chosen().map((box) => box.value)); // as the server last said
let sending = false;
let again = false;
let version = "";
let spokenAt = 0;

// --- drawing -------------------------------------------------------------------------------------------------------

function draw(box, status) {
  seatOf(box).dataset.status = status;
  const open = isOpen(box);
  box.disabled = false; // reachable by arrow keys, so that its state can be heard
  if (open) box.removeAttribute("aria-disabled");
  else box.setAttribute("aria-disabled", "true");
  if (!open) box.checked = false;
  label(box);
}

function label(box) {
  const status = isOpen(box) ? (box.checked ? "mine" : "available") : statusOf(box);
  const word = texts[`label${status[0].toUpperCase()}${status.slice(1)}`];
  box.setAttribute("aria-label", `${box.dataset.label}, ${word}`);
}

/** A sentence for everybody: shown beside the total and read out. */
function say(text) {
  selection.querySelector("[data-said]")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice notice--warn";
  notice.dataset.said = "";
  notice.append(document.createElement("span"), text);
  selection.querySelector(".sum__go").prepend(notice);
  announce(text);
}

// --- choosing ------------------------------------------------------------------------------------------------------

form.addEventListener("click", (event) => {
  const box = event.target.closest("input[name=seats]");
  if (box && !isOpen(box)) {
    event.preventDefault();
    say(fill(statusOf(box) === "locked" ? texts.textHeld : texts.textTaken, { seat: box.value }));
  }
  const take = event.target.closest("[data-take]");
  if (take) {
    event.preventDefault();
    const offered = boxes.get(take.dataset.take);
    if (offered && isOpen(offered)) {
      offered.checked = true;
      changed(offered);
      offered.focus();
    }
  }
});

form.addEventListener("change", (event) => {
  const box = event.target.closest("input[name=seats]");
  if (box) changed(box);
});

function changed(box) {
  if (box.checked && chosen().length > Number(texts.max)) {
    box.checked = false;
    label(box);
    say(texts.textLimit);
    return;
  }
  selection.querySelector("[data-said]")?.remove();
  label(box);
  seatOf(box).classList.add("is-waiting");
  send();
}

async function send() {
  again = true;
  if (sending) return; // what is chosen by the time the answer is here goes next
  sending = true;
  selection.classList.add("is-busy");
  selection.setAttribute("aria-busy", "true");
  try {
    while (again) {
      again = false;
      await hold();
    }
  } finally {
    sending = false;
    selection.classList.remove("is-busy");
    selection.removeAttribute("aria-busy");
    for (const box of boxes.values()) seatOf(box).classList.remove("is-waiting");
  }
}

async function hold() {
  let answer;
  let page;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "text/html", "HX-Request": "true" },
      body: new URLSearchParams(new FormData(form)),
    });
    page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-selection]");
  } catch { /* no network: told below */ }
  if (!page) {
    if (answer && [403, 404, 410].includes(answer.status)) { location.reload(); return; }
    for (const box of boxes.values()) { if (isOpen(box)) { box.checked = mine.has(box.value); draw(box, box.checked ? "mine" : "available"); } }
    again = false;
    say(failedText());
    return;
  }
  if (again) return; // chosen further meanwhile: the next answer counts
  take(page);
}

/** The server's word on what is held. */
function take(page) {
  const names = (value) => new Set((value ?? "").split(",").filter(Boolean));
  mine = names(page.dataset.mine);
  const lost = names(page.dataset.lost);
  for (const [number, box] of boxes) {
    if (mine.has(number)) { box.checked = true; draw(box, "mine"); }
    else if (lost.has(number)) draw(box, "occupied");
    else if (isOpen(box)) { box.checked = false; draw(box, "available"); }
    seatOf(box).classList.toggle("is-offered", number === page.dataset.offer);
  }
  const hadFocus = selection.contains(document.activeElement);
  selection.replaceChildren(...page.childNodes);
  if (hadFocus) selection.querySelector(".sum__go .btn")?.focus();
  startClock();
  const said = selection.querySelector("[data-say]");
  announce(said ? said.textContent : selection.querySelector(".sum__total")?.textContent.replace(/\s+/g, " ").trim());
}

// --- what others do ------------------------------------------------------------------------------------------------

async function poll() {
  if (document.hidden || sending || !texts.statusUrl) return;
  let seats;
  try {
    const answer = await fetch(texts.statusUrl, { headers: version ? { "If-None-Match": version } : {}, cache: "no-store" });
    if (answer.status !== 200) return;
    version = answer.headers.get("ETag") ?? "";
    seats = (await answer.json()).seats;
  } catch {
    return; // the next one may get through
  }
  if (sending) return;
  const seen = [];
  const gone = [];
  for (const { number, status } of seats) {
    const box = boxes.get(number);
    if (!box || statusOf(box) === status) continue;
    if (mine.has(number)) gone.push(number);
    else seen.push([number, status]);
    if (status === "mine") { mine.add(number); box.checked = true; }
    else if (mine.delete(number)) box.checked = false;
    draw(box, status);
  }
  if (gone.length) { // the hold has ended: by the clock, or in another window, which the server knows
    const isOver = gone.every((number) => statusOf(boxes.get(number)) === "available");
    const clock = form.querySelector("[data-clock]");
    if (isOver && clock) location.assign(clock.dataset.expiredUrl);
    else location.reload();
    return;
  }
  if (seen.length && performance.now() - spokenAt > QUIET_MS) {
    spokenAt = performance.now();
    const [number, status] = seen[0];
    const sentence = { available: texts.textFreed, locked: texts.textHeld }[status] ?? texts.textTaken;
    announce(seen.length === 1 ? fill(sentence, { seat: number }) : fill(texts.textChanged, { count: seen.length }));
  }
}

// --- moving with the keyboard --------------------------------------------------------------------------------------

function gridOf(deck) {
  return [...deck.querySelectorAll(".coach__row")].map((row) => [...row.children].map((cell) => cell.querySelector?.("input") ?? null));
}

function near(row, column) {
  const found = row.map((box, at) => (box ? [Math.abs(at - column), box] : null)).filter(Boolean);
  return found.sort((a, b) => a[0] - b[0])[0]?.[1];
}

function step(grid, box, key) {
  const r = grid.findIndex((row) => row.includes(box));
  const c = grid[r].indexOf(box);
  const inRow = grid[r].filter(Boolean);
  const at = inRow.indexOf(box);
  switch (key) {
    case "ArrowRight": return inRow[at + 1];
    case "ArrowLeft": return inRow[at - 1];
    case "Home": return inRow[0];
    case "End": return inRow[inRow.length - 1];
    case "ArrowDown": return grid[r + 1] && near(grid[r + 1], c);
    case "ArrowUp": return grid[r - 1] && near(grid[r - 1], c);
    default: return undefined;
  }
}

for (const deck of form.querySelectorAll("[data-deck]")) {
  const grid = gridOf(deck);
  const all = grid.flat().filter(Boolean);
  const stop = (box) => all.forEach((each) => { each.tabIndex = each === box ? 0 : -1; });
  all.forEach((box) => draw(box, statusOf(box)));
  stop(all.find((box) => box.checked) ?? all.find(isOpen) ?? all[0]);
  deck.addEventListener("focusin", (event) => { if (all.includes(event.target)) stop(event.target); });
  deck.addEventListener("keydown", (event) => {
    if (!all.includes(event.target)) return;
    if (event.key === "Enter") { // in a form it would send it; here it means this seat
      event.preventDefault();
      event.target.click();
      return;
    }
    const next = step(grid, event.target, event.key);
    if (next) {
      event.preventDefault();
      next.focus();
    } else if (event.key.startsWith("Arrow")) event.preventDefault();
  });
}

form.addEventListener("submit", (event) => {
  if (chosen().length === 0 && !event.submitter?.matches("[data-extend]")) {
    event.preventDefault();
    event.stopPropagation();
    say(selection.querySelector(".sum__none")?.textContent.trim());
  }
}, { capture: true });

setInterval(poll, POLL_MS);
document.addEventListener("visibilitychange", poll);
