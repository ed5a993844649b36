// Show the fields that the chosen way of scoring has. Without this script all are shown.
document.querySelectorAll("form[data-protocols]").forEach((form) => {
  const protocol = form.elements.protocol;
  const show = () => {
    form.querySelectorAll("[data-only-for]").forEach((field) => {
      field.hidden = !field.dataset.onlyFor.split(" ").includes(protocol.value);
    });
  };
  protocol.addEventListener("change", show);
  show();
});
