// One team's sheet. Draws what it is given and calls `act`; keeps nothing.
import { html, nothing, svg } from "../../vendor/lit-html/lit-html.js";
import { effective, isEditable, ownRanking, stateOf } from "./sheets.js";
import { compare, format, missing, nearest, plain, stepped, steps, total } from "./totals.js";
import { list, pick, t, teamName } from "./words.js";

const SHOWN = new Set(["pdf", "png", "jpg", "jpeg"]);
// A scale with at most this many steps is shown as buttons, one a mark.
const MOST_BUTTONS = 21;

export const badge = (state) => html`<span class="state state-${state}">${t(`state_${state}`)}</span>`;

export function sheetView({ round, team, operations, act, lastUndo, shown }) {
  const sheet = effective(team, operations);
  const criteria = round.rubrics[team.rubric].criteria;
  const editable = isEditable(round, team, sheet);
  const place = round.teams.indexOf(team);
  return html`
    <div class="sheet ${shown ? "with-file" : ""}">
      <aside class="side">
        ${shown ? fileView(shown, act) : nothing}
        <div class="panel">${teamPanel(round, team, act)}</div>
        <div class="panel own-panel">${ownSheets(round, team, operations)}</div>
      </aside>
      <section class="marks" aria-label=${teamName(team)}>
        ${notices(round, team, sheet, editable)}
        ${sheet.conflicts.map((operation) => conflict(operation, criteria, act))}
        ${sheet.refused.map((operation) => refusal(operation, criteria, act))}
        ${criteria.map((criterion) =>
          criterionView({ criterion, criteria, round, team, sheet, editable, operations, act }))}
        ${textField("comment", team, sheet, editable, act)}
        ${textField("private_note", team, sheet, editable, act)}
        ${sheet.recused || team.released || sheet.status === "submitted"
          ? nothing
          : html`<p class="recuse-row">
              <button class="btn btn-quiet" ?disabled=${!editable} @click=${() => act.ask("recuse", team)}>
                ${t("recuse")}
              </button>
            </p>`}
      </section>
    </div>
    <div class="bar">
      <button class="btn" ?disabled=${place <= 0} aria-label=${t("previous")}
        @click=${() => act.open(round.teams[place - 1])}>←</button>
      <button class="btn" ?disabled=${!lastUndo || !editable} @click=${() => act.undo(team)}
        aria-label=${lastUndo ? t("undo_what", { name: pick(lastUndo.criterion, "name"), mark: plain(lastUndo.from) }) : t("undo")}>
        ↶ <span class="wide">${t("undo")}</span>
      </button>
      ${totalView(round, team, sheet, criteria, operations)}
      ${submitView({ team, sheet, editable, act })}
      <button class="btn" ?disabled=${place + 1 >= round.teams.length} aria-label=${t("next")}
        @click=${() => act.open(round.teams[place + 1])}>→</button>
    </div>
  `;
}

// Beside the marks, where there is room; a picture or what the browser shows of a PDF.
function fileView(file, act) {
  return html`<div class="panel file-view">
    <p class="buttons"><strong>${file.name}</strong>
      <a class="btn btn-quiet" href=${file.url} target="_blank">${t("open_alone")}</a>
      <button class="btn btn-quiet" @click=${() => act.show(null)}>${t("dismiss")}</button></p>
    ${file.type === "pdf"
      ? html`<iframe src=${file.url} title=${file.name}></iframe>`
      : html`<img src=${file.url} alt=${file.name}>`}
  </div>`;
}

function teamPanel(round, team, act) {
  const links = Object.entries(team.links);
  return html`
    <p class="quiet">
      ${team.order ? html`${t("number", { n: team.order })} · ` : nothing}${team.code}
    </p>
    <h1 tabindex="-1">${teamName(team)}</h1>
    ${team.anonymous
      ? html`<p class="quiet">${t("anonymous")}</p>`
      : html`<p>${[pick(team, "organisation"), pick(team, "country")].filter(Boolean).join(" · ")}</p>`}
    <h2>${pick(team, "title")}</h2>
    ${pick(team, "abstract") ? html`<p class="abstract" tabindex="0">${pick(team, "abstract")}</p>` : nothing}
    ${links.length
      ? html`<p class="links">${links.map(([name, url]) => html`
          <a class="btn btn-quiet" href=${url} target="_blank" rel="noopener noreferrer">${t(name)}</a>`)}</p>`
      : nothing}
    ${team.base_model ? html`<p class="quiet">${t("base_model")}: ${team.base_model}</p>` : nothing}
    ${team.licence ? html`<p class="quiet">${t("licence")}: ${team.licence}</p>` : nothing}
    ${team.files.length
      ? html`<h2>${t("files")}</h2>
          <ul class="files">${team.files.map((file) => html`
            <li><a class="btn btn-quiet" href=${file.url} target="_blank">${file.name}</a>
              <span class="quiet">${size(file.size)}</span>
              ${SHOWN.has(file.type)
                ? html`<button class="btn btn-quiet beside" @click=${() => act.show(file)}>${t("show_beside")}</button>`
                : nothing}</li>`)}</ul>
          <p class="quiet">${t("files_need_network")}</p>`
      : nothing}
  `;
}

