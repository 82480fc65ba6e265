// Which seat is whose: whoever takes somebody else's seat of a ride gives them their own for it.
for (const pick of document.querySelectorAll("[data-pick]")) {
  let before = pick.value;
  pick.addEventListener("farebox:swapped", () => { before = pick.value; });
  pick.addEventListener("change", () => {
    const other = [...document.querySelectorAll(`[data-pick="${pick.dataset.pick}"]`)]
      .find((each) => each !== pick && each.value === pick.value);
    if (other && [...other.options].some((option) => option.value === before)) {
      other.value = before;
      other.dispatchEvent(new Event("farebox:swapped"));
    }
    before = pick.value;
  });
}
