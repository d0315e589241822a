/** The simulated checkpoint store keeps Deno KV's rules and limits. */
import assert from "node:assert/strict";
import type { Kv, KvCommit, KvKey } from "../../src/ports/mod.ts";
import { NO_HAZARDS } from "../../src/sim/hazards.ts";
import { KV_CHECKS_MAX, KV_COMMIT_KEY_BYTES_MAX, KV_MUTATIONS_MAX, KV_VALUE_BYTES_MAX, SimKvStore } from "../../src/sim/kv_store.ts";
import { simWorld } from "../../src/sim/world.ts";

const set = (key: KvKey, bytes: number): KvCommit["sets"][number] => ({ key, value: new Uint8Array(bytes) });
const commitOf = (sets: KvCommit["sets"], checks: KvCommit["checks"] = []): KvCommit => ({ checks, sets, deletes: [] });
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

Deno.test("a commit happens only when every check holds", () => {
  const store = new SimKvStore();
  const first = store.commit(commitOf([set(["a"], 1)], [{ key: ["a"], versionstamp: null }]));
  assert.ok(first.ok);
  assert.deepEqual(store.commit(commitOf([set(["a"], 2), set(["b"], 1)], [{ key: ["a"], versionstamp: null }])), { ok: false });
  assert.equal(store.get(["b"]), null);
  const second = store.commit(commitOf([set(["a"], 2)], [{ key: ["a"], versionstamp: first.versionstamp }]));
  assert.ok(second.ok && second.versionstamp > first.versionstamp);
  store.commit({ checks: [], sets: [], deletes: [["a"]] });
  assert.equal(store.get(["a"]), null);
});

Deno.test("keys are ordered parts first, strings before numbers, numbers by value", () => {
  const store = new SimKvStore();
  const ordered: KvKey[] = [["p"], ["p", "a"], ["p", "a", "b"], ["p", "aa"], ["p", -2.5], ["p", -1], ["p", 0], ["p", 3], ["p", 10], [
    "p",
    10,
    1,
  ]];
  store.commit(commitOf([...ordered].reverse().map((key) => set(key, 0))));
  store.commit(commitOf([set(["pp"], 0)]));
  assert.deepEqual(store.snapshot().map((entry) => entry.key), [...ordered, ["pp"]]);
  assert.deepEqual(store.list(["p"], null, Infinity).map((entry) => entry.key), ordered.slice(1));
  assert.deepEqual(store.list(["p"], ["p", 0], 2).map((entry) => entry.key), [["p", 3], ["p", 10]]);
});

Deno.test("each of Deno KV's limits is kept on both sides", () => {
  const store = new SimKvStore();
  const refused = (commit: KvCommit): void => assert.throws(() => store.commit(commit), TypeError);
  store.commit(commitOf([set(["a"], KV_VALUE_BYTES_MAX)]));
  refused(commitOf([set(["b"], KV_VALUE_BYTES_MAX + 1)]));
  store.commit(commitOf(range(12).map((n) => set([n], KV_VALUE_BYTES_MAX))));
  refused(commitOf(range(13).map((n) => set([n], KV_VALUE_BYTES_MAX))));
  store.commit(commitOf(range(KV_MUTATIONS_MAX).map((n) => set([n], 1))));
  refused(commitOf(range(KV_MUTATIONS_MAX + 1).map((n) => set([n], 1))));
  store.commit(commitOf([], range(KV_CHECKS_MAX).map((n) => ({ key: ["none", n], versionstamp: null }))));
  refused(commitOf([], range(KV_CHECKS_MAX + 1).map((n) => ({ key: ["none", n], versionstamp: null }))));
  const keyText = "k".repeat(1_000);
  const keysMax = Math.floor(KV_COMMIT_KEY_BYTES_MAX / 1_011);
  store.commit(commitOf(range(keysMax).map((n) => set([keyText, n], 1))));
  refused(commitOf(range(keysMax + 1).map((n) => set([keyText, n], 1))));
  refused(commitOf([set(["k".repeat(2_047)], 1)]));
  assert.equal(store.get(["b"]), null);
});

Deno.test("what is read and written are copies", () => {
  const store = new SimKvStore();
  const value = new Uint8Array([1]);
  store.commit(commitOf([{ key: ["a"], value }]));
  value[0] = 2;
  store.get(["a"])!.value[0] = 3;
  assert.deepEqual(store.get(["a"])!.value, new Uint8Array([1]));
});

/** Commits under one hazard until it strikes; tells whether the value was there at once, and whether it is in the end. */
async function strike(hazard: "lostAcknowledgement" | "lostRequest" | "lateRequest"): Promise<{ atOnce: boolean; later: boolean }> {
  const world = simWorld(1, { hazards: { ...NO_HAZARDS, [hazard]: 1000, lateMicrosMax: 50_000, errorsMax: 1 } });
  const { world: ports } = world.boot("one");
  const kv: Kv = await world.run(ports.openKv("kv"));
  await assert.rejects(world.run(kv.commit(commitOf([set(["a"], 1)]))), { name: "OutcomeUnknown" });
  const atOnce = world.kvStore("kv").get(["a"]) !== null;
  await world.run(ports.clock.sleep(100));
  assert.equal(world.errorCount, 1);
  await world.run(kv.commit(commitOf([set(["b"], 1)])));
  return { atOnce, later: world.kvStore("kv").get(["a"]) !== null };
}

Deno.test("a commit that throws has happened, never happens, or happens later", async () => {
  assert.deepEqual(await strike("lostAcknowledgement"), { atOnce: true, later: true });
  assert.deepEqual(await strike("lostRequest"), { atOnce: false, later: false });
  assert.equal((await strike("lateRequest")).later, true);
});

Deno.test("a list pages through everything under its prefix", async () => {
  const world = simWorld(2);
  const kv = await world.run(world.boot("one").world.openKv("kv"));
  await world.run(kv.commit(commitOf(range(40).map((n) => set(["list", n], n)))));
  const seen: number[] = [];
  await world.run((async () => {
    for await (const entry of kv.list(["list"])) seen.push(entry.value.length);
  })());
  assert.deepEqual(seen, range(40));
});
