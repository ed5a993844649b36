// A rubric on the judge's own sheet, to be tried: what is tapped stays on this page.
import { html, nothing, render } from "../../vendor/lit-html/lit-html.js";
import { WAITING, effective } from "./sheets.js";
import { sheetView } from "./view_sheet.js";
import { choose, current, t } from "./words.js";

const root = document.getElementById("app");
const rubric = JSON.parse(document.getElementById("rubric").textContent);
const team = (n) => ({
  assignment: n, rubric: rubric.id, anonymous: false, recused: null, released: false, order: n, code: `T-0${n}`,
  name_zh: `示例团队 ${n}`, name_en: `Sample team ${n}`, title_zh: `示例项目 ${n}`, title_en: `Sample project ${n}`,
  links: {}, files: [], sheet: null,
});
const round = { status: "open", rubrics: { [rubric.id]: rubric }, teams: [1, 2, 3].map(team) };
const undo = new Map(round.teams.map((one) => [one, []]));
let shown = round.teams[0];
let operations = [];
let said = "";

function put(one, fields) {
  operations = [...operations, { n: 0, key: "", assignment: one.assignment, state: WAITING, ...fields }];
  draw();
}

const act = {
  open: (one) => draw((shown = one), (said = "")),
  mark(one, criterion, value) {
    const from = effective(one, operations).marks.get(criterion.id) ?? null;
    undo.get(one).push({ criterion, from });
    put(one, { kind: "mark", criterion: criterion.id, value });
  },
  undo(one) {
    const last = undo.get(one).pop();
    if (last) put(one, { kind: "mark", criterion: last.criterion.id, value: last.from });
  },
  text: (one, kind, text) => put(one, { kind, text }),
  ask: () => draw((said = t("preview_sends_nothing"))),
};

function draw() {
  // One team's buttons are not made into another's, see app.js.
  if (root.dataset.team !== shown.code) paint(nothing);
  root.dataset.team = shown.code;
  const lastUndo = undo.get(shown).at(-1);
  paint(sheetView({ round, team: shown, operations, act, lastUndo, shown: null }));
}

function paint(body) {
  document.title = `${t("preview")} · ${rubric[`name_${current()}`] || rubric.name_zh || rubric.name_en}`;
  render(html`
    <header class="top">
      <a class="home" href=${root.dataset.back}><span class="seal" aria-hidden="true">←</span><span>${t("preview_back")}</span></a>
      <nav><button class="btn btn-quiet" lang=${current() === "zh" ? "en" : "zh-Hans"}
        @click=${() => draw(choose(current() === "zh" ? "en" : "zh"))}>${t("language")}</button></nav>
    </header>
    <main id="main" class="page-sheet">
      <p class="notice notice-warn" role="status">${said || t("preview_note")}</p>
      ${body}
    </main>`, root);
}

draw();
