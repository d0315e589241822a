/** Values of every type as changes and as copies tell them, large transactions, and tables that are read one after the other. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { realWorld } from "../support/sql.ts";
import { type ChangesTable, Following } from "./changes_support.ts";
import { withDatabase } from "./support.ts";

const ALL = `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN cents AS NUMERIC(30,2);
  CREATE TABLE every (id INT8 PRIMARY KEY, small INT2, amount NUMERIC(15,2), free NUMERIC, euro cents, ratio FLOAT8, flag BOOLEAN, asint INT4,
    at TIMESTAMPTZ, locally TIMESTAMP, day DATE, doc JSONB, olddoc JSON, ip INET, uid UUID, raw BYTEA, how mood, list NUMERIC(9,2)[], texts TEXT[], body TEXT)`;
const EVERY: ChangesTable = {
  table: "every",
  fields:
    `{ id = "int", small = "int?", amount = "decimal(2)?", free = "decimal(4)?", euro = "decimal(2)?", ratio = "double?", flag = "bool?", asint = "bool?",
    at = "timestamp?", locally = "timestamp?", day = "date?", doc = "json?", olddoc = "json?", ip = "string?", uid = "string?", raw = "string?", how = "string?",
    list = "list<decimal(2)?>?", texts = "list<string?>?", body = "string?" }`.replaceAll(/\s+/g, " "),
};
const ROWS = `(1, -5, 123.40, 0.0001, 1.10, 0.1, true, 1, '2025-01-16 12:23:45.123456+01', '2025-01-02 03:04:05.5', '1989-12-27',
    '{"city": "Lima", "n": [1, 2.50]}', E'{"a":\\n 1}', '203.0.113.9', '0b6a2f4c-8d1e-4f3a-9c5b-7e6d5c4b3a29', '\\x00ff', 'glad', '{1.10,NULL,3}',
    E'{"a \\\\"b\\\\"",NULL,"NULL","c,d"}', E'tab\\t"quote" \\\\ line\\nend \\u00e9\\U0001F600'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (9007199254740991, 32767, 9999999999999.99, 90071992547.4099, -0.01, 1e300, false, 0, '1970-01-01 00:00:00Z', '2025-01-02', '0001-01-01',
    '[]', '{}', '::1', '00000000-0000-0000-0000-000000000000', '\\x', 'sad', '{}', '{}', '')`;
const BAD = `(10, 1, 'NaN', 1, 1, 1, true, 1), (11, 1, 1, 1.00001, 1, 1, true, 1), (12, 1, 1, 1, 1, 1, true, 2)`;
const EXPECTED = [
  [
    ...[1, -5, 12340, 1, 110, 0.1, true, true, 1737026625123456, 1735787045500000, 7300, { city: "Lima", n: [1, 2.5] }, { a: 1 }],
    ...["203.0.113.9", "0b6a2f4c-8d1e-4f3a-9c5b-7e6d5c4b3a29", "\\x00ff", "glad", [110, null, 300], ['a "b"', null, "NULL", "c,d"]],
    'tab\t"quote" \\ line\nend é😀',
  ],
  [2, ...Array(19).fill(null)],
  [
    ...[9007199254740991, 32767, 999999999999999, 900719925474099, -1, 1e300, false, false, 0, 1735776000000000, -719162, [], {}],
    ...["::1", "00000000-0000-0000-0000-000000000000", "\\x", "sad", [], [], ""],
  ],
];
const REASONS = ["type:amount", "scale:free", "type:asint"];

await withServers("postgres changes: every type keeps its value, copied and changed alike; what does not fit is rejected by name", [
  "postgres",
], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const fill = `INSERT INTO every VALUES ${ROWS}; INSERT INTO every (id, small, amount, free, euro, ratio, flag, asint) VALUES ${BAD}`;
    await database.admin(`${ALL}; ${fill}`);
    const following = await Following.open(database, [EVERY], { world: realWorld().world });
    await following.until(() => following.rows.length === 3 && following.refused.length === 3);
    await database.admin("DELETE FROM every");
    await database.admin(fill);
    await following.until(() => following.rows.length === 6 && following.refused.length === 6);
    for (const from of [0, 3]) {
      assert.deepEqual(following.rows.slice(from, from + 3).map(({ values }) => values), EXPECTED);
      assert.deepEqual(following.refused.slice(from, from + 3).map(({ reason }) => reason), REASONS);
    }
    assert.deepEqual(following.refused.slice(0, 3).map(({ raw }) => raw), following.refused.slice(3).map(({ raw }) => raw));
    following.close();
  });
});

const WIDE: ChangesTable = { table: "wide", fields: `{ id = "int", body = "string" }` };

await withServers(
  "postgres changes: a large transaction comes in pieces, held back while nobody takes them",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin("CREATE TABLE wide (id INT PRIMARY KEY, body TEXT NOT NULL); INSERT INTO wide VALUES (0, '')");
      let following = await Following.open(database, [WIDE], { world: realWorld().world });
      await following.until(() => following.rows.length === 1);
      await database.admin("INSERT INTO wide SELECT n, repeat('x', 500) FROM generate_series(1, 100000) AS n");
      await following.until(() => following.rows.length > 20_000);
      // In the midst of it a process dies; the next one goes on there.
      following.cover();
      const { positions, rows } = following;
      const seen = rows.map(({ values }) => values[0]);
      const rss = Deno.memoryUsage().rss;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.ok(Deno.memoryUsage().rss < rss + (64 << 20), "what nobody takes stays with the server");
      following.close();
      following = await Following.open(database, [WIDE], { world: realWorld().world, from: positions });
      await following.until(() => following.rows.length + seen.length === 100_001);
      seen.push(...following.rows.map(({ values }) => values[0]));
      assert.deepEqual(seen, Array.from({ length: 100_001 }, (_, i) => i));
      following.close();
    });
  },
);

await withServers("postgres changes: a bounded run ends where the log ended at its start; a count at its count; idle when nothing comes", [
  "postgres",
], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin("CREATE TABLE wide (id INT PRIMARY KEY, body TEXT NOT NULL); INSERT INTO wide VALUES (0, 'a'), (1, 'b')");
    const read = async (settings: string) => {
      const following = await Following.open(database, [{ ...WIDE, settings }], { world: realWorld().world });
      await following.until(() => following.ended > 0);
      following.close();
      return following.rows.map(({ values }) => values[0]);
    };
    assert.deepEqual(await read('until = "end"'), [0, 1]);
    assert.deepEqual(await read('until = "count 1"'), [0]);
    assert.deepEqual(await read('until = "idle 500ms"'), [0, 1]);
    await database.admin("INSERT INTO wide VALUES (2, 'c')");
    assert.deepEqual(await read('until = "end"\nsnapshot = "none"'), [2], "from the slot's place on");
  });
});

await withServers(
  "postgres changes: tables of one slot may be read one after the other, whatever lies between their rows",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(
        "CREATE TABLE first (id INT PRIMARY KEY, body TEXT NOT NULL); CREATE TABLE second (id INT PRIMARY KEY, body TEXT NOT NULL)",
      );
      const tables = ["first", "second"].map((table): ChangesTable => ({ ...WIDE, table, settings: 'until = "end"\nsnapshot = "none"' }));
      const { world } = realWorld();
      const made = await Following.open(database, tables, { world });
      await made.until(() => made.ended >= 2);
      made.close();
      // More of the second than there is room for, before and behind the rows of the first.
      for (const base of [0, 25_000]) {
        await database.admin(`INSERT INTO second SELECT n, repeat('x', 500) FROM generate_series(${base + 1}, ${base + 25_000}) AS n;
        INSERT INTO first SELECT n, 'y' FROM generate_series(${base + 1}, ${base + 10}) AS n`);
      }
      const following = await Following.open(database, tables, { world });
      await following.only(0, () => following.ended === 1);
      assert.equal(following.rows.length, 20);
      await following.only(1, () => following.ended === 2);
      assert.deepEqual(following.rows.slice(20).map(({ values }) => values[0]), Array.from({ length: 50_000 }, (_, i) => i + 1));
      following.close();
    });
  },
);
