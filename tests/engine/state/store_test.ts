/** Keyed state against a model in plain Maps, through checkpoints, folding, unfinished epochs and restores. */
import assert from "node:assert/strict";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { MillraceError } from "../../../src/data/fault.ts";
import type { KeyPart, StateTable, StateTableSpec } from "../../../src/engine/contracts.ts";
import { type Checkpoint, createStateStore } from "../../../src/engine/state/store.ts";
import { KV_VALUE_BYTES_MAX } from "../../../src/engine/limits.ts";
import { Disk } from "./disk.ts";

const SEED = 20_260_101;

const SPECS: readonly StateTableSpec[] = [
  {
    name: "numbers",
    key: ["number"],
    columns: [{ name: "n", kind: "number" }, { name: "t", kind: "text" }, { name: "w", kind: "wide" }, { name: "v", kind: "value" }],
    version: 1,
  },
  { name: "texts", key: ["text"], columns: [{ name: "n", kind: "number" }, { name: "t", kind: "text" }], version: 1 },
  { name: "pairs", key: ["text", "number", "text"], columns: [{ name: "v", kind: "value" }], version: 3 },
  { name: "number pairs", key: ["number", "number"], columns: [{ name: "n", kind: "number" }], version: 1 },
];

interface Row {
  key: readonly KeyPart[];
  values: Record<string, unknown>;
}
type Model = Map<string, Row>[];
const emptyModel = (): Model => SPECS.map(() => new Map());
const modelKey = (key: readonly KeyPart[]): string => JSON.stringify(key);

interface Write {
  readonly does: "put" | "remove";
  readonly table: number;
  readonly key: readonly KeyPart[];
  readonly n: number | null;
  readonly t: string | null;
  readonly v: unknown;
}

function apply(tables: readonly StateTable[], model: Model, { does, table: at, key, n, t, v }: Write): void {
  const table = tables[at];
  if (does === "remove") {
    const there = table.find(key[0], key[1], key[2]);
    assert.equal(there >= 0, model[at].delete(modelKey(key)));
    if (there >= 0) table.remove(there);
    return;
  }
  const { size, live } = table;
  const slot = table.insert(key[0], key[1], key[2]);
  const isNew = !model[at].has(modelKey(key));
  if (isNew) {
    if (live === size) assert.equal(slot, size, "slots count up");
    else assert.ok(slot < size, "a free slot is used before a new one");
    model[at].set(modelKey(key), { key, values: { n: null, t: null, w: [0, 0], v: null } });
  }
  const { values } = model[at].get(modelKey(key))!;
  for (const { name, kind } of SPECS[at].columns) {
    if (kind === "number") {
      table.number(name).values[slot] = n ?? 0;
      table.number(name).valid[slot] = n === null ? 0 : 1;
      values.n = n;
    } else if (kind === "text") {
      table.text(name).values[slot] = t;
      values.t = t;
    } else if (kind === "wide") {
      table.wide(name).hi[slot] += 1;
      table.wide(name).lo[slot] = n ?? 0;
      values.w = [(values.w as number[])[0] + 1, n ?? 0];
    } else {
      table.value(name).values[slot] = v;
      values.v = v;
    }
  }
  table.touch(slot);
}

