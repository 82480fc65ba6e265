// Says things to people who listen instead of look.
const announcer = document.getElementById("announcer");
const texts = document.getElementById("parts-for-scripts").dataset;

/** Read `text` out politely. The same text twice is read twice. */
export function announce(text) {
  if (!text) return;
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 60);
}

/** The sentence for a request that did not come back. */
export const failedText = () => texts.textFailed;
export const copiedText = () => texts.textCopied;

/** Fill the {names} of a translated sentence. */
export const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
