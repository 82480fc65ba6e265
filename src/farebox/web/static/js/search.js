// The search sentence: suggestions (ARIA combobox with a list), swapping both ends, the day in words, the filter sheet.
import { announce, fill } from "./voice.js";

const PAUSE_MS = 140;
const STOPS_SHOWN = 3;
const DAY_MS = 86_400_000;
const known = new Map();

class PlaceBox {
  constructor(field) {
    this.field = field;
    this.input = field.querySelector("input[type=text]");
    this.id = field.querySelector("[data-combobox-id]");
    this.list = document.createElement("ul");
    this.list.id = `${this.input.id}-options`;
    this.list.className = "options";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", field.querySelector("label").textContent);
    field.append(this.list);
    this.active = -1;
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id,
    })) this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("blur", () => this.close());
    // Before the blur that a press causes, so that the list is still there.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose([...this.list.children].indexOf(option));
    });
  }

  typed() {
    if (this.input.value !== this.id.dataset.for) this.id.value = "";
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    if (!query) { this.close(); return; }
    this.timer = setTimeout(() => this.ask(query), PAUSE_MS);
  }

  async ask(query) {
    this.asked = query;
    try {
      if (!known.has(query)) {
        const answer = await fetch(`/api/v1/places/suggest?limit=8&q=${encodeURIComponent(query)}`);
        if (!answer.ok) return;
        known.set(query, (await answer.json()).items);
      }
    } catch {
      return; // typing on, or sending the form as it is, still works
    }
    if (this.asked === query && document.activeElement === this.input) this.show(known.get(query), query);
  }

  show(places, query) {
    this.places = places;
    this.list.replaceChildren(...places.map((place, index) => this.option(place, index, query)));
    if (!places.length) {
      const none = document.createElement("li");
      none.className = "options__none";
      none.setAttribute("role", "option"); // a list of options has nothing else in it
      none.setAttribute("aria-disabled", "true");
      none.setAttribute("aria-selected", "false");
      none.textContent = this.field.dataset.empty;
      this.list.append(none);
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", String(places.length > 0));
    this.mark(-1);
    const { empty, foundOne, foundMany } = this.field.dataset;
    announce(places.length === 0 ? empty : places.length === 1 ? foundOne : fill(foundMany, { count: places.length }));
  }

  option(place, index, query) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${index}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.append(pin.cloneNode(true));
    const name = document.createElement("b");
    const at = fold(place.name).indexOf(fold(query));
    if (at >= 0) {
      const hit = document.createElement("mark");
      hit.textContent = place.name.slice(at, at + query.length);
      name.append(place.name.slice(0, at), hit, place.name.slice(at + query.length));
    } else name.textContent = place.name;
    option.append(name);
    const stops = place.stops.map((stop) => stop.name).filter((stop) => stop !== place.name);
    const detail = [place.region, stops.slice(0, STOPS_SHOWN).join(", ") + (stops.length > STOPS_SHOWN ? " …" : "")].filter(Boolean).join(" · ");
    if (detail) {
      const small = document.createElement("small");
      small.textContent = detail;
      option.append(small);
    }
    return option;
  }

  key(event) {
    const last = (this.places?.length ?? 0) - 1;
    const open = !this.list.hidden && last >= 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) { if (this.input.value.trim()) this.ask(this.input.value.trim()); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark(this.active + step > last ? 0 : this.active + step < 0 ? last : this.active + step);
    } else if (event.key === "Enter" && open && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Tab" && open && this.active >= 0) this.choose(this.active);
  }

  mark(index) {
    this.active = index;
    for (const [n, option] of [...this.list.querySelectorAll("[role=option]")].entries()) {
      option.setAttribute("aria-selected", String(n === index));
      if (n === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${index}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    const place = this.places[index];
    if (!place) return;
    this.set(place.name, place.placeId);
    this.close();
  }

  set(text, id) {
    this.input.value = text;
    this.id.value = id;
    this.id.dataset.for = text;
  }

  close() {
    clearTimeout(this.timer);
    this.asked = undefined;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.mark(-1);
  }
}

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/g, "d").replace(/Đ/g, "D").toLowerCase();

