// The judge's app: puts the tablet, the screen and the push together.
import { html, nothing, render } from "../../vendor/lit-html/lit-html.js";
import { connect } from "../live.js";
import * as clock from "../clock.js";
import { effective } from "./sheets.js";
import { Tablet } from "./tablet.js";
import { format, missing, plain, total } from "./totals.js";
import { homeView, signInProblem, signInView, tabletView } from "./view_home.js";
import { sameTotals, sheetView } from "./view_sheet.js";
import { choose, current, list, pick, t, teamName } from "./words.js";

const TICKET_MS = 15000;
const root = document.getElementById("app");
const urls = root.dataset;
const tablet = new Tablet({ package: urls.package, outbox: urls.outbox }, current);
const app = {
  push: "polling",
  dialog: null, // its kind, and the team it is about
  shown: null, // the file beside the sheet
  undo: new Map(), // by assignment: [{criterion, from, to}]
  ties: new Map(), // by tie: participations in the order that the chair tries
  dismissed: new Set(),
  isPersistent: false,
  isInstalled: matchMedia("(display-mode: standalone)").matches || navigator.standalone === true,
  installPrompt: null,
  registration: null,
  update: null,
  imported: "",
  code: null, // that signs the judge in in the installed app
  signIn: "", // what became of it: "", "busy", "refused", "offline"
};

// --- Where we are ------------------------------------------------------------------------------

function place() {
  const [, page, id] = location.hash.split("/");
  if (page === "tablet") return { page };
  if (page === "t" && tablet.package) {
    for (const round of tablet.package.rounds) {
      const team = round.teams.find((other) => other.assignment === Number(id));
      if (team) return { page: "sheet", round, team };
    }
  }
  return { page: "home" };
}

// --- What the judge can do ---------------------------------------------------------------------

