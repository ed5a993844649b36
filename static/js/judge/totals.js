// What marks amount to, exactly, by the same rule as judging/services/totals.py.
// A mark is a decimal text such as "7.5"; a total is a fraction of whole numbers (BigInt).

const hundredths = (text) => BigInt(Math.round(Number(text) * 100));
const REQUIRED = new Set(["scored", "veto"]);

export const isRequired = (criterion) => REQUIRED.has(criterion.kind);
const has = (marks, criterion) => marks.get(criterion.id) != null;

// The criteria that a sheet cannot do without and that have no mark.
export const missing = (criteria, marks) =>
  criteria.filter((criterion) => isRequired(criterion) && !has(marks, criterion));

// {n, d}: the total between 0 and 100; null until every required mark is there.
export function total(criteria, marks) {
  const scored = criteria.filter((criterion) => criterion.kind === "scored");
  if (!scored.length || missing(criteria, marks).length) return null;
  let n = 0n;
  let d = 1n;
  let weights = 0n;
  for (const criterion of scored) {
    const low = hundredths(criterion.minimum);
    const span = hundredths(criterion.maximum) - low;
    const weight = hundredths(criterion.weight);
    n = n * span + weight * (hundredths(marks.get(criterion.id)) - low) * d;
    d *= span;
    weights += weight;
  }
  n *= 100n;
  d *= weights;
  for (const criterion of criteria) {
    if (!has(marks, criterion)) continue;
    const points = hundredths(marks.get(criterion.id));
    if (criterion.kind === "bonus") n = n * 100n + points * d;
    else if (criterion.kind === "penalty") n = n * 100n - points * d;
    else continue;
    d *= 100n;
  }
  if (n < 0n) return { n: 0n, d: 1n };
  return n > 100n * d ? { n: 100n, d: 1n } : { n, d };
}

export function compare(a, b) {
  const difference = a.n * b.d - b.n * a.d;
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

// Two decimals, rounded half up.
export function format(fraction) {
  if (!fraction) return "–";
  const rounded = (fraction.n * 200n + fraction.d) / (2n * fraction.d);
  const text = String(rounded).padStart(3, "0");
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}

// A mark as short as it can be said: "7.50" is 7.5.
export const plain = (text) => (text == null ? "–" : String(Number(text)));

// The marks of a criterion's scale, lowest first, as decimal texts.
export function steps(criterion) {
  const low = Number(hundredths(criterion.minimum));
  const high = Number(hundredths(criterion.maximum));
  const step = Number(hundredths(criterion.step));
  const found = [];
  for (let value = low; value <= high; value += step) found.push(String(value / 100));
  return found;
}

// The mark one step up (direction 1) or down (−1) from this one; from none, the lowest.
export function stepped(criterion, mark, direction) {
  if (mark == null) return String(Number(criterion.minimum));
  const value = Number(hundredths(mark)) + direction * Number(hundredths(criterion.step));
  return String(clamp(criterion, value) / 100);
}

function clamp(criterion, value) {
  const low = Number(hundredths(criterion.minimum));
  const high = Number(hundredths(criterion.maximum));
  return Math.min(high, Math.max(low, value));
}

// The step nearest to what was typed or slid to; null for no number.
export function nearest(criterion, text) {
  const number = Number(String(text).replace(",", "."));
  if (String(text).trim() === "" || !Number.isFinite(number)) return null;
  const low = Number(hundredths(criterion.minimum));
  const step = Number(hundredths(criterion.step));
  const value = clamp(criterion, Math.round(number * 100));
  return String((low + Math.round((value - low) / step) * step) / 100);
}
