import { deepEqual, equal } from "node:assert/strict";
import { lookup } from "../../src/transforms/lookup.ts";
import { faultsOf, lines, run, type Setup, table } from "./support.ts";

const orders = table(`
  id int | card int?
  1 | 10
  2 | 11
  3 | null
  4 | 12
`);
const tables = {
  cards: {
    key: "card",
    rows: table("card int | owner string? | gold bool | total decimal(2)?\n10 | a | true | 5.00\n11 | null | false | null"),
  },
  owners: { key: "name", rows: table("name string | city string\na | Troy") },
};
const looked = (settings: Setup["settings"]) => run(lookup, { inputs: [orders], tables, settings }).text;

Deno.test("a missing row and a null key give null", () => {
  equal(
    looked({ lookup: { c: "cards[card]" }, set: { found: "c != null", gold: "coalesce(c.gold, false)", total: "c.total" } }),
    lines(`
    1 | 10 | true | true | 5.00
    2 | 11 | true | false | null
    3 | null | false | false | null
    4 | 12 | false | false | null
  `),
  );
});

Deno.test("a look-up may use another one, in any order of writing", () => {
  equal(
    looked({ lookup: { o: "owners[c.owner]", c: "cards[card]" }, set: { city: "o.city" }, keep: ["id", "city"] }),
    "1 | Troy\n2 | null\n3 | null\n4 | null",
  );
});

Deno.test("a looked-up row can be taken as a whole", () => {
  equal(
    looked({ lookup: { c: "cards[card]" }, set: { c2: "c" }, where: "id < 3", keep: ["c2"] }),
    lines(`
    {card: 10, owner: a, gold: true, total: 5.00}
    {card: 11, owner: null, gold: false, total: null}
    filtered 2
  `),
  );
});

Deno.test("faults of look-ups say what is there", () => {
  const faults = (lookups: Record<string, string>) =>
    faultsOf(lookup, { inputs: [orders], tables, settings: { lookup: lookups, set: {} } });
  deepEqual(faults({ c: "card[id]" }), ['lookup.c:1 there is no table "card" (did you mean "cards"?)']);
  deepEqual(faults({ c: "cards" }), ['lookup.c:1 "cards" is not a look-up (write TABLE[key], for example c = "cards[id]")']);
  deepEqual(faults({ id: "cards[card]" }), ['lookup.id:1 "id" is already a field of the record (give the looked-up row another name)']);
  deepEqual(faults({ a: "cards[b.card]", b: "cards[a.card]" }), [
    'lookup.a:1 lookup "a" needs its own value: a -> b -> a (break the cycle: none of them can be evaluated first)',
  ]);
  deepEqual(faults({ c: "cards['x']" })[0].split(" ")[0], "lookup.c:7");
});

Deno.test("a text let that reads one looked-up row is the same for every record of that row, and of none", () => {
  const records = table("id int | card int?\n1 | 10\n2 | 11\n3 | null\n4 | 10\n5 | 12\n6 | 11");
  const settings = {
    lookup: { c: "cards[card]" },
    let: { shown: "c == null ? 'none' : coalesce(c.owner, 'nobody') + '!'" },
    set: { shown: "shown", twice: "shown + shown" },
    keep: ["id", "shown", "twice"],
  };
  equal(
    run(lookup, { inputs: [records], tables, settings }).text,
    lines(`
    1 | a! | a!a!
    2 | nobody! | nobody!nobody!
    3 | none | nonenone
    4 | a! | a!a!
    5 | none | nonenone
    6 | nobody! | nobody!nobody!
  `),
  );
});
