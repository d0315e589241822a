import { deepEqual, equal, throws } from "node:assert/strict";
import type { Batch } from "../../src/data/batch.ts";
import { textColumn } from "../../src/data/columns.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { Plain } from "../support/settings.ts";
import { join } from "../../src/transforms/join.ts";
import { batchOf, Collected, type Cut, faultsOf, Lane, lines, planOf, run, table } from "./support.ts";

type Settings = { readonly [name: string]: Plain };
const accounts = table(`
  id int? | balance decimal(2) | name string
  1    | 10.00 | a
  2    | 20.00 | b
  null | 30.00 | c
  1    | 40.00 | d
`);
const gains = table(`
  id int | gain decimal(2)? | note string? | sure bool
  3 | 9.00 | x    | true
  1 | 0.50 | null | false
`);
const joined = (settings: Settings, cut?: Cut, inputs = [accounts, gains]) =>
  run(join, { inputs, settings: { on: ["id"], ...settings } }, cut);
const SUM = { set: { balance: "balance + coalesce(right.gain, 0.00)", sure: "right.sure" } };

Deno.test("left: each left row once, with right null where nothing matches and for a null key", () => {
  const out = joined(SUM);
  equal(
    out.text,
    lines(`
    1 | 10.50 | a | false
    2 | 20.00 | b | null
    null | 30.00 | c | null
    1 | 40.50 | d | false
    folded 2
  `),
  );
});

Deno.test("inner: rows that nothing matches are filtered, and right is not null", () => {
  equal(
    joined({ how: "inner", set: { sure: "right.sure ? 'yes' : 'no'" } }).text,
    "1 | 10.00 | a | no\n1 | 40.00 | d | no\nfiltered 2\nfolded 2",
  );
});

Deno.test("left rows that come before the right side has ended wait, keep their order, origin and bytes", () => {
  const early = joined(SUM, { rowsMax: 1, order: [0, 1] });
  const late = joined(SUM, { rowsMax: 1000, order: [1, 0] });
  equal(early.text, late.text);
  deepEqual(early.places, late.places);
  deepEqual(early.places[2], "in0/0/3/null|30.00|c");
});

Deno.test("bytes that are not UTF-8 survive the wait and a recovery", () => {
  const { plan } = planOf(join, { inputs: [accounts, gains], settings: { on: ["id"] } });
  const bytes = Uint8Array.of(0xff, 0x00, 0x41, 0xc3);
  const batch = batchOf(accounts, "in0", 0, 2);
  const raw = textColumn(bytes, Int32Array.of(0, 1), Int32Array.of(1, 4), null);
  const lane = new Lane(plan!);
  lane.operator.process(0, { ...batch, meta: { ...batch.meta, raw } }, new Collected());
  lane.recover();
  lane.end(1);
  const kept: number[][] = [];
  const out = {
    epochTimeMicros: 0,
    emit: (_: string, { rows, meta }: Batch) => {
      for (let row = 0; row < rows; row++) kept.push([...meta.raw!.bytes.subarray(meta.raw!.start[row], meta.raw!.end[row])]);
    },
    reject: () => {},
    count: () => {},
  };
  equal(lane.drain(10, out), true);
  deepEqual(kept, [[0xff], [0x00, 0x41, 0xc3]]);
});

Deno.test("a left row waits behind rows that wait, also after a recovery in the middle of giving them out", () => {
  const { plan } = planOf(join, { inputs: [accounts, gains], settings: { on: ["id"] } });
  const many = { ...accounts, rows: [...accounts.rows, ...accounts.rows] };
  const out = new Collected();
  const lane = new Lane(plan!);
  lane.operator.process(0, batchOf(many, "in0", 0, 4), out);
  lane.end(1);
  const steps = [() => lane.drain(1, out), () => lane.recover(), () => lane.drain(1, out), () => lane.recover()];
  for (const step of steps) step();
  lane.operator.process(0, batchOf(many, "in0", 4, 6), out);
  while (lane.drain(1, out)) lane.recover();
  lane.operator.process(0, batchOf(many, "in0", 6, 8), out);
  deepEqual(out.places.map((place) => Number(place.split("/")[2])), [1, 2, 3, 4, 5, 6, 7, 8]);
  equal(lane.drain(1, out), false);
});

