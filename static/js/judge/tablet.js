// The tablet: its store, its outbox, and its talk with the server. Knows nothing of the screen.
//
// Every change is an operation. It is put on disk first, then sent; it leaves the outbox when the
// server has answered for it, in one step with the package that then holds it. What was not
// answered is sent again under the same key, and the server does it once.
import { heard, serverNow } from "../clock.js";
import { CONFLICT, REFUSED, WAITING, baseOf, confirmed, fieldOf, sheetOf } from "./sheets.js";
import { memoryStore, openStore } from "./store.js";

// Of the package, as judging/services/tablet.py makes it. What is kept in another form is not drawn.
const FORMAT = 2;
const MOST = 25; // operations in one request
const TIMEOUT_MS = 15000;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 15000;
const SIGNED_OUT_DELAY_MS = 10000;
const MOST_DENIALS = 30; // seconds that another tab may be busy sending
const OWN_NEWS_MS = 5000; // after the last of our own changes, look whether others are among them
const LOCK = "wuzhen-outbox";
// Cookies outlive a store that the browser has cleared, and so tell that it was.
const COOKIE = "wuzhen_tablet";

const newKey = () =>
  crypto.randomUUID?.() ??
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");

const cookie = (name) =>
  document.cookie
    .split("; ")
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);

const nothingSettled = () => ({ gone: new Set(), changed: new Map() });

// How many operations were unsent when this browser last said so.
const unsentByCookie = () => Number((cookie(COOKIE) ?? "").split(".")[1]) || 0;

