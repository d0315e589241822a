/** Values in PostgreSQL: exact there and back; what a column cannot keep is refused; tables that are there are written as they are. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { readAll } from "../support/rows.ts";
import { codeOf, load, readerOf, run, sinkOf, stamp, thrownBy } from "../support/sql.ts";
import { withDatabase } from "./support.ts";

const FIELDS = `[sources.in.fields]
id = "int"
amount = "decimal(2)?"
fine = "decimal(15)?"
ratio = "double?"
ok = "bool?"
name = "string?"
at = { type = "timestamp?", format = "yyyy-MM-dd HH:mm:ss.SSSSSS", zone = "UTC" }
there = { type = "timestamp?", format = "yyyy-MM-dd HH:mm:ss", zone = "America/New_York" }
instant = "timestamp?"
day = "date?"
tags = "list<string>?"
any = "json?"
`;
const SPECIAL = "tab\there, line\nhere, return\r\n, bell\b\f\v, \x1a, back\\slash, \\t, \\., 'quote' \"double\" `back` %s ? $1 ; -- /*";
const MAX = Number.MAX_SAFE_INTEGER;
const DAY = 86_400;
const ROWS: unknown[][] = [
  [1, MAX, MAX, 1.7976931348623157e308, true, "", 9_000_000_000_000_000, 0, 1, 0, [], {}],
  [2, -MAX, -MAX, 5e-324, false, " trailing ", -9_000_000_000_000_000, -1e6, -1, -25_567, ["", "\\N", "\t\n\r"], [1.5, null, "x"]],
  [3, null, null, null, null, null, null, null, null, null, null, null],
  [4, -1, 1, -0.1, true, "\\N", 1_700_000_000_000_001, 1_700_000_000_000_000, 8_999_999_999_999_999, 2_932_896, ["ü"], "text"],
  [5, 0, 0, 0, false, "NULL", 0, 0, 0, 19_000, ["a", "b"], true],
  [6, 5, 5, 1e21, true, SPECIAL, 1, 0, 1, 1, [], 0],
  [7, 5, 5, 0.1 + 0.2, false, "日本語 😀 e\u0301 \u{10ffff} \ufeff", 1, DAY * 1e6, 1, 1, ["😀"], { "a\\": '"', "\\u0000": "\\\\u0000" }],
  [-MAX, 5, 5, -5e-324, false, "x".repeat(70_000), 1, DAY * 1e6, 1, 1, [], []],
  [MAX, 5, 5, 3, false, "'; DROP TABLE t; --", 1, DAY * 1e6, 1, 1, ["'); DROP TABLE t; --"], null],
];

for (const mode of ["append", "ignore"]) {
  await withServers(`postgres, ${mode}: every type comes back exactly as it went in`, ["postgres"], async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await load(database.url, { fields: FIELDS, sink: `create = true\nmode = "${mode}"\nkey = ["id"]` }, ROWS);
      const reader = await readerOf(database.url, { fields: FIELDS });
      const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 4, bytesMax: 1 << 20 }));
      reader.close();
      assert.deepEqual(rejects, []);
      const values = rows.map((row) => JSON.parse(/^\d+ \d+ (.*?\]) \{"id"/s.exec(row)![1]));
      const sorted = ROWS.toSorted((a, b) => (a[0] as number) - (b[0] as number));
      assert.deepEqual(values, JSON.parse(JSON.stringify(sorted)));
    });
  });
}

await withServers("postgres: more rows than one message takes, read by another client", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const many = Array.from({ length: 2_003 }, (_, i) => ROWS[i % ROWS.length].with(0, i));
    await load(database.url, { fields: FIELDS, sink: `create = true\nmode = "upsert"\nkey = ["id"]` }, many);
    const [[count, sum]] = await database.rows("SELECT count(*), sum(amount) FROM t WHERE id <> 4");
    assert.equal(count, String(many.length - 1));
    const wished = many.reduce((total, [id, amount]) => total + (id === 4 ? 0n : BigInt(amount as number ?? 0)), 0n);
    assert.equal(sum.replace(".", "").replace(/^(-?)0+(?=\d)/, "$1"), String(wished));
    const hex = [...new TextEncoder().encode(SPECIAL)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    assert.deepEqual(await database.rows("SELECT encode(convert_to(name, 'UTF8'), 'hex') FROM t WHERE id = 5"), [[hex]]);
  });
});

const DECLARED = `SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a
  WHERE a.attrelid = 't'::regclass AND a.attnum > 0 ORDER BY a.attnum`;

await withServers("postgres: created columns are the documented ones, and keys are exact", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const fields =
      `fields = { k = "string", amount = "decimal(2)", rate = "decimal(4)", at = "timestamp", name = "string?", n = "int", ok = "bool",
      day = "date", ratio = "double", tags = "list<string>" }`.replaceAll(/\n\s+/g, " ");
    const keys = ["a", "A", "a ", "ä", "a\u0308", "Ａ"];
    const rows = keys.map((key) => [key, 100, 1, 0, null, 1, true, 0, 0.5, []]);
    await load(database.url, { fields, sink: 'create = true\nmode = "ignore"\nkey = ["k"]\nprecision = 12' }, rows);
    assert.deepEqual(await database.rows("SELECT count(*) FROM t"), [[String(keys.length)]]);
    assert.deepEqual(await database.rows(DECLARED), [
      ["k", "text", "t"],
      ["amount", "numeric(12,2)", "t"],
      ["rate", "numeric(12,4)", "t"],
      ["at", "timestamp(6) with time zone", "t"],
      ["name", "text", "f"],
      ["n", "bigint", "t"],
      ["ok", "boolean", "t"],
      ["day", "date", "t"],
      ["ratio", "double precision", "t"],
      ["tags", "jsonb", "t"],
    ]);
    assert.deepEqual(
      await database.rows("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 't'::regclass AND indisprimary"),
      [
        ["CREATE UNIQUE INDEX t_pkey ON public.t USING btree (k)"],
      ],
    );
  });
});

await withServers("postgres: a table without a key is numbered in the order in which its rows came", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await load(database.url, { sink: "create = true" }, [[5, 100, "a"], [3, 100, null], [5, 100, "a"]]);
    assert.deepEqual(await database.rows("SELECT * FROM t ORDER BY millrace_row"), [
      ["5", "1.00", "a", "1"],
      ["3", "1.00", "NULL", "2"],
      ["5", "1.00", "a", "3"],
    ]);
    const reader = await readerOf(database.url, {});
    const { read } = await readAll(reader, reader.start, () => ({ rowsMax: 2, bytesMax: 1000 }));
    reader.close();
    assert.equal(read, 3);
  });
});

await withServers("postgres: names that try to be SQL are names", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const table = `t\\"; DROP TABLE millrace_epochs; -- ? $1 'x' \\\\\\\\`;
    const fields = `fields = { "id" = "int", "a\\"b" = "string", "c?d; -- $1" = "string", "e'" = "int" }`;
    const tables = `table = "${table}"\n`;
    const sink = `${tables}create = true\nmode = "replace"\nkey = ["id", "c?d; -- $1"]`;
    await load(database.url, { fields, sink }, [[1, "x", "y", 2], [2, "?", "$1", 3]], "r");
    const upsert = `${tables}mode = "upsert"\nkey = ["id", "c?d; -- $1"]`;
    await load(database.url, { fields, sink: upsert }, [[1, "z", "y", 2]], "u");
    const reader = await readerOf(database.url, { fields, source: tables });
    const { rows } = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 100 }));
    reader.close();
    assert.deepEqual(rows.map((row) => row.slice(4, row.indexOf(" {"))), ['[1,"z","y",2]', '[2,"?","$1",3]']);
    assert.deepEqual(await database.rows("SELECT count(*) FROM millrace_epochs"), [["1"]]);
  });
});

await withServers("postgres: upsert keeps the last, ignore the first, by the table's own key", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const rows = [[1, 100, "a"], [2, 200, "b"], [1, 300, "c"], [1, 400, "d"]];
    for (const mode of ["upsert", "ignore"]) {
      await database.admin(
        "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, amount NUMERIC(9,2), name TEXT, more INT DEFAULT 7); INSERT INTO t VALUES (2, 9, 'old', 8)",
      );
      await load(database.url, { sink: `mode = "${mode}"\nkey = ["id"]` }, rows, mode);
      const expected = mode === "upsert"
        ? [["1", "4.00", "d", "7"], ["2", "2.00", "b", "8"]]
        : [["1", "1.00", "a", "7"], ["2", "9.00", "old", "8"]];
      assert.deepEqual(await database.rows("SELECT * FROM t ORDER BY id"), expected);
    }
    // A second unique index stands in nobody's way: what hits it is an error, not another row.
    await database.admin("ALTER TABLE t ADD UNIQUE (name)");
    assert.equal(await codeOf(load(database.url, { sink: 'mode = "upsert"\nkey = ["id"]' }, [[3, 1, "old"]], "x")), "postgres_duplicate");
    const without = [
      "ALTER TABLE t DROP CONSTRAINT t_pkey",
      "CREATE UNIQUE INDEX partly ON t (id) WHERE amount > 0",
      "CREATE UNIQUE INDEX wider ON t (id, amount)",
      "ALTER TABLE t ADD CONSTRAINT late UNIQUE (id) DEFERRABLE",
    ];
    for (const change of without) {
      await database.admin(change);
      assert.equal(await codeOf(load(database.url, { sink: 'mode = "ignore"\nkey = ["id"]' }, rows, "y")), "key_missing", change);
    }
  });
});

await withServers(
  "postgres: rows of lanes that write the same keys wait for one another and none is lost",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const { sink, batch } = await sinkOf(database.url, { sink: 'create = true\nmode = "upsert"\nkey = ["id"]' });
      await sink.open(run("r", true, 2));
      const lanes = [sink.lane(0), sink.lane(1)];
      for (const lane of lanes) await lane.fence(1);
      const ids = Array.from({ length: 500 }, (_, i) => i);
      for (let epoch = 1; epoch <= 10; epoch++) {
        lanes[0].write(batch(ids.map((id) => [id, epoch * 100, "up"])));
        lanes[1].write(batch(ids.toReversed().map((id) => [id, epoch * 100, "down"])));
        await Promise.all(lanes.map((lane, number) => lane.deliver(stamp("r", epoch, 1, number))));
      }
      await sink.close();
      assert.deepEqual(await database.rows("SELECT count(*), min(amount), max(amount) FROM t"), [["500", "10.00", "10.00"]]);
    });
  },
);

/** The table that the workload's README asks its users to make. */
const RAW_TABLE = `CREATE TABLE t (transaction_id TEXT, timestamp TEXT, user_id INT, merchant TEXT, category TEXT, amount DOUBLE PRECISION,
  currency TEXT, location TEXT, status TEXT)`;
