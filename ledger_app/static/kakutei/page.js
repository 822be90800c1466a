// What a page does by itself: "/" goes to the search, a digest is copied on click, and one opened menu closes another.
"use strict";

// A page that a POST was answered with has an address to come back to: without it, Back would be an error of the browser.
if (document.body.dataset.address) history.replaceState(null, "", document.body.dataset.address);

const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
    const field = document.querySelector("#searchbar") || document.querySelector("#site-search");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

document.addEventListener("click", async (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const digest = event.target.closest("[data-copy]");
  // Without TLS a browser has no clipboard for pages: the whole value can still be read on hover.
  if (digest && navigator.clipboard) {
    await navigator.clipboard.writeText(digest.dataset.copy);
    digest.classList.add("copied");
    setTimeout(() => digest.classList.remove("copied"), 1500);
  }
});
