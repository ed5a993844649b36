// The rubric's builder: fields by kind, usual scales, order, and weights that add up to 100.
// Without this script every field shows, and the server checks the same.
document.querySelectorAll("form[data-rubric]").forEach((form) => {
  const said = form.dataset;
  const builder = form.querySelector("[data-formset]");
  const weights = form.querySelector("[data-weights]");
  const bar = weights.querySelector(".weights-bar");
  const rule = form.querySelector("[data-veto-rule]");
  const COLOURS = ["#20597a", "#5b8c85", "#a3651a", "#6b5b95", "#8f3a2f", "#3d7a4f", "#7a5c48", "#44688f"];

  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
  const rows = () => [...builder.querySelectorAll("[data-row]")];
  const removed = (row) => field(row, "DELETE").checked;
  const kept = () => rows().filter((row) => !removed(row));
  const scored = () => kept().filter((row) => field(row, "kind").value === "scored");
  const name = (row) =>
    (document.documentElement.lang.startsWith("zh")
      ? field(row, "name_zh").value || field(row, "name_en").value
      : field(row, "name_en").value || field(row, "name_zh").value
    ).trim() || said.nameless;
  // Weights have two decimals; whole hundredths add up exactly.
  const hundredths = (row) => Math.max(0, Math.round(Number(field(row, "weight").value || 0) * 100)) || 0;
  const number = (value) => String(value / 100);

  const showScale = (row) => {
    const scale = ["minimum", "maximum", "step"].map((part) => String(Number(field(row, part).value)));
    const select = row.querySelector("[data-scale]");
    const known = [...select.options].some((option) => option.value === scale.join(" "));
    if (select.dataset.own !== "1") select.value = known ? scale.join(" ") : "";
  };

  const showKind = (row) => {
    const kind = field(row, "kind").value;
    row.querySelectorAll("[data-only-for]").forEach((part) => {
      part.hidden = !part.dataset.onlyFor.split(" ").includes(kind);
    });
    const own = kind !== "scored" || row.querySelector("[data-scale]").value === "";
    const wrong = row.querySelector("[data-own-scale] .errors");
    row.querySelectorAll("[data-own-scale]").forEach((part) => {
      part.hidden = part.hidden || !(own || wrong);
    });
  };

  const showRow = (row) => {
    const gone = removed(row);
    row.classList.toggle("is-removed", gone);
    row.querySelector("[data-body]").hidden = gone;
    row.querySelector("[data-restore]").hidden = !gone;
    row.querySelectorAll("[data-up], [data-down], [data-remove]").forEach((button) => {
      button.hidden = gone;
    });
    field(row, "kind").hidden = gone;
    row.querySelector("[data-title]").textContent = gone ? said.removed.replace("{name}", () => name(row)) : name(row);
  };

  const showWeights = () => {
    const counted = scored();
    const sum = counted.reduce((total, row) => total + hundredths(row), 0);
    bar.replaceChildren(
      ...counted.map((row, n) => {
        const part = document.createElement("span");
        part.style.width = `${(100 * hundredths(row)) / Math.max(sum, 10000)}%`;
        part.style.background = COLOURS[n % COLOURS.length];
        part.textContent = part.title = `${name(row)} ${number(hundredths(row))}`;
        return part;
      }),
    );
    const off = 10000 - sum;
    const words = off > 0 ? said.missing : off < 0 ? said.over : said.full;
    const text = counted.length
      ? `${said.sum.replace("{n}", number(sum))} · ${words.replace("{n}", number(Math.abs(off)))}`
      : said.nothing;
    const status = weights.querySelector(".weights-said");
    if (status.textContent !== text) status.textContent = text;
    weights.classList.toggle("is-full", counted.length > 0 && off === 0);
    weights.querySelector("[data-spread]").disabled = counted.length === 0;
  };

  const showAll = () => {
    rows().forEach((row, n) => {
      field(row, "ORDER").value = n + 1;
      showRow(row);
      showKind(row);
    });
    const left = kept();
    left.forEach((row, n) => {
      row.querySelector("[data-up]").disabled = n === 0;
      row.querySelector("[data-down]").disabled = n === left.length - 1;
    });
    const select = rule.querySelector("select");
    rule.hidden = !left.some((row) => field(row, "kind").value === "veto");
    builder.querySelectorAll("[data-veto-said]").forEach((place) => {
      place.textContent = select.selectedOptions[0]?.textContent ?? "";
    });
    showWeights();
  };

  const prepare = (row) => {
    row.querySelector("[data-tools]").hidden = false;
    row.querySelector("[data-plain]").hidden = true;
    row.querySelectorAll("[data-scripted]").forEach((part) => {
      part.hidden = false;
    });
    showScale(row);
  };

  const move = (row, up) => {
    const all = kept();
    const other = all[all.indexOf(row) + (up ? -1 : 1)];
    if (!other) return;
    if (up) other.before(row);
    else other.after(row);
    showAll();
    // The button that was pressed keeps the focus, or its neighbour at the end of the way.
    const [first, second] = up ? ["[data-up]", "[data-down]"] : ["[data-down]", "[data-up]"];
    (row.querySelector(`${first}:enabled`) ?? row.querySelector(second)).focus();
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const row = button?.closest("[data-row]");
    if (!button) return;
    if (button.matches("[data-up], [data-down]")) move(row, button.matches("[data-up]"));
    if (button.matches("[data-remove], [data-restore]")) {
      field(row, "DELETE").checked = button.matches("[data-remove]");
      showAll();
      row.querySelector(removed(row) ? "[data-restore]" : "[data-remove]").focus();
    }
    if (button.matches("[data-spread]")) {
      const counted = scored();
      const share = Math.floor(100 / counted.length);
      counted.forEach((part, n) => {
        field(part, "weight").value = share + (n < 100 - share * counted.length ? 1 : 0);
      });
      showAll();
    }
  });

  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (event.target.matches("[data-scale]")) {
      const own = event.target.value === "";
      event.target.dataset.own = own ? "1" : "";
      if (!own) {
        const scale = event.target.value.split(" ");
        ["minimum", "maximum", "step"].forEach((part, n) => {
          field(row, part).value = scale[n];
        });
      }
    }
    showAll();
  });
  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) showRow(row);
    showWeights();
  });
  builder.addEventListener("row:added", (event) => {
    prepare(event.target);
    showAll();
  });

  weights.hidden = false;
  rows().forEach(prepare);
  showAll();
});
