// Clocks that the server rendered, [data-clock] of templates/judging/_clock.html, tick.
import { heard, pageCame, show } from "./clock.js";

function tick() {
  document.querySelectorAll("[data-clock]").forEach((box) => {
    const { limitS, elapsedMs, runningSince } = box.dataset;
    show(box, { limit_s: Number(limitS), elapsed_ms: Number(elapsedMs), running_since: runningSince });
  });
}

function hearFrom(root, at) {
  const box = root.querySelector("[data-clock][data-server-time]");
  if (box) heard(box.dataset.serverTime, at);
}

hearFrom(document, pageCame());
document.addEventListener("htmx:afterSwap", () => hearFrom(document));
tick();
setInterval(tick, 200);