const RAW_FIELDS = `[sources.in.fields]
transaction_id = "string"
timestamp = { type = "timestamp", format = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", zone = "UTC" }
user_id = "int"
merchant = "string"
category = "string"
amount = "decimal(2)"
currency = "string"
location = "string"
status = "string"
`;
await withServers(
  "postgres: a table of texts, integers and doubles without a key is written as it is",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(RAW_TABLE);
      const row = ["7f1c", 1_771_677_296_120_045, 2345, "Tesco", "Food", 14_530, "GBP", "London", "completed"];
      await load(database.url, { fields: RAW_FIELDS }, [row, row.with(5, 10_000), row.with(5, 999_999_999_999_999)]);
      const shown = ["7f1c", "2026-02-21T12:34:56.120045", "2345", "Tesco", "Food", "145.3", "GBP", "London", "completed"];
      assert.deepEqual(await database.rows("SELECT * FROM t"), [shown, shown.with(5, "100"), shown.with(5, "9999999999999.99")]);
      const key = 'mode = "ignore"\nkey = ["transaction_id"]';
      const missing = await thrownBy(load(database.url, { fields: RAW_FIELDS, sink: key }, [row], "k"));
      assert.equal(missing.code, "key_missing");
      assert.match(missing.message, /table "t" .* has no unique index on transaction_id/);
      await database.admin("DELETE FROM t; ALTER TABLE t ADD UNIQUE (transaction_id) INCLUDE (amount)");
      await load(database.url, { fields: RAW_FIELDS, sink: key }, [row, row.with(5, 1)], "k2");
      assert.deepEqual(await database.rows("SELECT amount FROM t"), [["145.3"]]);
      const reader = await readerOf(database.url, { fields: `read_by = ["transaction_id"]\n${RAW_FIELDS}` });
      const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 9, bytesMax: 9999 }));
      reader.close();
      assert.deepEqual([rejects, JSON.parse(/\[.*?\]/.exec(rows[0])![0])], [[], row]);
    });
  },
);

