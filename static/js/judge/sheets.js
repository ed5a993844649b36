// What the judge's sheets are: what the server holds, with what waits on this tablet on top.
import { compare, total } from "./totals.js";

export const WAITING = "waiting";
export const CONFLICT = "conflict";
export const REFUSED = "refused";
const TEXTS = ["comment", "private_note"];

// Names what an operation changes: two of the same field follow each other.
export const fieldOf = (operation) =>
  `${operation.kind} ${operation.assignment ?? operation.tie} ${operation.criterion ?? ""}`;

export const operationsOf = (team, operations) =>
  operations.filter((operation) => operation.assignment === team.assignment);

// Of several changes of one field the last, which is what the judge meant.
const newest = (operations) => [
  ...new Map(operations.map((operation) => [fieldOf(operation), operation])).values(),
];

export function effective(team, operations) {
  const own = operationsOf(team, operations);
  const waiting = own.filter((operation) => operation.state === WAITING);
  const marks = new Map();
  for (const [id, mark] of Object.entries(team.sheet?.marks ?? {})) {
    if (mark.value !== null) marks.set(Number(id), mark.value);
  }
  const sheet = {
    status: team.sheet?.status ?? "none",
    marks,
    comment: team.sheet?.comment.text ?? "",
    private_note: team.sheet?.private_note.text ?? "",
    recused: team.recused,
    isSubmitting: false,
    isAttempted: false, // the server may have been told already
    unsent: new Set(waiting.map(fieldOf)),
    // On their way to the disk, or not taken by it: not to be shown as kept.
    unkept: new Set(waiting.filter((operation) => !(operation.n > 0)).map(fieldOf)),
    conflicts: newest(own.filter((operation) => operation.state === CONFLICT)),
    refused: own.filter((operation) => operation.state === REFUSED),
  };
  for (const operation of waiting) {
    if (operation.kind === "mark") {
      if (operation.value === null) marks.delete(operation.criterion);
      else marks.set(operation.criterion, operation.value);
    } else if (TEXTS.includes(operation.kind)) sheet[operation.kind] = operation.text;
    else if (operation.kind === "submit") {
      sheet.isSubmitting = true;
      sheet.isAttempted ||= Boolean(operation.attempted);
    }
    else if (operation.kind === "recuse") sheet.recused = operation.text;
  }
  return sheet;
}

// One word for where the sheet stands; the judge sees it beside every team.
export function stateOf(team, sheet) {
  if (sheet.conflicts.length) return "conflict";
  if (sheet.refused.length) return "refused";
  if (sheet.recused) return "recused";
  if (team.released) return "released";
  if (sheet.status === "submitted") return "submitted";
  if (sheet.isSubmitting) return "submitting";
  if (sheet.unsent.size) return "on_tablet";
  if (sheet.status === "returned") return "returned";
  return sheet.marks.size || sheet.comment || sheet.private_note ? "saved" : "none";
}

export function isEditable(round, team, sheet) {
  if (sheet.recused || team.released || sheet.isSubmitting || sheet.status === "submitted") {
    return false;
  }
  return round.status === "open" || (round.status === "closed" && sheet.status === "returned");
}

// Number of the newest entry that this tablet knew when its judge began to change the field.
export function baseOf(team, operations, kind, criterion = null) {
  // Done at once and on what is shown, not begun earlier.
  if (kind === "submit") return team.sheet?.turn ?? 0;
  if (kind === "recuse") return team.recusal_number ?? 0;
  const field = fieldOf({ kind, assignment: team.assignment, criterion });
  const earlier = operations.find((operation) => fieldOf(operation) === field);
  if (earlier) return earlier.base;
  if (kind === "mark") return team.sheet?.marks[criterion]?.number ?? 0;
  return team.sheet?.[kind]?.number ?? 0;
}

// A copy of the server's sheet, to be changed; an empty one where we know of none yet.
export const sheetOf = (team) =>
  structuredClone(team.sheet) ?? {
    status: "draft",
    turn: 0,
    submitted_at: null,
    returned: "",
    marks: {},
    comment: { text: "", number: 0 },
    private_note: { text: "", number: 0 },
  };

// The server's sheet after it confirmed an operation.
export function confirmed(team, operation, number, now) {
  const sheet = sheetOf(team);
  if (operation.kind === "mark") {
    // A tap that was confirmed again after a newer one does not undo it.
    if (number >= (sheet.marks[operation.criterion]?.number ?? 0)) {
      sheet.marks[operation.criterion] = { value: operation.value, number };
    }
  } else if (TEXTS.includes(operation.kind)) {
    if (number >= sheet[operation.kind].number) {
      sheet[operation.kind] = { text: operation.text, number };
    }
  } else if (operation.kind === "submit" && number >= sheet.turn) {
    sheet.status = "submitted";
    sheet.submitted_at = now;
    sheet.turn = number;
  }
  const recused = operation.kind === "recuse" ? operation.text : team.recused;
  return { ...team, recused, sheet: operation.kind === "recuse" ? team.sheet : sheet };
}

// Totals of the judge's own sheets in a round, best first, each with its rank; equals share one.
export function ownRanking(round, operations) {
  const rows = [];
  for (const team of round.teams) {
    const sheet = effective(team, operations);
    if (sheet.recused || team.released) continue;
    const sum = total(round.rubrics[team.rubric].criteria, sheet.marks);
    if (sum) rows.push({ team, sheet, total: sum });
  }
  rows.sort((a, b) => compare(b.total, a.total));
  rows.forEach((row, n) => {
    const above = rows[n - 1];
    row.rank = above && compare(above.total, row.total) === 0 ? above.rank : n + 1;
  });
  return rows;
}
