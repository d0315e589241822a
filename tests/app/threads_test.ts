/** What passes between threads: the checkpoint store by messages, partitions over workers, a run whose threads end or fail. */
import assert from "node:assert/strict";
import { KvClient, KvService } from "../../src/app/threads/kv_over_channel.ts";
import { KV_REQUESTS_MAX } from "../../src/app/threads/limits.ts";
import type { FromWorker, KvAnswer, KvRequest, StartMessage, ToWorker } from "../../src/app/threads/messages.ts";
import { runInThreads } from "../../src/app/threads/run_threads.ts";
import { AssignedShare, Questions } from "../../src/app/threads/run_worker.ts";
import { seldom } from "../../src/app/threads/seldom.ts";
import { SpreadShare } from "../../src/app/threads/spread_share.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { PartitionShare } from "../../src/engine/contracts.ts";
import { FencedError } from "../../src/engine/run_contracts.ts";
import type { Kv, Thread } from "../../src/ports/mod.ts";
import { MemoryKv } from "../engine/support/memory_kv.ts";
import { databases, MemorySource, testPipeline, testRecords } from "../engine/support/pipeline.ts";
import { TestWorld } from "../engine/support/world.ts";

/** A store asked across a border that copies everything. `open` counts requests that are not answered. */
function across(kv: Kv): { readonly client: KvClient; readonly open: { now: number; most: number }; readonly requests: KvRequest[] } {
  const service = new KvService(kv);
  const open = { now: 0, most: 0 };
  const requests: KvRequest[] = [];
  const client: KvClient = new KvClient((id, request) => {
    const copied = structuredClone(request);
    requests.push(copied);
    open.most = Math.max(open.most, ++open.now);
    void service.answer(copied).then((answer: KvAnswer) => {
      open.now--;
      client.answered(id, structuredClone(answer));
    });
  });
  return { client, open, requests };
}
const set = (key: (string | number)[], value: number) => ({ checks: [], sets: [{ key, value: new Uint8Array([value]) }], deletes: [] });

Deno.test("a worker sees the store as the main thread does: entries, checks, lists of many pages", async () => {
  const kv = new MemoryKv();
  const { client, requests } = across(kv);
  const first = await client.commit(set(["a", 0], 7));
  assert.ok(first.ok);
  assert.deepEqual(await client.get(["a", 0]), await kv.get(["a", 0]));
  assert.equal(await client.get(["b"]), null);
  assert.deepEqual(await client.commit({ ...set(["a", 0], 8), checks: [{ key: ["a", 0], versionstamp: null }] }), { ok: false });
  for (let i = 1; i < 100; i++) await kv.commit(set(["a", i], i));
  const listed = [];
  for await (const { key, value } of client.list(["a"])) listed.push([key[1], value[0]]);
  assert.deepEqual(listed, Array.from({ length: 100 }, (_, i) => [i, i || 7]));
  const before = requests.length;
  for await (const { key } of client.list(["a"])) if (key[1] === 3) break;
  assert.deepEqual(requests.slice(before).map(({ kind }) => kind), ["list", "drop_list"], "what is not wanted is not sent");
});

Deno.test("faults cross as what they are; an unknown outcome stays one", async () => {
  const kv = new MemoryKv();
  const { client } = across({
    ...kv,
    get: () => Promise.reject(new MillraceError("kv_unanswered", "no answer", { retry: "wait", hint: "look" })),
    commit: () => Promise.reject(new Error("connection lost")),
    list: () => {
      throw new FencedError("taken over");
    },
    close: () => {},
  });
  await assert.rejects(client.get(["a"]), { code: "kv_unanswered", message: "no answer", retry: "wait", hint: "look" });
  await assert.rejects(client.commit(set(["a"], 1)), { message: "connection lost" });
  await assert.rejects(async () => {
    for await (const _ of client.list(["a"]));
  }, FencedError);
});

Deno.test("a worker has a bounded number of requests open; the others wait their turn", async () => {
  const kv = new MemoryKv();
  const { client, open } = across(kv);
  await Promise.all(Array.from({ length: 5 * KV_REQUESTS_MAX }, (_, i) => client.commit(set(["a", i], 1))));
  assert.equal(kv.entries.size, 5 * KV_REQUESTS_MAX);
  assert.equal(open.most, KV_REQUESTS_MAX);
});

Deno.test("of values that come fast the newest is told now and then, and the last one always", async () => {
  const sleeps: { readonly ms: number; readonly wake: () => void }[] = [];
  const clock = { nowMs: 0 };
  const told: number[] = [];
  const tell = seldom<number>(
    {
      nowMicros: () => 0,
      monotonicMs: () => clock.nowMs,
      sleep: (ms) => new Promise((wake) => sleeps.push({ ms, wake })),
    },
    100,
    (value) => told.push(value),
  );
  tell(1);
  clock.nowMs = 30;
  for (const value of [2, 3, 4]) tell(value);
  assert.deepEqual(told, [1]);
  assert.deepEqual(sleeps.map(({ ms }) => ms), [70]);
  clock.nowMs = 100;
  sleeps[0].wake();
  await Promise.resolve();
  assert.deepEqual(told, [1, 4]);
  clock.nowMs = 250;
  tell(5);
  assert.deepEqual(told, [1, 4, 5]);
});