await withServers(
  "postgres: a value that its column would cut, round or refuse stops the run, and nothing of the epoch is kept",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const fields = `fields = { id = "int", amount = "decimal(2)", name = "string", at = "timestamp", ratio = "double" }`;
      const good = [1, 100, "a", 1_000_000, 0.5];
      const cases: [change: string, bad: unknown[], code: string][] = [
        ["id SMALLINT", [300_000, 100, "a", 0, 0], "postgres_value"],
        ["amount NUMERIC(9,1)", [2, 105, "a", 0, 0], "postgres_value"],
        ["amount NUMERIC(4,2)", [2, 10_000, "a", 0, 0], "postgres_value"],
        ["amount DOUBLE PRECISION", [2, 1_000_000_000_000_001, "a", 0, 0], "postgres_value"],
        ["amount REAL", [2, 1_234_567, "a", 0, 0], "postgres_value"],
        ["ratio REAL", [2, 100, "a", 0, 0.1], "postgres_value"],
        ["ratio NUMERIC(9,1)", [2, 100, "a", 0, 0.25], "postgres_value"],
        ["name VARCHAR(3)", [2, 100, "four", 0, 0], "postgres_value"],
        ["name VARCHAR(3)", [2, 100, "abc  ", 0, 0], "postgres_value"],
        ["name UUID", [2, 100, "no uuid", 0, 0], "postgres_value"],
        ["name TEXT CHECK (name <> 'b')", [2, 100, "b", 0, 0], "postgres_value"],
        ["at TIMESTAMP(0)", [2, 100, "a", 1_500_000, 0], "postgres_value"],
        ["at TIMESTAMPTZ(3)", [2, 100, "a", 1_000_001, 0], "postgres_value"],
        ["name TEXT, UNIQUE (id)", [1, 100, "again", 0, 0], "postgres_duplicate"],
        ["amount INT", [2, 100, "a", 0, 0], "column_type"],
        ["name INT", [2, 100, "1", 0, 0], "column_type"],
        ["name TIMESTAMP", [2, 100, "2025-01-01", 0, 0], "column_type"],
        ["at DATE", [2, 100, "a", 0, 0], "column_type"],
        ["name BYTEA", [2, 100, "a", 0, 0], "column_type"],
        ["name TEXT GENERATED ALWAYS AS ('x') STORED", good, "column_type"],
      ];
      const declared = [["id", "INT"], ["amount", "NUMERIC(9,2)"], ["name", "TEXT"], ["at", "TIMESTAMPTZ"], ["ratio", "DOUBLE PRECISION"]];
      for (const [change, bad, code] of cases) {
        const [column] = change.split(" ");
        const columns = declared.map(([name, type]) => name === column ? change : `${name} ${type}`);
        await database.admin(`DROP TABLE IF EXISTS t; CREATE TABLE t (${columns.join(", ")})`);
        const rows = change === "name UUID" ? [bad] : [good, bad];
        assert.equal(await codeOf(load(database.url, { fields }, rows, `${change}${bad[2]}`)), code, change);
        assert.deepEqual(await database.rows("SELECT count(*) FROM t"), [["0"]], change);
      }
      await database.admin("DROP TABLE t; CREATE UNLOGGED TABLE t (id INT, amount NUMERIC(9,2), name TEXT, at TIMESTAMPTZ, ratio FLOAT8)");
      assert.equal(await codeOf(load(database.url, { fields }, [good], "unlogged")), "table_kind");
      await database.admin("DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id, 1.5 AS amount, '' AS name, now() AS at, 1::float8 AS ratio");
      assert.equal(await codeOf(load(database.url, { fields }, [good], "view")), "table_kind");
    });
  },
);

