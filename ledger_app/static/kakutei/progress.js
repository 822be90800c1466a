// Follows a batch while it is being applied: a new fragment every second, and one reload of the page when the work stops.
"use strict";

const holder = document.querySelector("[data-progress-url]");
const EVERY_MS = 1000;
const AFTER_FAILURE_MS = 5000;

const isRunning = () => holder.querySelector("[data-running='true']") !== null;

const mirror = () => {
  // The line of states shows the same share as the bar.
  const bar = holder.querySelector("progress");
  for (const other of document.querySelectorAll("progress[data-mirror]")) other.value = bar ? bar.value : 0;
  const shown = holder.querySelector("[data-percent]");
  for (const text of document.querySelectorAll("[data-mirror-percent]")) text.textContent = shown ? shown.dataset.percent : "";
};

const place = () => {
  // What else the progress changes on the page comes with the fragment, and goes where it stands.
  for (const part of holder.querySelectorAll("[data-part]")) {
    const there = document.querySelector(`[data-place="${part.dataset.part}"]`);
    if (there) there.replaceChildren(...part.childNodes);
    part.remove();
  }
};

const follow = async () => {
  // A page that nobody looks at need not ask.
  if (document.hidden) {
    setTimeout(follow, EVERY_MS);
    return;
  }
  let pause = EVERY_MS;
  try {
    const answer = await fetch(holder.dataset.progressUrl, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (answer.redirected) {
      // Logged out meanwhile: the page itself leads to the login.
      window.location.reload();
      return;
    }
    if (answer.ok) {
      holder.innerHTML = await answer.text();
      place();
      mirror();
    } else {
      pause = AFTER_FAILURE_MS;
    }
  } catch {
    // The network may come back; what is shown is only old, not wrong.
    pause = AFTER_FAILURE_MS;
  }
  if (isRunning()) setTimeout(follow, pause);
  else window.location.reload();
};

if (holder && isRunning()) setTimeout(follow, EVERY_MS);
