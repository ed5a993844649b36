// "Add" for Django formsets: <template data-empty="prefix"> is copied into [data-formset="prefix"].
document.querySelectorAll("[data-add]").forEach((button) => {
  const prefix = button.dataset.add;
  button.addEventListener("click", () => {
    const count = document.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
    const holder = document.createElement("div");
    const template = document.querySelector(`template[data-empty="${prefix}"]`);
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", count.value);
    const row = holder.firstElementChild;
    document.querySelector(`[data-formset="${prefix}"]`).append(row);
    count.value = String(Number(count.value) + 1);
    row.dispatchEvent(new CustomEvent("row:added", { bubbles: true }));
    row.querySelector("input:not([type=hidden]), select")?.focus();
  });
});
