/**
 * Removes what an old run left in the checkpoint store. Invariant: a lane's head goes last and every commit checks it, so that
 * an owner still at work is never undermined and an interrupted collection can be done again.
 */
import type { Kv, KvKey } from "../ports/mod.ts";
import { decodeHead } from "./head.ts";
import { laneKey } from "./lane_store.ts";
import { GARBAGE_KEYS_PER_EPOCH_MAX } from "./limits.ts";
import { FencedError } from "./run_contracts.ts";

/** Deletes every lane of `run`, in bounded commits. Throws FencedError when a lane is being written meanwhile. */
export async function collectRun(kv: Kv, run: string): Promise<void> {
  for (let next = await nextLane(kv, run); next !== null; next = await nextLane(kv, run)) await collectLane(kv, ["lane", run, next]);
}

/** Whether no epoch of the run was ever begun. True only as long as nobody else may begin one. */
export async function isUntouched(kv: Kv, run: string, lanes: number): Promise<boolean> {
  for (let lane = 0; lane < lanes; lane++) {
    const entry = await kv.get([...laneKey(run, lane), "head"]);
    const head = entry && decodeHead(entry.value);
    if (head && (head.epoch > 0 || head.intent)) return false;
  }
  return true;
}

async function nextLane(kv: Kv, run: string): Promise<number | null> {
  for await (const { key } of kv.list(["lane", run])) return key[2] as number;
  return null;
}

async function collectLane(kv: Kv, prefix: KvKey): Promise<void> {
  const headKey = [...prefix, "head"];
  const versionstamp = (await kv.get(headKey))?.versionstamp ?? null;
  const remove = async (deletes: readonly KvKey[]): Promise<void> => {
    const result = await kv.commit({ checks: [{ key: headKey, versionstamp }], sets: [], deletes });
    if (!result.ok) throw new FencedError(`${prefix.join(" ")} is still being written; it was not collected`);
  };
  let keys: KvKey[] = [];
  for await (const { key } of kv.list(prefix)) {
    if (key.length === headKey.length && key[3] === "head") continue;
    keys.push(key);
    if (keys.length === GARBAGE_KEYS_PER_EPOCH_MAX) {
      await remove(keys);
      keys = [];
    }
  }
  await remove([...keys, headKey]);
}
