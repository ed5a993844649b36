// What this tablet keeps (IndexedDB): packages, and operations that the server has not confirmed.
import { openDB } from "../../vendor/idb/index.js";

const NAME = "wuzhen-judge";
const VERSION = 1;
// Confirmed to the judge means on the disk of the tablet, not in some cache of the system.
const STRICT = { durability: "strict" };

// `onLost` is called when the browser takes the store away.
export async function openStore(onLost) {
  const db = await openDB(NAME, VERSION, {
    upgrade(database) {
      database.createObjectStore("kept");
      database.createObjectStore("outbox", { keyPath: "n", autoIncrement: true });
    },
    // The judge clears the browser's data, or a newer version of the app in another tab wants to
    // change the store: let them.
    blocking(_current, _blocked, event) {
      event.target.close();
      onLost();
    },
    terminated: onLost,
  });
  return {
    isLasting: true,
    get: (key) => db.get("kept", key),
    set: (key, value) => db.put("kept", value, key),
    remove: (key) => db.delete("kept", key),
    operations: () => db.getAll("outbox"),
    // Put one operation on disk, in the place of others where given; gives its number.
    async add(operation, replaced = []) {
      let n = null;
      await write(db, ["outbox"], ({ outbox }) => [
        ...replaced.map((old) => () => outbox.delete(old)),
        () => outbox.add(operation).then((given) => (n = given)),
      ]);
      return n;
    },
    // What the server said, in one step: operations gone or changed, and the package they are in.
    settle: ({ gone = [], changed = [], key, value }) =>
      write(db, ["outbox", "kept"], ({ outbox, kept }) => [
        ...gone.map((n) => () => outbox.delete(n)),
        ...changed.map((operation) => () => outbox.put(operation)),
        ...(key === undefined ? [] : [() => kept.put(value, key)]),
      ]),
  };
}

// All the steps or none of them, whatever goes wrong on the way.
async function write(db, names, stepsOf) {
  const transaction = db.transaction(names, "readwrite", STRICT);
  const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  const asked = [transaction.done];
  try {
    for (const step of stepsOf(stores)) asked.push(step());
    await Promise.all(asked);
  } catch (problem) {
    for (const one of asked) one.catch(() => {});
    try {
      transaction.abort();
    } catch {
      // It has ended by itself.
    }
    throw problem;
  }
}

// Where the browser gives no store (private window, disk full): memory, and the judge is told.
export function memoryStore(operations = [], things = {}) {
  const kept = new Map(Object.entries(things));
  const outbox = new Map(operations.map((operation) => [operation.n, operation]));
  let last = Math.max(0, ...outbox.keys());
  return {
    isLasting: false,
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
    remove: async (key) => void kept.delete(key),
    operations: async () => [...outbox.values()],
    async add(operation, replaced = []) {
      for (const n of replaced) outbox.delete(n);
      last += 1;
      outbox.set(last, { ...operation, n: last });
      return last;
    },
    async settle({ gone = [], changed = [], key, value }) {
      for (const n of gone) outbox.delete(n);
      for (const operation of changed) outbox.set(operation.n, operation);
      if (key !== undefined) kept.set(key, value);
    },
  };
}
