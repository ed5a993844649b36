// The clock of a stage. It is not counted down here: the server says when it was started, and what
// had run before; from that and the server's time every screen works out the same number. The
// device's own clock is never asked, only how much time passes on it.
const stageClock = (() => {
  let offset = null; // milliseconds of the server's time minus those of this page

  // The server's time, and when (of this page) it was that time.
  function sync(serverTime, at = performance.now()) {
    const time = Date.parse(serverTime);
    if (!Number.isNaN(time)) offset = time - at;
  }

  const now = () => performance.now() + offset;

  // Milliseconds left of the phase; below zero once it is over.
  function left({ limit_s, elapsed_ms, running_since }) {
    const running = running_since && offset !== null ? Math.max(0, now() - Date.parse(running_since)) : 0;
    return limit_s * 1000 - elapsed_ms - running;
  }

  // 7:59, or +0:20 once it is over.
  function text(stage) {
    if (!stage.limit_s) return "–:––";
    const ms = left(stage);
    const seconds = ms >= 0 ? Math.ceil(ms / 1000) : Math.floor(-ms / 1000);
    const said = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return ms >= 0 ? said : `+${said}`;
  }

  return { sync, left, text };
})();

// Clocks that the server rendered: [data-clock].
function tickClocks() {
  document.querySelectorAll("[data-clock]").forEach((box) => {
    const stage = {
      limit_s: Number(box.dataset.limitS),
      elapsed_ms: Number(box.dataset.elapsedMs),
      running_since: box.dataset.runningSince,
    };
    const text = stageClock.text(stage);
    if (box.textContent !== text) box.textContent = text;
    const left = stageClock.left(stage);
    box.classList.toggle("over", stage.limit_s > 0 && left < 0);
    box.classList.toggle("short", stage.limit_s > 0 && left >= 0 && left <= 60000);
  });
}

function syncFrom(root, at) {
  const box = root.querySelector("[data-clock][data-server-time]");
  if (box) stageClock.sync(box.dataset.serverTime, at);
}

if (document.querySelector("[data-clock]")) {
  syncFrom(document, performance.getEntriesByType("navigation")[0]?.responseStart);
  document.addEventListener("htmx:afterSwap", () => syncFrom(document));
  tickClocks();
  setInterval(tickClocks, 200);
}
