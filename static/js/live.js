// What changed, told by the server: one stream of events, and polling whenever there is none.
//
//   connect({
//     url: "/live/?ticket=…",         or: url: "/live/", ticket: "…"
//     onMessage(channel, data) {},    something changed there
//     onResync() {},                  anything may have changed: fetch it all anew
//     onState(state) {},              "live", "polling", or "down" when polling fails, too
//     poll() {},                      fetch anew; may return a promise
//     renew() {},                     a promise of a fresh ticket or url, or of null
//     pollEvery: 5, slowPollEvery: 30 seconds without a stream, and with one (0: never)
//     spread: 0                       where thousands look at the page: what all of them would do at
//                                     once they do within so many seconds, and poll each at its pace
//   })
//
// It goes on until close() of what it returns is called.

// The server says something every 15 seconds.
const SILENT_MS = 40000;
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 30000;
// Browsers open six connections to a server at most; pages beyond these poll, so that some are left
// for everything else.
const STREAMS = 4;
const SEAT = "live-seat-";
const SEAT_LASTS_MS = 60000;

export function connect(options) {
  const { onMessage, onResync, onState, poll, renew } = options;
  const pollEvery = (options.pollEvery ?? 5) * 1000;
  const slowPollEvery = (options.slowPollEvery ?? 30) * 1000;
  const spread = (options.spread ?? 0) * 1000;
  const seat = new Seat();
  let url = address(options.ticket ?? options.url, options.url);
  let source = null;
  let state = null;
  let heardAt = 0;
  let polledAt = Date.now();
  let pace = drawPace();
  let retryAt = 0;
  let wait = FIRST_WAIT_MS;
  let refused = 0; // how often in a row the answer was no stream: the ticket may be too old
  let opening = false;
  let closed = false;

  function drawPace() {
    return spread ? 0.75 + Math.random() / 2 : 1;
  }

  function resync() {
    if (!spread) onResync?.();
    else setTimeout(() => closed || onResync?.(), Math.random() * spread);
  }

  function become(next) {
    if (state === next) return;
    state = next;
    onState?.(state);
  }

  function hear() {
    heardAt = Date.now();
    seat.keep();
  }

  function lose() {
    source?.close();
    source = null;
    seat.leave();
    if (closed) return;
    // A server that went away took the streams of all at once.
    if (spread) polledAt = Date.now() - Math.random() * pollEvery;
    if (state !== "down") become("polling");
    retryAt = Date.now() + wait * (0.5 + Math.random());
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }

  async function open() {
    opening = true;
    if (refused >= 2 && renew) {
      refused = 0;
      const fresh = await Promise.resolve(renew()).catch(() => null);
      if (fresh) url = address(fresh, options.url);
    }
    opening = false;
    if (closed || source) return;
    if (!seat.take()) {
      lose();
      return;
    }
    heardAt = Date.now();
    const mine = new EventSource(url);
    source = mine;
    const on = (name, act) =>
      mine.addEventListener(name, (event) => {
        if (source !== mine) return;
        hear();
        act?.(JSON.parse(event.data));
      });
    on("hello", () => {
      wait = FIRST_WAIT_MS;
      refused = 0;
      polledAt = Date.now();
      become("live");
      resync();
    });
    on("message", ({ channel, data }) => onMessage?.(channel, data));
    on("resync", resync);
    on("ping");
    mine.onerror = () => {
      if (source !== mine) return;
      // An answer that is no stream, unlike a server that does not answer at all.
      if (mine.readyState === EventSource.CLOSED) refused += 1;
      lose();
    };
  }

  async function ask() {
    polledAt = Date.now();
    pace = drawPace();
    if (!poll) return;
    try {
      await poll();
      if (state === "down") become("polling");
    } catch {
      if (state === "polling") become("down");
    }
  }

  function look() {
    const now = Date.now();
    if (source && now - heardAt > SILENT_MS) lose();
    if (!source && !opening && now >= retryAt) open();
    const every = state === "live" ? slowPollEvery : pollEvery;
    if (every && now - polledAt >= every * pace) ask();
  }

  // Back from sleep, from another page or from a place without network: not to wait then.
  function hurry() {
    retryAt = 0;
    wait = FIRST_WAIT_MS;
    look();
  }
  function shown() {
    if (document.visibilityState === "visible") hurry();
  }
  // A page that the browser keeps for its Back button holds no stream.
  function leave() {
    source?.close();
    source = null;
    seat.leave();
  }

  const timer = setInterval(look, 1000);
  window.addEventListener("online", hurry);
  window.addEventListener("pageshow", hurry);
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", shown);
  look();

  return {
    close() {
      closed = true;
      clearInterval(timer);
      window.removeEventListener("online", hurry);
      window.removeEventListener("pageshow", hurry);
      window.removeEventListener("pagehide", leave);
      document.removeEventListener("visibilitychange", shown);
      leave();
    },
  };
}

// A ticket or a whole url, as a url.
function address(given, base) {
  if (given.includes("/")) return given;
  return `${(base || "/live/").split("?")[0]}?ticket=${encodeURIComponent(given)}`;
}

// One of the few streams that all pages of this browser may have together.
class Seat {
  constructor() {
    this.name = SEAT + Math.random().toString(36).slice(2);
  }

  take() {
    try {
      const now = Date.now();
      let taken = 0;
      for (const name of Object.keys(localStorage)) {
        if (!name.startsWith(SEAT) || name === this.name) continue;
        if (now - Number(localStorage.getItem(name)) > SEAT_LASTS_MS) localStorage.removeItem(name);
        else taken += 1;
      }
      if (taken >= STREAMS) return false;
      this.keep();
    } catch {
      // A browser that stores nothing has no way to count.
    }
    return true;
  }

  keep() {
    try {
      localStorage.setItem(this.name, String(Date.now()));
    } catch {
      // as above
    }
  }

  leave() {
    try {
      localStorage.removeItem(this.name);
    } catch {
      // as above
    }
  }
}
