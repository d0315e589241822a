/**
 * What the plans of a pipeline's past were made of, kept in its checkpoint by their hash: so that a changed configuration can be told
 * from the one that a head, an intent or the run record names. Invariant: nothing is decided by it; without it only the telling is poorer.
 */
import type { Kv, KvEntry } from "../../ports/mod.ts";
import type { PlanParts } from "../../project/hash.ts";

const PREFIX = "plan";
/** More configurations than this in one checkpoint's life are told no more; the oldest go first. */
const KEPT_MAX = 16;
/** Of a KV value's 65,536. A plan of more, some 200 nodes, is not kept. */
const VALUE_BYTES_MAX = 60_000;

interface KeptPlan {
  readonly version: 1;
  readonly keptMicros: number;
  readonly parts: PlanParts;
}

/** Keeps the parts of the plan, unless they are there. May be asked again after a fault. */
export async function keepPlan(kv: Kv, plan: { readonly hash: string; readonly parts: PlanParts }, nowMicros: number): Promise<void> {
  const key = [PREFIX, plan.hash];
  const kept: KeptPlan = { version: 1, keptMicros: nowMicros, parts: plan.parts };
  const value = new TextEncoder().encode(JSON.stringify(kept));
  if (value.length > VALUE_BYTES_MAX) return;
  if (await kv.get(key)) return;
  const others: KvEntry[] = [];
  for await (const entry of kv.list([PREFIX])) others.push(entry);
  others.sort((a, b) => decode(a.value).keptMicros - decode(b.value).keptMicros);
  const deletes = others.slice(0, Math.max(0, others.length + 1 - KEPT_MAX)).map((entry) => entry.key);
  // Another replica may have been faster: it kept the same.
  await kv.commit({ checks: [{ key, versionstamp: null }], sets: [{ key, value }], deletes });
}

/** The parts of the plan of that hash; null where they were not kept. */
export async function readPlan(kv: Kv, hash: string): Promise<PlanParts | null> {
  const entry = await kv.get([PREFIX, hash]);
  return entry && decode(entry.value).parts;
}

const decode = (value: Uint8Array): KeptPlan => JSON.parse(new TextDecoder().decode(value)) as KeptPlan;