const act = {
  open(team) {
    location.hash = `#/t/${team.assignment}`;
  },

  mark(team, criterion, value) {
    const before = effective(team, tablet.own).marks.get(criterion.id) ?? null;
    if (value === before || (before !== null && value !== null && Number(value) === Number(before))) {
      return;
    }
    const history = app.undo.get(team.assignment) ?? [];
    history.push({ criterion, from: before });
    app.undo.set(team.assignment, history);
    tablet.add({ kind: "mark", criterion: criterion.id, value, ...named(team, criterion) }, { team });
  },

  undo(team) {
    const last = app.undo.get(team.assignment)?.pop();
    if (!last) return;
    const { criterion, from: value } = last;
    tablet.add({ kind: "mark", criterion: criterion.id, value, ...named(team, criterion) }, { team });
  },

  text(team, kind, text) {
    tablet.add({ kind, text, ...named(team) }, { team, replacesText: true });
  },

  show(file) {
    app.shown = file;
    draw();
  },

  ask(kind, team) {
    app.dialog = { kind, assignment: team.assignment };
    draw();
  },

  // The dialog gives the focus back to what it was called from.
  cancel() {
    root.querySelector("dialog")?.close();
    app.dialog = null;
    draw();
    if (document.activeElement === document.body) showWhere();
  },

  // The browser tells of it a moment later, when the next dialog may be open already.
  closed(event) {
    if (event.target.isConnected) act.cancel();
  },

  submit(round, team) {
    const { marks } = effective(team, tablet.own);
    act.cancel();
    tablet.add({ kind: "submit", marks: Object.fromEntries(marks), ...named(team) }, { team });
  },

  takeBack: (team) => tablet.takeBack(team.assignment),

  recuse(event, team) {
    event.preventDefault();
    const text = new FormData(event.target).get("reason");
    act.cancel();
    tablet.add({ kind: "recuse", text, ...named(team) }, { team });
  },

  keepMine: (operation) => tablet.keepMine(operation),
  takeTheirs: (operation) => tablet.takeTheirs(operation),
  tryAgain: (operation) => tablet.tryAgain(operation),
  discard(operation, asks) {
    if (!asks || confirm(t("discard_confirm"))) tablet.discard(operation);
  },

  tieOrder: (tie) => app.ties.get(tie.id) ?? tie.teams,
  moveTied(tie, n, by) {
    const order = [...act.tieOrder(tie)];
    [order[n], order[n + by]] = [order[n + by], order[n]];
    app.ties.set(tie.id, order);
    draw();
  },
  decideTie(event, tie) {
    event.preventDefault();
    const order = act.tieOrder(tie).map((team) => team.participation);
    const text = new FormData(event.target).get("reason");
    tablet.add({ kind: "tie", tie: tie.id, order, text });
  },

  dismiss(reminder) {
    app.dismissed.add(reminder.id);
    tablet.store.set("dismissed", [...app.dismissed]);
    draw();
  },

  async signIn(event) {
    event.preventDefault();
    const form = event.target;
    const typed = new FormData(form).get("link").trim();
    const token = typed.split("/").filter(Boolean).pop() ?? "";
    app.signIn = "busy";
    draw();
    const url = urls.signIn.replace("TOKEN", encodeURIComponent(token));
    const became = await tablet.signIn(url, urls.scope);
    app.signIn = became === "signed_in" ? "" : became === "refused" ? "refused" : "offline";
    if (!app.signIn) form.reset();
    draw();
  },

  async signOut() {
    if (!(await mayLeave())) return;
    const unsent = tablet.own.length;
    if (unsent && !confirm(t("sign_out_unsent", { n: unsent }))) return;
    if (await tablet.signOut(urls.signOut)) location.reload();
  },

  async code() {
    app.code = (await tablet.code(urls.code)) ?? { failed: true };
    draw();
  },

  export() {
    for (const outbox of tablet.exported()) {
      const file = new Blob([JSON.stringify(outbox, null, 1)], { type: "application/json" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `${outbox.judge.name}-${outbox.at.slice(0, 16).replace(/:/g, "")}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }
  },

  async import(event) {
    const [file] = event.target.files;
    if (!file) return;
    try {
      app.imported = t("imported", { n: await tablet.imported(await file.text()) });
    } catch {
      app.imported = t("import_failed");
    }
    event.target.value = "";
    draw();
  },

  async persist() {
    app.isPersistent = (await navigator.storage?.persist?.()) ?? false;
    draw();
  },

  async install() {
    await app.installPrompt.prompt();
    app.installPrompt = null;
    draw();
  },

  async language() {
    choose(current() === "zh" ? "en" : "zh");
    await tablet.store.set("language", current());
    draw();
  },

  async update() {
    if (await mayLeave()) app.update.postMessage("skip-waiting");
  },
};

// What an operation is about, to be named even where its team or criterion is gone.
const names = (thing) => ({ name_zh: thing.name_zh, name_en: thing.name_en });
const named = (team, criterion = null) => ({
  about: { team: names(team), criterion: criterion && names(criterion) },
});

// Whether nothing is lost if the page goes; where something would be, the judge is told what to do.
async function mayLeave() {
  await tablet.lastStored.catch(() => {});
  if (!tablet.endangered) return true;
  app.dialog = { kind: "stay" };
  draw();
  return false;
}

// --- Drawing -----------------------------------------------------------------------------------

function syncView() {
  const waiting = tablet.waiting.length;
  const decisions = tablet.own.length - waiting;
  let kind = "ok";
  let text = t("all_saved");
  if (tablet.link === "starting") [kind, text] = ["quiet", t("starting")];
  if (tablet.link === "offline") [kind, text] = ["warn", waiting ? t("offline", { n: waiting }) : t("offline_none")];
  if (tablet.link === "signed_out") [kind, text] = ["bad", waiting ? t("signed_out", { n: waiting }) : t("signed_out_none")];
  if (tablet.link === "online" && waiting) [kind, text] = ["quiet", t("sending", { n: waiting })];
  if (decisions) [kind, text] = ["bad", t("attention", { n: decisions })];
  return html`<div class="sync-place" role="status"><a class="sync sync-${kind}" id="sync" href="#/tablet"
    data-waiting=${waiting} data-link=${tablet.link} data-storing=${tablet.isStoring} data-push=${app.push}><span>${text}</span></a></div>`;
}

// A stage ends with its round, whatever it showed last.
const onStage = () =>
  tablet.package?.rounds.find((round) => round.status === "open" && round.stage?.current);

function stageView({ page, team }) {
  const rounds = tablet.package?.rounds ?? [];
  const round = onStage();
  if (!round) {
    const next = rounds.find((other) => other.status === "open" && other.stage?.next)?.stage.next;
    return next
      ? html`<div class="stage-line"><span class="quiet">${t("next_on_stage")}</span>
          <span>${next.order ? `${next.order}. ` : ""}${teamName(next)}</span></div>`
      : nothing;
  }
  const { stage } = round;
  const own = round.teams.find((other) => other.participation === stage.current.participation);
  return html`
    <div class="stage-line">
      <span class="tag tag-stage">${t("on_stage")}</span>
      <strong>${stage.current.order ? `${stage.current.order}. ` : ""}${teamName(stage.current)}</strong>
      <span class="quiet">${t(`phase_${stage.phase}`)}${stage.running_since ? "" : ` · ${t("stopped")}`}</span>
      <span class="clock" id="clock"></span>
      ${own && !(page === "sheet" && team === own)
        ? html`<a class="btn" href="#/t/${own.assignment}">${t("open_sheet")}</a>` : nothing}
    </div>
  `;
}

function dialogView() {
  if (app.dialog?.kind === "stay") {
    return html`<dialog aria-labelledby="dialog-title" @close=${act.closed}>
      <h2 id="dialog-title">${t("stay_title", { n: tablet.endangered })}</h2>
      <p>${t("stay_help")}</p>
      <p class="buttons"><button class="btn btn-primary" @click=${act.export}>${t("export")}</button>
        <button class="btn btn-quiet" @click=${act.cancel}>${t("dismiss")}</button></p>
    </dialog>`;
  }
  const { round, team } = place();
  if (!app.dialog || !team || team.assignment !== app.dialog.assignment) return nothing;
  const name = teamName(team);
  if (app.dialog.kind === "recuse") {
    return html`<dialog aria-labelledby="dialog-title" @close=${act.closed}>
      <form @submit=${(event) => act.recuse(event, team)}>
        <h2 id="dialog-title">${t("recuse_title", { team: name })}</h2>
        <p>${t("recuse_help")}</p>
        <label for="recuse-reason">${t("reason")}</label>
        <input id="recuse-reason" name="reason" required maxlength="300">
        <p class="buttons"><button class="btn btn-danger">${t("recuse_confirm")}</button>
          <button type="button" class="btn btn-quiet" @click=${act.cancel}>${t("cancel")}</button></p>
      </form>
    </dialog>`;
  }
  const sheet = effective(team, tablet.own);
  const { criteria } = round.rubrics[team.rubric];
  const lacking = missing(criteria, sheet.marks);
  const same = sameTotals(round, team, tablet.own);
  const words = (criterion) => {
    const mark = sheet.marks.get(criterion.id) ?? null;
    if (criterion.kind !== "veto") return plain(mark);
    return mark === null ? "–" : t(Number(mark) ? "met" : "not_met");
  };
  return html`<dialog aria-labelledby="dialog-title" @close=${act.closed}>
    <h2 id="dialog-title">${t("submit_title", { team: name })}</h2>
    <dl class="confirm">${criteria.map((criterion) => html`
      <div><dt>${pick(criterion, "name")}</dt><dd>${words(criterion)}</dd></div>`)}
      <div class="sum-line"><dt>${t("total")}</dt><dd>${format(total(criteria, sheet.marks))}</dd></div>
    </dl>
    ${lacking.length ? html`<p class="notice notice-bad">${t("submit_missing", { names: list(lacking.map((c) => pick(c, "name"))) })}</p>` : nothing}
    ${same.length ? html`<p class="notice notice-warn">${t("submit_same", { teams: list(same.map(teamName)) })}</p>` : nothing}
    ${tablet.link !== "online" ? html`<p class="notice notice-warn">${t("submit_offline")}</p>` : nothing}
    <p class="quiet">${t("submit_help")}</p>
    <p class="buttons">
      <button class="btn btn-primary" id="confirm-submit" ?disabled=${lacking.length > 0}
        @click=${() => act.submit(round, team)}>${t("submit_confirm")}</button>
      <button class="btn btn-quiet" @click=${act.cancel}>${t("back_to_marks")}</button>
    </p>
  </dialog>`;
}

function bodyView(where) {
  if (!tablet.package) {
    if (tablet.link === "starting") return html`<p class="empty" role="status">${t("starting")}</p>`;
    // The judge is known, and what was kept for them is of another version of the app.
    if (tablet.judgeId !== null && tablet.link !== "signed_out") {
      return html`<p class="empty" role="status">${t("needs_network")}</p>`;
    }
    return signInView({ act, app, left: tablet.operations.length });
  }
  if (where.page === "tablet") return tabletView({ tablet, act, app });
  if (where.page === "sheet") {
    return sheetView({
      ...where,
      operations: tablet.own,
      act,
      lastUndo: app.undo.get(where.team.assignment)?.at(-1) ?? null,
      shown: where.team.files.find((file) => file.url === app.shown?.url) ?? null,
    });
  }
  return homeView({ tablet, act, dismissed: app.dismissed });
}

let drawn = null; // the sheet that is on the screen

function draw() {
  const where = place();
  const sheet = where.team?.assignment ?? null;
  // One team's buttons are not made into another's: on the way the browser would take a button
  // that is still checked into the new group, and uncheck the one that should be.
  const focused = document.activeElement;
  if (sheet !== drawn) paint(where, nothing);
  drawn = sheet;
  paint(where, bodyView(where));
  if (focused && !focused.isConnected) showWhere();
}

// Who reads by ear or goes by keyboard is told where they are, and goes on from there.
function showWhere() {
  root.querySelector("main h1")?.focus({ preventScroll: true });
}

function paint(where, body) {
  document.title = where.team ? `${teamName(where.team)} · ${t("app")}` : t("app");
  render(
    html`
      <header class="top">
        <a class="home" href="#/"><span class="seal" aria-hidden="true">乌镇</span><span class="wide">${t("home")}</span></a>
        ${syncView()}
        ${tablet.package ? html`<span class="judge"><span class="unseen">${t("judge")}: </span>${tablet.package.judge.name}</span>` : nothing}
        <nav>
          <button class="btn btn-quiet" @click=${act.language} lang=${current() === "zh" ? "en" : "zh-Hans"}>${t("language")}</button>
          <a class="btn btn-quiet" href="#/tablet">${t("tablet")}</a>
        </nav>
      </header>
      ${stageView(where)}
      <main id="main" class="page-${where.page}">
        ${tablet.lost ? html`<p class="notice notice-bad" role="alert">${t("storage_lost", { n: tablet.lost })}</p>` : nothing}
        ${tablet.package && tablet.isForgetful ? html`<p class="notice notice-bad" role="alert">${t("storage_failed")}</p>` : nothing}
        ${isSecureContext ? nothing : html`<p class="notice notice-warn">${t("insecure")}</p>`}
        ${tablet.isOutdated ? html`<p class="notice notice-bad" role="alert">${t("outdated")}</p>` : nothing}
        ${app.update ? html`<p class="notice notice-ok" role="status">${t("update_ready")} <button class="btn" @click=${act.update}>${t("update")}</button></p>` : nothing}
        ${tablet.package && tablet.link === "signed_out" ? signInAgain() : nothing}
        ${body}
      </main>
      ${dialogView()}
    `,
    root,
  );
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  tick();
}

function signInAgain() {
  return html`<form class="notice notice-bad" role="alert" @submit=${act.signIn}>
    <p>${t("sign_in_again")}</p>
    <label for="again">${t("sign_in_field")}</label>
    <p class="buttons"><input id="again" name="link" required autocomplete="off" autocapitalize="off" spellcheck="false">
      <button class="btn" ?disabled=${app.signIn === "busy"}>${t("sign_in")}</button></p>
    ${signInProblem(app)}
  </form>`;
}

// The clock alone, four times a second.
function tick() {
  const box = document.getElementById("clock");
  const stage = onStage()?.stage;
  if (box && stage) clock.show(box, stage);
}

// --- Beginning ---------------------------------------------------------------------------------

let connection = null;
let heardFor = null; // whose channels, and of which rounds, we listen to

// The ticket names the channels: another judge, or a round that opened, needs another.
function listen() {
  if (!tablet.package) return; // there is nothing to hear of, and the outbox asks by itself
  const wanted = JSON.stringify([tablet.judgeId, tablet.package.rounds.map(({ id }) => id).sort()]);
  if (wanted === heardFor) return;
  heardFor = wanted;
  connection?.close();
  app.push = "polling";
  const ticket = async () => {
    const signal = AbortSignal.timeout(TICKET_MS);
    const answer = await fetch(urls.live, { cache: "no-store", redirect: "manual", signal });
    return answer.ok ? (await answer.json()).url : null;
  };
  const start = async () => {
    const url = (await ticket().catch(() => null)) ?? "/live/?ticket=";
    if (wanted !== heardFor) return;
    connection = connect({
      url,
      renew: ticket,
      poll: async () => {
        tablet.look();
        if (tablet.link === "offline") throw new Error("offline");
      },
      onResync: () => tablet.hurry(),
      onMessage: (_channel, data) => {
        if (data.stage) tablet.hearStage(data.stage);
        else if (data.device && data.device === tablet.device) tablet.hearOwn();
        else tablet.look();
      },
      onState: (state) => {
        app.push = state;
        draw();
      },
    });
  };
  start();
}

async function register() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register(urls.worker, { scope: urls.scope });
  app.registration = registration;
  const offer = () => {
    if (registration.waiting && navigator.serviceWorker.controller) {
      app.update = registration.waiting;
      draw();
    }
  };
  offer();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  let isReloading = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // The first worker of a page takes it over, too; and another tab may have asked for the new one
    // while this page holds what the disk did not take.
    if (!app.update || isReloading || tablet.isStoring || tablet.endangered) return;
    isReloading = true;
    location.reload();
  });
}

// A newer server has a newer app, too.
function lookForUpdate() {
  if (tablet.isOutdated && !app.update) app.registration?.update().catch(() => {});
}

async function askToKeep() {
  const storage = navigator.storage;
  app.isPersistent = (await storage?.persisted?.()) || (await storage?.persist?.()) || false;
  draw();
}

async function begin() {
  tablet.addEventListener("change", draw);
  addEventListener("hashchange", () => {
    app.dialog = null;
    draw();
    scrollTo(0, 0);
    showWhere();
  });
  addEventListener("beforeunload", (event) => {
    if (tablet.isStoring || tablet.endangered) event.preventDefault();
  });
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    app.installPrompt = event;
    draw();
  });
  await tablet.start();
  choose((await tablet.store.get("language")) ?? current());
  for (const id of (await tablet.store.get("dismissed")) ?? []) app.dismissed.add(id);
  draw();
  setInterval(tick, 250);
  register().catch(() => {}); // without it everything works but opening with no network
  listen();
  tablet.addEventListener("change", listen);
  tablet.addEventListener("change", lookForUpdate);
  // Some browsers put the question to the judge, who may take their time.
  askToKeep().catch(() => {});
}

begin();
