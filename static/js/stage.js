// The stage screen. The server sends what was revealed and nothing else; this draws it, lets the
// clock tick, and lets organizers drive it by keys. Its one way in is `apply`.
import { heard, onDoubt, pageCame, remaining, show } from "./clock.js";
import { connect } from "./live.js";

const screen_ = document.getElementById("screen");
const words = JSON.parse(document.getElementById("words").textContent);
const { state: stateUrl, stageAct, revealAct, csrf } = document.body.dataset;
const drives = Boolean(revealAct);

let state = null;
let etag = null;
let failures = 0;
let drawn = new Set(); // what was on the screen already, so that only what is new comes in softly
let language = kept() || (document.documentElement.lang.startsWith("zh") ? "zh" : "en");

function kept() {
  try {
    return localStorage.getItem("stage-language");
  } catch {
    return null;
  }
}

const say = (name) => words[language][name];
const pick = (thing, field) => thing[`${field}_${language}`] || thing[`${field}_${language === "zh" ? "en" : "zh"}`] || "";

function el(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  const { key, ...rest } = options;
  Object.assign(made, rest);
  if (key) {
    made.dataset.key = key;
    if (!drawn.has(key)) made.classList.add("new");
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// --- Scenes ----------------------------------------------------------------------------------

const scenes = {
  stage({ stage, sheets_in, sheets_expected }) {
    const foot = el("div", { className: "foot" });
    if (stage.next) foot.append(el("span", {}, el("span", { className: "label" }, `${say("next")} `), pick(stage.next, "name")));
    if (!stage.current) return [el("p", { className: "empty", key: "nobody" }, say("nobody")), foot];
    const team = stage.current;
    if (sheets_expected) {
      const dots = el("span", { className: "dots" }, el("span", {}, `${say("sheets_in")} ${sheets_in}/${sheets_expected}`));
      if (sheets_expected <= 15) {
        for (let n = 0; n < sheets_expected; n += 1) {
          dots.append(el("span", { className: n < sheets_in ? "dot in" : "dot", ariaHidden: "true" }));
        }
      }
      foot.append(dots);
    }
    const place = stage.position ? ` · ${stage.position}/${stage.count}` : "";
    return [
      el("div", { className: "now" },
        el("div", { key: `team-${team.participation}` },
          el("p", { className: "label" }, say("stage") + place),
          el("h1", { className: "team-name" }, pick(team, "name")),
          el("p", { className: "team-title" }, pick(team, "title")),
          el("p", { className: "team-from" }, pick(team, "organisation"))),
        el("div", { className: "time", key: `time-${team.participation}-${stage.phase}` },
          el("p", { className: "phase" }, say(stage.phase) || ""),
          el("p", { className: "clock", id: "clock", ariaLive: "off" }),
          el("div", { className: "bar", ariaHidden: "true" }, el("span", { id: "bar" })),
          el("p", { className: "dim", id: "clock-note" }, " "))),
      foot,
    ];
  },

  sheets({ team, sheets, mean, excluded, is_complete }) {
    if (!team) return [el("p", { className: "empty" }, say("nobody"))];
    const cards = sheets.map((sheet) => {
      const shown = sheet.total !== null;
      return el("div", { className: `score${shown ? "" : " waits"}${sheet.dropped ? " dropped" : ""}` },
        el("p", { className: "who" }, sheet.judge || `${say("judge")} ${sheet.n}`),
        el("p", { className: "what", ...(shown && { key: `total-${team.participation}-${sheet.n}` }) }, shown ? sheet.total : "·"),
        el("p", { className: "why", ...(sheet.dropped && { key: `why-${team.participation}-${sheet.n}` }) }, sheet.dropped ? say(sheet.dropped) : ""));
    });
    const end = el("div", { className: "mean", ...(is_complete && { key: `mean-${team.participation}` }) });
    if (is_complete) {
      end.classList.add("done");
      if (excluded) end.append(say("excluded"));
      else end.append(el("span", {}, say("mean")), el("strong", {}, mean));
    }
    return [
      el("div", { className: "scores-head" },
        el("p", { className: "label" }, say("sheets")),
        el("h1", { className: "team-name" }, pick(team, "name")),
        el("p", { className: "team-from" }, pick(team, "organisation"))),
      el("div", { className: "cards" }, ...cards),
      end,
    ];
  },

  board({ rows }) {
    const title = el("p", { className: "label" }, `${say("board")} · ${say("mean")}`);
    if (!rows.length) return [title, el("p", { className: "empty" }, say("board_empty"))];
    return [title, table(rows, "board")];
  },

  ranking({ rows, coming }) {
    const first = rows.length ? rows[0].rank : null;
    const winners = coming ? [] : rows.filter((row) => row.rank === first);
    const hero = el("div", { className: "hero" });
    if (coming) {
      hero.append(el("p", { className: "coming", key: `coming-${coming}` }, say("and_now"), el("strong", {}, place(coming))));
    }
    for (const row of winners) {
      hero.append(
        el("div", { className: `winner${row.rank === 1 ? " first" : ""}`, key: `rank-${row.rank}-${row.team.participation}` },
          el("p", { className: "rank" }, String(row.rank)),
          el("div", { className: "who" },
            el("h2", {}, pick(row.team, "name")),
            el("p", { className: "team-title" }, pick(row.team, "title")),
            el("p", { className: "team-from" }, pick(row.team, "organisation"))),
          el("p", { className: "number" }, row.score)));
    }
    const rest = rows.slice(winners.length);
    return [
      el("p", { className: "label" }, `${say("ranking")} · ${say("total")}`),
      hero,
      rest.length ? table(rest, "ranking") : null,
    ].filter(Boolean);
  },

  blank() {
    return [el("p", { className: "blank" }, el("span", { className: "seal", ariaHidden: "true" }, "乌镇"))];
  },
};

const place = (rank) => (language === "zh" ? `第 ${rank} 名` : `${say("place")} ${rank}`);

function table(rows, name) {
  const two = rows.length > 5;
  const list = el("ol", { className: `rows${two ? " two" : ""}${rows.length > 16 ? " many" : ""}` });
  list.style.setProperty("--half", two ? Math.ceil(rows.length / 2) : rows.length);
  for (const row of rows) {
    list.append(
      el("li", { key: `${name}-${row.team.participation}` },
        el("span", { className: "rank" }, row.rank === null ? "–" : String(row.rank)),
        el("span", { className: "name" }, pick(row.team, "name"), " ", el("small", {}, pick(row.team, "organisation"))),
        el("span", { className: "number" }, row.score ?? "–")));
  }
  return list;
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = `${say("round")} · ${say("event")}`;
  document.getElementById("event").textContent = say("event");
  const round = document.getElementById("round");
  round.replaceChildren(`${say("track")} · ${say("round")}`);
  if (drives && state.is_frozen) {
    round.append(el("span", { className: "ice" }, ` ❄ ${say("frozen")}; ${say("behind")} ${say(state.drive.scene)}`));
  }
  const button = document.getElementById("language");
  button.textContent = language === "zh" ? "English" : "中文";
  button.lang = language === "zh" ? "en" : "zh-Hans";
  document.getElementById("help-button").ariaLabel = say("keys");
  document.getElementById("full-button").ariaLabel = say("key_full");
  screen_.replaceChildren(...scenes[state.scene](state));
  screen_.dataset.scene = state.scene;
  drawn = new Set([...screen_.querySelectorAll("[data-key]")].map((item) => item.dataset.key));
  if (help.open) fillHelp();
  tick();
}

function tick() {
  const box = document.getElementById("clock");
  if (!box || !state.stage) return;
  show(box, state.stage);
  const left = remaining(state.stage) ?? 0;
  document.getElementById("bar").style.transform = `scaleX(${Math.min(1, Math.max(0, left / (state.stage.limit_s || 1)))})`;
  const note = left < 0 ? say("over") : state.stage.limit_s && !state.stage.running_since ? say("held") : "\u00a0";
  const noteBox = document.getElementById("clock-note");
  if (noteBox.textContent !== note) noteBox.textContent = note;
}

// --- What the server says --------------------------------------------------------------------

// Take a whole state, unless it is older than what is shown. Its time is when it was made, which is
// now unless it was kept for those who ask.
function apply(next, { at, isNew = true } = {}) {
  if (state && (next.version < state.version || next.stage_version < state.stage_version)) return;
  // Of two that were on their way at once the later one stays.
  if (state && Date.parse(next.server_time) < Date.parse(state.server_time)) return;
  if (isNew) heard(next.server_time, at);
  const before = state && JSON.stringify({ ...state, server_time: "" });
  state = next;
  if (before !== JSON.stringify({ ...next, server_time: "" })) draw();
}

let loading = null;
function load() {
  loading ??= fetchState().finally(() => (loading = null));
  return loading;
}

async function fetchState() {
  try {
    const asked = Date.now();
    // Our own If-None-Match: the browser's would answer from its cache, with an old time.
    const answer = await fetch(stateUrl, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
    const at = (asked + Date.now()) / 2;
    if (answer.status === 304 || answer.ok) heard(answer.headers.get("Server-Time"), at);
    if (answer.ok) {
      etag = answer.headers.get("ETag");
      apply(await answer.json(), { isNew: false });
    } else if (answer.status !== 304) {
      throw new Error(answer.status);
    }
    if (failures >= 3) notice("");
    failures = 0;
  } catch {
    failures += 1;
    if (failures === 3) notice(say("offline"), true);
  }
}

let noticeTimer = 0;
function notice(text, stays = 5000) {
  const box = document.getElementById("notice");
  clearTimeout(noticeTimer);
  box.textContent = text;
  box.hidden = !text;
  if (text && stays !== true) noticeTimer = setTimeout(() => (box.hidden = true), stays);
}

// --- Keys ------------------------------------------------------------------------------------

// Keys act on what is on behind a frozen picture, as at the desk.
const driven = () => state.drive ?? {};
const APART_MS = 800;
const ONCE = ["next", "finish", "step", "toggle", "undo"];
const ASKED_MS = 15000;
const pressed = new Map();
let busy = false; // a second press while the first is on its way is the same press
let question = null; // what was asked: the same key again means it

function isRepeated(action) {
  if (!ONCE.includes(action)) return false;
  const now = performance.now();
  if (now - (pressed.get(action) ?? -Infinity) < APART_MS) return true;
  pressed.set(action, now);
  return false;
}

async function act(url, action, seen) {
  if (busy || !drives || isRepeated(action)) return;
  const since = question && performance.now() - question.at;
  if (question?.action === action && since < APART_MS) return; // nobody has read it yet
  const confirm = question?.action === action && since < ASKED_MS ? question.confirm : {};
  if (question) notice("");
  question = null;
  busy = true;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": csrf },
      body: new URLSearchParams({ action, seen, ...confirm }),
    });
    const said = await answer.json();
    if (said.confirm) ask(action, `${said.detail} ${say(said.code === "sheets_missing" ? "ask_again" : "ask_ranking")}`, said);
    else if (!answer.ok) notice(said.detail);
    else if (url === revealAct) apply(said);
    else load(); // not waited for: the next key may follow at once
  } catch {
    notice(say("offline"));
  } finally {
    busy = false;
  }
}

