// Passkeys. Asks the server what the device is to sign, asks the device, and sends what it made as a plain form.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (credentials = []) => credentials.map((each) => ({ ...each, id: bytes(each.id) }));

async function askServer(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements._csrf_token.value, Accept: "application/json" },
  });
  // A page instead of an answer: who was signed in has to prove anew who they are. Loading this one again asks for it.
  if (answer.redirected || answer.status === 401 || answer.status === 403) location.reload();
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return answer.json();
}

function askDevice(form, options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (form.dataset.passkey === "create") {
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = named(options.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  }
  publicKey.allowCredentials = named(options.allowCredentials);
  return navigator.credentials.get({ publicKey });
}

function written(credential) {
  const { response } = credential;
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name]);
  }
  if (response.getTransports) parts.transports = response.getTransports();
  const id = text(credential.rawId);
  return JSON.stringify({ id, rawId: id, type: credential.type, response: parts, clientExtensionResults: {} });
}

const SAID = { InvalidStateError: "known", SecurityError: "elsewhere", NotAllowedError: "cancelled", AbortError: "cancelled" };

function say(form, what) {
  const place = form.querySelector("[data-said]");
  place.textContent = what ? form.dataset[`text${what}`] : "";
  place.hidden = !what;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential || !isSecureContext) {
    say(form, "Elsewhere");
    form.querySelector("button").disabled = true;
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.classList.contains("is-busy")) return;
    form.classList.add("is-busy");
    say(form, "");
    try {
      form.elements.credential.value = written(await askDevice(form, await askServer(form)));
      form.submit();
    } catch (error) {
      const what = SAID[error.name] ?? "failed";
      say(form, what[0].toUpperCase() + what.slice(1));
      form.classList.remove("is-busy");
    }
  });
}
