/** Which partition a lane reads next. */
import assert from "node:assert/strict";
import { makeMeta } from "../../src/data/columns.ts";
import type { Polled, Source, SourceNode, SourceReader } from "../../src/engine/contracts.ts";
import { LaneInputs } from "../../src/engine/lane_inputs.ts";
import { TestWorld } from "./support/world.ts";

/** Each partition gives one record after the other, at the times listed; then it ends. */
function node(name: string, partitions: readonly (readonly number[])[]): SourceNode {
  const source: Source = {
    partitions: () => Promise.resolve(partitions.length),
    identity: () => Promise.resolve(""),
    reader: (partition) =>
      Promise.resolve({
        start: "0",
        close: () => {},
        poll(from): Promise<Polled> {
          if (Number(from) >= partitions[partition].length) return Promise.resolve({ kind: "end" });
          const batch = { rows: 1, type: { fields: [] }, columns: [], meta: makeMeta(name, partition, Float64Array.of(Number(from))) };
          return Promise.resolve({ kind: "batch", batch, rejected: [], read: 1, next: String(Number(from) + 1) });
        },
      }),
  };
  return { name, rank: 0, source } as SourceNode;
}

/** What is handed out, as "source time". `timed`: the sources that have event time. */
async function order(nodes: ReadonlyMap<string, readonly (readonly number[])[]>, timed: readonly string[]): Promise<string[]> {
  const inputs = [...nodes].flatMap(([name, partitions]) => {
    const made = node(name, partitions);
    return partitions.map((_, partition) => ({ node: made, partition }));
  });
  const lane = await LaneInputs.open(inputs, [], new TestWorld().clock);
  const reached = new Map<string, number>();
  const given: string[] = [];
  for (;;) {
    const taken = await lane.take(10, () => 10, (source) => timed.includes(source) ? reached.get(source) ?? -Infinity : null);
    if (taken.kind === "ended") break;
    if (taken.kind !== "batch") continue;
    const { name } = taken.input.node;
    const time = nodes.get(name)![taken.input.partition][taken.batch.meta.position[0]];
    reached.set(name, Math.max(reached.get(name) ?? -Infinity, time));
    given.push(`${name}${time}`);
  }
  await lane.close();
  return given;
}

Deno.test("of sources with event time the one that is behind is read first, so its records come before later ones of another", async () => {
  const sources = new Map([["a", [[10, 20, 30, 40]]], ["b", [[11, 35, 36]]]]);
  assert.deepEqual(await order(sources, ["a", "b"]), ["a10", "b11", "a20", "b35", "a30", "a40", "b36"]);
});

Deno.test("sources that are level take turns, and so do all where one has no event time", async () => {
  const level = new Map([["a", [[5, 5, 5]]], ["b", [[5, 5]]]]);
  assert.deepEqual(await order(level, ["a", "b"]), ["a5", "b5", "a5", "b5", "a5"]);
  const sources = new Map([["a", [[10, 20, 30]]], ["b", [[1, 2, 3]]]]);
  assert.deepEqual(await order(sources, ["a"]), ["a10", "b1", "a20", "b2", "a30", "b3"]);
});

Deno.test("partitions of one source take turns, whatever their times", async () => {
  const sources = new Map([["a", [[1, 2, 3], [100, 200]]]]);
  assert.deepEqual(await order(sources, ["a"]), ["a1", "a100", "a2", "a200", "a3"]);
});

Deno.test("the next batch is asked for along with the one before, but of a source that reads ahead by itself only when it is wanted", async () => {
  const polls: string[] = [];
  const watched = (name: string, readsAhead: boolean): SourceNode => {
    const made = node(name, [[1, 2, 3]]);
    const reader = async (): Promise<SourceReader> => {
      const one = await made.source.reader(0);
      return { ...one, readsAhead, poll: (from, limits) => (polls.push(`${name}${from}`), one.poll(from, limits)) };
    };
    return { ...made, source: { ...made.source, reader } };
  };
  for (const [name, readsAhead, expected] of [["early", false, ["early0", "early1"]], ["late", true, ["late0"]]] as const) {
    polls.length = 0;
    const lane = await LaneInputs.open([{ node: watched(name, readsAhead), partition: 0 }], [], new TestWorld().clock);
    assert.equal((await lane.take(10, () => 10)).kind, "batch");
    assert.deepEqual(polls, expected);
    assert.equal((await lane.take(10, () => 10)).kind, "batch");
    assert.equal(polls.filter((poll) => poll === `${name}1`).length, 1);
    await lane.close();
  }
});
