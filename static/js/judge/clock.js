// The server's time, whatever this tablet's clock says.

let offset = 0;

// The server said that it was `iso` when a request that took from `sent` to `received` was answered.
export function heard(iso, sent, received) {
  offset = Date.parse(iso) - (sent + received) / 2;
}

export const serverNow = () => Date.now() + offset;

// Seconds left of the stage's phase, below zero once it is over; null between teams.
export function remaining(stage) {
  if (!stage?.current || !stage.limit_s) return null;
  const running = stage.running_since ? Math.max(0, serverNow() - Date.parse(stage.running_since)) : 0;
  return stage.limit_s - (stage.elapsed_ms + running) / 1000;
}

export function mmss(seconds) {
  const whole = seconds < 0 ? Math.floor(-seconds) : Math.ceil(seconds);
  const rest = String(whole % 60).padStart(2, "0");
  return `${seconds < 0 ? "−" : ""}${Math.floor(whole / 60)}:${rest}`;
}