const size = (bytes) =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;

function notices(round, team, sheet, editable) {
  const shown = [];
  if (sheet.recused) shown.push(["warn", t("recused_help")]);
  else if (team.released) shown.push(["warn", t("released_help")]);
  else if (sheet.status === "submitted") shown.push(["ok", t("submitted_help")]);
  else if (sheet.isSubmitting) shown.push(["warn", t("state_submitting")]);
  else if (!editable) shown.push(["warn", t("not_open")]);
  if (sheet.status === "returned" && team.sheet?.returned) {
    shown.push(["warn", t("returned_help", { reason: team.sheet.returned })]);
  }
  return shown.map(([kind, text]) => html`<p class="notice notice-${kind}" role="status">${text}</p>`);
}

// --- Criteria ----------------------------------------------------------------------------------

function criterionView({ criterion, criteria, round, team, sheet, editable, operations, act }) {
  const mark = sheet.marks.get(criterion.id) ?? null;
  const field = `mark ${team.assignment} ${criterion.id}`;
  const held = sheet.conflicts.some((operation) => operation.criterion === criterion.id);
  const can = editable && !held;
  const set = (value) => act.mark(team, criterion, value);
  return html`
    <fieldset class="criterion kind-${criterion.kind}" data-criterion=${criterion.id} ?disabled=${!can}>
      <legend>
        ${pick(criterion, "name")} <span class="tag">${kindText(criterion, criteria)}</span>
      </legend>
      ${pick(criterion, "guide") ? html`<p class="guide">${pick(criterion, "guide")}</p>` : nothing}
      ${criterion.kind === "veto"
        ? choices(criterion, team, mark, set, [["1", t("met")], ["0", t("not_met")]])
        : html`
            <div class="stepper">
              <button type="button" class="btn step" aria-label=${t("lower", { name: pick(criterion, "name") })}
                @click=${() => set(stepped(criterion, mark, -1))}>−</button>
              <output class="mark">${plain(mark)}</output>
              <button type="button" class="btn step" aria-label=${t("higher", { name: pick(criterion, "name") })}
                @click=${() => set(stepped(criterion, mark, 1))}>+</button>
              <span class="quiet">${plain(criterion.minimum)}–${plain(criterion.maximum)}</span>
              ${mark === null ? nothing : whereKept(sheet, field)}
            </div>
            ${scale(criterion, team, mark, set, marksElsewhere(criterion, round, team, operations))}
          `}
    </fieldset>
  `;
}

// Says "kept" of nothing that is not on a disk.
function whereKept(sheet, field) {
  if (sheet.unkept.has(field)) return nothing;
  return sheet.unsent.has(field)
    ? html`<span class="kept kept-here">▣ ${t("mark_on_tablet")}</span>`
    : html`<span class="kept kept-server">✓ ${t("mark_on_server")}</span>`;
}

function kindText(criterion, criteria) {
  if (criterion.kind === "scored") {
    const all = criteria
      .filter((other) => other.kind === "scored")
      .reduce((sum, other) => sum + Number(other.weight), 0);
    return t("share", { n: plain((Number(criterion.weight) * 100 / all).toFixed(1)) });
  }
  if (criterion.kind === "veto") return t("veto");
  return `${t(criterion.kind)} · ${t("up_to", { n: plain(criterion.maximum) })}`;
}