Deno.test("partitions are spread evenly over workers, none moves while it is held, and a returning one waits for its release", () => {
  const told: (readonly number[])[] = [];
  const released: number[] = [];
  let assigned: (partitions: readonly number[]) => void = () => {};
  const share: PartitionShare = {
    join: (listener) => void (assigned = listener.assigned),
    released: (partition) => void released.push(partition),
    confirmed: () => Promise.resolve(),
    leave: () => Promise.resolve(),
  };
  const spread = new SpreadShare(share, 2, (worker, partitions) => void (told[worker] = partitions));
  spread.join(() => {});
  assigned([0, 1, 2, 3]);
  assert.deepEqual(told, [[0, 2], [1, 3]]);
  assigned([0, 2]);
  assert.deepEqual(told, [[0, 2], []]);
  assigned([0, 2, 3]);
  assert.deepEqual(told, [[0, 2], [3]], "3 is still with its worker");
  spread.released(1);
  assigned([0, 1, 2, 3]);
  assert.deepEqual(told, [[0, 2], [1, 3]]);
  assert.deepEqual(released, [1]);
  assigned([]);
  [0, 2].forEach((partition) => spread.released(partition));
  assigned([0, 1, 2]);
  assert.deepEqual(told, [[0, 2], [1]], "1 is back before its worker let go of it");
});

Deno.test("what a worker loses before it has begun is released at once; from then on the lanes release it", () => {
  const posted: FromWorker[] = [];
  const given: (readonly number[])[] = [];
  const post = (message: FromWorker) => void posted.push(message);
  const share = new AssignedShare(new Questions(post), post);
  share.assigned([0, 2]);
  share.assigned([0]);
  assert.deepEqual(posted, [{ kind: "released", partition: 2 }]);
  share.join({ assigned: (partitions) => void given.push(partitions), failed: () => {} });
  share.assigned([]);
  assert.deepEqual([given, posted.length], [[[]], 1]);
});

/** A run whose workers are the test's: it hears what they are told, and speaks for them. */
function threaded(workers: number, lanes: number, signal = new AbortController().signal) {
  const spoken: ToWorker[][] = [];
  const say: ((message: FromWorker) => void)[] = [];
  const die: ((error: Error) => void)[] = [];
  const ended: number[] = [];
  const into = databases();
  const source = new MemorySource("input", Array.from({ length: lanes }, () => testRecords(5)));
  const { plan, sinks } = testPipeline(source, into, { lanesByPartition: true });
  const start = (): Thread => {
    const worker = spoken.push([]) - 1;
    const died = Promise.withResolvers<Error>();
    die[worker] = died.resolve;
    return {
      post: (message) => void spoken[worker].push(structuredClone(message) as ToWorker),
      receive: (handler) => void (say[worker] = (message) => handler(structuredClone(message))),
      died: died.promise,
      end: () => void ended.push(worker),
    };
  };
  const given: Pick<StartMessage, "project" | "tables"> = {
    project: { path: "p", overrides: new Map([["state", "x"]]) },
    tables: { t: "d" },
  };
  const result = runInThreads({
    world: new TestWorld(),
    plan,
    kv: new MemoryKv(),
    run: "r",
    signal,
    threads: { start },
    workers,
    start: given,
  });
  result.catch(() => {});
  return { result, spoken, say, die, ended, sinks };
}
const counted = (rows: number): FromWorker => ({
  kind: "ended",
  ended: true,
  epochs: 2,
  counters: new Map([["input", { in: rows, out: rows, filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 0 }]]),
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("lanes are dealt to workers, no more of them than lanes, and their counts are added up", async () => {
  const run = threaded(4, 3);
  await settled();
  assert.deepEqual(run.spoken.map(([first]) => first.kind === "start" && first.lanes), [[0], [1], [2]]);
  const [first] = run.spoken[0];
  assert.ok(first.kind === "start");
  assert.deepEqual([first.pipeline, first.hash, first.run, first.tables], ["test", "plan-1", "r", { t: "d" }]);
  run.say[0](counted(5));
  run.say[2](counted(7));
  run.say[1](counted(1));
  const { ended, counters, epochs } = await run.result;
  assert.deepEqual([ended, counters.get("input")!.in, epochs], [true, 13, 6]);
  assert.deepEqual(run.ended.toSorted(), [0, 1, 2]);
  assert.ok(run.sinks.every(({ closed }) => !closed), "they are the caller's to finish");
});

Deno.test("a worker's fault is the run's, and ends the others where they stand", async () => {
  const run = threaded(2, 2);
  await settled();
  run.say[1]({ kind: "failed", fault: { kind: "fenced", code: "", message: "taken over", hint: undefined, retry: "never" } });
  await assert.rejects(run.result, FencedError);
  assert.deepEqual(run.ended.toSorted(), [0, 1]);
  assert.ok(run.sinks.every(({ closed }) => closed));
});

Deno.test("a thread that dies by itself is a fault", async () => {
  const run = threaded(2, 2);
  await settled();
  run.die[0](new Error("out of memory"));
  await assert.rejects(run.result, /out of memory/);
});

Deno.test("a signal asks all workers to stop, and what they then say is waited for", async () => {
  const stop = new AbortController();
  const run = threaded(2, 2, stop.signal);
  await settled();
  stop.abort();
  assert.deepEqual(run.spoken.map((messages) => messages.at(-1)!.kind), ["stop", "stop"]);
  run.say[0](counted(1));
  run.say[1]({ ...counted(2), ended: false } as FromWorker);
  assert.equal((await run.result).ended, false);
});
