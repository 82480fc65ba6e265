// What makes the account's pages live; each works without.

// On small screens the rooms are a bar: the one we are in is to be seen.
const bar = document.querySelector("[data-rooms]");
const room = bar?.querySelector("[aria-current]");
if (room && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = room.offsetLeft - (bar.clientWidth - room.offsetWidth) / 2;

// A picture is shown before it is sent, and one that is too large is told at once.
const portrait = document.querySelector("[data-portrait]");
if (portrait) {
  const input = portrait.querySelector("input[type=file]");
  const error = document.getElementById("picture-error");
  const say = (text) => {
    error.querySelector("span").textContent = text;
    error.hidden = !text;
    input.closest(".input").classList.toggle("has-error", Boolean(text));
    input.toggleAttribute("aria-invalid", Boolean(text));
  };
  input.addEventListener("change", () => {
    const [file] = input.files;
    const isTooLarge = Boolean(file) && file.size > Number(portrait.dataset.largest);
    say(isTooLarge ? portrait.dataset.textTooLarge : "");
    if (isTooLarge) input.value = "";
    if (!file || isTooLarge || !file.type.startsWith("image/")) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const image = new Image(96, 96);
      image.className = "face face--large";
      image.alt = "";
      image.addEventListener("load", () => portrait.querySelector("[data-portrait-now]").replaceChildren(image));
      image.src = reader.result;
    });
    reader.readAsDataURL(file);
  });
}
