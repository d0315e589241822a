/** The simulated source and the simulated SQL sink keep what the engine's contracts ask of them. */
import assert from "node:assert/strict";
import { INT, type RecordType } from "../../src/data/types.ts";
import { columnOf, makeMeta } from "../../src/data/columns.ts";
import type { EpochStamp } from "../../src/engine/contracts.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { type SimRecord, simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { type Booted, simWorld } from "../../src/sim/world.ts";

const TYPE: RecordType = { fields: [{ name: "n", type: INT }] };
const RECORDS: SimRecord[] = Array.from({ length: 25 }, (_, n) => ({ text: `${n}`, values: [n], reason: n % 6 === 5 ? "type:n" : null }));
const RUN = { pipeline: "p", run: "r", lanes: 1, fresh: true };

function sourceIn({ process }: Booted, seed: number) {
  const options = { name: "s", type: TYPE, partitions: [RECORDS], batchRowsMax: 4, idlePerMille: 200 };
  return simSource(process, new SeededRandom(seed), options);
}

Deno.test("any cutting into batches gives the same rows and rejects, and `until` is exact", async () => {
  const cuts = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed);
    const reader = await sourceIn(world.boot("one"), seed).reader(0);
    const read = async (from: string, until?: string): Promise<{ good: number[]; bad: number[]; ends: string[] }> => {
      const result = { good: [] as number[], bad: [] as number[], ends: [] as string[] };
      while (true) {
        const polled = await world.run(reader.poll(from, { rowsMax: 10, bytesMax: 1_000, until }));
        if (polled.kind === "end") return result;
        if (polled.kind === "idle") continue;
        result.good.push(...polled.batch.meta.position);
        result.bad.push(...polled.rejected.map((reject) => reject.position));
        assert.equal(polled.batch.rows + polled.rejected.length, polled.read);
        result.ends.push(from = polled.next);
      }
    };
    const whole = await read(reader.start);
    assert.deepEqual(whole.good, RECORDS.flatMap((record, n) => record.reason === null ? [n] : []));
    assert.deepEqual(whole.bad, [5, 11, 17, 23]);
    cuts.add(whole.ends.join());
    const until = whole.ends[2]!;
    assert.equal((await read(reader.start, until)).ends.at(-1), until);
    const rest = await read(until);
    assert.equal((await read(reader.start, until)).good.length + rest.good.length, whole.good.length);
  }
  assert.ok(cuts.size > 15);
});

/** A lane of the sink with one row collected. */
async function laneWith(booted: Booted, table: SimSqlTable, value: number) {
  const sink = simSqlSink(booted.process, "t", table);
  await sink.open(RUN);
  const lane = sink.lane(0);
  const collect = (): void =>
    lane.write({ rows: 1, type: TYPE, columns: [columnOf(INT, [value])], meta: makeMeta("s", 0, Float64Array.of(value)) });
  return { lane, collect };
}
const stampOf = (epoch: number, owner: number, digest = `d${epoch}`): EpochStamp => ({
  ...RUN,
  lane: 0,
  epoch,
  owner,
  digest,
  timeMicros: epoch,
});

Deno.test("an epoch is delivered once, and the marker tells it", async () => {
  const world = simWorld(1);
  const table = new SimSqlTable();
  const { lane, collect } = await laneWith(world.boot("one"), table, 7);
  assert.equal(await world.run(lane.fence(1)), null);
  for (let round = 0; round < 2; round++) {
    collect();
    await world.run(lane.deliver(stampOf(1, 1)));
  }
  assert.deepEqual(table.rows.map((row) => row.values), [[7]]);
  assert.deepEqual(await world.run(lane.fence(2)), { epoch: 1, digest: "d1" });
});

Deno.test("a fenced owner delivers nothing and cannot take the lane back", async () => {
  const world = simWorld(2);
  const table = new SimSqlTable();
  const old = await laneWith(world.boot("old"), table, 1);
  const young = await laneWith(world.boot("young"), table, 2);
  await world.run(old.lane.fence(1));
  await world.run(young.lane.fence(2));
  old.collect();
  await assert.rejects(world.run(old.lane.deliver(stampOf(1, 1))), { code: "fenced" });
  await assert.rejects(world.run(old.lane.fence(1)), { code: "fenced" });
  young.collect();
  await world.run(young.lane.deliver(stampOf(1, 2)));
  assert.deepEqual(table.rows.map((row) => row.values), [[2]]);
});

Deno.test("an epoch of the same number with another content is refused, not taken for delivered", async () => {
  const world = simWorld(3);
  const table = new SimSqlTable();
  const { lane, collect } = await laneWith(world.boot("one"), table, 1);
  await world.run(lane.fence(1));
  collect();
  await world.run(lane.deliver(stampOf(1, 1)));
  collect();
  await assert.rejects(world.run(lane.deliver(stampOf(1, 1, "other"))), { code: "fenced" });
});
