/** The head's encoding: what is written comes back, and nothing else is ever taken for a head. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MillraceError } from "../../src/data/fault.ts";
import { decodeHead, encodeHead, firstHead, type Head } from "../../src/engine/head.ts";
import { digestOf, type Intent, type ScheduleEntry } from "../../src/engine/schedule.ts";

const SEED = 20_260_102;
/** Plain objects, as `decodeHead` makes them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T, never>(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const name = fc.string({ maxLength: 12 });
const count = fc.nat({ max: 2 ** 31 });
const large = fc.maxSafeNat();
const micros = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-Infinity, Infinity));
const entry: fc.Arbitrary<ScheduleEntry> = fc.oneof(
  record({ kind: fc.constant("batch" as const), source: name, partition: count, read: count, end: name }),
  record({ kind: fc.constant("end" as const), source: name, partition: count }),
  record({ kind: fc.constant("idle" as const), source: name, partition: count }),
  record({ kind: fc.constant("stop" as const) }),
  record({ kind: fc.constant("drain" as const), operator: name, end: large }),
  record({ kind: fc.constant("refused" as const), rows: count }),
);
const intent: fc.Arbitrary<Intent> = record({ schedule: fc.array(entry, { maxLength: 6 }), timeMicros: large, planHash: name });
const tally = record({
  in: large,
  filtered: large,
  duplicates: large,
  folded: large,
  drained: large,
  ports: fc.array(fc.tuple(name, large), { maxLength: 3 }).map((ports) => new Map(ports)),
});
const head: fc.Arbitrary<Head> = record({
  epoch: large,
  digest: name,
  timeMicros: large,
  generation: large,
  ids: fc.array(name, { maxLength: 3 }),
  planHash: name,
  firstPlanHash: name,
  inputs: fc.array(record({ source: name, partition: count, position: name, ended: fc.boolean() }), { maxLength: 4 }),
  drains: fc.array(fc.tuple(name, large), { maxLength: 3 }).map((drains) => new Map(drains)),
  tallies: fc.array(fc.tuple(name, tally), { maxLength: 3 }).map((tallies) => new Map(tallies)),
  times: fc.array(record({ source: name, partition: count, greatestMicros: micros, idle: fc.boolean() }), { maxLength: 3 }),
  watermarks: fc.array(fc.tuple(name, micros), { maxLength: 3 }).map((marks) => new Map(marks)),
  sinks: fc.array(record({ sink: name, epoch: large, digest: name }), { maxLength: 3 }),
  tables: fc.array(record({ name, version: large, shape: name }), { maxLength: 3 }),
  intent: fc.option(intent),
  refusedParts: count,
});

Deno.test("a head comes back as it was written", () => {
  fc.assert(fc.property(head, (one) => assert.deepEqual(decodeHead(encodeHead(one)), one)), { seed: SEED, numRuns: 500 });
});

Deno.test("a head with any one bit flipped, or cut anywhere, is refused", () => {
  const bytes = encodeHead({ ...firstHead("plan"), epoch: 7, ids: ["a"], intent: { schedule: [], timeMicros: 5, planHash: "plan" } });
  const isRefused = (error: unknown): boolean =>
    error instanceof MillraceError && /^checkpoint_(corrupt|version)$/.test(error.code) && error.hint !== undefined;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => decodeHead(flipped), isRefused, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeHead(bytes.slice(0, length)), isRefused, `length ${length}`);
  }
});

Deno.test("another format of head is explained, not called corrupt", () => {
  const bytes = encodeHead(firstHead("plan"));
  new DataView(bytes.buffer).setUint32(4, 3, true);
  assert.throws(
    () => decodeHead(bytes),
    (error: unknown) => error instanceof MillraceError && error.code === "checkpoint_version" && /format 3/.test(error.message),
  );
});

Deno.test("the digest changes with anything that can change an epoch's content", () => {
  const where = { run: "r", lane: 0, epoch: 3, before: "x" };
  const batch = { kind: "batch", source: "s", partition: 0, read: 4, end: "b:9" } as const;
  const base: Intent = { schedule: [batch], timeMicros: 1, planHash: "p" };
  const digests = [
    digestOf(where, base),
    digestOf({ ...where, run: "q" }, base),
    digestOf({ ...where, lane: 1 }, base),
    digestOf({ ...where, epoch: 4 }, base),
    digestOf({ ...where, before: "y" }, base),
    digestOf(where, { ...base, timeMicros: 2 }),
    digestOf(where, { ...base, planHash: "q" }),
    digestOf(where, { ...base, schedule: [{ ...batch, source: "t" }] }),
    digestOf(where, { ...base, schedule: [{ ...batch, partition: 1 }] }),
    digestOf(where, { ...base, schedule: [{ ...batch, read: 5 }] }),
    digestOf(where, { ...base, schedule: [{ ...batch, end: "b:8" }] }),
    digestOf(where, { ...base, schedule: [batch, { kind: "end", source: "s", partition: 0 }] }),
    digestOf(where, { ...base, schedule: [batch, { kind: "drain", operator: "s", end: 0 }] }),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.match(digests[0], /^[0-9a-f]{64}$/);
  assert.equal(digestOf({ ...where }, { ...base, schedule: [{ ...batch }] }), digests[0]);
});
