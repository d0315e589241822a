/** The `generate` source: paced by a schedule, resumed as the same stream. */
import assert from "node:assert/strict";
import type { SourceReader } from "../../../src/engine/contracts.ts";
import { evenOffsetMicros, parseRate } from "../../../src/connectors/generate/rate.ts";
import { Machine, Process } from "../support/memory_world.ts";
import { faultsOf, plan } from "../support/project.ts";
import { readAll } from "../support/rows.ts";

const ALL = { rowsMax: 8192, bytesMax: 1 << 20 };
const FIELDS = `fields = { transaction_id = "string", timestamp = { type = "timestamp", zone = "UTC" }, price = "decimal(2)" }`;
const pipeline = (settings: string): string =>
  `[sources.in]\ntype = "generate"\nwhat = "trades"\n${settings}\n${FIELDS}\n[sinks.out]\ntype = "console"\ninputs = ["in"]\n`;

async function open(settings: string) {
  let nowMs = 0;
  const clock = { nowMicros: () => nowMs * 1000, monotonicMs: () => nowMs, sleep: (ms: number) => Promise.resolve(void (nowMs += ms)) };
  const world = { ...new Process(new Machine()).world(), clock };
  const [{ plan: source, schema }] = (await plan(pipeline(settings))).sources;
  const made = source.create(world, new Set(schema.type.fields.map((field) => field.name)));
  return { world, source: made, reader: await made.reader(0) };
}
const ids = async (reader: SourceReader, from: string, until?: string) =>
  (await readAll(reader, from, () => ({ ...ALL, until }))).rows.map((row) => row[0]);

Deno.test("generate: rates are per second, minute or hour, or unbounded", () => {
  assert.deepEqual(["1/s", "0.1/s", "30/m", "max", "2", "1/h"].map(parseRate), [1, 0.1, 0.5, Infinity, 2, 1 / 3600]);
  assert.deepEqual(["", "0/s", "-1", "1/d", "1e3/s", "2000000/s"].map(parseRate), [null, null, null, null, null, null]);
  assert.equal(evenOffsetMicros(3600, 1), 3_600_000_000);
  assert.equal(evenOffsetMicros(7, 3), 2_333_333);
  assert.equal(evenOffsetMicros(7, Infinity), 7);
});

Deno.test("generate: a bounded stream ends, and goes on from every position as the same stream", async () => {
  const settings = 'seed = 7\nstart = "2025-09-04T23:11:55Z"\nrate = "max"\ncount = 50';
  const { reader, source } = await open(settings);
  const whole = await readAll(reader, reader.start, () => ({ rowsMax: 7, bytesMax: 1 << 20 }));
  assert.equal(whole.rows.length, 50);
  for (const { position, read } of whole.places) {
    const again = await open(settings);
    assert.deepEqual(await ids(again.reader, position), whole.rows.slice(read).map((row) => row[0]));
  }
  assert.equal(source.progress!([whole.places.at(-1)!.position]), 1);
});

Deno.test("generate: a replay takes seed and start from the schedule, not from this process", async () => {
  const first = await open('rate = "max"');
  const drawn = { ...first.world, random: { uint32: () => 99 } };
  const batch = await first.reader.poll(first.reader.start, { rowsMax: 5, bytesMax: 1 << 20 });
  assert.equal(batch.kind, "batch");
  const until = batch.kind === "batch" ? batch.next : "";
  const [{ plan: source, schema }] = (await plan(pipeline('rate = "max"'))).sources;
  const other = await source.create(drawn, new Set(schema.type.fields.map((field) => field.name))).reader(0);
  assert.notEqual(other.start, first.reader.start);
  assert.deepEqual(await ids(other, other.start, until), await ids(first.reader, first.reader.start, until));
});

Deno.test("T-12: pacing follows the schedule: record 3600 at 1/s comes 3599 s after the first, however late the reader asks", async () => {
  const { reader, world: { clock } } = await open('seed = 1\nrate = "1/s"');
  const cameMs: number[] = [];
  for (let position = reader.start; cameMs.length < 3600;) {
    const polled = await reader.poll(position, ALL);
    if (polled.kind === "idle") await clock.sleep(polled.retryAfterMs);
    else if (polled.kind === "batch") {
      for (let i = 0; i < polled.read; i++) cameMs.push(clock.monotonicMs());
      position = polled.next;
      await clock.sleep(cameMs.length % 7 === 0 && cameMs.length < 3590 ? 2730 : 11); // Now and then work takes more than two intervals.
    } else assert.fail("an endless stream does not end");
  }
  assert.equal(cameMs[0], 0, "the first record comes at once");
  assert.ok(Math.abs(cameMs[3599] - 3_599_000) <= 50, `${cameMs[3599]} ms`);
});

Deno.test("generate: faults point at their setting", async () => {
  assert.match(await faultsOf(pipeline('rate = "fast"\nprofile = "x"\nstart = "now"')), /is not a rate[\s\S]*|no profile "x"/);
  assert.match(await faultsOf(pipeline('start = "yesterday"')), /"yesterday" is not a timestamp/);
  assert.match(await faultsOf(pipeline('profile = "x"')), /trades has no profile "x"/);
});
