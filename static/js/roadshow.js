// Keys, dragging, and what live swaps must leave alone, for the pages by which organizers run a roadshow.
const FIELD = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select";
const typing = (target) => target?.isContentEditable || target?.matches?.(FIELD);

// A key is a press of the button that shows it: [data-key], one or more names of keys. Those of
// [data-key-near] also scroll the page, so they act only while the card of the button has the focus.
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  // On a button these press that button, as everywhere.
  if ([" ", "Enter"].includes(event.key) && event.target.closest("button, a, summary, [role=button]")) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = document.querySelector(`[data-shortcuts] [data-key~="${CSS.escape(key)}"]`);
  if (!button) return;
  if ("keyNear" in button.dataset && !button.closest(".card").contains(document.activeElement)) return;
  event.preventDefault(); // at the last step, too, nothing scrolls
  if (!button.disabled) button.click();
});

// The second press of two is the same press, though the button was replaced between them:
// [data-apart] names what may be done once in this time.
const APART_MS = 800;
const pressed = new Map();
document.addEventListener(
  "click",
  (event) => {
    const what = event.target.closest?.("[data-apart]")?.dataset.apart;
    if (!what) return;
    const now = performance.now();
    if (now - (pressed.get(what) ?? -Infinity) < APART_MS) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    pressed.set(what, now);
  },
  true,
);

function makeSortable() {
  document.querySelectorAll("[data-sortable]").forEach((list) => {
    if (list.dataset.ready) return;
    list.dataset.ready = "1";
    Sortable.create(list, {
      handle: ".handle",
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      onStart: () => (list.dataset.dragging = "1"),
      onEnd: (event) => {
        delete list.dataset.dragging;
        // A click, because htmx sends the name of the button that was clicked.
        if (event.oldIndex !== event.newIndex) list.closest("form").querySelector('[value="reorder"]').click();
        else catchUp();
      },
    });
  });
}
makeSortable();
document.addEventListener("htmx:afterSettle", makeSortable);

// Nothing is taken from under a finger that drags, a text that is written (half a Chinese word would
// be lost) or an open question; what has changed meanwhile is fetched after that.
let waits = false;
const isBusy = () =>
  document.querySelector("[data-dragging], dialog[open]") ||
  (typing(document.activeElement) && document.activeElement.closest("[data-live-url]"));
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb !== "get" || event.target.closest("[data-asked]") || !isBusy()) return;
  event.preventDefault();
  waits = true;
});
function catchUp() {
  setTimeout(() => {
    if (!waits || isBusy()) return;
    waits = false;
    document.body.dispatchEvent(new CustomEvent("live:desk"));
  });
}
document.addEventListener("focusout", catchUp);
document.addEventListener("close", catchUp, true);

// What was typed and not sent, what was opened and how far a table was scrolled stay over a swap.
let kept = null;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const sent = detail.requestConfig.verb === "post" ? detail.requestConfig.elt.closest("form") : null;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isDirty = (box) => (box.type === "checkbox" ? box.checked !== box.defaultChecked : box.value !== box.defaultValue);
  const active = document.activeElement;
  kept = {
    fields: all("input[id]:not([type=hidden]), textarea[id]").filter((box) => isDirty(box) && !sent?.contains(box)),
    open: all("details[id][open]"),
    scrolled: all("[data-keep-scroll][id]").map((box) => [box.id, box.scrollLeft]),
    // The keyboard goes on from the part where it was, if its button is gone.
    hadFocus: active !== document.body && detail.target.contains(active),
  };
});
document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  const now = (old) => document.getElementById(old.id);
  for (const old of kept.fields) {
    const box = now(old);
    if (!box || box === old) continue;
    if (old.type === "checkbox") box.checked = old.checked;
    else box.value = old.value;
  }
  for (const old of kept.open) now(old)?.setAttribute("open", "");
  for (const [id, left] of kept.scrolled) {
    const box = document.getElementById(id);
    if (box) box.scrollLeft = left;
  }
  if (kept.hadFocus && document.activeElement === document.body) {
    document.getElementById("now")?.focus({ preventScroll: true });
  }
  kept = null;
});

// A sheet that was asked for is shown over the grid.
function showDialog() {
  const dialog = document.querySelector("dialog[data-show]");
  if (!dialog) return;
  delete dialog.dataset.show;
  dialog.removeAttribute("open"); // how it is shown where there are no scripts
  dialog.showModal();
}
showDialog();
document.addEventListener("htmx:afterSettle", showDialog);
document.addEventListener("click", (event) => {
  const close = event.target.closest("dialog [data-close]");
  if (!close) return;
  event.preventDefault();
  close.closest("dialog").close();
});
