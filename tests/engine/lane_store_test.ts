/** The store as an owner sees it: ownership, doubt, and commits within the real store's limits. */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import { decodeHead } from "../../src/engine/head.ts";
import { groupForCommits, LaneStore } from "../../src/engine/lane_store.ts";
import { FencedError } from "../../src/engine/run_contracts.ts";
import type { StateEntry } from "../../src/engine/state/store.ts";
import { MemoryKv } from "./support/memory_kv.ts";

const WHERE = { run: "r", lane: 0 };
const takeOver = (kv: MemoryKv): Promise<LaneStore> => LaneStore.takeOver(kv, WHERE, "p", () => {});

Deno.test("every take-over raises the generation, and shuts the one before out of every write", async () => {
  const kv = new MemoryKv();
  const old = await takeOver(kv);
  const young = await takeOver(kv);
  assert.deepEqual([old.head.generation, young.head.generation], [1, 2]);
  const before = JSON.stringify([...kv.entries]);
  await assert.rejects(old.decide({ ...old.head, epoch: 1 }), FencedError);
  await assert.rejects(old.writeState([{ key: ["delta", 1, 0], value: new Uint8Array(1) }]), FencedError);
  await assert.rejects(old.requireUnchanged(), FencedError);
  await assert.rejects(old.requireNewest(), FencedError);
  assert.equal(JSON.stringify([...kv.entries]), before);
  await young.decide({ ...young.head, epoch: 1 });
  await young.requireUnchanged();
});

Deno.test("an owner's own write of unknown outcome does not make it a stranger, but nothing is built on it", async () => {
  const kv = new MemoryKv();
  const store = await takeOver(kv);
  kv.fault = (commit) => commit === 2 ? "lost after" : null;
  await assert.rejects(
    store.decide({ ...store.head, epoch: 1 }),
    (error: unknown) => error instanceof MillraceError && error.retry === "backoff",
  );
  await store.requireNewest();
  await assert.rejects(store.requireUnchanged(), FencedError);
  await assert.rejects(store.decide({ ...store.head, epoch: 1 }), FencedError);
});

Deno.test("a take-over that races with another's write looks again", async () => {
  const kv = new MemoryKv();
  const other = await takeOver(kv);
  let raced = false;
  const get = kv.get.bind(kv);
  kv.get = async (key) => {
    const entry = await get(key);
    if (!raced) {
      raced = true;
      await other.decide({ ...other.head, epoch: 1 });
    }
    return entry;
  };
  const store = await takeOver(kv);
  assert.equal(store.head.epoch, 1);
  assert.equal(store.head.generation, 2);
});

Deno.test("a head that is not accepted is left as it was", async () => {
  const kv = new MemoryKv();
  await takeOver(kv);
  await assert.rejects(
    LaneStore.takeOver(kv, WHERE, "p", () => {
      throw new MillraceError("plan_changed", "no");
    }),
    MillraceError,
  );
  assert.equal(decodeHead((await kv.get(["lane", "r", 0, "head"]))!.value).generation, 1);
});

Deno.test("state of any size is written in commits that the store accepts, in order", async () => {
  const kv = new MemoryKv();
  const store = await takeOver(kv);
  const sizes = [...Array.from({ length: 40 }, () => 60_000), ...Array.from({ length: 3000 }, (_, i) => i % 7)];
  const entries: StateEntry[] = sizes.map((size, part) => ({ key: ["delta", 1, part], value: new Uint8Array(size) }));
  const groups = groupForCommits(entries, "r");
  assert.deepEqual(groups.flat(), entries);
  for (const group of groups.slice(0, -1)) await store.writeState(group);
  const garbage = Array.from({ length: 300 }, (_, part) => ["delta", 0, part]);
  await store.decide({ ...store.head, ids: ["x".repeat(60_000)] }, groups.at(-1), garbage);
  assert.equal((await store.readState()).length, entries.length);
  assert.deepEqual(groupForCommits([], "r"), [[]]);
});

Deno.test("a head that no KV value can hold is explained", async () => {
  const store = await takeOver(new MemoryKv());
  await assert.rejects(
    store.decide({ ...store.head, ids: ["x".repeat(66_000)] }),
    (error: unknown) => error instanceof MillraceError && error.code === "head_too_large",
  );
});
