// The code comes behind the `#`, so that no server's log and no address bar keeps it.
const code = new URLSearchParams(location.hash.slice(1)).get("code");
const input = document.getElementById("code");
if (code && input) {
  input.value = code;
  history.replaceState(null, "", location.pathname);
}
