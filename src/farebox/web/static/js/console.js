// On small screens the console's sections are a bar: the one we are in is to be seen.
const bar = document.querySelector("[data-sections]");
const section = bar?.querySelector("[aria-current]");
if (section && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = section.offsetLeft - bar.offsetLeft - (bar.clientWidth - section.offsetWidth) / 2;
