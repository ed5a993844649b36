// Clocks that the server rendered, [data-clock] of templates/judging/_clock.html, tick. Every answer to
// the page says what time it is, even one that there is nothing new.
import { heard, onDoubt, pageCame, show } from "./clock.js";

function tick() {
  document.querySelectorAll("[data-clock]").forEach((box) => {
    const { limitS, elapsedMs, runningSince } = box.dataset;
    show(box, { limit_s: Number(limitS), elapsed_ms: Number(elapsedMs), running_since: runningSince });
  });
}

const asked = new WeakMap();
document.addEventListener("htmx:beforeSend", ({ detail }) => asked.set(detail.xhr, Date.now()));
document.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr } }) => {
  const now = Date.now();
  heard(xhr.getResponseHeader("Server-Time"), ((asked.get(xhr) ?? now) + now) / 2);
});

const box = document.querySelector("[data-clock][data-server-time]");
if (box) heard(box.dataset.serverTime, pageCame());
onDoubt(() => document.body.dispatchEvent(new CustomEvent("live:desk")));
document.addEventListener("htmx:afterSwap", tick);
tick();
setInterval(tick, 200);
