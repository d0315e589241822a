import { deepEqual, equal, throws } from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import { filter } from "../../src/transforms/filter.ts";
import { map } from "../../src/transforms/map.ts";
import { batchOf, Collected, faultsOf, lines, planOf, run, table } from "./support.ts";

const orders = table(`
  id int | amount decimal(2) | status string | note string?
  1 | 5.00 | pending | null
  2 | 7.25 | declined | late
  3 | 0.00 | pending | ''
`);
const refuse = (): never => {
  throw new Error("this transform has no state");
};
const NO_STATE = { table: refuse, history: refuse };
const mapped = (settings: Parameters<typeof run>[1]["settings"], inputs = [orders]) => run(map, { inputs, settings });

Deno.test("set replaces a field in its place and appends a new one", () => {
  equal(
    mapped({ set: { status: "status == 'pending' ? 'approved' : status", twice: "amount * 2" } }).text,
    lines(`
      1 | 5.00 | approved | null | 10.00
      2 | 7.25 | declined | late | 14.50
      3 | 0.00 | approved | '' | 0.00
    `),
  );
});

Deno.test("all right-hand sides of set see the record as it came in", () => {
  const numbers = table("a int | b int\n1 | 2\n3 | 4");
  equal(mapped({ set: { a: "b", b: "a + b" } }, [numbers]).text, "2 | 3\n4 | 7");
});

Deno.test("where ends rows, which count as filtered, and narrows null for set", () => {
  equal(
    mapped({ where: "note != null", set: { size: "note.size()" } }).text,
    lines(`
    2 | 7.25 | declined | late | 4
    3 | 0.00 | pending | '' | 0
    filtered 1
  `),
  );
});

Deno.test("let values use each other in any order of writing", () => {
  equal(mapped({ let: { b: "a + 1.00", a: "amount * 2" }, set: { b: "b" }, keep: ["b"] }).text, "11.00\n15.50\n1.00");
});

Deno.test("keep orders the columns and drop leaves some out", () => {
  equal(mapped({ keep: ["status", "id"] }).text, "pending | 1\ndeclined | 2\npending | 3");
  equal(mapped({ drop: ["amount", "note"] }).text, "1 | pending\n2 | declined\n3 | pending");
});

Deno.test("a row whose expression fails is rejected under its code and the others pass", () => {
  equal(
    mapped({ set: { share: "100 / (id - 2)" }, keep: ["id", "share"] }).text,
    lines(`
    1 | -100
    3 | 100
    rejected 2: divisor_zero
  `),
  );
});

Deno.test("null, bool and struct values are written as their types", () => {
  const out = mapped({ set: { known: "note != null", length: "note != null ? note.size() : null" }, keep: ["known", "length"] });
  equal(out.text, "false | null\ntrue | 4\ntrue | 0");
});

Deno.test("require rejects a row under its code; a later condition knows that the earlier ones held", () => {
  const require = [{ code: "no_note", that: "note != null" }, { code: "short_note", that: "note.size() > 2" }];
  equal(
    mapped({ set: { big: "amount > 6.00" }, require }).text,
    lines(`
    2 | 7.25 | declined | late | true
    rejected 1: no_note
    rejected 3: short_note
  `),
  );
});

Deno.test("require sees the result, not the record", () => {
  equal(
    mapped({ set: { amount: "amount - 6.00" }, require: [{ code: "negative", that: "amount >= 0.00" }], keep: ["amount"] }).text,
    lines(`
    1.25
    rejected 1: negative
    rejected 3: negative
  `),
  );
});

Deno.test("a requirement with else = fail stops the run at the row's place", () => {
  throws(
    () => mapped({ require: [{ code: "positive", that: "amount > 0.00", else: "fail" }] }),
    (error) =>
      error instanceof MillraceError && error.code === "requirement_failed" &&
      error.message === "node: positive does not hold for row 3 of in0",
  );
});

Deno.test("meta tells where a row came from and when its epoch was", () => {
  const out = mapped({
    set: { at: "meta.source + '/' + string(meta.position)", year: "meta.epoch_time.getFullYear()" },
    keep: ["at", "year"],
  });
  equal(out.text, "in0/1 | 2023\nin0/2 | 2023\nin0/3 | 2023");
});

Deno.test("rows keep their origin and their bytes", () => {
  const out = mapped({ where: "id != 1", set: { id: "id * 10" } });
  deepEqual(out.places, ["in0/0/2/2|7.25|declined|late", "in0/0/3/3|0.00|pending|''"]);
});

