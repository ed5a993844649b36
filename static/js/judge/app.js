// The judge's app: puts the tablet, the screen and the push together.
import { html, nothing, render } from "../../vendor/lit-html/lit-html.js";
import { connect } from "../live.js";
import * as clock from "../clock.js";
import { effective } from "./sheets.js";
import { Tablet } from "./tablet.js";
import { format, missing, plain, total } from "./totals.js";
import { homeView, signInView, tabletView } from "./view_home.js";
import { sameTotals, sheetView } from "./view_sheet.js";
import { choose, current, list, pick, t, teamName } from "./words.js";

const root = document.getElementById("app");
const urls = root.dataset;
const tablet = new Tablet({ package: urls.package, outbox: urls.outbox });
const app = {
  push: "polling",
  dialog: null,
  shown: null, // the file beside the sheet
  undo: new Map(), // by assignment: [{criterion, from, to}]
  ties: new Map(), // by tie: participations in the order that the chair tries
  dismissed: new Set(),
  isPersistent: false,
  isInstalled: matchMedia("(display-mode: standalone)").matches || navigator.standalone === true,
  installPrompt: null,
  update: null,
  imported: "",
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
    tablet.add({ kind: "mark", criterion: criterion.id, value }, { team });
  },

  undo(team) {
    const last = app.undo.get(team.assignment)?.pop();
    if (last) tablet.add({ kind: "mark", criterion: last.criterion.id, value: last.from }, { team });
  },

  text(team, kind, text) {
    tablet.add({ kind, text }, { team, replacesText: true });
  },

  show(file) {
    app.shown = file;
    draw();
  },

  ask(kind, team) {
    app.dialog = { kind, assignment: team.assignment };
    draw();
  },

  cancel() {
    app.dialog = null;
    draw();
  },

  submit(round, team) {
    const { marks } = effective(team, tablet.own);
    tablet.add({ kind: "submit", marks: Object.fromEntries(marks) }, { team });
    app.dialog = null;
    draw();
  },

  async takeBack(team) {
    for (const operation of tablet.waiting) {
      if (operation.kind === "submit" && operation.assignment === team.assignment) {
        await tablet.discard(operation);
      }
    }
  },

  recuse(event, team) {
    event.preventDefault();
    tablet.add({ kind: "recuse", text: new FormData(event.target).get("reason") }, { team });
    app.dialog = null;
    draw();
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

  signIn(event) {
    event.preventDefault();
    const typed = new FormData(event.target).get("link").trim();
    const token = typed.split("/").filter(Boolean).pop() ?? "";
    location.href = urls.signIn.replace("TOKEN", encodeURIComponent(token));
  },

  async signOut() {
    const unsent = tablet.own.length;
    if (unsent && !confirm(t("sign_out_unsent", { n: unsent }))) return;
    if (await tablet.signOut(urls.signOut)) location.reload();
  },

  export() {
    const file = new Blob([JSON.stringify(tablet.exported(), null, 1)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${tablet.package?.judge.name ?? "judge"}-${new Date().toISOString().slice(0, 16).replace(/:/g, "")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
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

  update() {
    app.update.postMessage("skip-waiting");
  },
};

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
    data-waiting=${waiting} data-link=${tablet.link} data-storing=${tablet.isStoring}>${text}</a></div>`;
}

function stageView({ page, team }) {
  const rounds = tablet.package?.rounds ?? [];
  const round = rounds.find((other) => other.stage?.current);
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
  const { round, team } = place();
  if (!app.dialog || !team || team.assignment !== app.dialog.assignment) return nothing;
  const name = teamName(team);
  if (app.dialog.kind === "recuse") {
    return html`<dialog aria-labelledby="dialog-title" @close=${act.cancel}>
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
  return html`<dialog aria-labelledby="dialog-title" @close=${act.cancel}>
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
    return tablet.link === "starting" ? html`<p class="empty">${t("starting")}</p>` : signInView(act, tablet.operations.length);
  }
  if (where.page === "tablet") return tabletView({ tablet, act, app });
  if (where.page === "sheet") {
    return sheetView({
      ...where,
      operations: tablet.own,
      act,
      lastUndo: app.undo.get(where.team.assignment)?.at(-1) ?? null,
      online: tablet.link === "online",
      waiting: tablet.waiting.length > 0,
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
  if (sheet !== drawn) paint(where, nothing);
  drawn = sheet;
  paint(where, bodyView(where));
}

function paint(where, body) {
  document.title = where.team ? `${teamName(where.team)} · ${t("app")}` : t("app");
  render(
    html`
      <header class="top">
        <a class="home" href="#/"><span class="seal" aria-hidden="true">乌镇</span><span class="wide">${t("home")}</span></a>
        ${syncView()}
        <nav>
          <button class="btn btn-quiet" @click=${act.language} lang=${current() === "zh" ? "en" : "zh-Hans"}>${t("language")}</button>
          <a class="btn btn-quiet" href="#/tablet">${t("tablet")}</a>
        </nav>
      </header>
      ${stageView(where)}
      <main id="main" class="page-${where.page}">
        ${tablet.lost ? html`<p class="notice notice-bad" role="alert">${t("storage_lost", { n: tablet.lost })}</p>` : nothing}
        ${tablet.package && tablet.isForgetful ? html`<p class="notice notice-bad" role="alert">${t("storage_failed")}</p>` : nothing}
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
      <button class="btn">${t("sign_in")}</button></p>
  </form>`;
}

// The clock alone, four times a second.
function tick() {
  const box = document.getElementById("clock");
  const stage = tablet.package?.rounds.find((round) => round.stage?.current)?.stage;
  if (box && stage) clock.show(box, stage);
}

// --- Beginning ---------------------------------------------------------------------------------

async function listen() {
  const ticket = async () => {
    const answer = await fetch(urls.live, { cache: "no-store", redirect: "manual" });
    return answer.ok ? (await answer.json()).url : null;
  };
  connect({
    url: (await ticket().catch(() => null)) ?? "/live/?ticket=",
    renew: ticket,
    poll: async () => {
      tablet.hurry();
      if (tablet.link === "offline") throw new Error("offline");
    },
    onResync: () => tablet.hurry(),
    onMessage: (_channel, data) => {
      if (data.stage) tablet.hearStage(data.stage);
      else if (!data.device || data.device !== tablet.device) tablet.hurry();
    },
    onState: (state) => {
      app.push = state;
      draw();
    },
  });
}

async function register() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register(urls.worker, { scope: urls.scope });
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
    if (app.update && !isReloading) location.reload();
    isReloading = true;
  });
}

async function begin() {
  tablet.addEventListener("change", draw);
  addEventListener("hashchange", () => {
    draw();
    scrollTo(0, 0);
  });
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    app.installPrompt = event;
    draw();
  });
  await tablet.start();
  choose((await tablet.store.get("language")) ?? current());
  for (const id of (await tablet.store.get("dismissed")) ?? []) app.dismissed.add(id);
  app.isPersistent = (await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.()) || false;
  draw();
  setInterval(tick, 250);
  register().catch(() => {}); // without it everything works but opening with no network
  listen();
}

begin();