function scale(criterion, team, mark, set, others) {
  const marks = steps(criterion);
  if (marks.length <= MOST_BUTTONS) {
    return html`${choices(criterion, team, mark, set, marks.map((value) => [value, value]), others)}
      ${others.length ? html`<p class="unseen">${t("your_others", { marks: list(others.map(plain)) })}</p>` : nothing}`;
  }
  const name = pick(criterion, "name");
  const typed = (event) => {
    const value = nearest(criterion, event.target.value);
    if (value !== null) set(value);
    event.target.value = plain(value ?? mark).replace("–", "");
  };
  return html`
    <div class="slide">
      <input type="range" min=${plain(criterion.minimum)} max=${plain(criterion.maximum)}
        step=${plain(criterion.step)} .value=${plain(mark ?? criterion.minimum)} aria-label=${name}
        @change=${(event) => set(nearest(criterion, event.target.value))}>
      <input type="text" inputmode="decimal" autocomplete="off" .value=${mark === null ? "" : plain(mark)}
        aria-label=${t("type_mark", { name })} @change=${typed}>
    </div>
    ${others.length ? picture(criterion, others) : nothing}
  `;
}

// The dots under a button count the judge's other sheets with that mark.
function choices(criterion, team, mark, set, options, others = []) {
  const name = `c${team.assignment}-${criterion.id}`;
  const chosen = mark === null ? null : plain(mark);
  const dots = (value) => others.filter((other) => plain(other) === value).length;
  return html`<div class="choices" role="radiogroup" aria-label=${pick(criterion, "name")}>
    ${options.map(([value, label]) => html`
      <label class="choice">
        <input type="radio" name=${name} value=${value} .checked=${chosen === value}
          @change=${() => set(value)}><span>${label}${dots(value)
            ? html`<small aria-hidden="true">${"•".repeat(Math.min(5, dots(value)))}</small>` : nothing}</span>
      </label>`)}
  </div>`;
}

// The judge's marks for the other teams on this criterion, lowest first.
function marksElsewhere(criterion, round, team, operations) {
  return round.teams
    .filter((other) => other !== team && other.rubric === team.rubric)
    .map((other) => effective(other, operations).marks.get(criterion.id))
    .filter((mark) => mark != null)
    .sort((a, b) => Number(a) - Number(b));
}

// Where they lie on a long scale, under its slider.
function picture(criterion, others) {
  const low = Number(criterion.minimum);
  const span = Number(criterion.maximum) - low;
  return html`<svg class="others" viewBox="0 0 100 8" preserveAspectRatio="none" role="img"
      aria-label=${t("your_others", { marks: list(others.map(plain)) })}>
    ${others.map((mark) => {
      const x = 1 + (98 * (Number(mark) - low)) / span;
      return svg`<line x1=${x} x2=${x} y1="0" y2="8"></line>`;
    })}
  </svg>`;
}

function textField(name, team, sheet, editable, act) {
  const field = `${name} ${team.assignment} `;
  const held = sheet.conflicts.some((operation) => operation.kind === name);
  return html`
    <div class="text-field">
      <label for="f-${name}">${t(name)}</label>
      <textarea id="f-${name}" rows=${name === "comment" ? 3 : 2} maxlength="4000"
        aria-describedby="h-${name}" .value=${sheet[name]} ?disabled=${!editable || held}
        @input=${(event) => event.isComposing || act.text(team, name, event.target.value)}
        @compositionend=${(event) => act.text(team, name, event.target.value)}></textarea>
      <p class="quiet" id="h-${name}">${t(`${name}_help`)}
        ${sheet[name] ? whereKept(sheet, field) : nothing}</p>
    </div>
  `;
}

// --- The judge's own sheets --------------------------------------------------------------------

function totalView(round, team, sheet, criteria, operations) {
  const sum = total(criteria, sheet.marks);
  const lacking = missing(criteria, sheet.marks).length;
  const rows = ownRanking(round, operations);
  const own = rows.find((row) => row.team === team);
  return html`
    <div class="total" role="status">
      <span class="wide quiet">${t("total")}</span>
      <output class="sum">${format(sum)}</output>
      <span class="quiet">${own
        ? t("rank_among", { rank: own.rank, n: rows.length })
        : lacking ? t("incomplete", { n: lacking }) : nothing}</span>
    </div>
  `;
}

