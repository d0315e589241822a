/**
 * The checkpoint store as one lane's owner sees it. Invariant: every write checks that head is as this owner last wrote it; once
 * a write was refused or its outcome is unknown, this object is of no use any more and the lane must be taken over again.
 */
import { assert, MillraceError } from "../data/fault.ts";
import type { Kv, KvCommit, KvKey } from "../ports/mod.ts";
import { decodeHead, encodeHead, firstHead, type Head } from "./head.ts";
import {
  GARBAGE_KEYS_PER_EPOCH_MAX,
  HEAD_BYTES_MAX,
  KV_COMMIT_BYTES_MAX,
  KV_COMMIT_KEY_BYTES_MAX,
  KV_COMMIT_MUTATIONS_MAX,
  TAKE_OVER_RACES_MAX,
} from "./limits.ts";
import { FencedError } from "./run_contracts.ts";
import type { StateEntry } from "./state/store.ts";

/** Where a lane's keys lie. */
export const laneKey = (run: string, lane: number): KvKey => ["lane", run, lane];

export class LaneStore {
  readonly #kv: Kv;
  readonly #prefix: KvKey;
  readonly #headKey: KvKey;
  #head: Head;
  #versionstamp: string;

  private constructor(kv: Kv, prefix: KvKey, head: Head, versionstamp: string) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#headKey = [...prefix, "head"];
    this.#head = head;
    this.#versionstamp = versionstamp;
  }

  /**
   * Makes the caller the lane's owner: its generation is higher than any before, and no older owner can write any more.
   * `accept` may throw on a head that the caller cannot go on from: then nothing was changed.
   */
  static async takeOver(
    kv: Kv,
    where: { readonly run: string; readonly lane: number },
    planHash: string,
    accept: (head: Head) => void,
  ): Promise<LaneStore> {
    const prefix = laneKey(where.run, where.lane);
    const headKey = [...prefix, "head"];
    for (let race = 0; race < TAKE_OVER_RACES_MAX; race++) {
      const entry = await answered(() => kv.get(headKey));
      const found = entry ? decodeHead(entry.value) : firstHead(planHash);
      accept(found);
      const head = { ...found, generation: found.generation + 1 };
      const result = await answered(() =>
        kv.commit({
          checks: [{ key: headKey, versionstamp: entry?.versionstamp ?? null }],
          sets: [{ key: headKey, value: headValue(head) }],
          deletes: [],
        })
      );
      // Refused: another owner, or a late write of our own, came between; look again.
      if (result.ok) return new LaneStore(kv, prefix, head, result.versionstamp);
    }
    throw new FencedError(`lane ${where.lane} is being taken over by others again and again`);
  }

  /** A lane's head without taking the lane over; null where there is none. */
  static async look(kv: Kv, { run, lane }: { readonly run: string; readonly lane: number }): Promise<Head | null> {
    const entry = await answered(() => kv.get([...laneKey(run, lane), "head"]));
    return entry && decodeHead(entry.value);
  }

  /** As this owner last wrote it. */
  get head(): Head {
    return this.#head;
  }

  /** Writes a decision, with what must become true together with it. */
  async decide(head: Head, entries: readonly StateEntry[] = [], deletes: readonly KvKey[] = []): Promise<void> {
    assert(head.generation === this.#head.generation, "only a take-over changes the generation");
    const sets = [{ key: this.#headKey, value: headValue(head) }, ...entries.map((entry) => this.#placed(entry))];
    this.#versionstamp = await this.#commit({ checks: this.#checks(), sets, deletes: deletes.map((key) => [...this.#prefix, ...key]) });
    this.#head = head;
  }

  /** Writes state of the epoch whose intent is open; it means nothing until that epoch has flipped. */
  async writeState(entries: readonly StateEntry[]): Promise<void> {
    await this.#commit({ checks: this.#checks(), sets: entries.map((entry) => this.#placed(entry)), deletes: [] });
  }

  /** Everything stored of the lane's state, in key order. */
  async readState(): Promise<StateEntry[]> {
    return await answered(async () => {
      const entries: StateEntry[] = [];
      for (const kind of ["base", "delta"]) {
        for await (const { key, value } of this.#kv.list([...this.#prefix, kind])) {
          entries.push({ key: key.slice(this.#prefix.length), value });
        }
      }
      return entries;
    });
  }

  /** Everything stored of rows that targets refused, in key order; of the newest epoch and leftovers. */
  async readRefused(): Promise<StateEntry[]> {
    return await answered(async () => {
      const entries: StateEntry[] = [];
      for await (const { key, value } of this.#kv.list([...this.#prefix, "refused"])) {
        entries.push({ key: key.slice(this.#prefix.length), value });
      }
      return entries;
    });
  }

  /** Removes what no epoch needs any more, in bounded commits. */
  async remove(keys: readonly KvKey[]): Promise<void> {
    for (let from = 0; from < keys.length; from += GARBAGE_KEYS_PER_EPOCH_MAX) {
      const deletes = keys.slice(from, from + GARBAGE_KEYS_PER_EPOCH_MAX).map((key) => [...this.#prefix, ...key]);
      await this.#commit({ checks: this.#checks(), sets: [], deletes });
    }
  }

  /** Throws FencedError when anybody has written head since this owner did: what was read meanwhile may not belong together. */
  async requireUnchanged(): Promise<void> {
    const entry = await answered(() => this.#kv.get(this.#headKey));
    if (entry?.versionstamp !== this.#versionstamp) throw this.#fenced();
  }

  /** Throws FencedError when a newer owner has taken the lane over. A late write of this owner's own does not count. */
  async requireNewest(): Promise<void> {
    const entry = await answered(() => this.#kv.get(this.#headKey));
    if (entry && decodeHead(entry.value).generation !== this.#head.generation) throw this.#fenced();
  }

  #checks(): KvCommit["checks"] {
    return [{ key: this.#headKey, versionstamp: this.#versionstamp }];
  }

  #placed({ key, value }: StateEntry): StateEntry {
    return { key: [...this.#prefix, ...key], value };
  }

  async #commit(operation: KvCommit): Promise<string> {
    const result = await answered(() => this.#kv.commit(operation));
    if (!result.ok) throw this.#fenced();
    return result.versionstamp;
  }

  #fenced(): FencedError {
    return new FencedError(`${this.#prefix.join(" ")} was taken over by another owner after generation ${this.#head.generation}`);
  }
}

/** State entries in groups that fit one commit each; the last leaves room for the head. At least one group, perhaps empty. */
export function groupForCommits(entries: readonly StateEntry[], run: string): readonly (readonly StateEntry[])[] {
  const groups: StateEntry[][] = [[]];
  let bytes = 0;
  let keyBytes = 0;
  for (const entry of entries) {
    const entryKeyBytes = 64 + run.length * 3 + entry.key.length * 12;
    const full = bytes + entry.value.length + entryKeyBytes > KV_COMMIT_BYTES_MAX || keyBytes + entryKeyBytes > KV_COMMIT_KEY_BYTES_MAX ||
      groups.at(-1)!.length === KV_COMMIT_MUTATIONS_MAX;
    if (full) {
      groups.push([]);
      bytes = 0;
      keyBytes = 0;
    }
    groups.at(-1)!.push(entry);
    bytes += entry.value.length + entryKeyBytes;
    keyBytes += entryKeyBytes;
  }
  return groups;
}

function headValue(head: Head): Uint8Array {
  const value = encodeHead(head);
  if (value.length <= HEAD_BYTES_MAX) return value;
  throw new MillraceError(
    "head_too_large",
    `the checkpoint of one lane needs ${value.length} bytes for positions and counters, ${HEAD_BYTES_MAX} are possible`,
    {
      hint: "spread the partitions over lanes, or the transforms over several pipelines",
    },
  );
}

/** A store that throws leaves it open whether the write took place. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause; // Of a store behind a server, which knows what to advise.
    throw new MillraceError(
      "kv_unanswered",
      `the checkpoint store did not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        retry: "backoff",
        hint: "see that the state folder's disk is writable and not full",
        cause,
      },
    );
  }
}
