// The running order, what waits for a decision, and the page about this tablet.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { effective, ownRanking, stateOf } from "./sheets.js";
import { format } from "./totals.js";
import { badge, refusal } from "./view_sheet.js";
import { pick, t, teamName, time } from "./words.js";

export function homeView({ tablet, act, dismissed }) {
  const { rounds, ties, reminders, event } = tablet.package;
  const orphans = tablet.own.filter((operation) => operation.state !== "waiting" && !tablet.teamOf(operation));
  return html`
    ${rounds.length ? nothing : html`<h1 class="unseen" tabindex="-1">${t("home")}</h1>`}
    ${reminders.filter((reminder) => !dismissed.has(reminder.id)).slice(0, 1).map((reminder) => html`
      <div class="notice notice-warn" role="alert">
        <p>${reminder.text || t("reminder")} <span class="quiet">${time(reminder.at, event.time_zone)}</span></p>
        <button class="btn" @click=${() => act.dismiss(reminder)}>${t("dismiss")}</button>
      </div>`)}
    ${orphans.map((operation) => refusal(operation, [], act, true))}
    ${ties.map((tie) => tieView(tie, act))}
    ${rounds.length
      ? rounds.map((round) => roundView(round, tablet.own, act))
      : html`<p class="empty">${t("no_teams")}</p>`}
  `;
}

function roundView(round, operations, act) {
  const rows = new Map(ownRanking(round, operations).map((row) => [row.team, row]));
  const shown = round.teams.map((team) => {
    const sheet = effective(team, operations);
    return { team, state: stateOf(team, sheet), row: rows.get(team) };
  });
  const counted = shown.filter(({ state }) => state !== "recused" && state !== "released");
  const done = counted.filter(({ state }) => state === "submitted").length;
  const onStage = round.stage?.current?.participation ?? null;
  return html`
    <section class="round">
      <div class="round-head">
        <h1 tabindex="-1">${pick(round, "track")} · ${pick(round, "name")}</h1>
        <span class="state ${round.status === "open" ? "state-saved" : "state-none"}">${t(`round_${round.status}`)}</span>
        <p class="quiet">${t("submitted_of", { done, all: counted.length })}</p>
        <progress max=${Math.max(1, counted.length)} value=${done} aria-label=${t("submitted_of", { done, all: counted.length })}></progress>
      </div>
      <ol class="teams">${shown.map(({ team, state, row }) => html`
        <li>
          <a class="team ${team.participation !== null && team.participation === onStage ? "on-stage" : ""}"
            href="#/t/${team.assignment}" data-assignment=${team.assignment}>
            <span class="order">${team.order ?? ""}</span>
            <span class="who"><strong>${teamName(team)}</strong>
              ${team.participation !== null && team.participation === onStage
                ? html`<span class="tag tag-stage">${t("on_stage")}</span>` : nothing}
              <br><span class="quiet">${pick(team, "title")}</span></span>
            <span class="sum">${row ? format(row.total) : ""}</span>
            ${badge(state)}
          </a>
        </li>`)}</ol>
    </section>
  `;
}

function tieView(tie, act) {
  const order = act.tieOrder(tie);
  return html`
    <form class="notice notice-warn tie" @submit=${(event) => act.decideTie(event, tie)}>
      <h2>${t("ties")}</h2>
      <p>${t("tie_help")}</p>
      <ol>${order.map((team, n) => html`
        <li>
          <span>${n + 1}. <strong>${teamName(team)}</strong> <span class="quiet">${team.code}</span></span>
          <button type="button" class="btn" ?disabled=${n === 0} aria-label=${t("tie_up", { team: teamName(team) })}
            @click=${() => act.moveTied(tie, n, -1)}>↑</button>
          <button type="button" class="btn" ?disabled=${n === order.length - 1} aria-label=${t("tie_down", { team: teamName(team) })}
            @click=${() => act.moveTied(tie, n, 1)}>↓</button>
        </li>`)}</ol>
      <label for="tie-${tie.id}">${t("reason")}</label>
      <input id="tie-${tie.id}" name="reason" required maxlength="300">
      <button class="btn btn-primary">${t("tie_confirm")}</button>
    </form>
  `;
}

// --- Signing in --------------------------------------------------------------------------------

export function signInProblem({ signIn }) {
  const said = { refused: "sign_in_refused", offline: "sign_in_offline" }[signIn];
  return said ? html`<p class="notice notice-bad" role="alert">${t(said)}</p>` : nothing;
}

