// The clock of a stage, one for the stage, the desk and the tablets. It is not counted down here: the
// server says when it was started, and what had run before; from that and the server's time every
// screen works out the same number. What the device's clock says does not matter.
//
// What passes is measured with the browser's monotonic clock, which nobody sets. It has one fault: on
// some devices it stands while they sleep. So the device's clock is watched beside it. If the two part
// by more than a second, the device slept (its clock is ahead) or was set (ahead or behind); nobody can
// tell which from here, so the server is asked (`onDoubt`). Until it answers, ahead is taken for sleep,
// which is what happens to tablets, and behind for a clock that was set back.

let offset = null; // milliseconds of the server's time minus the monotonic clock
let skew = null; // of the device's clock minus the monotonic one, when the server was last heard

const APART_MS = 1000;
const ASK_MS = 5000;
const skewNow = () => Date.now() - performance.now();
const jump = () => (skew !== null && Math.abs(skewNow() - skew) > APART_MS ? skewNow() - skew : 0);

// The server said that it was `iso` when the device's clock said `at`.
export function heard(iso, at = Date.now()) {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return;
  skew = skewNow();
  offset = time - (at - skew);
}

// When the answer that holds this page began to arrive, by the device's clock.
export function pageCame() {
  const navigation = performance.getEntriesByType("navigation")[0];
  return Date.now() - (navigation ? performance.now() - navigation.responseStart : 0);
}

export const serverNow = () =>
  offset === null ? Date.now() : performance.now() + offset + Math.max(0, jump());

// Calls `ask` when the server's time should be heard again, and again until it was.
export function onDoubt(ask) {
  let asked = -Infinity;
  setInterval(() => {
    if (!jump() || Math.abs(Date.now() - asked) < ASK_MS) return;
    asked = Date.now();
    ask();
  }, APART_MS);
}

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
