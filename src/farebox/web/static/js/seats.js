// The seat map made live: a choice holds the seat at once, the map follows what others do, windows of one visitor agree.
import { Choice, isSame } from "./choice.js";
import { Feed } from "./live.js";
import { Panel } from "./panel.js";
import { SeatMap } from "./seatmap.js";
import { announce, fill } from "./voice.js";

const BUNDLE_MS = 1000; // what changes together is told together
const QUIET_MS = 15000; // between two announcements of what others do
const FLICKER_MS = 1500; // a line that is back by then was never seen to be gone
const AGAIN_MS = 1000; // this clock may be ahead of the server's by so much

const form = document.querySelector("[data-seat-map]");
const texts = form.dataset;
const map = new SeatMap(form);
const panel = new Panel(form);
const windows = "BroadcastChannel" in window ? new BroadcastChannel("farebox-seats") : null;
const ride = new URL(form.action).pathname;
let feed = null;

const choice = new Choice({
  form,
  map,
  panel,
  onAnswer(facts, before, { isOwn }) {
    if (facts.viewer !== before.viewer) feed?.reconnect(); // it showed the map as somebody else sees it
    else if (facts.lost.size) feed?.resync();
    else feed?.forget();
    if (isOwn && !isSame(facts.mine, before.mine)) windows?.postMessage({ ride });
  },
});
windows?.addEventListener("message", ({ data }) => { if (data.ride === ride) choice.refresh(); });

// --- choosing ------------------------------------------------------------------------------------------------------

form.addEventListener("change", (event) => {
  const box = event.target.closest("input[name=seats]");
  if (box) choice.choose([box.value], box.checked);
});

form.addEventListener("click", (event) => {
  const box = event.target.closest("input[name=seats]");
  if (box && !map.isOpen(box.value)) {
    event.preventDefault();
    panel.say(map.sentence(box.value, map.statusOf(box.value)));
  }
  const take = event.target.closest("[data-take]");
  if (take) {
    event.preventDefault();
    const offered = take.dataset.take.split(",").filter((number) => map.has(number));
    const open = offered.filter((number) => map.isOpen(number));
    if (open.length) {
      map.focus(open[0]);
      choice.choose(open, true);
    } else panel.say(map.sentence(offered[0], map.statusOf(offered[0])));
  }
  if (event.target.closest("[data-retry]")) choice.send();
  if (event.target.closest("[data-reload]")) location.reload();
});

window.addEventListener("online", () => { if (choice.hasFailed) choice.send(); });

form.addEventListener("submit", async (event) => {
  if (event.submitter?.matches("[data-extend]")) return;
  if (choice.isBusy || choice.hasFailed) { // nobody goes on with seats that may turn out to be somebody else's
    event.preventDefault();
    event.stopPropagation();
    if (await choice.send() && !document.getElementById("seat-notice")) form.requestSubmit(form.querySelector("button[name=go]"));
  } else if (choice.chosen.length === 0) {
    event.preventDefault();
    event.stopPropagation();
    panel.say(panel.hint);
  }
}, { capture: true });

// What became of the seats is told here, where others can be chosen, and not on a page of its own.
document.addEventListener("farebox:over", async (event) => {
  event.preventDefault();
  setTimeout(async () => { if (!await choice.refresh()) document.dispatchEvent(new Event("farebox:over")); }, AGAIN_MS);
});

// --- what others do ------------------------------------------------------------------------------------------------

const news = new Map();
let speaking = 0;
let spokenAt = -QUIET_MS;

function hear(seats, isWhole) {
  if (isWhole && !map.hasAll(seats.map(({ number }) => number))) panel.say(texts.textOther, { canReload: true });
  for (const { number, status } of seats) {
    if (!map.has(number) || !choice.hear(number, status)) continue;
    if (map.isFocused(number)) announce(map.sentence(number, status));
    else news.set(number, status);
  }
  if (news.size && !speaking) speaking = setTimeout(tellNews, Math.max(BUNDLE_MS, spokenAt + QUIET_MS - performance.now()));
}

function tellNews() {
  speaking = 0;
  spokenAt = performance.now();
  const [[number, status]] = news;
  announce(news.size === 1 ? map.sentence(number, status) : fill(texts.textChanged, { count: news.size }));
  news.clear();
}

// --- how fresh the map is --------------------------------------------------------------------------------------------

const line = form.querySelector("[data-freshness]");
let isLost = false;
let showing = 0;

function showState(state) {
  clearTimeout(showing);
  showing = setTimeout(() => {
    line.dataset.state = state;
    line.querySelector("[data-freshness-text]").textContent = line.dataset[state];
    if (isLost !== (state === "offline")) { // the rest can be read there; only this is worth an interruption
      isLost = state === "offline";
      announce(isLost ? line.dataset.offline : line.dataset.back);
    }
  }, state === "reconnecting" ? FLICKER_MS : 0);
}

function onState(state) {
  showState(state);
  if (["live", "polling"].includes(state) && choice.hasFailed) choice.send(); // the server is back
}

if (texts.liveUrl) feed = new Feed({ liveUrl: texts.liveUrl, pollUrl: texts.statusUrl, onSeats: hear, onState });