function ownSheets(round, team, operations) {
  const rows = ownRanking(round, operations);
  return html`
    <h2>${t("your_sheets")}</h2>
    ${rows.length
      ? html`<ol class="own">${rows.map((row) => html`
          <li class=${row.team === team ? "here" : ""} aria-current=${row.team === team ? "true" : nothing}>
            <span class="rank">${row.rank}</span>
            <span class="name">${teamName(row.team)}${row.team === team
              ? html` <span class="quiet">(${t("this_team")})</span>` : nothing}</span>
            <span class="sum">${format(row.total)}</span>
            <span class="bar-line" aria-hidden="true"><span style="width:${Number(format(row.total))}%"></span></span>
          </li>`)}</ol>`
      : html`<p class="quiet">${t("your_sheets_none")}</p>`}
  `;
}

// Other sheets of the judge with the very same total.
export function sameTotals(round, team, operations) {
  const rows = ownRanking(round, operations);
  const own = rows.find((row) => row.team === team);
  return own
    ? rows.filter((row) => row !== own && compare(row.total, own.total) === 0).map((row) => row.team)
    : [];
}

function submitView({ team, sheet, editable, act }) {
  if (sheet.isSubmitting) {
    // Once it was sent the server may have it, whatever became of the answer.
    if (sheet.isAttempted) return badge("submitting");
    return html`<button class="btn" @click=${() => act.takeBack(team)}>
      ${t("take_back")}</button>`;
  }
  if (sheet.status === "submitted" || !editable) return badge(stateOf(team, sheet));
  return html`<button class="btn btn-primary" ?disabled=${sheet.conflicts.length > 0}
    @click=${() => act.ask("submit", team)}>${t("submit")}</button>`;
}

// --- What needs a decision ---------------------------------------------------------------------

function whatOf(operation, criteria) {
  const known = criteria.find((other) => other.id === operation.criterion);
  const criterion = known ?? operation.about?.criterion;
  if (operation.kind === "mark") return criterion ? pick(criterion, "name") : t("what_mark");
  if (operation.kind === "comment" || operation.kind === "private_note") return t(operation.kind);
  return t(`what_${operation.kind}`);
}

const valueOf = (operation) =>
  operation.kind === "mark"
    ? operation.value === null ? t("cleared") : plain(operation.value)
    : operation.text;

// What happened to the sheet before it was handed in here.
const SUBMIT_CONFLICTS = { submitted: "submit_conflict_in", returned: "submit_conflict_back" };

export function conflict(operation, criteria, act) {
  if (operation.kind === "submit") {
    return html`<div class="notice notice-bad" role="alert">
      <p>${t(SUBMIT_CONFLICTS[operation.current?.kind] ?? "submit_conflict")}</p>
      <button class="btn" @click=${() => act.discard(operation, false)}>${t("understood")}</button>
    </div>`;
  }
  const theirs = operation.current ?? {};
  return html`<div class="notice notice-bad conflict" role="alert" data-conflict=${operation.key}>
    <h2>${t("conflict_title")}: ${whatOf(operation, criteria)}</h2>
    <dl>
      <div><dt>${t("conflict_mine", { value: valueOf(operation) })}</dt>
        <dd><button class="btn" @click=${() => act.keepMine(operation)}>${t("keep_mine")}</button></dd></div>
      <div><dt>${t("conflict_theirs", { value: valueOf({ ...operation, value: theirs.value ?? null, text: theirs.text }) })}
          <span class="quiet">${theirs.device}</span></dt>
        <dd><button class="btn" @click=${() => act.takeTheirs(operation)}>${t("take_theirs")}</button></dd></div>
    </dl>
  </div>`;
}

// `withTeam`: where the team is not to be seen otherwise.
export function refusal(operation, criteria, act, withTeam = false) {
  const team = operation.about?.team;
  const name = (team && pick(team, "name")) || operation.label;
  return html`<div class="notice notice-bad" role="alert" data-refused=${operation.key}>
    <h2>${t("refused_title")}: ${withTeam && name ? `${name} · ` : ""}${whatOf(operation, criteria)}
      ${operation.kind === "mark" ? plain(operation.value) : nothing}</h2>
    <p>${operation.detail}</p>
    ${operation.text ? html`<blockquote class="refused-text">${operation.text}</blockquote>` : nothing}
    <p class="buttons">
      <button class="btn" @click=${() => act.tryAgain(operation)}>${t("try_again")}</button>
      <button class="btn btn-quiet" @click=${() => act.discard(operation, true)}>${t("discard")}</button>
    </p>
  </div>`;
}
