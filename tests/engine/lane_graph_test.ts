/** Where batches go, what is counted, and when inputs end. */
import assert from "node:assert/strict";
import type { Batch } from "../../src/data/batch.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { Edge, Operator, OperatorNode } from "../../src/engine/contracts.ts";
import { emptyTally, type NodeTally, summarize, verifyTallies } from "../../src/engine/counters.ts";
import { createStateStore, type GraphPlan, LaneGraph } from "../../src/engine/mod.ts";
import { batchOf, countNode, INPUT, rowsOf, sumNode } from "./support/pipeline.ts";

interface Written {
  readonly sink: string;
  readonly row: Record<string, unknown>;
}
function graphOf(operators: readonly OperatorNode[], sinks: Readonly<Record<string, readonly Edge[]>>, sources = ["input"]) {
  const written: Written[] = [];
  const plan: GraphPlan = {
    pipeline: "test",
    sources: sources.map((name) => ({ name })),
    operators,
    sinks: Object.entries(sinks).map(([name, inputs]) => ({ name, inputs })),
  };
  const write = (sink: string, batch: Batch): void => void written.push(...rowsOf(batch).map((row) => ({ sink, row })));
  return { graph: new LaneGraph({ plan, lane: 0, state: createStateStore(), write }), written };
}
const input = (amounts: readonly number[], key = "a"): Batch =>
  batchOf(INPUT, amounts.map((amount) => ({ key, amount })), "input", amounts.map((_, i) => i));
const node = (name: string, inputs: readonly (readonly Edge[])[], operator: Partial<Operator>): OperatorNode => ({
  name,
  inputs,
  create: () => ({ process: (_input, batch, out) => out.emit("out", batch), ...operator }),
});
const from = (name: string, port = "out"): Edge => ({ from: name, port });

Deno.test("batches follow the edges by port, and every sink gets each row once per edge", () => {
  const split = node("split", [[from("input")]], {
    process(_input, batch, out) {
      out.emit("out", input(rowsOf(batch).map(({ amount }) => amount as number).filter((amount) => amount < 10)));
      out.emit("large", input(rowsOf(batch).map(({ amount }) => amount as number).filter((amount) => amount >= 10)));
    },
  });
  const { graph, written } = graphOf([split, node("merge", [[from("split"), from("split", "large")]], {})], {
    small: [from("split")],
    all: [from("merge")],
  });
  graph.feed("input", input([1, 12, 3, 40]), [], 4);
  const amounts = (sink: string) => written.filter((one) => one.sink === sink).map(({ row }) => row.amount);
  assert.deepEqual(amounts("small"), [1, 3]);
  assert.deepEqual(amounts("all"), [1, 3, 12, 40]);
  assert.deepEqual(graph.counters().get("split"), { ...emptyTally(), in: 4, ports: new Map([["out", 2], ["large", 2]]) });
  assert.equal(graph.counters().get("all")!.in, 4);
});

Deno.test("an input ends when all that feed it have ended and given out what they held", () => {
  const ends: string[] = [];
  const watched = (name: string, inputs: readonly (readonly Edge[])[]): OperatorNode =>
    node(name, inputs, { inputEnded: (i) => void ends.push(`${name} ${i}`) });
  const { graph, written } = graphOf(
    [
      countNode("count", "left"),
      watched("join", [[from("count"), from("left", "rejected")], [from("right")]]),
      watched("last", [[from("join")]]),
    ],
    { out: [from("last")] },
    ["left", "right"],
  );
  graph.feed("left", batchOf(INPUT, [{ key: "a", amount: 1 }, { key: "b", amount: 1 }, { key: "c", amount: 1 }], "left", [0, 1, 2]), [], 3);
  graph.endSource("left");
  assert.deepEqual(ends, [], "the count is held back");
  assert.deepEqual(graph.nextDrain(), { operator: "count", rows: 3 });
  assert.equal(graph.drain("count", 2), 2);
  assert.deepEqual(ends, []);
  assert.equal(graph.drain("count", 2), 3);
  assert.deepEqual(ends, ["join 0"]);
  assert.equal(graph.nextDrain(), null);
  graph.endSource("right");
  assert.deepEqual(ends, ["join 0", "join 1", "last 0"]);
  assert.deepEqual(written.map(({ row }) => row), [{ key: "a", count: 1 }, { key: "b", count: 1 }, { key: "c", count: 1 }]);
});

