/**
 * The Kv port of one simulated process: requests to a shared SimKvStore with delays, lost answers, lost and late requests. Invariant: a
 * commit that throws may have happened, may happen later, or never; one that answers has the outcome it says.
 */
import type { Kv, KvCommit, KvEntry, KvKey } from "../ports/mod.ts";
import type { SimKvStore } from "./kv_store.ts";
import type { SimProcess } from "./process.ts";

const REQUEST_MICROS_MAX = 4_000;
/** Entries per page of a list. Pages are read at different times, as Deno KV's batches are. */
const LIST_PAGE_ENTRIES = 8;

export function simKv(process: SimProcess, store: SimKvStore): Kv {
  let isClosed = false;
  const assertOpen = (): void => {
    process.assertLiving();
    if (isClosed) throw new Error("the checkpoint store was used after it was closed");
  };
  const read = <T>(what: string, key: KvKey, effect: () => T): Promise<T> =>
    process.remote({ what, detail: key.join("/"), kind: "read", microsMax: REQUEST_MICROS_MAX, effect });

  async function* list(prefix: KvKey): AsyncIterable<KvEntry> {
    let after: KvKey | null = null;
    while (true) {
      assertOpen();
      const page: KvEntry[] = await read("kv_list", prefix, () => store.list(prefix, after, LIST_PAGE_ENTRIES));
      yield* page;
      if (page.length < LIST_PAGE_ENTRIES) return;
      after = page[page.length - 1]!.key;
    }
  }

  return {
    get: (key: KvKey) => {
      assertOpen();
      return read("kv_get", key, () => store.get(key));
    },
    list,
    commit: (operation: KvCommit) => {
      assertOpen();
      const detail = operation.sets.map((set) => set.key.join("/")).join(" ");
      return process.remote({
        what: "kv_commit",
        detail,
        kind: "write",
        microsMax: REQUEST_MICROS_MAX,
        effect: () => store.commit(operation),
      });
    },
    close: () => {
      isClosed = true;
    },
  };
}