await withServers("postgres: columns of other types take what they keep exactly", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const fields =
      `fields = { a = "decimal(2)", b = "bool", c = "string", d = "string", e = "json", f = "double", g = "decimal(0)", h = "int" }`;
    await database.admin(`CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE TABLE t (a NUMERIC(9,1), b SMALLINT, c UUID, d mood, e TEXT, f NUMERIC(9,2), g INT, h NUMERIC(5,-2))`);
    const row = [150, true, "7F1C0B5E-93D2-4C58-8A1E-5F0E2B7D9C44", "bad", { z: [1, 2] }, 0.25, 7, 1200];
    await load(database.url, { fields }, [row, row.with(1, false)]);
    const shown = ["1.5", "1", "7f1c0b5e-93d2-4c58-8a1e-5f0e2b7d9c44", "bad", '{"z":[1,2]}', "0.25", "7", "1200"];
    assert.deepEqual(await database.rows("SELECT * FROM t"), [shown, shown.with(1, "0")]);
    await database.admin("DELETE FROM millrace_epochs");
    assert.equal(await codeOf(load(database.url, { fields }, [row.with(7, 1250)], "h")), "postgres_value");
  });
});

await withServers("postgres: NUL bytes stop the run with the record's place, or are left out", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const fields = `fields = { id = "int", name = "string", any = "json" }`;
    const rows = [[1, "a", {}], [2, "nul\0here", { "k\0": "v\0", kept: "\\u0000" }]];
    const fault = await thrownBy(load(database.url, { fields, sink: "create = true" }, rows, "stop"));
    assert.equal(fault.code, "postgres_value");
    assert.match(fault.message, /position \d+, has a NUL byte/);
    const inJson = await thrownBy(load(database.url, { fields, sink: "create = true" }, [[1, "a", ["\0"]]], "json"));
    assert.match(inJson.message, /NUL byte/);
    assert.deepEqual(await database.rows("SELECT count(*) FROM t"), [["0"]]);
    await load(database.url, { fields, sink: 'create = true\nnul_bytes = "remove"' }, rows, "remove");
    assert.deepEqual(await database.rows(`SELECT name, "any" FROM t ORDER BY id`), [["a", "{}"], [
      "nulhere",
      '{"k": "v", "kept": "\\\\u0000"}',
    ]]);
  });
});

