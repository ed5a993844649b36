// The clock of a stage, one for the stage, the desk and the tablets. It is not counted down here: the
// server says when it was started, and what had run before; from that and the server's time every
// screen works out the same number. What the device's clock says does not matter.

let offset = null; // milliseconds of the server's time minus the device's

// The server said that it was `iso` when the device's clock said `at`.
export function heard(iso, at = Date.now()) {
  const time = Date.parse(iso);
  if (!Number.isNaN(time)) offset = time - at;
}

// When the answer that holds this page began to arrive, by the device's clock.
export function pageCame() {
  const navigation = performance.getEntriesByType("navigation")[0];
  return Date.now() - (navigation ? performance.now() - navigation.responseStart : 0);
}

export const serverNow = () => Date.now() + (offset ?? 0);

// Seconds left of the phase, below zero once it is over; null between teams and without a limit.
export function remaining(stage) {
  if (!stage?.limit_s) return null;
  const runs = stage.running_since && offset !== null;
  const running = runs ? Math.max(0, serverNow() - Date.parse(stage.running_since)) : 0;
  return stage.limit_s - (stage.elapsed_ms + running) / 1000;
}

// 7:59, or +0:20 once the time is over.
export function text(stage) {
  const left = remaining(stage);
  if (left === null) return "–:––";
  const whole = left < 0 ? Math.floor(-left) : Math.ceil(left);
  return `${left < 0 ? "+" : ""}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Let the box say it, and look like it: "over", or "short" within the last minute.
export function show(box, stage) {
  const [left, said] = [remaining(stage), text(stage)];
  if (box.textContent !== said) box.textContent = said;
  box.classList.toggle("over", left !== null && left < 0);
  box.classList.toggle("short", left !== null && left >= 0 && left <= 60);
}
