// The time for which seats are held: counts down, warns at two minutes, is extended with one click.
import { announce, failedText, fill } from "./voice.js";

const WARNING_SECONDS = 120;
let running = [];

/** (Re)start the page's clocks, if it has any. They count from the seconds the server said, so a wrong clock does no
 * harm. One is the page's own; those of single rides among several (`data-clock-of`) only show how long. */
export function startClock() {
  running.forEach(clearInterval);
  running = [...document.querySelectorAll("[data-clock]")].map(start);
}

function start(clock) {
  const text = clock.querySelector("[data-clock-text]");
  const isOwn = clock.id === "clock";
  const ends = performance.now() + Number(clock.dataset.seconds) * 1000;
  let warned = Number(clock.dataset.seconds) <= WARNING_SECONDS;

  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    text.textContent = fill(clock.dataset.textLeft, { time: timeLeft(left) });
    if (left <= WARNING_SECONDS && !warned) {
      warned = true;
      clock.classList.add("is-ending");
      if (isOwn) announce(clock.dataset.textWarning);
    }
    if (left > 0) return;
    clearInterval(timer);
    if (isOwn) end(clock);
  };
  const timer = setInterval(tick, 500);
  tick();
  return timer;
}

// As the server writes it: the hours only where there are any, such as those of a bank transfer.
function timeLeft(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

// The server says what has become of the seats: to the page, where it wants to ask; to a form, which is shown again as
// it was filled in; else on a page of its own.
function end(clock) {
  announce(clock.dataset.textOver);
  const look = document.querySelector("[data-look]");
  const over = new Event("farebox:over", { cancelable: true });
  if (!document.dispatchEvent(over)) return;
  if (look) look.click();
  else location.assign(clock.dataset.expiredUrl);
}

async function extend(button) {
  const clock = button.closest("[data-clock]");
  button.setAttribute("aria-disabled", "true");
  try {
    const answer = await fetch(button.dataset.extend, {
      method: "POST",
      headers: { Accept: "text/html", "HX-Request": "true" },
      body: new URLSearchParams({ _csrf_token: button.form.elements._csrf_token.value }),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("clock");
    if (!answer.ok || !fresh) throw new Error(String(answer.status));
    const hadFocus = document.activeElement === button;
    const said = clock.dataset.textExtended;
    const sum = clock.querySelector(".clock__sum");
    if (sum && !fresh.querySelector(".clock__sum")) fresh.querySelector(".clock__left").after(sum);
    clock.replaceWith(fresh);
    for (const small of document.querySelectorAll("[data-clock-of]")) {
      const same = [...page.querySelectorAll("[data-clock-of]")].find((each) => each.dataset.clockOf === small.dataset.clockOf);
      if (same) small.replaceWith(same);
    }
    if (hadFocus) (fresh.querySelector("button") ?? fresh).focus();
    startClock();
    announce(said);
  } catch {
    button.removeAttribute("aria-disabled");
    announce(failedText());
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-extend]");
  if (!button?.form) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") !== "true") extend(button);
});
// A page that comes back from the browser's memory shows an old clock.
window.addEventListener("pageshow", (event) => { if (event.persisted && document.querySelector("[data-clock]")) location.reload(); });
