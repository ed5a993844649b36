// Keys and dragging for the pages by which organizers run a roadshow.
const typing = (target) =>
  target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select");

// A key is a press of the button that shows it: [data-key], one or more names of keys.
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  // On a button these press that button, as everywhere.
  if ([" ", "Enter"].includes(event.key) && event.target.closest("button, a, summary, [role=button]")) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = document.querySelector(`[data-shortcuts] [data-key~="${CSS.escape(key)}"]`);
  if (!button || button.disabled) return;
  event.preventDefault();
  button.click();
});

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
      },
    });
  });
}
makeSortable();
document.addEventListener("htmx:afterSettle", makeSortable);

// Nothing is taken from under a finger that drags, or while a question is open.
document.addEventListener("htmx:beforeRequest", (event) => {
  const busy = document.querySelector("[data-dragging], dialog[open]");
  if (busy && event.detail.requestConfig.verb === "get" && !event.target.closest("[data-asked]")) event.preventDefault();
});

// After a button is gone with the part it was in, the keyboard goes on from that part.
document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement === document.body) document.getElementById("now")?.focus({ preventScroll: true });
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
