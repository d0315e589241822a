/** Remembered records against plain arrays: through records that are kept and forgotten, late ones, epochs, crashes, folding and restores. */
import assert from "node:assert/strict";
import type { History, HistorySpec } from "../../../src/engine/contracts.ts";
import type { Checkpoint, LaneState } from "../../../src/engine/state/store.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import { Disk } from "./disk.ts";
import { randomFrom } from "../../expr/oracle/generator.ts";

const COLUMNS = [
  { name: "at", kind: "number" },
  { name: "n", kind: "number?" },
  { name: "t", kind: "text" },
  { name: "u", kind: "text" },
  { name: "v", kind: "value" },
] as const;
const SPECS: readonly HistorySpec[] = [
  { name: "one", columns: COLUMNS, keep: { kind: "count", records: 1 }, version: 1 },
  { name: "ten", columns: COLUMNS, keep: { kind: "count", records: 10 }, version: 1 },
  { name: "many", columns: COLUMNS, keep: { kind: "count", records: 300 }, version: 1 },
  { name: "span", columns: COLUMNS, keep: { kind: "span", column: "at", micros: 50, older: 0, recordsMax: 1000 }, version: 1 },
  { name: "older", columns: COLUMNS, keep: { kind: "span", column: "at", micros: 10, older: 2, recordsMax: 1000 }, version: 1 },
  { name: "full", columns: COLUMNS, keep: { kind: "span", column: "at", micros: 1000, older: 0, recordsMax: 5 }, version: 1 },
];

interface Entry {
  readonly at: number;
  readonly n: number | null;
  readonly t: string | null;
  readonly u: string | null;
  readonly v: unknown;
}
/** By history, by key. */
type Model = Map<number, Entry[]>[];

/** What a key sees with one more record, and what it keeps of that; null where there is no room. */
function expected(spec: HistorySpec, kept: readonly Entry[], entry: Entry): { readonly seen: Entry[]; readonly after: Entry[] } | null {
  const { keep } = spec;
  if (keep.kind === "count") {
    const after = [...kept, entry].slice(-keep.records);
    return { seen: after, after };
  }
  const place = kept.filter(({ at }) => at <= entry.at).length;
  const all = kept.toSpliced(place, 0, entry);
  const horizon = all.at(-1)!.at - keep.micros;
  const old = all.filter(({ at }) => at < horizon).length;
  const after = all.slice(Math.max(0, old - keep.older));
  // A record that is too late sees itself.
  const seen = all.slice(Math.min(place, Math.max(0, Math.min(old, place) - keep.older)));
  return seen.length > keep.recordsMax ? null : { seen, after };
}

class Keeper {
  readonly #random: () => number;
  constructor(random: () => number) {
    this.#random = random;
  }
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
  entry(time: number): Entry {
    const pick = <T>(...choices: readonly T[]): T => choices[this.below(choices.length)];
    return {
      at: time - (this.below(3) === 0 ? this.below(80) : 0),
      n: pick(null, 0, this.below(1000), 2 ** 40, 0.5),
      t: pick(null, "", "a", "US", "日本", "\ud800", "é".repeat(40)),
      u: pick(null, `unique ${this.below(2 ** 30)}`),
      v: pick<unknown>(null, [1, 2], { a: "b" }, "text"),
    };
  }
}

/** One record into one history: staged, looked at, and then kept or not. */
function take(
  history: History,
  spec: HistorySpec,
  key: number,
  isNew: "new" | "known",
  entry: Entry,
  then: "keep" | "forget",
  model: Map<number, Entry[]>,
): void {
  const kept = model.get(key) ?? [];
  const wanted = expected(spec, kept, entry);
  const at = history.stage(isNew === "new" ? -1 : key, entry.at);
  if (wanted === null) {
    assert.equal(at, -1);
    return;
  }
  put(history, history.page, at, entry);
  assert.deepEqual(read(history, history.from, history.to), wanted.seen);
  assert.deepEqual(read(history, history.before, history.to).toSpliced(history.at - history.before, 1), kept);
  if (then === "forget") return;
  history.commit(key);
  model.set(key, wanted.after);
}

function put(history: History, page: number, at: number, entry: Entry): void {
  history.number("at").pages[page][at] = entry.at;
  history.number("n").pages[page][at] = entry.n ?? 0;
  history.number("n").valid[page][at] = entry.n === null ? 0 : 1;
  for (const name of ["t", "u"] as const) history.text(name).pages[page][at] = history.text(name).texts.hold(entry[name]);
  history.value("v").pages[page][at] = entry.v;
}

function read(history: History, from: number, to: number): Entry[] {
  const { page } = history;
  const text = (name: "t" | "u", at: number) => {
    const { pages, texts } = history.text(name);
    const code = pages[page][at];
    const found = texts.at(code);
    assert.equal(texts.find(found), code, "equal texts have one code");
    return found;
  };
  return Array.from({ length: to - from }, (_, i) => ({
    at: history.number("at").pages[page][from + i],
    n: history.number("n").valid[page][from + i] === 1 ? history.number("n").pages[page][from + i] : null,
    t: text("t", from + i),
    u: text("u", from + i),
    v: history.value("v").pages[page][from + i],
  }));
}

/** What a key has, by way of one more record that is forgotten again. */
function contents(history: History, key: number): Entry[] {
  const at = history.stage(key, 2 ** 50);
  if (at < 0) return [];
  const entries = read(history, history.before, history.to - 1);
  put(history, history.page, at, { at: 2 ** 50, n: null, t: null, u: null, v: null });
  history.settle();
  return entries;
}