function ask(action, text, { confirm = {}, code = "" } = {}) {
  question = { action, confirm, code, at: performance.now() };
  notice(text, ASKED_MS);
}
const reveal = (action) => act(revealAct, action, state.version);
const stage = (action) => act(stageAct, action, state.stage_version);
const step = () => (driven().scene === "stage" ? stage("toggle") : reveal("step"));
const move = (action) => () => (driven().scene === "stage" ? undefined : reveal(action));

// Whatever passes over a team is pressed twice.
function skip(team) {
  if (!team) return;
  const action = `skip:${team}`;
  if (question?.action === action) stage(action);
  else ask(action, say("ask_skip"));
}

// The ranking from its last place on, instead of going on with the one that was asked about.
function anew() {
  if (question?.code.startsWith("ranking_") || question?.action === "anew") reveal("anew");
}

// Any team by its place in the order: G, its number, and what is to be done.
let number = null;
function choose(key) {
  if (/^[0-9]$/.test(key)) number = (number + key).slice(0, 3);
  else if (key === "Backspace") number = number.slice(0, -1);
  else {
    const team = driven().teams?.[Number(number) - 1];
    const does = { Enter: () => reveal(`team:${team}`), n: () => stage(`call:${team}`), s: () => skip(team) }[key];
    number = null;
    notice(does && !team ? say("no_team") : "");
    if (team) does?.();
    return;
  }
  sayNumber();
}
function sayNumber() {
  notice(`${say("team")} ${number || "…"} — ${say("choose")}`, ASKED_MS * 2);
}