function assertEqualsModel(tables: readonly StateTable[], model: Model): void {
  SPECS.forEach((spec, at) => {
    const table = tables[at];
    assert.equal(table.live, model[at].size);
    const slots = new Set<number>();
    for (const { key, values } of model[at].values()) {
      const slot = table.find(key[0], key[1], key[2]);
      assert.ok(table.isLive(slot) && !slots.has(slot), `slot of ${modelKey(key)}`);
      slots.add(slot);
      assert.deepEqual(table.keyOf(slot), key);
      for (const { name, kind } of spec.columns) {
        if (kind === "number") {
          const { values: numbers, valid } = table.number(name);
          assert.equal(valid[slot] === 1 ? numbers[slot] : null, values.n);
        } else if (kind === "text") assert.equal(table.text(name).values[slot], values.t);
        else if (kind === "wide") assert.deepEqual([table.wide(name).hi[slot], table.wide(name).lo[slot]], values.w);
        else assert.deepEqual(table.value(name).values[slot], values.v);
      }
    }
    assert.equal(table.find(...(spec.key.map((kind) => kind === "number" ? 4.5 : "absent") as [KeyPart, KeyPart, KeyPart])), -1);
  });
}

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", "\ud800", "é".repeat(20), "日本"),
);
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: 0, max: 40 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0.5, 2 ** 40, -(2 ** 33), 1e300),
);
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 8 });
/** Few keys, so that they are met, removed and put again; and others. */
const keyPart = (kind: "number" | "text") =>
  nullable<KeyPart>(
    kind === "number" ? fc.oneof(fc.integer({ min: 0, max: 12 }), number) : fc.oneof(fc.constantFrom("a", "b", "cd", "ß"), text),
  );
const write: fc.Arbitrary<Write> = fc.integer({ min: 0, max: SPECS.length - 1 }).chain((table) =>
  fc.record({
    does: fc.constantFrom("put", "put", "remove"),
    table: fc.constant(table),
    key: fc.tuple(...SPECS[table].key.map(keyPart)) as fc.Arbitrary<readonly KeyPart[]>,
    n: nullable(number),
    t: nullable(text),
    v: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  })
);
/** One epoch: its writes, and what becomes of it. */
const epoch = fc.record({
  writes: fc.array(write, { maxLength: 40 }),
  end: fc.constantFrom("flip", "flip", "flip", "crash before writing", "crash while writing", "crash before the flip", "restart"),
  part: fc.nat(),
});

