// The judge's sheet. Each tap is written to this tablet first, then sent; what could not be sent
// stays here and is sent again, under the same key, until the server has answered for it.
(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet || sheet.dataset.editable !== "1") {
    document.querySelectorAll(".criterion").forEach((c) => {
      if (c.dataset.value !== "") c.querySelector(".mark").textContent = Number(c.dataset.value);
    });
    return;
  }
  const QUEUE = `wuzhen-queue-${sheet.dataset.sheet}`;
  const TEXTS = `wuzhen-texts-${sheet.dataset.sheet}`;
  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  const sync = document.getElementById("sync");
  const refusal = document.getElementById("refusal");
  const dialog = document.getElementById("submit-dialog");
  const criteria = [...sheet.querySelectorAll(".criterion")];
  const byId = new Map(criteria.map((c) => [Number(c.dataset.criterion), c]));

  // Hundredths as integers: 0.1 + 0.2 is 0.3 here.
  const cents = (text) => Math.round(Number(text) * 100);
  const show = (hundredths) => String(hundredths / 100);
  const newKey = () => crypto.randomUUID ? crypto.randomUUID()
    : [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const load = (name, empty) => JSON.parse(localStorage.getItem(name) || "null") ?? empty;
  const store = (name, value) => localStorage.setItem(name, JSON.stringify(value));

  let queue = load(QUEUE, []);
  let texts = load(TEXTS, {});
  let sending = false;
  let delay = 1000;
  let timer = null;

  const valueOf = (c) => (c.dataset.value === "" ? null : cents(c.dataset.value));

  function total() {
    // 100 · Σ w·(m − min)/(max − min) / Σ w in exact integers (BigInt), rounded half up.
    let top = 0n;
    let bottom = 1n;
    let weights = 0n;
    for (const c of criteria) {
      const mark = valueOf(c);
      if (mark === null) return null;
      const w = BigInt(cents(c.dataset.weight));
      const span = BigInt(cents(c.dataset.max) - cents(c.dataset.min));
      const part = w * BigInt(mark - cents(c.dataset.min));
      top = top * span + part * bottom;
      bottom *= span;
      weights += w;
    }
    const scaled = top * 10000n * 2n;
    const divisor = bottom * weights;
    const rounded = (scaled / divisor + 1n) / 2n;
    const text = String(rounded).padStart(3, "0");
    return `${text.slice(0, -2)}.${text.slice(-2)}`;
  }

  function paint(c) {
    const mark = valueOf(c);
    c.querySelector(".mark").textContent = mark === null ? "–" : show(mark);
    c.querySelectorAll("[data-choice]").forEach((b) =>
      b.setAttribute("aria-pressed", String(mark !== null && cents(b.dataset.choice) === mark)));
    const range = c.querySelector("[data-range]");
    if (range && mark !== null) range.value = show(mark);
    const pending = queue.some((q) => q.criterion === Number(c.dataset.criterion));
    const saved = c.querySelector(".saved");
    saved.textContent = mark === null ? "" : pending ? "…" : "✓";
    saved.classList.toggle("pending", pending);
  }

  function paintAll(problem) {
    criteria.forEach(paint);
    document.getElementById("total").textContent = total() ?? "–";
    const waiting = queue.length > 0 || Object.keys(texts).length > 0;
    sync.classList.toggle("waiting", waiting && Boolean(problem));
    if (dialog.open) fillDialog();
    sync.textContent = !waiting ? sheet.dataset.saved : problem || sheet.dataset.saving;
  }

  // What the judge is asked to confirm; it follows the marks as they are saved.
  function fillDialog() {
    document.getElementById("submit-marks").replaceChildren(...criteria.flatMap((c) => {
      const name = document.createElement("dt");
      name.textContent = c.querySelector("legend").firstChild.textContent.trim();
      const mark = document.createElement("dd");
      mark.textContent = c.querySelector(".mark").textContent;
      return [name, mark];
    }));
    const sum = total();
    const pending = queue.length > 0 || Object.keys(texts).length > 0;
    document.getElementById("submit-total").textContent = sum ?? "–";
    document.getElementById("submit-missing").hidden = sum !== null;
    document.getElementById("submit-pending").hidden = !pending;
    document.getElementById("confirm-submit").disabled = sum === null || pending;
  }

  async function send(method, url, body) {
    return fetch(url, {
      method,
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout ? AbortSignal.timeout(15000) : undefined,
    });
  }

  // What trying again can mend: no session, a server that is busy or broken.
  function problemOf(answer) {
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
      return sheet.dataset.signedOut;
    }
    return answer.status >= 500 || answer.status === 408 || answer.status === 429
      ? sheet.dataset.waiting : null;
  }

  // The server's words, whether it names a rule or fields.
  async function wordsOf(answer) {
    const body = await answer.json().catch(() => ({}));
    return body.detail || Object.values(body).flat().join(" ") || String(answer.status);
  }

  function later(problem) {
    paintAll(problem);
    clearTimeout(timer);
    timer = setTimeout(flush, delay);
    delay = Math.min(delay * 2, 15000);
  }

  function refuse(detail) {
    refusal.textContent = `${sheet.dataset.refused} ${detail}`;
    refusal.hidden = false;
  }

  async function flush() {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    try {
      while (queue.length) {
        const first = queue[0];
        const { before, ...mark } = first;
        const answer = await send("POST", sheet.dataset.marksUrl, mark);
        const problem = problemOf(answer);
        if (problem) return later(problem);
        queue = queue.filter((q) => q.key !== first.key);
        store(QUEUE, queue);
        if (!answer.ok) {
          refuse(await wordsOf(answer));
          // Show again what the server holds; other taps on this criterion may still be queued.
          const c = byId.get(first.criterion);
          if (c && !queue.some((q) => q.criterion === first.criterion)) {
            c.dataset.value = before ?? "";
          }
        } else {
          delay = 1000;
        }
        paintAll();
      }
      while (Object.keys(texts).length) {
        const sent = { ...texts };
        const answer = await send("PATCH", sheet.dataset.textsUrl, sent);
        const problem = problemOf(answer);
        if (problem) return later(problem);
        if (!answer.ok) refuse(await wordsOf(answer));
        for (const name of Object.keys(sent)) if (texts[name] === sent[name]) delete texts[name];
        store(TEXTS, texts);
      }
      delay = 1000;
      paintAll();
    } catch {
      later(sheet.dataset.waiting);
    } finally {
      sending = false;
    }
  }

  function set(c, hundredths) {
    const low = cents(c.dataset.min);
    const high = cents(c.dataset.max);
    const value = Math.min(high, Math.max(low, hundredths));
    const before = c.dataset.value;
    if (before !== "" && cents(before) === value) return;
    c.dataset.value = show(value);
    queue.push({
      key: newKey(),
      criterion: Number(c.dataset.criterion),
      value: show(value),
      before,
      device_at: new Date().toISOString(),
    });
    store(QUEUE, queue);
    refusal.hidden = true;
    paintAll();
    flush();
  }

  // What a reload found still unsent is what the judge last saw.
  for (const q of queue) {
    const c = byId.get(q.criterion);
    if (c) c.dataset.value = q.value;
  }
  for (const [name, text] of Object.entries(texts)) {
    const area = sheet.querySelector(`[data-text][name="${name}"]`);
    if (area) area.value = text;
  }

  sheet.addEventListener("click", (event) => {
    const c = event.target.closest(".criterion");
    if (!c) return;
    const button = event.target.closest("button");
    if (!button) return;
    const now = valueOf(c);
    const step = cents(c.dataset.step);
    if ("choice" in button.dataset) set(c, cents(button.dataset.choice));
    else if ("up" in button.dataset) set(c, now === null ? cents(c.dataset.min) : now + step);
    else if ("down" in button.dataset) set(c, now === null ? cents(c.dataset.min) : now - step);
  });
  sheet.addEventListener("change", (event) => {
    if (event.target.matches("[data-range]")) {
      set(event.target.closest(".criterion"), cents(event.target.value));
    }
  });
  let typing = null;
  sheet.addEventListener("input", (event) => {
    if (!event.target.matches("[data-text]")) return;
    texts[event.target.name] = event.target.value;
    store(TEXTS, texts);
    clearTimeout(typing);
    typing = setTimeout(flush, 600);
    paintAll();
  });
  window.addEventListener("online", () => { delay = 1000; flush(); });

  document.getElementById("open-submit").addEventListener("click", () => {
    fillDialog();
    dialog.showModal();
    flush();
  });
  document.getElementById("cancel-submit").addEventListener("click", () => dialog.close());

  paintAll();
  flush();
})();
