// Fetches, when it is asked for, what takes the database a while, into the place where its link stands; without a script the link leads to the same answer.
"use strict";

for (const link of document.querySelectorAll("a[data-later]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const place = link.closest("[data-later-place]");
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.href, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (answer.redirected) window.location.reload();
      else if (answer.ok) place.innerHTML = await answer.text();
    } finally {
      place.removeAttribute("aria-busy");
    }
  });
}
