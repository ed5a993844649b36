// Small things every page needs.
document.addEventListener("click", (event) => {
  const back = event.target.closest("[data-back]");
  if (back && history.length > 1) {
    event.preventDefault();
    history.back();
  }
});

// <a data-dismiss="id"> empties that element instead of following the link.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-dismiss]");
  const place = link && document.getElementById(link.dataset.dismiss);
  if (!place) return;
  event.preventDefault();
  place.replaceChildren();
});

// Ask before what cannot be undone: <form data-confirm="…"> or <button data-confirm="…">.
document.addEventListener("submit", (event) => {
  const asking = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (asking && !window.confirm(asking)) {
    event.preventDefault();
    return;
  }
  // A second tap while the first is on its way sends nothing.
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  // What htmx sends it watches over itself (hx-sync), and may be sent again.
  if (event.target.method === "post" && !event.target.hasAttribute("hx-post")) event.target.dataset.sent = "1";
});

// Coming back with the browser's Back button must not leave forms dead.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

// <form data-auto> is sent when a choice changes.
document.addEventListener("change", (event) => {
  if (event.target.form?.dataset.auto !== undefined) event.target.form.requestSubmit();
});

// A table wider than its place can be scrolled by keyboard, too.
function reachTables() {
  document.querySelectorAll(".table-wrap").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  });
}
window.addEventListener("load", reachTables);
window.addEventListener("resize", reachTables);
document.addEventListener("htmx:afterSettle", reachTables);
