// The time for which seats are held: counts down, warns at two minutes, is extended with one click.
import { announce, failedText, fill } from "./voice.js";

const WARNING_SECONDS = 120;
let running;

/** (Re)start the page's clock, if it has one. Counts from the seconds the server said, so a wrong clock does no harm. */
export function startClock() {
  clearInterval(running);
  const clock = document.querySelector("[data-clock]");
  if (!clock) return;
  const text = clock.querySelector("[data-clock-text]");
  const ends = performance.now() + Number(clock.dataset.seconds) * 1000;
  let warned = Number(clock.dataset.seconds) <= WARNING_SECONDS;

  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    text.textContent = fill(clock.dataset.textLeft, { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` });
    if (left <= WARNING_SECONDS && !warned) {
      warned = true;
      clock.classList.add("is-ending");
      announce(clock.dataset.textWarning);
    }
    if (left === 0) {
      clearInterval(running);
      announce(clock.dataset.textOver);
      // the server says what has become of the seats: to the page, where it wants to ask, else on one of its own
      const over = new Event("farebox:over", { cancelable: true });
      if (document.dispatchEvent(over)) location.assign(clock.dataset.expiredUrl);
    }
  };
  tick();
  running = setInterval(tick, 500);
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
    const fresh = page.querySelector("[data-clock]");
    if (!answer.ok || !fresh) throw new Error(String(answer.status));
    const hadFocus = document.activeElement === button;
    const said = clock.dataset.textExtended;
    clock.replaceWith(fresh);
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
