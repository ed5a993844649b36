// What this tablet keeps (IndexedDB): packages, and operations that the server has not confirmed.
import { openDB } from "../../vendor/idb/index.js";

const NAME = "wuzhen-judge";
const VERSION = 1;
// Confirmed to the judge means on the disk of the tablet, not in some cache of the system.
const STRICT = { durability: "strict" };

export async function openStore() {
  const db = await openDB(NAME, VERSION, {
    upgrade(database) {
      database.createObjectStore("kept");
      database.createObjectStore("outbox", { keyPath: "n", autoIncrement: true });
    },
    // A newer version of the app in another tab wants to change the store: let it.
    blocking: (_current, _blocked, event) => event.target.close(),
  });
  return {
    isLasting: true,
    get: (key) => db.get("kept", key),
    set: (key, value) => db.put("kept", value, key),
    remove: (key) => db.delete("kept", key),
    operations: () => db.getAll("outbox"),
    // Put one operation on disk, in the place of others where given; gives its number.
    async add(operation, replaced = []) {
      const transaction = db.transaction("outbox", "readwrite", STRICT);
      for (const n of replaced) transaction.store.delete(n);
      const n = await transaction.store.add(operation);
      await transaction.done;
      return n;
    },
    // What the server said, in one step: operations gone or changed, and the package they are in.
    async settle({ gone = [], changed = [], key, value }) {
      const transaction = db.transaction(["outbox", "kept"], "readwrite", STRICT);
      const outbox = transaction.objectStore("outbox");
      for (const n of gone) outbox.delete(n);
      for (const operation of changed) outbox.put(operation);
      if (key !== undefined) transaction.objectStore("kept").put(value, key);
      await transaction.done;
    },
  };
}

// Where the browser gives no store (private window, disk full): memory, and the judge is told.
export function memoryStore() {
  const kept = new Map();
  const outbox = new Map();
  let last = 0;
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