export class Tablet extends EventTarget {
  // `language()`: in which the server is to say why it refuses something.
  constructor(urls, language) {
    super();
    this.urls = urls;
    this.language = language;
    this.store = null;
    this.device = "";
    this.judgeId = null;
    this.package = null;
    this.etag = null;
    this.operations = []; // of every judge of this tablet, oldest first
    this.link = "starting"; // starting, online, offline, signed_out
    this.unstored = []; // operations that the store did not take
    this.settled = nothingSettled(); // what the server settled and the store did not take
    this.isAhead = false; // the package here is newer than the stored one
    this.isOutdated = false; // the server's packages are of a newer form
    this.fresh = new Map(); // operations that no reading of the store has found yet: see reload()
    this.readings = 0;
    this.failed = 0;
    this.lost = null; // operations that were unsent when the browser cleared the store
    this.unread = 0; // operations that may lie in a store that does not open
    this.denied = 0; // how often in a row another tab was sending
    this.isStoring = 0; // operations on their way to the disk
    this.delay = FIRST_DELAY_MS;
    this.notBefore = 0; // the server is left alone until then, by performance.now()
    this.sent = new Set(); // keys of the operations that were sent since the page was opened
    this.answers = 0; // counts answers of the outbox, to tell a package that is older than one
    this.lastStored = Promise.resolve();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  // --- What is kept --------------------------------------------------------------------------

  async start() {
    try {
      this.store = await openStore(() => this.loseStore());
      await this.readStore();
    } catch {
      // It may be there all the same, and open the next time: nothing is known to be lost.
      this.store = memoryStore();
      this.unread = unsentByCookie();
    }
    if (!this.device) {
      this.device = `${deviceName()} ${newKey().slice(0, 8)}`.slice(-64);
      await this.store.set("device", this.device).catch(() => {});
    }
    await this.reload();
    this.channel = new BroadcastChannel("wuzhen-judge");
    this.channel.onmessage = () => this.reload();
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.hurry()); // to say so
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.hurry();
    });
    this.changed();
    this.hurry();
  }

  async readStore() {
    this.device = await this.store.get("device");
    if (!this.device && !(await this.store.operations()).length) {
      this.lost = unsentByCookie() || null;
    }
    this.judgeId = (await this.store.get("judge")) ?? null;
    if (this.judgeId === null) return;
    const kept = await this.store.get(`package-${this.judgeId}`);
    if (kept?.package.format !== FORMAT) return;
    [this.package, this.etag] = [kept.package, kept.etag];
  }

  // The browser took the store away under the open page: what we know of it lives on in memory.
  loseStore() {
    const kept = { package: this.package, etag: this.etag };
    this.store = memoryStore(
      this.operations.filter((operation) => operation.n > 0),
      { device: this.device, judge: this.judgeId, [`package-${this.judgeId}`]: kept },
    );
    this.settled = nothingSettled();
    this.changed();
  }

  tellCookie() {
    const year = 365 * 24 * 3600;
    const unsent = this.operations.length + this.unread;
    document.cookie = `${COOKIE}=1.${unsent}; path=/; max-age=${year}; samesite=strict`;
  }

  // Read the store anew: something in it was changed, maybe by another tab.
  //
  // The judge goes on meanwhile. What they added since the reading began is not in it and stays;
  // what was on disk before and is not in it has been settled.
  async reload() {
    this.readings += 1;
    const reading = this.readings;
    const { store } = this;
    let stored = [];
    let kept = null;
    try {
      stored = await store.operations();
      if (this.judgeId !== null) kept = await store.get(`package-${this.judgeId}`);
    } catch {
      // A store that cannot be read keeps nothing: what we know of it is all there is.
      if (store === this.store && store.isLasting) this.loseStore();
      return;
    }
    const { gone, changed } = this.settled;
    stored = stored
      .filter((operation) => !gone.has(operation.n))
      .map((operation) => changed.get(operation.n) ?? operation);
    for (const operation of stored) {
      if (operation.kind === "submit" && this.sent.has(operation.key)) operation.attempted = true;
    }
    const found = new Set(stored.map((operation) => operation.key));
    for (const [operation, storedDuring] of this.fresh) {
      if (found.has(operation.key) || storedDuring < reading) this.fresh.delete(operation);
    }
    this.operations = [...stored, ...this.unstored, ...this.fresh.keys()];
    if (kept?.package.format === FORMAT && !this.isAhead) {
      const rounds = kept.package.rounds.map((round) => this.withNewerStage(round));
      [this.package, this.etag] = [{ ...kept.package, rounds }, kept.etag];
    }
    this.tellCookie();
    this.changed();
  }

  tellTabs() {
    this.tellCookie();
    this.channel?.postMessage("changed");
  }

  // Operations of the judge who is shown; those of others wait until they sign in again.
  get own() {
    return this.operations.filter((operation) => operation.judge === this.judgeId);
  }

  get waiting() {
    return this.own.filter((operation) => operation.state === WAITING);
  }

  get others() {
    return this.operations.filter((operation) => operation.judge !== this.judgeId);
  }

  // --- What the judge does -------------------------------------------------------------------

  // Keep an operation, in the place of those `replaced`; resolves once it is on disk.
  // `replacesText`: a text still unsent is written over, since a text is kept as often as a key is
  // pressed.
  add(fields, { team = null, replacesText = false, base = null, replaced = [] } = {}) {
    const operation = {
      judge: this.judgeId,
      state: WAITING,
      key: newKey(),
      device_at: new Date().toISOString(),
      base: base ?? (team ? baseOf(team, this.own, fields.kind, fields.criterion) : 0),
      assignment: team?.assignment ?? null,
      label: team ? team.code : "",
      ...fields,
    };
    const field = fieldOf(operation);
    const gone = replacesText
      ? this.waiting.filter((old) => fieldOf(old) === field && !this.sent.has(old.key) && old.n)
      : replaced;
    this.operations = [...this.operations.filter((old) => !gone.includes(old)), operation];
    this.fresh.set(operation, Infinity);
    this.isStoring += 1;
    this.changed();
    // One after another: the outbox keeps the order in which the judge did things. What becomes of
    // one is no reason not to keep the next.
    const stored = this.lastStored
      .catch(() => {})
      .then(() => this.keep(operation, gone.map((old) => old.n)))
      .finally(() => {
        this.isStoring -= 1;
        this.tellTabs();
        this.changed();
        this.soon(replacesText ? 800 : 0);
      });
    this.lastStored = stored;
    if (gone.length) stored.then(() => this.reload()).catch(() => {});
    return stored;
  }

  // Put the operation on disk; before it what the store did not take earlier, to keep the order.
  // Where the disk is full, or the browser took the store away, it lives as long as the page.
  async keep(operation, replaced) {
    this.unstored = this.unstored.filter((old) => !replaced.includes(old.n));
    try {
      for (const one of [...this.unstored, operation]) {
        await this.keepOne(one, one === operation ? replaced : []);
      }
    } catch {
      this.failed += 1;
      operation.n = -this.failed;
      this.fresh.delete(operation);
      this.unstored.push(operation);
    }
  }

  async keepOne(operation, replaced) {
    const { n: earlier, ...fields } = operation;
    const n = await this.store.add(fields, replaced.filter((old) => old > 0));
    if (earlier < 0 && !this.unstored.includes(operation)) {
      await this.store.settle({ gone: [n] }); // the server took it meanwhile
      return;
    }
    this.unstored = this.unstored.filter((other) => other !== operation);
    operation.n = n;
    this.fresh.set(operation, this.readings);
  }

  // Whether something lives only as long as this page does.
  get isForgetful() {
    const { gone, changed } = this.settled;
    return this.unstored.length + gone.size + changed.size > 0 || !this.store.isLasting;
  }

  // How many operations would be gone with the page.
  get endangered() {
    if (!this.store) return 0;
    return this.operations.filter((operation) => !this.store.isLasting || !(operation.n > 0)).length;
  }

  // Of a conflict: the judge's own value is to hold.
  keepMine(operation) {
    const { kind, criterion, value, text, current } = operation;
    return this.add(
      { kind, criterion, value, text },
      {
        team: this.teamOf(operation),
        base: current.number ?? 0,
        replaced: this.sameField(operation),
      },
    );
  }

  // Of a conflict: what the other tablet left is to hold.
  async takeTheirs(operation) {
    await this.settle(this.sameField(operation).map((other) => other.n), [], (team) => {
      const { kind, number, value, text, criterion } = operation.current;
      const sheet = sheetOf(team);
      if (kind === "mark") sheet.marks[criterion] = { value, number };
      else if (number) sheet[operation.kind] = { text, number };
      return { ...team, sheet };
    }, operation.assignment);
    this.hurry();
  }

  sameField(operation) {
    const field = fieldOf(operation);
    return this.own.filter((other) => other.state !== WAITING && fieldOf(other) === field);
  }

  async tryAgain(operation) {
    await this.commit([], [{ ...operation, state: WAITING, detail: "" }]);
    await this.reload();
    this.hurry();
  }

  async discard(operation) {
    await this.commit([operation.n], []);
    this.tellTabs();
    await this.reload();
  }

  // The judge does not hand the sheet in after all; in vain where the server may know of it.
  async takeBack(assignment) {
    await this.lastStored.catch(() => {});
    const discard = async () => {
      await this.reload();
      for (const operation of this.waiting) {
        const isSubmit = operation.kind === "submit" && operation.assignment === assignment;
        if (isSubmit && !operation.attempted) await this.discard(operation);
      }
    };
    // Not while some tab is sending it.
    await (navigator.locks ? navigator.locks.request(LOCK, discard) : discard());
  }

  teamOf(operation) {
    for (const round of this.package?.rounds ?? []) {
      const team = round.teams.find((other) => other.assignment === operation.assignment);
      if (team) return team;
    }
    return null;
  }

  // --- Sending -------------------------------------------------------------------------------

  // Now, whatever was waited for before, and with a look at what the server holds: somebody who
  // waits for it, or a network that is back.
  hurry() {
    this.delay = FIRST_DELAY_MS;
    this.notBefore = 0;
    this.look();
  }

  // See what the server holds, but not before it is ready to be asked again.
  look() {
    this.isStale = true;
    this.soon(0);
  }

  // Something that this tablet did was told to all. Of several news that follow closely the last may
  // be the only one to arrive, so this one may stand for others.
  hearOwn() {
    clearTimeout(this.ownTimer);
    this.ownTimer = setTimeout(() => this.look(), OWN_NEWS_MS);
  }

  soon(milliseconds) {
    clearTimeout(this.timer);
    const wait = Math.max(milliseconds, this.notBefore - performance.now());
    this.timer = setTimeout(() => this.work(), wait);
  }

  async work() {
    if (this.isWorking) {
      this.isAskedAgain = true;
      return;
    }
    this.isWorking = true;
    let wait = FIRST_DELAY_MS;
    try {
      wait = await this.alone(() => this.sendAll());
    } catch {
      // Another tab took the lock over; it sends what waits.
    } finally {
      this.isWorking = false;
    }
    if (wait !== null) this.soon(wait);
    else if (this.isAskedAgain) this.soon(0);
    this.isAskedAgain = false;
  }

  // Of several tabs one sends; the others see what came of it, and look again soon. A tab that the
  // system put to sleep while it was sending holds them up only so long.
  async alone(send) {
    if (!navigator.locks) return send();
    const how = this.denied >= MOST_DENIALS ? { steal: true } : { ifAvailable: true };
    return navigator.locks.request(LOCK, how, async (lock) => {
      if (!lock) {
        this.denied += 1;
        return FIRST_DELAY_MS;
      }
      this.denied = 0;
      // What other tabs did last may not have been heard of yet.
      await this.reload();
      return send();
    });
  }

  // Send what waits and fetch what changed; milliseconds until the next try, or null.
  async sendAll() {
    try {
      // Whether the server is there is found out by asking it: a sheet that was sent, and not
      // answered for, cannot be taken back.
      const isFirst = (operation) => operation.kind === "submit" && !operation.attempted;
      let isThere = this.link === "online";
      while (this.waiting.some((operation) => operation.n)) {
        const batch = this.nextBatch();
        if (batch.some(isFirst) && !(isThere && navigator.onLine)) {
          const problem = await this.refresh();
          if (problem) return this.pause(problem);
        }
        isThere = true;
        const problem = await this.sendBatch(batch);
        // Somebody else signed in on this tablet: what waits stays until its judge is back.
        if (problem === "other_judge") {
          this.isStale = true;
          break;
        }
        if (problem) return this.pause(problem);
      }
      if (this.isStale) {
        this.isStale = false;
        const problem = await this.refresh();
        if (problem) {
          this.isStale = true;
          return this.pause(problem);
        }
      }
    } catch {
      this.isStale = true;
      return this.pause("offline");
    }
    this.delay = FIRST_DELAY_MS;
    this.notBefore = 0;
    this.setLink("online");
    return null;
  }

  // The oldest that are on disk and were made on one tablet, which is this one but for a file.
  nextBatch() {
    const stored = this.waiting.filter((operation) => operation.n).slice(0, MOST);
    const end = stored.findIndex((operation) => operation.device !== stored[0].device);
    return end < 0 ? stored : stored.slice(0, end);
  }

  pause(problem) {
    this.setLink(problem);
    let wait = SIGNED_OUT_DELAY_MS;
    if (problem === "offline") {
      wait = this.delay * (0.75 + Math.random() / 2);
      this.delay = Math.min(this.delay * 2, LONGEST_DELAY_MS);
    }
    this.notBefore = performance.now() + wait;
    return wait;
  }

  setLink(link) {
    if (this.link === link) return;
    this.link = link;
    this.changed();
  }

  // The answer, and when by our clock the server gave it.
  async ask(url, options = {}) {
    const begun = Date.now();
    const answer = await fetch(url, {
      redirect: "manual",
      cache: "no-store",
      ...options,
      headers: { "Accept-Language": this.language(), ...options.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { answer, at: (begun + Date.now()) / 2 };
  }

  // What trying again, or signing in, can mend; null where the server has spoken.
  problemOf(answer) {
    if (answer.type === "opaqueredirect" || [401, 403].includes(answer.status)) return "signed_out";
    if (answer.status >= 500 || [0, 408, 429].includes(answer.status)) return "offline";
    return null;
  }

  async sendBatch(batch, isAgain = false) {
    await this.attempt(batch);
    const { answer } = await this.ask(this.urls.outbox, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") ?? "" },
      body: JSON.stringify({
        judge: batch[0].judge,
        device: deviceOf(batch[0], this.device),
        operations: batch.map(wire),
      }),
    });
    if (answer.status === 403 && !isAgain) {
      // The browser may have lost the cookie against forged requests; a new one comes with the
      // package.
      this.etag = null;
      return (await this.refresh()) ?? this.sendBatch(batch, true);
    }
    const problem = this.problemOf(answer);
    if (problem) return problem;
    const body = await answer.json();
    if (answer.status === 409) return body.code === "other_judge" ? "other_judge" : "offline";
    if (!answer.ok) {
      // The server cannot read the whole of it: find out which one, and keep that here.
      if (batch.length > 1) {
        for (const operation of batch) {
          const one = await this.sendBatch([operation]);
          if (one) return one;
        }
        return null;
      }
      await this.take(batch, [{ key: batch[0].key, outcome: "refused", detail: said(body) }]);
      return null;
    }
    await this.take(batch, body.outcomes);
    return null;
  }

  // From now on the server may know of them.
  async attempt(batch) {
    for (const operation of batch) this.sent.add(operation.key);
    const submits = batch.filter(({ kind, attempted }) => kind === "submit" && !attempted);
    if (!submits.length) return;
    for (const operation of submits) operation.attempted = true;
    const changed = submits.filter((operation) => operation.n > 0);
    await this.store.settle({ changed }).catch(() => {}); // then this page alone remembers
    this.changed();
  }

  // What the server said of each operation.
  async take(batch, outcomes) {
    this.answers += 1;
    const byKey = new Map(outcomes.map((outcome) => [outcome.key, outcome]));
    const gone = [];
    const changed = [];
    const done = [];
    for (const operation of batch) {
      const outcome = byKey.get(operation.key);
      if (!outcome) continue; // not answered for: it stays
      if (outcome.outcome === "saved") {
        gone.push(operation.n);
        done.push([operation, outcome.number]);
      } else {
        changed.push({
          ...operation,
          state: outcome.outcome === "conflict" ? CONFLICT : REFUSED,
          detail: outcome.detail,
          current: outcome.current ?? {},
        });
      }
    }
    if (changed.length || batch.some((operation) => operation.kind !== "mark")) this.isStale = true;
    const now = new Date(serverNow()).toISOString();
    await this.settle(gone, changed, (team, operation, number) =>
      confirmed(team, operation, number, now), null, done);
  }

  // One step on disk: operations and, with `change`, the teams they belong to.
  async settle(gone, changed, change, assignment = null, done = []) {
    let rounds = this.package?.rounds ?? [];
    const touch = (id, change_) => {
      rounds = rounds.map((round) => ({
        ...round,
        teams: round.teams.map((team) => (team.assignment === id ? change_(team) : team)),
      }));
    };
    if (assignment !== null) touch(assignment, change);
    for (const [operation, number] of done) {
      touch(operation.assignment, (team) => change(team, operation, number));
    }
    const ties = (this.package?.ties ?? []).filter(
      (tie) => !done.some(([operation]) => operation.kind === "tie" && operation.tie === tie.id),
    );
    const kept = this.package && { package: { ...this.package, rounds, ties }, etag: null };
    await this.commit(gone, changed, kept);
    this.tellTabs();
    await this.reload();
  }

  // Put on disk what became of operations. A disk that is full may still let things go; if it does
  // not, they are settled in memory, so that nothing is sent for ever, and the disk is asked again
  // the next time.
  async commit(gone, changed, kept = null) {
    const all = nothingSettled();
    for (const n of [...this.settled.gone, ...gone]) if (n > 0) all.gone.add(n);
    for (const operation of [...this.settled.changed.values(), ...changed]) {
      if (operation.n > 0 && !all.gone.has(operation.n)) all.changed.set(operation.n, operation);
    }
    const write = (more) =>
      this.store.settle({ gone: [...all.gone], changed: [...all.changed.values()], ...more });
    try {
      await write(kept ? { key: `package-${this.judgeId}`, value: kept } : {});
      this.settled = nothingSettled();
      if (kept) this.isAhead = false;
    } catch {
      if (kept) this.isAhead = true;
      try {
        await write({});
        this.settled = nothingSettled();
      } catch {
        this.settled = all;
      }
    }
    const now = new Map(changed.map((operation) => [operation.n, operation]));
    this.unstored = this.unstored
      .filter((operation) => !gone.includes(operation.n))
      .map((operation) => now.get(operation.n) ?? operation);
    if (kept) [this.package, this.etag] = [kept.package, kept.etag];
  }

  // --- The package ---------------------------------------------------------------------------

  // Fetch the package if it changed; a problem's name, or null.
  async refresh() {
    const answers = this.answers;
    const { answer, at } = await this.ask(this.urls.package, {
      headers: this.etag ? { "If-None-Match": this.etag } : {},
    });
    const problem = this.problemOf(answer);
    if (problem) return problem;
    heard(answer.headers.get("Server-Time"), at);
    if (answer.status === 304) return null;
    if (!answer.ok) return "offline";
    const fresh = await answer.json();
    // A package that was made before an operation was confirmed does not know of it.
    if (answers !== this.answers) return this.refresh();
    this.isOutdated = fresh.format !== FORMAT;
    if (this.isOutdated) {
      this.changed();
      return null;
    }
    const before = this.judgeId;
    this.judgeId = fresh.judge.id;
    fresh.rounds = fresh.rounds.map((round) => this.withNewerStage(round));
    this.package = fresh;
    this.etag = answer.headers.get("ETag");
    try {
      // What another judge may read is not for this one; what they did waits for them.
      if (before !== null && before !== this.judgeId) await this.store.remove(`package-${before}`);
      await this.store.set("judge", this.judgeId);
      await this.store.set(`package-${this.judgeId}`, { package: fresh, etag: this.etag });
      this.isAhead = false;
    } catch {
      this.isAhead = true; // the disk is full: it is fetched anew when the page is
    }
    this.changed();
    return null;
  }

  // A package that was made before the stage's last word was pushed does not undo that.
  withNewerStage(round) {
    const known = this.package?.rounds.find((other) => other.id === round.id)?.stage;
    return known && round.stage && known.version > round.stage.version
      ? { ...round, stage: known }
      : round;
  }

  // The hall's stage, as it was pushed; an older word than ours says nothing. How long it was on its
  // way nobody knows: the clock is set by answers alone.
  hearStage(stage) {
    if (!this.package) return;
    const orderOf = (known) => String(known?.order.map((team) => team.participation));
    const known = this.package.rounds.find((round) => round.id === stage.round)?.stage;
    if (known?.version < stage.version && orderOf(known) !== orderOf(stage)) this.look();
    const rounds = this.package.rounds.map((round) =>
      round.id === stage.round && round.stage && round.stage.version <= stage.version
        ? { ...round, stage }
        : round,
    );
    this.package = { ...this.package, rounds };
    this.changed();
  }

  // Sign in without leaving the page, which may hold what the disk did not take. "signed_in",
  // "refused" or "offline". `page` brings the cookie against forged requests where it is lost.
  async signIn(url, page) {
    try {
      for (const isAgain of [false, true]) {
        if (isAgain || !cookie("csrftoken")) await this.ask(page);
        const { answer } = await this.ask(url, {
          method: "POST",
          headers: { "X-CSRFToken": cookie("csrftoken") ?? "" },
        });
        if (answer.type === "opaqueredirect") {
          this.etag = null;
          this.setLink("starting");
          this.hurry();
          return "signed_in";
        }
        if (answer.status !== 403) return this.problemOf(answer) ?? "refused";
      }
      return "refused";
    } catch {
      return "offline";
    }
  }

  // A code that signs the judge in in the app beside this browser; null where there is none now.
  async code(url) {
    try {
      const { answer } = await this.ask(url, {
        method: "POST",
        headers: { "X-CSRFToken": cookie("csrftoken") ?? "" },
      });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // End the session; what was not sent stays, what can be read of others' projects goes.
  async signOut(url) {
    try {
      const { answer } = await this.ask(url, {
        method: "POST",
        headers: { "X-CSRFToken": cookie("csrftoken") ?? "" },
      });
      if (answer.type !== "opaqueredirect" && !answer.ok) return false;
    } catch {
      this.setLink("offline");
      return false;
    }
    await this.store.remove(`package-${this.judgeId}`);
    await this.store.remove("judge");
    return true;
  }

  // --- Last resort ---------------------------------------------------------------------------

  // A file for each judge: of the one who is signed in, or with nobody signed in of all who left
  // something here.
  exported() {
    const judges =
      this.judgeId === null
        ? [...new Set(this.operations.map((operation) => operation.judge))]
        : [this.judgeId];
    return judges.map((judge) => ({
      format: "wuzhen-outbox-1",
      device: this.device,
      at: new Date().toISOString(),
      event: this.package?.event?.slug ?? "",
      judge: this.package?.judge ?? { id: judge, name: `judge-${judge}` },
      operations: this.operations.filter((operation) => operation.judge === judge),
    }));
  }

  // Take in a file that another tablet of this judge exported; how many were new.
  async imported(text) {
    const file = JSON.parse(text);
    if (file.format !== "wuzhen-outbox-1") throw new Error("format");
    const known = new Set(this.operations.map((operation) => operation.key));
    const fresh = file.operations.filter(
      (operation) => operation.judge === this.judgeId && !known.has(operation.key),
    );
    for (const { n, ...operation } of fresh) {
      // The server asks the judge where this tablet and that one differ, or the file is older than
      // what that one has sent since.
      const device = deviceOf(operation, file.device);
      await this.store.add({ ...operation, device, imported: true, state: WAITING });
    }
    this.tellTabs();
    await this.reload();
    this.hurry();
    return fresh.length;
  }
}

// Where an operation was made; unsaid, on the tablet that holds it.
const deviceOf = (operation, holder) => operation.device ?? holder;

// What the server is sent of an operation.
function wire(operation) {
  const { kind, key, assignment, criterion, value, text, marks, tie, order, base } = operation;
  const { device_at, imported } = operation;
  return {
    kind, key, assignment, criterion, value, text, marks, tie, order, base, device_at, imported,
  };
}

const said = (body) =>
  body.detail || Object.values(body).flat().map((part) => JSON.stringify(part)).join(" ");

function deviceName() {
  const agent = navigator.userAgent;
  const system = ["iPad", "iPhone", "Android", "Windows", "Macintosh", "Linux"].find((name) =>
    agent.includes(name));
  return system === "Macintosh" && navigator.maxTouchPoints > 1 ? "iPad" : system ?? "tablet";
}