function dayInWords(field) {
  const input = field.querySelector("input");
  const words = document.createElement("span");
  words.className = "day-text";
  words.setAttribute("aria-hidden", "true");
  field.append(words);
  field.classList.add("has-text");
  const { lang } = document.documentElement;
  const formats = [
    { weekday: "short", day: "numeric", month: "short" },
    { weekday: "short", day: "numeric", month: "numeric" },
    { day: "numeric", month: "numeric" },
  ].map((parts) => new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { ...parts, timeZone: "UTC" }));
  const show = () => {
    const day = input.valueAsDate;
    field.classList.toggle("has-text", day !== null);
    for (const format of formats) { // the first that fits beside the calendar's sign
      words.textContent = day === null ? "" : format.format(day);
      if (words.scrollWidth <= words.clientWidth) break;
    }
  };
  input.addEventListener("input", show);
  field.addEventListener("click", () => { try { input.showPicker(); } catch { input.focus(); } });
  show();
}

/** The way back is not before the way there: its day goes along. */
function keepOrder(there, back) {
  let apart = days(there, back);
  there.addEventListener("input", () => {
    back.min = there.value;
    if (there.valueAsDate && days(there, back) < 0) {
      back.valueAsDate = new Date(Math.min(there.valueAsDate.getTime() + Math.max(0, apart) * DAY_MS, new Date(back.max).getTime()));
      back.dispatchEvent(new Event("input"));
    }
  });
  back.addEventListener("input", () => { apart = days(there, back); });
  // it has a width to write the day in words into only once it is shown
  back.form.addEventListener("change", (event) => { if (event.target.name === "way") back.dispatchEvent(new Event("input")); });
}

const days = (there, back) => (back.valueAsNumber - there.valueAsNumber) / DAY_MS;

function useSheet(link) {
  const content = document.getElementById(link.dataset.sheet);
  const home = content.parentElement;
  const next = content.nextElementSibling;
  const sheet = document.createElement("dialog");
  sheet.className = "sheet";
  sheet.setAttribute("aria-label", content.getAttribute("aria-label"));
  const head = document.createElement("div");
  head.className = "sheet__close";
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", content.dataset.close);
  const icon = link.querySelector("svg").cloneNode(true);
  icon.querySelector("use").setAttribute("href", icon.querySelector("use").getAttribute("href").replace(/#.*/, "#cross"));
  close.append(icon);
  head.append(close);
  sheet.append(head, content);
  content.classList.add("is-sheet");
  document.body.append(sheet);
  sheet.showModal();
  close.addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", (event) => { if (event.target === sheet) sheet.close(); });
  sheet.addEventListener("close", () => {
    content.classList.remove("is-sheet");
    if (home.isConnected) home.insertBefore(content, next);
    sheet.remove();
    (document.contains(link) ? link : document.querySelector("[data-sheet]"))?.focus();
  });
  return sheet;
}

const pin = document.querySelector("[data-pin] svg");
const boxes = [...document.querySelectorAll("[data-combobox]")].map((field) => new PlaceBox(field));
document.querySelectorAll("[data-day]").forEach(dayInWords);
const wayBack = document.getElementById("search-return");
if (wayBack) keepOrder(document.getElementById("search-date"), wayBack);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-swap]")) {
    event.preventDefault();
    const [from, to] = boxes;
    const [text, id] = [from.input.value, from.id.value];
    from.set(to.input.value, to.id.value);
    to.set(text, id);
  }
  const link = event.target.closest("[data-sheet]");
  if (link) {
    event.preventDefault();
    useSheet(link);
  }
});

// Inside the sheet, choices are collected and sent by its button: the results behind it cannot be seen anyway.
document.addEventListener("htmx:before:request", (event) => { if (event.target.closest?.(".is-sheet")) event.preventDefault(); });

function showChosenDay() {
  const strip = document.querySelector(".days");
  const day = strip?.querySelector("[aria-current]");
  if (day && strip.scrollWidth > strip.clientWidth) strip.scrollLeft = day.offsetLeft - (strip.clientWidth - day.clientWidth) / 2;
}
showChosenDay();
document.addEventListener("htmx:after:swap", showChosenDay);