await withServers("postgres: a time column holds what the field says", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const fields =
      `fields = { id = "int", at = { type = "timestamp", format = "dd.MM.yyyy HH:mm:ss", zone = "Europe/Berlin" }, day = { type = "date", format = "dd.MM.yyyy" } }`;
    const shownBy: Readonly<Record<string, string>> = {
      "TIMESTAMP": "2023-11-14 23:13:20",
      "TIMESTAMP(0)": "2023-11-14 23:13:20",
      "TIMESTAMPTZ": "2023-11-14 22:13:20+00",
      "VARCHAR(30)": "14.11.2023 23:13:20",
    };
    for (const [type, shown] of Object.entries(shownBy)) {
      const isText = type.startsWith("VARCHAR");
      await database.admin(`DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, at ${type}, day ${isText ? type : "DATE"})`);
      await load(database.url, { fields }, [[1, 1_700_000_000_000_000, 19_675]], type);
      const rows = await database.rows("SET TimeZone = 'UTC'; SELECT at, day FROM t");
      assert.deepEqual(rows, [[shown, isText ? "14.11.2023" : "2023-11-14"]]);
      const reader = await readerOf(database.url, { fields });
      const read = await readAll(reader, reader.start, () => ({ rowsMax: 9, bytesMax: 999 }));
      reader.close();
      assert.deepEqual([read.rejects, read.rows[0].startsWith("1 1 [1,1700000000000000,19675]")], [[], true], read.rows[0]);
      await database.admin("DROP TABLE millrace_epochs");
    }
  });
});

await withServers("postgres: rows of one empty column are rows", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin("CREATE TABLE t (name TEXT)");
    await load(database.url, { sink: `columns = ["name"]` }, [[1, 1, ""], [2, 1, null], [3, 1, ""], [4, 1, "\\."]]);
    assert.deepEqual(await database.rows("SELECT count(*), count(name) FROM t"), [["4", "3"]]);
  });
});

await withServers("postgres: only the connection's schema is looked at", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin("CREATE SCHEMA raw; CREATE TABLE public.t (id INT)");
    await load(database.url, { sink: "create = true", connection: 'schema = "raw"' }, [[1, 100, "a"]]);
    assert.deepEqual(await database.rows("SELECT id FROM raw.t"), [["1"]]);
    assert.deepEqual(await database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'millrace_epochs'"), [["raw"]]);
    const absent = load(database.url, { sink: "create = true", connection: 'schema = "absent"' }, [[1, 100, "a"]], "x");
    assert.equal(await codeOf(absent), "postgres_database");
  });
});