Deno.test("rejects go to the node's rejected port, text as text and other bytes as base64", () => {
  const { graph, written } = graphOf([sumNode("sum", "input")], { rejects: [from("input", "rejected"), from("sum", "rejected")] });
  const rejected = { source: "input", partition: 2, origin: 90, step: "input", reason: "json" };
  graph.feed("input", input([1, 13]), [
    { ...rejected, position: 9, raw: new TextEncoder().encode("{né") },
    { ...rejected, position: 10, raw: Uint8Array.of(0xff, 0x00) },
  ], 4);
  const raws = written.map(({ row }) => [row.position, row.partition, row.origin, row.step, row.reason, row.raw, row.raw_base64]);
  assert.deepEqual(raws, [
    [9, 2, 90, "input", "json", "{né", null],
    [10, 2, 90, "input", "json", null, "/wA="],
    [1, 0, 1, "sum", "unlucky", '{"key":"a","amount":13}', null],
  ]);
});

Deno.test("a source whose numbers do not add up is stopped at once", () => {
  const { graph } = graphOf([], { out: [from("input")] });
  assert.throws(
    () => graph.feed("input", input([1, 2]), [], 3),
    (error: unknown) => error instanceof MillraceError && error.code === "count_mismatch",
  );
});

Deno.test("deletes that a source dropped are counted beside what it accepted and rejected", () => {
  const { graph, written } = graphOf([], { out: [from("input")] });
  graph.feed("input", input([1, 2]), [], 5, 3);
  const tally = graph.counters().get("input")!;
  assert.deepEqual(summarize(tally), { in: 5, out: 2, filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 3 });
  assert.equal(written.length, 2);
  assert.throws(() => graph.feed("input", input([1]), [], 2), /read 2 records but gave 1, rejected 0 and dropped 0 deletes/);
});

Deno.test("the recorded time reaches every operator", () => {
  const seen: number[] = [];
  const { graph } = graphOf([node("a", [[from("input")]], { process: (_input, _batch, out) => void seen.push(out.epochTimeMicros) })], {});
  graph.beginEpoch(5);
  graph.feed("input", input([1]), [], 1);
  graph.beginEpoch(9);
  graph.feed("input", input([1]), [], 1);
  assert.deepEqual(seen, [5, 9]);
});

Deno.test("an operator that drains nothing, or emits to the rejected port, is caught", () => {
  const stuck = node("stuck", [[from("input")]], { backlog: () => 1, drain: (at) => at });
  assert.throws(() => graphOf([stuck], {}).graph.drain("stuck", 5), /drains at least one row/);
  const wrong = node("wrong", [[from("input")]], { process: (_input, batch, out) => out.emit("rejected", batch) });
  assert.throws(() => graphOf([wrong], {}).graph.feed("input", input([1]), [], 1), /leave through reject/);
});

Deno.test("counts are verified: lost and invented rows are found, held rows and aggregates are not mistaken for them", () => {
  const plan = {
    sources: [{ name: "input" }],
    operators: [{ name: "op", inputs: [[from("input")]] }],
    sinks: [{ name: "out", inputs: [from("op")] }],
  } as unknown as Parameters<typeof verifyTallies>[0];
  const tallies = (op: Partial<NodeTally>, rows: number, into = rows): Map<string, NodeTally> =>
    new Map([
      ["input", { ...emptyTally(), in: 10, ports: new Map([["out", 9], ["rejected", 1]]) }],
      ["op", { ...emptyTally(), in: 9, ports: new Map([["out", rows]]), ...op }],
      ["out", { ...emptyTally(), in: into }],
    ]);
  const fails = (counts: Map<string, NodeTally>, ended: "ended" | "stopped", words: RegExp) =>
    assert.throws(() => verifyTallies(plan, counts, ended), (error: unknown) => {
      assert.ok(error instanceof MillraceError && error.code === "count_mismatch");
      assert.match(error.message, words);
      return true;
    });
  verifyTallies(plan, tallies({}, 9), "ended");
  verifyTallies(plan, tallies({ filtered: 2, duplicates: 1 }, 6), "ended");
  verifyTallies(plan, tallies({ filtered: 2, ports: new Map([["out", 7], ["skipped", 2]]) }, 7), "ended");
  verifyTallies(plan, tallies({ folded: 9, drained: 4 }, 4), "ended");
  verifyTallies(plan, tallies({ drained: 5 }, 9), "ended");
  verifyTallies(plan, tallies({ drained: 2 }, 6), "stopped");
  fails(tallies({}, 8), "ended", /"op".*in 9, out 8/);
  fails(tallies({}, 10), "ended", /"op"/);
  fails(tallies({ drained: 2 }, 6), "ended", /"op"/);
  fails(tallies({ folded: 8, drained: 4 }, 4), "ended", /"op"/);
  fails(tallies({}, 9, 8), "ended", /"out".*gave 9 rows, 8 came in/);
  const lost = tallies({}, 9);
  lost.get("input")!.in = 11;
  fails(lost, "stopped", /"input".*read 11 records, accepted 9, rejected 1/);
});