// `left`: how much waits here of whoever was signed in before.
export function signInView({ act, app, left }) {
  return html`
    <form class="panel sign-in" @submit=${act.signIn}>
      <h1 tabindex="-1">${t("welcome")}</h1>
      <p>${t("sign_in_help")}</p>
      <label for="link">${t("sign_in_field")}</label>
      <input id="link" name="link" required autocomplete="off" autocapitalize="off" spellcheck="false">
      <button class="btn btn-primary" ?disabled=${app.signIn === "busy"}>${t("sign_in")}</button>
      ${signInProblem(app)}
      <p class="quiet">${t("sign_in_code_help")}</p>
      ${left
        ? html`<p class="notice notice-warn">${t("left_unsent", { n: left })}</p>
            <p class="quiet">${t("export_help")}</p>
            <p class="buttons"><button type="button" class="btn" @click=${act.export}>${t("export")}</button></p>`
        : nothing}
    </form>
  `;
}

// --- This tablet -------------------------------------------------------------------------------

export function tabletView({ tablet, act, app }) {
  const { package: kept } = tablet;
  const labels = { live: "live", polling: "polling", down: "down" };
  return html`
    <h1 tabindex="-1">${t("tablet")}</h1>
    <div class="columns">
      <section class="panel">
        <h2>${t("unsent")}</h2>
        ${tablet.own.length
          ? html`<ul class="unsent">${tablet.own.map((operation) => html`
              <li>${operation.label} · ${operation.kind === "mark" ? t("what_mark") : operation.kind in { comment: 1, private_note: 1 }
                ? t(operation.kind) : t(`what_${operation.kind}`)}
                ${operation.kind === "mark" ? operation.value ?? t("cleared") : ""}
                <span class="quiet">${time(operation.device_at, kept?.event.time_zone)}</span></li>`)}</ul>`
          : html`<p class="quiet">${t("unsent_none")}</p>`}
        ${tablet.others.length ? html`<p class="notice notice-warn">${t("other_unsent", { n: tablet.others.length })}</p>` : nothing}
        <p class="buttons">
          <button class="btn" @click=${act.export}>${t("export")}</button>
          <label class="btn">${t("import")}<input type="file" accept="application/json,.json" class="unseen" @change=${act.import}></label>
        </p>
        <p class="quiet">${t("export_help")}</p>
        ${app.imported ? html`<p class="notice notice-ok" role="status">${app.imported}</p>` : nothing}
      </section>
      <section class="panel">
        <h2>${t("storage")}</h2>
        ${tablet.isForgetful
          ? html`<p class="notice notice-bad" role="alert">${t("storage_failed")}</p>`
          : app.isPersistent
            ? html`<p>${t("storage_kept")}</p>`
            : html`<p>${t("storage_may_go")}</p>
                <button class="btn" @click=${act.persist}>${t("storage_ask")}</button>`}
        <h2>${t("install")}</h2>
        ${app.isInstalled
          ? html`<p>${t("installed")}</p>`
          : html`<p>${t("install_help")}</p>
              ${app.installPrompt ? html`<button class="btn" @click=${act.install}>${t("install")}</button>` : html`<p class="quiet">${t("install_ios")}</p>`}
              <p>${t("code_help")}</p>
              ${codeView(app.code, act)}`}
        <h2>${t("connection")}</h2>
        <p>${t(labels[app.push] ?? "down")}</p>
      </section>
      <section class="panel">
        <dl>
          ${kept ? html`
            <div><dt>${t("judge")}</dt><dd>${kept.judge.name} · ${pick(kept.judge, "organisation")}</dd></div>
            <div><dt>${t("event")}</dt><dd>${pick(kept.event, "name")}</dd></div>` : nothing}
          <div><dt>${t("device")}</dt><dd>${tablet.device}</dd></div>
        </dl>
        <p class="buttons"><button class="btn btn-quiet" id="sign-out" @click=${act.signOut}>${t("sign_out")}</button></p>
      </section>
    </div>
  `;
}

// With it the judge signs in in the installed app, which does not know that they are signed in here.
function codeView(code, act) {
  return html`
    ${code?.code
      ? html`<p role="status"><strong class="code">${code.code}</strong><br>
          <span class="quiet">${t("code_lasts", { n: code.minutes })}</span></p>`
      : nothing}
    ${code?.failed ? html`<p class="notice notice-bad" role="alert">${t("code_failed")}</p>` : nothing}
    <button class="btn" id="code" @click=${act.code}>${t("code_show")}</button>
  `;
}
