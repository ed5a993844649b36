// A leaderboard in a frame looks once a minute whether it is the newest: not all frames at once, and
// none that nobody sees. The answer is almost always 304.
const EVERY_MS = 60000;

async function look() {
  wait();
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(location.href, { credentials: "omit", cache: "no-cache" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, fresh] = [document.getElementById("embed"), page.getElementById("embed")];
    if (fresh && old.innerHTML !== fresh.innerHTML) old.replaceWith(document.adoptNode(fresh));
  } catch {
    // Without a network it stays as it is.
  }
}

function wait() {
  setTimeout(look, EVERY_MS * (0.75 + Math.random() / 2));
}

wait();