const keys = {
  l: toggleLanguage,
  h: toggleHelp,
  "?": toggleHelp,
  w: toggleFull,
};
const driving = {
  " ": step,
  Enter: step,
  PageDown: move("step"),
  ArrowRight: move("step"),
  ArrowLeft: move("back"),
  PageUp: move("back"),
  t: () => stage("toggle"),
  n: () => stage("next"),
  s: () => skip(driven().current ?? driven().next),
  u: () => stage("undo"),
  q: () => stage(driven().phase === "questions" ? "presentation" : "questions"),
  "+": () => stage("more"),
  "=": () => stage("more"),
  "-": () => stage("less"),
  1: () => reveal("scene:stage"),
  2: () => reveal("scene:sheets"),
  3: () => reveal("scene:board"),
  4: () => reveal("scene:ranking"),
  r: anew,
  g: () => {
    number = "";
    sayNumber();
  },
  f: () => reveal(state.is_frozen ? "unfreeze" : "freeze"),
  b: () => reveal("blank"),
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if ([" ", "Enter"].includes(event.key) && event.target.closest("button")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "Escape" && help.open) help.close();
  if (number !== null) {
    event.preventDefault();
    choose(key);
    return;
  }
  const does = keys[key] || (drives && driving[key]);
  if (!does) return;
  event.preventDefault();
  does();
});

