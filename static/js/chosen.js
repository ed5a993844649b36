// Show the fields that belong to what is chosen: within [data-chosen-by="name"] the field of that
// name says which of the [data-only-for] are shown. Without this script all are.
function follow(part) {
  const name = part.dataset.chosenBy;
  const chooser = part.querySelector(`[name="${name}"], [name$="-${name}"]`);
  const show = () => {
    part.querySelectorAll("[data-only-for]").forEach((field) => {
      const fits = field.dataset.onlyFor.split(" ").includes(chooser.value);
      field.hidden = !fits && !field.querySelector(".errors");
    });
  };
  chooser.addEventListener("change", show);
  show();
}
document.querySelectorAll("[data-chosen-by]").forEach(follow);
document.addEventListener("row:added", (event) => {
  if (event.target.dataset.chosenBy) follow(event.target);
});