Deno.test("a field that nobody reads need not be decoded and is passed on as that", () => {
  const { plan } = planOf(map, { inputs: [orders], settings: { set: { twice: "amount * 2" } } });
  deepEqual([...plan!.needs(new Map([["out", new Set(["twice", "id"])]]))[0]].toSorted(), ["amount", "id"]);
  const batch = batchOf(orders, "in0", 0, 3);
  const out = new Collected();
  plan!.create({
    lane: 0,
    state: NO_STATE,
  }).process(0, { ...batch, columns: batch.columns.with(3, null) }, out);
  equal(out.text, "1 | 5.00 | pending | - | 10.00\n2 | 7.25 | declined | - | 14.50\n3 | 0.00 | pending | - | 0.00");
});

Deno.test("a field set to another field's name is that field's column with its format and mask", () => {
  const type = { fields: [{ ...orders.type.fields[0], tag: "pan" }, ...orders.type.fields.slice(1)] };
  const { plan } = planOf(map, { inputs: [{ ...orders, type }], settings: { set: { copy: "id", id: "id + 1" } } });
  deepEqual(plan!.outputs.get("out")!.fields.map(({ name, tag }) => [name, tag]), [
    ["id", "pan"],
    ["amount", undefined],
    ["status", undefined],
    ["note", undefined],
    ["copy", "pan"],
  ]);
});

Deno.test("a filter passes on the batch itself when every row passes", () => {
  const { plan } = planOf(filter, { inputs: [orders], settings: { where: "amount >= 0.00" } });
  const batch = batchOf(orders, "in0", 0, 3);
  let same = false;
  const out = {
    epochTimeMicros: 0,
    emit: (_: string, passed: typeof batch) => void (same = passed.columns[2] === batch.columns[2]),
    reject: () => {},
    count: () => {},
  };
  plan!.create({
    lane: 0,
    state: NO_STATE,
  }).process(0, batch, out);
  equal(same, true);
  equal(run(filter, { inputs: [orders], settings: { where: "amount > 5.00" } }).text, "2 | 7.25 | declined | late\nfiltered 2");
});

Deno.test("faults of a map point at their setting and name the nearest field", () => {
  const faults = (settings: Parameters<typeof run>[1]["settings"]) => faultsOf(map, { inputs: [orders], settings });
  deepEqual(faults({ keep: ["id", "amout"] }), ['keep:1 `keep`: there is no field "amout" (did you mean "amount"?)']);
  deepEqual(faults({ keep: ["id"], drop: ["id"] }), [
    "drop:1 `keep` and `drop` exclude each other (`keep` alone says which fields the result has)",
  ]);
  deepEqual(faults({ set: { "a.b": "id" } }), [
    'set.a.b:1 `set` takes plain names, not "a.b" (a nested object is made by `emit` of a decide)',
  ]);
  deepEqual(faults({ let: { id: "1" } }), ['let.id:1 "id" already means something else here (give the value another name)']);
  deepEqual(faults({ let: { meta: "1" } }), [
    'let.meta:1 "meta" already means something else in expressions (give the value another name)',
  ]);
  deepEqual(faults({ let: { a: "b", b: "a" } }), [
    'let.a:1 let "a" needs its own value: a -> b -> a (break the cycle: none of them can be evaluated first)',
  ]);
  deepEqual(faults({ require: [{ code: " ", that: "true" }] }), [
    "require[0].code:1 a requirement needs a code (it becomes the reject reason, for example `negative_total`)",
  ]);
});

Deno.test("all faults of a node are reported at once", () => {
  const faults = faultsOf(map, { inputs: [orders], settings: { where: "amount", set: { a: "nobody", b: "id + 'x'" } } });
  deepEqual(faults.map((fault) => fault.split(":")[0]), ["where", "set.a", "set.b"]);
});

Deno.test("a computed number that may be null is null or that number, 0 included", () => {
  const rows = table("id int | x decimal(1)?\n1 | 2.5\n2 | null\n3 | 0.0");
  const set = { half: "x", sum: "x != null ? x + 1 : null", id: "x == null ? null : id" };
  equal(mapped({ set }, [rows]).text, "1 | 2.5 | 2.5 | 3.5\nnull | null | null | null\n3 | 0.0 | 0.0 | 1.0");
});