function toggleLanguage() {
  language = language === "zh" ? "en" : "zh";
  try {
    localStorage.setItem("stage-language", language);
  } catch {
    // Nothing is kept then; the key works all the same.
  }
  draw();
}

const help = document.getElementById("help");
function toggleHelp() {
  if (help.open) {
    help.close();
    return;
  }
  fillHelp();
  help.show();
}

function fillHelp() {
  const lines = drives
    ? [
        ["Space ↵ → PgDn", "key_step"], ["← PgUp", "key_back"], ["1 2 3 4", "key_scenes"],
        ["R", "key_anew"], ["T", "key_clock"], ["+ -", "key_minute"], ["Q", "key_questions"], ["N", "key_next"],
        ["S", "key_skip"], ["U", "key_undo"], ["G 1 2 ↵", "key_team"], ["F", "key_freeze"], ["B", "key_blank"],
      ]
    : [];
  lines.push(["L", "key_language"], ["H ?", "key_help"], ["W F11", "key_full"]);
  const list = el("dl");
  for (const [names, name] of lines) {
    const term = el("dt");
    for (const one of names.split(" ")) term.append(el("kbd", {}, one), " ");
    list.append(term, el("dd", {}, say(name)));
  }
  help.replaceChildren(el("h2", {}, say("keys")), list);
}

async function toggleFull() {
  try {
    await (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  } catch {
    notice("F11"); // the browser does it only by its own key
  }
}

for (const [id, does] of [["language", toggleLanguage], ["help-button", toggleHelp], ["full-button", toggleFull]]) {
  document.getElementById(id).addEventListener("click", (event) => {
    event.currentTarget.blur(); // the space bar is the next step again, not this button
    does();
  });
}
document.getElementById("full-button").hidden = !document.fullscreenEnabled;

// A projector's laptop must not fall asleep; the browser gives the lock up whenever the page is hidden.
async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // an empty battery, or a browser that does not: the laptop's own settings hold
  }
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();

// The pointer and the buttons are out of the way unless somebody moves.
let idleTimer = 0;
function wake() {
  document.body.classList.remove("idle");
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => document.body.classList.add("idle"), 3000);
}
for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, wake);
wake();

onDoubt(load);
heard(document.body.dataset.serverTime, pageCame());
apply(JSON.parse(document.getElementById("state").textContent), { isNew: false });
setInterval(tick, 200);
connect({
  url: document.body.dataset.live,
  onMessage: (_channel, data) => apply(data.state),
  onResync: load,
  poll: load,
  pollEvery: drives ? 1 : 5,
  slowPollEvery: drives ? 30 : 120,
  spread: drives ? 0 : 5,
  renew: async () => {
    // The page itself has a fresh ticket, for whom it is still open to.
    const page = new DOMParser().parseFromString(await (await fetch(location.href, { cache: "reload" })).text(), "text/html");
    return page.body.dataset.live ?? null;
  },
});
