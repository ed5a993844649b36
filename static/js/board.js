// The table of a leaderboard is the same for everybody; the reader's own teams are marked here.
const own = JSON.parse(document.getElementById("own-teams").textContent);
function markOwn() {
  for (const id of own) document.querySelector(`#board #t-${id}`)?.classList.add("mine");
}
markOwn();
document.body.addEventListener("htmx:afterSettle", markOwn);

// <button data-copy="id"> copies what that field holds.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // over plain http there is no clipboard
  }
  button.textContent = button.dataset.copied;
});
