// Pages of htmx that are told what changed:
//
//   <div data-live-url="{% live_url 'desk' round.pk %}" data-live="desk"
//        hx-get="…" hx-trigger="live:desk from:body, every 30s">
//
// A message on channel desk-12 becomes the event "live:desk" on the body; so does the beginning of
// each stream, and without one every data-live-poll seconds (5). data-live lists the kinds. An
// event comes at most once a second, after a random part of data-live-spread seconds where many
// look at the page, and always after the last message; never before data-live-after seconds, for
// so long a cache on the way may give what was before. The address is on an element that htmx
// does not replace.
import { connect } from "./live.js";

const APART_MS = 1000;

for (const place of document.querySelectorAll("[data-live-url]")) listen(place);

function listen(place) {
  const kinds = place.dataset.live.split(" ");
  const spread = Number(place.dataset.liveSpread || 0) * 1000;
  const after = Number(place.dataset.liveAfter || 0) * 1000;
  const due = new Map(); // kind: when its event was or is sent

  function tell(kind) {
    const now = Date.now();
    const before = due.get(kind) ?? 0;
    if (before > now) return; // what is on its way covers this, too
    const at = Math.max(now + after + Math.random() * spread, before + APART_MS);
    due.set(kind, at);
    setTimeout(() => {
      due.set(kind, Math.min(at, Date.now()));
      document.body.dispatchEvent(new CustomEvent(`live:${kind}`));
    }, at - now);
  }
  const tellAll = () => kinds.forEach(tell);

  connect({
    url: place.dataset.liveUrl,
    onMessage: (channel) => tell(channel.replace(/-[0-9]+$/, "")),
    onResync: tellAll,
    onState: (state) => {
      document.body.dataset.liveState = state;
    },
    poll: tellAll,
    pollEvery: Number(place.dataset.livePoll || 5),
    slowPollEvery: 0, // the hx-trigger of each element has its own
    renew: async () => {
      // The page itself has a fresh ticket, for whom it is still open to.
      const answer = await fetch(location.href, { cache: "reload" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return page.querySelector("[data-live-url]")?.dataset.liveUrl ?? null;
    },
  });
}