Deno.test("state equals a model of Maps through epochs, crashes, folding and restores", () => {
  fc.assert(
    fc.property(fc.array(epoch, { maxLength: 12 }), (epochs) => {
      const disk = new Disk();
      let state = disk.load();
      let tables = SPECS.map((spec) => state.table(spec));
      state.restored();
      const model = emptyModel();
      const reload = () => {
        state = disk.load();
        tables = SPECS.map((spec) => state.table(spec));
        state.restored();
      };
      for (const { writes, end, part } of epochs) {
        const before = structuredClone(model);
        const number = disk.epoch + 1;
        const run = (): Checkpoint => {
          for (const one of writes) apply(tables, model, one);
          return state.checkpoint(number);
        };
        let checkpoint = run();
        if (end.startsWith("crash")) {
          if (end === "crash while writing") disk.write(checkpoint, part % (checkpoint.sets.length + 1));
          if (end === "crash before the flip") disk.write(checkpoint);
          reload();
          assertEqualsModel(tables, before);
          before.forEach((rows, i) => model[i] = rows);
          checkpoint = run(); // The replay of the open epoch.
        }
        disk.write(checkpoint);
        disk.flip(number, checkpoint, state.layouts);
        if (end === "restart") reload();
        assertEqualsModel(tables, model);
      }
      reload();
      assertEqualsModel(tables, model);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("many epochs over many chunks: recovery reads little more than the state, commits stay bounded", () => {
  const disk = new Disk();
  let state = disk.load();
  const spec: StateTableSpec = { name: "t", key: ["number"], columns: [{ name: "n", kind: "number" }], version: 1 };
  let table = state.table(spec);
  const model = new Map<number, number>();
  let random = 1;
  const next = (below: number) => (random = Math.imul(random, 1_103_515_245) + 12_345 >>> 0) % below;
  let largest = 0;
  for (let number = 1; number <= 400; number++) {
    for (let i = 0; i < 200; i++) {
      const key = next(20_000);
      const slot = table.insert(key);
      table.number("n").values[slot] = number;
      table.number("n").valid[slot] = 1;
      table.touch(slot);
      model.set(key, number);
    }
    const checkpoint = state.checkpoint(number);
    largest = Math.max(largest, checkpoint.sets.reduce((sum, { value }) => sum + value.length, 0));
    for (const { value } of checkpoint.sets) assert.ok(value.length <= KV_VALUE_BYTES_MAX);
    disk.write(checkpoint);
    disk.flip(number, checkpoint, state.layouts);
    if (number % 97 === 0) {
      state = disk.load();
      table = state.table(spec);
    }
  }
  const rowBytes = 4 + 8 + 9; // slot, key, value with its validity
  assert.ok(disk.bytes < 2.5 * model.size * rowBytes, `${disk.bytes} bytes stored for ${model.size} rows`);
  assert.ok(largest < 3 * 200 * rowBytes + 2 * 1024 * rowBytes, `${largest} bytes in one checkpoint`);
  table = disk.load().table(spec);
  assert.equal(table.size, model.size);
  for (const [key, value] of model) assert.equal(table.number("n").values[table.find(key)], value);
});

Deno.test("a value larger than a KV value is cut and put together again", () => {
  const disk = new Disk();
  const state = disk.load();
  const spec: StateTableSpec = {
    name: "t",
    key: ["text"],
    columns: [{ name: "v", kind: "value" }, { name: "t", kind: "text" }],
    version: 1,
  };
  const table = state.table(spec);
  const long = "ж".repeat(150_000);
  const slot = table.insert("k".repeat(70_000));
  table.value("v").values[slot] = [long, { a: long }];
  table.text("t").values[slot] = long;
  const checkpoint = state.checkpoint(1);
  assert.ok(checkpoint.sets.length > 10 && checkpoint.sets.every(({ value }) => value.length <= KV_VALUE_BYTES_MAX));
  disk.write(checkpoint);
  disk.flip(1, checkpoint, state.layouts);
  const again = disk.load().table(spec);
  assert.equal(again.find("k".repeat(70_000)), 0);
  assert.deepEqual(again.value("v").values[0], [long, { a: long }]);
  assert.equal(again.text("t").values[0], long);
});

Deno.test("zero and minus zero are one key, null is a key of its own, and part borders count", () => {
  const state = createStateStore();
  const numbers = state.table({ name: "a", key: ["number"], columns: [], version: 1 });
  assert.equal(numbers.insert(-0), 0);
  assert.equal(numbers.insert(0), 0);
  assert.equal(Object.is(numbers.keyOf(0)[0], 0), true);
  assert.equal(numbers.find(null), -1);
  assert.equal(numbers.insert(null), 1);
  assert.equal(numbers.find(null), 1);
  const pairs = state.table({ name: "b", key: ["text", "text"], columns: [], version: 1 });
  assert.equal(pairs.insert("ab", "c"), 0);
  assert.equal(pairs.find("a", "bc"), -1);
  assert.equal(pairs.find("ab", null), -1);
  assert.equal(pairs.insert("", null), 1);
  assert.equal(pairs.find(null, ""), -1);
  assert.throws(() => numbers.insert(NaN), /NaN/);
});

Deno.test("operators' tables are apart, and one name is made once", () => {
  const state = createStateStore();
  const spec: StateTableSpec = { name: "t", key: ["number"], columns: [], version: 1 };
  state.scope("a").table(spec).insert(1);
  assert.equal(state.scope("b").table(spec).size, 0);
  assert.deepEqual(state.layouts.map(({ name }) => name), ["a.t", "b.t"]);
  assert.throws(() => state.scope("a").table(spec), /once/);
});

Deno.test("a stored table of another version, shape or name is refused, and so is one that nobody asks for", () => {
  const disk = new Disk();
  const state = disk.load();
  const spec: StateTableSpec = { name: "t", key: ["number"], columns: [{ name: "n", kind: "number" }], version: 1 };
  state.table(spec).insert(1);
  const checkpoint = state.checkpoint(1);
  disk.write(checkpoint);
  disk.flip(1, checkpoint, state.layouts);
  const refused = (change: Partial<StateTableSpec>, words: RegExp) =>
    assert.throws(() => disk.load().table({ ...spec, ...change }), (error: unknown) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.code, "state_incompatible");
      assert.match(error.message, words);
      return true;
    });
  refused({ version: 2 }, /version 1.*version 2/);
  refused({ key: ["text"] }, /number\|n:number/);
  refused({ columns: [{ name: "n", kind: "wide" }] }, /n:wide/);
  refused({ name: "u" }, /"u" in its place/);
  assert.throws(() => disk.load().restored(), (error: unknown) => error instanceof MillraceError && error.code === "state_incompatible");
});

Deno.test("a damaged or missing part of stored state is noticed", () => {
  const disk = new Disk();
  const state = disk.load();
  const spec: StateTableSpec = { name: "t", key: ["number"], columns: [{ name: "t", kind: "text" }], version: 1 };
  const table = state.table(spec);
  for (let key = 0; key < 100; key++) table.text("t").values[table.insert(key)] = "x".repeat(3000);
  const checkpoint = state.checkpoint(1);
  disk.write(checkpoint);
  disk.flip(1, checkpoint, state.layouts);
  const parts = [...disk.entries];
  const isCorrupt = (error: unknown): boolean => error instanceof MillraceError && error.code === "checkpoint_corrupt";
  for (const [name, { key, value }] of parts) {
    disk.entries.delete(name);
    const alone = !parts.some(([other]) => other !== name && other.startsWith(name.slice(0, name.lastIndexOf(","))));
    if (!alone) assert.throws(() => disk.load(), isCorrupt, name);
    const damaged = value.slice();
    damaged[damaged.length >> 1] ^= 1;
    disk.entries.set(name, { key, value: damaged });
    assert.throws(() => disk.load(), isCorrupt, name);
    disk.entries.set(name, { key, value });
  }
  assert.equal(disk.load().table(spec).size, 100);
});

Deno.test("a stored string keeps no larger text alive", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const state = createStateStore();
  const table = state.table({ name: "t", key: ["number"], columns: [{ name: "t", kind: "text" }], version: 1 });
  const decoder = new TextDecoder();
  const batchBytes = 1 << 20;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let batch = 0; batch < 64; batch++) {
    const text = decoder.decode(new Uint8Array(batchBytes).fill(97 + batch % 26));
    table.text("t").values[table.insert(batch)] = text.substring(100, 140);
    state.checkpoint(batch + 1);
  }
  collectGarbage();
  const kept = process.memoryUsage().heapUsed - before;
  assert.ok(kept < 8 * batchBytes, `${kept} bytes kept`);
  assert.equal(table.text("t").values[27], "b".repeat(40));
});

Deno.test("rows that come and go take the room of those that are there, and are found however the index moves", () => {
  const passing: readonly StateTableSpec[] = [
    { name: "number", key: ["number"], columns: [], version: 1 },
    { name: "pair", key: ["number", "number"], columns: [], version: 1 },
    { name: "text", key: ["number", "text"], columns: [], version: 1 },
  ];
  const state = createStateStore();
  for (const spec of passing) {
    const table = state.table(spec);
    const keyAt = (i: number): readonly KeyPart[] => spec.key.map((kind, part) => kind === "text" ? `key ${i % 997}` : i * 7919 + part);
    const insert = (i: number): number => table.insert(...(keyAt(i) as [KeyPart]));
    const find = (i: number): number => table.find(...(keyAt(i) as [KeyPart]));
    const KEPT = 3000;
    for (let i = 0; i < 60_000; i++) {
      insert(i);
      if (i >= KEPT) table.remove(find(i - KEPT));
      if (i % 10_000 === 9_999) {
        for (let j = i - KEPT + 1; j <= i; j++) assert.deepEqual(table.keyOf(find(j)), keyAt(j));
        for (let j = Math.max(0, i - 2 * KEPT); j <= i - KEPT; j++) assert.equal(find(j), -1);
      }
    }
    assert.equal(table.live, KEPT);
    assert.equal(table.size, KEPT + 1);
  }
});
