// What every page does: the browser's zone for the account's pages, the clock, announcements after a part was exchanged, copy, print, one sending per form.
import { startClock } from "./clock.js";
import { announce, copiedText, failedText } from "./voice.js";

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone) document.cookie = `farebox_zone=${timeZone}; path=/account; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
startClock();
(document.getElementById("problems") ?? document.querySelector("main [aria-invalid=true]"))?.focus();

// The menu of who has signed in closes as menus do.
const menu = document.querySelector("[data-me]");
if (menu) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false; });
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    try {
      await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim());
      announce(copiedText());
      copy.textContent = copiedText();
    } catch {
      getSelection().selectAllChildren(document.getElementById(copy.dataset.copy));
    }
  }
  if (event.target.closest("[data-print]")) window.print();
});

// A second press while the first is on its way would book or pay twice as much work, if not money.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  form.classList.add("is-busy");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.classList.remove("is-busy"); }
});

document.addEventListener("htmx:after:swap", () => {
  const part = document.querySelector("[data-announce]");
  if (part) announce(part.dataset.announce);
});
// A page of an error is not a part of this one: a link goes there, a repeated question waits for its next turn.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400) return;
  event.preventDefault();
  if (ctx.sourceElement.hasAttribute("hx-push-url")) location.assign(ctx.request.action);
});
document.addEventListener("htmx:error", () => announce(failedText()));