Deno.test("histories equal plain arrays through epochs, crashes, folding and restores", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = randomFrom(seed);
    const keeper = new Keeper(random);
    const disk = new Disk();
    let state: LaneState;
    let histories: readonly History[] = [];
    const reload = (): void => {
      state = disk.load();
      histories = SPECS.map((spec) => state.history(spec));
      state.restored();
    };
    reload();
    let model: Model = SPECS.map(() => new Map());
    let time = 0;
    const keys = 1 + keeper.below(200);
    for (let epoch = 1; epoch <= 12; epoch++) {
      const records = Array.from({ length: keeper.below(400) }, () => ({
        history: keeper.below(SPECS.length),
        key: keeper.below(keys),
        entry: keeper.entry(time += keeper.below(4)),
        then: keeper.below(8) === 0 ? "forget" as const : "keep" as const,
      }));
      const run = (): Checkpoint => {
        for (const { history, key, entry, then } of records) {
          const isNew = model[history].has(key) ? "known" : "new";
          take(histories[history], SPECS[history], key, isNew, entry, then, model[history]);
        }
        for (const history of histories) history.settle();
        return state.checkpoint(epoch);
      };
      const before = model.map((one) => new Map(one));
      let checkpoint = run();
      if (keeper.below(3) === 0) {
        disk.write(checkpoint, keeper.below(checkpoint.sets.length + 1));
        reload();
        model = before;
        checkpoint = run(); // The replay of the open epoch.
      }
      disk.write(checkpoint);
      disk.flip(epoch, checkpoint, state!.layouts);
      if (keeper.below(3) === 0) reload();
      SPECS.forEach((_, i) => {
        for (const [key, entries] of model[i]) {
          // Full ones have no room for the record by which they would be read.
          if (SPECS[i].name !== "full") {
            assert.deepEqual(contents(histories[i], key), entries, `seed ${seed}, ${SPECS[i].name}, key ${key}`);
          }
        }
        const live = [...model[i].values()].reduce((sum, entries) => sum + entries.length, 0);
        assert.equal(state.sizes()[i].rows, live);
      });
    }
  }
});

/** A store with one history of so many keys, each full. */
function filled(keys: number, each: number): { readonly state: LaneState; readonly history: History; readonly disk: Disk } {
  const disk = new Disk();
  const state = disk.load();
  const history = state.history({ ...SPECS[1], keep: { kind: "count", records: each } });
  state.restored();
  let epoch = 0;
  for (let round = 0; round < each; round++) {
    for (let key = 0; key < keys; key++) remember(history, key, round);
    const checkpoint = state.checkpoint(++epoch);
    disk.write(checkpoint);
    disk.flip(epoch, checkpoint, state.layouts);
  }
  return { state, history, disk };
}
function remember(history: History, key: number, at: number): void {
  const place = history.stage(key, at);
  put(history, history.page, place, { at, n: null, t: "US", u: `text ${at}-${key}`, v: null });
  history.commit(key);
}

Deno.test("a checkpoint writes a record once: its cost does not grow with the history", () => {
  const bytesOf = (each: number): number => {
    const { state, history, disk } = filled(200, each);
    let bytes = 0;
    for (let round = 0; round < 40; round++) {
      for (let key = 0; key < 20; key++) remember(history, (round * 37 + key * 10) % 200, each + round);
      const checkpoint = state.checkpoint(disk.epoch + 1);
      disk.write(checkpoint);
      disk.flip(disk.epoch + 1, checkpoint, state.layouts);
      bytes += checkpoint.sets.reduce((sum, { value }) => sum + value.length, 0);
    }
    return bytes / (40 * 20);
  };
  const [short, long] = [bytesOf(5), bytesOf(200)];
  assert.ok(long < 2 * short + 100, `${short} bytes a record with 5 remembered, ${long} with 200`);
});

Deno.test("what is stored stays near the records that are kept, and texts nobody keeps are forgotten", () => {
  const { state, history, disk } = filled(100, 10);
  const before = { bytes: disk.bytes, memory: state.sizes()[0].bytes };
  for (let round = 10; round < 200; round++) {
    for (let key = 0; key < 100; key++) remember(history, key, round);
    const checkpoint = state.checkpoint(disk.epoch + 1);
    disk.write(checkpoint);
    disk.flip(disk.epoch + 1, checkpoint, state.layouts);
  }
  assert.ok(disk.bytes < 2 * before.bytes, `${before.bytes} bytes stored became ${disk.bytes}`);
  assert.ok(state.sizes()[0].bytes < 3 * before.memory, `${before.memory} bytes of memory became ${state.sizes()[0].bytes}`);
  assert.equal(history.text("u").texts.find("text 5-5"), -2);
  assert.notEqual(history.text("u").texts.find("text 199-5"), -2);
});

Deno.test("fewer records to keep than were stored: the oldest go; other columns are refused", () => {
  const { state, history, disk } = filled(3, 10);
  assert.deepEqual([history.at >= 0, state.sizes()[0].rows], [true, 30]);
  const fewer = disk.load();
  const cut = fewer.history({ ...SPECS[1], keep: { kind: "count", records: 4 } });
  fewer.restored();
  assert.deepEqual(contents(cut, 1).map(({ at }) => at), [6, 7, 8, 9]);
  const other = disk.load();
  const columns = COLUMNS.map((column) => column.name === "n" ? { ...column, name: "m" } : column);
  assert.throws(
    () => other.history({ ...SPECS[1], columns }),
    (error) => error instanceof MillraceError && error.code === "state_incompatible",
  );
});
