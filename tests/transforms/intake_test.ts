import { deepEqual, equal } from "node:assert/strict";
import type { SchemaPlan } from "../../src/component/component.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { celAt, settingsOf } from "../support/settings.ts";
import { lines, planContext, runPlan, table } from "./support.ts";

const rows = table(`
  id int | email string? | amount decimal(2)
  1 | a@b | 5.00
  2 | null | -1.00
  1 | c@d | 6.00
  3 | a@b | 7.00
  2 | null | 8.00
  4 | null | 9.00
`);
function schema(more: Partial<SchemaPlan>): SchemaPlan {
  return { name: "s", type: rows.type, id: null, numericText: "reject", unknownFields: "ignore", unique: [], require: [], ...more };
}
function plan(more: Partial<SchemaPlan>) {
  const faults: string[] = [];
  const context = planContext(settingsOf({ kind: "group", doc: "", fields: {} }, {}, "sources.s"), {}, faults);
  return { plan: planIntake(schema(more), context), faults };
}

Deno.test("a schema that asks for nothing has no intake", () => {
  deepEqual(plan({}), { plan: null, faults: [] });
});

Deno.test("a second equal value of a unique field is rejected; nulls are not equal", () => {
  const { plan: intake } = plan({ unique: ["id", "email"] });
  equal(
    runPlan(intake!, [rows]).text,
    lines(`
    1 | a@b | 5.00
    2 | null | -1.00
    4 | null | 9.00
    rejected 3: duplicate:id
    rejected 4: duplicate:email
    rejected 5: duplicate:id
  `),
  );
  equal(intake!.keyedBy, "*");
});

Deno.test("require comes first, and a rejected row is not remembered", () => {
  const { plan: intake } = plan({ unique: ["id"], require: [{ code: "negative", that: celAt("require", "amount >= 0.00") }] });
  equal(
    runPlan(intake!, [rows]).text,
    lines(`
    1 | a@b | 5.00
    3 | a@b | 7.00
    2 | null | 8.00
    4 | null | 9.00
    rejected 2: negative
    rejected 3: duplicate:id
  `),
  );
});

Deno.test("a row rejected for one unique field does not take the value of another", () => {
  const { plan: intake } = plan({ unique: ["id", "email"] });
  const twice = table("id int | email string? | amount decimal(2)\n1 | a | 1.00\n1 | b | 1.00\n2 | b | 1.00");
  equal(runPlan(intake!, [twice]).text, "1 | a | 1.00\n2 | b | 1.00\nrejected 2: duplicate:id");
});

Deno.test("faults of an intake", () => {
  deepEqual(plan({ unique: ["ids"] }).faults, ['sources.s:1 `unique` of schema "s": there is no field "ids" (did you mean "id"?)']);
  equal(plan({ require: [{ code: "x", that: celAt("require", "amount") }] }).faults.length, 1);
});
