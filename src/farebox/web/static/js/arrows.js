// Moving between the seats of a deck with the keys. One stop for the tab key in each deck, as in any grid.

/** `isFirst(box)`: whether the tab key should come to this seat first. */
export function moveWithKeys(deck, isFirst) {
  const rows = [...deck.querySelectorAll(".coach__row")];
  const grid = rows.map((row) => [...row.children].map((cell) => cell.querySelector("input")));
  const all = grid.flat().filter(Boolean);
  const stop = (box) => all.forEach((each) => { each.tabIndex = each === box ? 0 : -1; });
  stop(all.find((box) => box.checked) ?? all.find(isFirst) ?? all[0]);
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

function near(row, column) {
  const found = row.map((box, at) => (box ? [Math.abs(at - column), box] : null)).filter(Boolean);
  return found.sort((a, b) => a[0] - b[0])[0]?.[1];
}