Deno.test("a join needs the end of its input and all rows in one lane", () => {
  const { plan } = planOf(join, { inputs: [accounts, gains], settings: { on: ["id"] } });
  deepEqual([plan!.needsEnd, plan!.keyedBy], [true, "*"]);
});

Deno.test("match = one: a second right row for a key stops the run; first passes over it", () => {
  const twice = table("id int | gain decimal(2)?\n1 | 1.00\n2 | 2.00\n1 | 3.00");
  throws(
    () => joined({}, undefined, [accounts, twice]),
    (error) =>
      error instanceof MillraceError && error.code === "join_match" &&
      error.message === "node: the right side has a second row for id 1 (row 3 of in1)",
  );
  equal(
    joined({ match: "first", set: { g: "right.gain" }, keep: ["g"] }, undefined, [accounts, twice]).text,
    "1.00\n2.00\nnull\n1.00\nfolded 3",
  );
});

Deno.test("the right row can be taken as a whole, and texts and nulls of it are kept", () => {
  equal(
    joined({ set: { r: "right", note: "right.note" }, keep: ["r", "note"] }).text,
    lines(`
    {id: 1, gain: 0.50, note: null, sure: false} | null
    null | null
    null | null
    {id: 1, gain: 0.50, note: null, sure: false} | null
    folded 2
  `),
  );
});

Deno.test("require sees the result and right; else = fail stops the run", () => {
  const require = [{ code: "changed", that: "right == null || balance > coalesce(right.gain, 0.00) * 21" }];
  equal(
    joined({ ...SUM, require }).text,
    "2 | 20.00 | b | null\nnull | 30.00 | c | null\n1 | 40.50 | d | false\nfolded 2\nrejected 1: changed",
  );
  throws(() => joined({ require: [{ code: "none", that: "right != null", else: "fail" }] }), {
    code: "requirement_failed",
    message: "node: none does not hold for row 2 of in0",
  });
});

Deno.test("several keys of several types", () => {
  const left = table("a string | b bool | n int\nx | true | 1\nx | false | 2\ny | true | 3");
  const right = table("a string | b bool | m list<int>\nx | true | [7]\ny | true | [8, 9]");
  equal(
    joined({ on: ["a", "b"], set: { m: "right.m" }, keep: ["n", "m"] }, undefined, [left, right]).text,
    "1 | [7]\n2 | null\n3 | [8, 9]\nfolded 2",
  );
});

Deno.test("needs: of the left what is read or passed on, of the right the key and what is read", () => {
  const { plan } = planOf(join, {
    inputs: [accounts, gains],
    settings: { on: ["id"], set: { total: "coalesce(right.gain, 0.00)", some: "right != null" } },
  });
  const [left, right] = plan!.needs(new Map([["out", new Set(["name", "total"])]]));
  deepEqual([[...left].toSorted(), [...right].toSorted()], [["id", "name"], ["gain", "id"]]);
});

Deno.test("faults of a join", () => {
  const fault = (settings: Settings, inputs = [accounts, gains]) => faultsOf(join, { inputs, settings });
  deepEqual(fault({ on: ["ids"] }), [
    'on:1 the left side has no field "ids" (did you mean "id"?)',
    'on:1 the right side has no field "ids" (did you mean "id"?)',
  ]);
  deepEqual(fault({ on: [] }), ["on:1 `on` names 0 fields (a join compares 1 to 4 fields)"]);
  deepEqual(fault({ on: ["id"] }, [accounts, table("id string\nx")]), [
    'on:1 "id" is int on the left and string on the right (convert one of them in a map before)',
  ]);
  deepEqual(fault({ on: ["id"] }, [table("id list<int>\n[1]"), table("id list<int>\n[1]")]), [
    'on:1 "id" cannot be compared: it is list<int> (keys are int, decimal, string, bool, timestamp, date or duration)',
  ]);
  deepEqual(fault({ on: ["id"] }, [table("id int | right int\n1 | 1"), gains]), [
    ':1 the left side has a field "right", which here means the right row (rename the field in a map before)',
  ]);
  equal(fault({ on: ["id"], set: { x: "right.gain + 1.00" } })[0].startsWith("set.x:"), true);
});
