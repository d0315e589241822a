/** Values in MySQL: exact there and back, whichever way they go; what a column cannot keep stops the run. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { readAll } from "../support/rows.ts";
import { codeOf, load, readerOf } from "../support/sql.ts";
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
const SPECIAL = "tab\there, line\nhere, return\r\n, zero\0, \x1a, back\\slash, \\t, 'quote' \"double\" `back` %s ? ; -- /*";
const MAX = Number.MAX_SAFE_INTEGER;
const DAY = 86_400;
const ROWS: unknown[][] = [
  [1, MAX, MAX, 1.7976931348623157e308, true, "", 9_000_000_000_000_000, 0, 1, 0, [], {}],
  [2, -MAX, -MAX, 5e-324, false, " trailing ", -9_000_000_000_000_000, -1e6, -1, -25_567, ["", "\\N", "\t\n\r\0"], [1.5, null, "x"]],
  [3, null, null, null, null, null, null, null, null, null, null, null],
  [4, -1, 1, -0.1, true, "\\N", 1_700_000_000_000_001, 1_700_000_000_000_000, 8_999_999_999_999_999, 2_932_896, ["ü"], "text"],
  [5, 0, 0, 0, false, "NULL", 0, 0, 0, 19_000, ["a", "b"], true],
  [6, 5, 5, 1e21, true, SPECIAL, 1, 0, 1, 1, [], 0],
  [7, 5, 5, 0.1 + 0.2, false, "日本語 😀 e\u0301 \u{10ffff} \ufeff", 1, DAY * 1e6, 1, 1, ["😀"], { "a\\": '"' }],
  [-MAX, 5, 5, -5e-324, false, "x".repeat(70_000), 1, DAY * 1e6, 1, 1, [], []],
  [MAX, 5, 5, 3, false, "'; DROP TABLE t; --", 1, DAY * 1e6, 1, 1, ["'); DROP TABLE t; --"], null],
];

for (const bulk of ["auto", "off"]) {
  await withServers(`mysql, bulk_load = "${bulk}": every type comes back exactly as it went in`, ["mysql"], async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      await load(database.url, { fields: FIELDS, sink: `create = true\nkey = ["id"]\nbulk_load = "${bulk}"` }, ROWS);
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

await withServers(
  "mysql: LOAD DATA and INSERT leave the same bytes, in more rows than one statement takes",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const many = Array.from({ length: 1_003 }, (_, i) => ROWS[i % ROWS.length].with(0, i));
      for (const [table, bulk] of [["loaded", "auto"], ["inserted", "off"]]) {
        await load(
          database.url,
          { fields: FIELDS, sink: `table = "${table}"\ncreate = true\nkey = ["id"]\nbulk_load = "${bulk}"` },
          many,
          table,
        );
      }
      const columns = ["id", "amount", "fine", "ratio", "ok", "name", "at", "there", "instant", "day", "tags", "any"];
      const row = columns.map((column) => `IFNULL(HEX(${column}), 'null')`).join(", ");
      const [loaded, inserted] = await Promise.all(
        ["loaded", "inserted"].map((table) => database.rows(`SELECT MD5(CONCAT_WS(',', ${row})) FROM ${table} ORDER BY id`)),
      );
      assert.equal(loaded.length, many.length);
      assert.deepEqual(loaded, inserted);
      assert.deepEqual(await database.rows("SELECT HEX(name) FROM loaded WHERE id = 5"), [[hex(ROWS[5][5] as string)]]);
    });
  },
);

const hex = (text: string) => [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();

await withServers("mysql: created columns are the documented ones, and keys are exact", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const fields = `fields = { k = "string", amount = "decimal(2)", rate = "decimal(4)", at = "timestamp", name = "string?" }`;
    const keys = ["a", "A", "a ", "ä", "a\u0308", "Ａ"];
    const rows = keys.map((key) => [key, 100, 1, 0, null]);
    await load(database.url, { fields, sink: 'create = true\nkey = ["k"]\nprecision = 12' }, rows);
    assert.deepEqual(await database.rows("SELECT COUNT(*) FROM t"), [[String(keys.length)]]);
    const types = await database.rows(
      "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'",
    );
    assert.deepEqual(types, [
      ["k", "varchar(255)", "NO"],
      ["amount", "decimal(12,2)", "NO"],
      ["rate", "decimal(12,4)", "NO"],
      ["at", "datetime(6)", "NO"],
      ["name", "mediumtext", "YES"],
    ]);
  });
});

await withServers("mysql: names that try to be SQL are names", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const table = "t`; DROP TABLE millrace_epochs; -- ? 'x' \\\\";
    const fields = `fields = { "id" = "int", "a\`b" = "string", "c?d; --" = "string", "e'\\"" = "int" }`;
    const tables = `table = "${table}"\n`;
    for (const bulk of ["auto", "off"]) {
      const sink = `${tables}create = true\nmode = "replace"\nkey = ["id", "c?d; --"]\nbulk_load = "${bulk}"`;
      await load(database.url, { fields, sink }, [[1, "x", "y", 2], [2, "?", "`", 3]], bulk);
    }
    const upsert = `${tables}mode = "upsert"\nkey = ["id", "c?d; --"]`;
    await load(database.url, { fields, sink: upsert }, [[1, "z", "y", 2]], "u");
    const reader = await readerOf(database.url, { fields, source: tables });
    const { rows } = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 100 }));
    reader.close();
    assert.deepEqual(rows.map((row) => row.slice(4, row.indexOf(" {"))), ['[1,"z","y",2]', '[2,"?","`",3]']);
  });
});

await withServers(
  "mysql: upsert keeps the last, ignore the first, and both take only the table's own key",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const rows = [[1, 100, "a"], [2, 200, "b"], [1, 300, "c"]];
      for (const mode of ["upsert", "ignore"]) {
        await database.admin(
          "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, amount DECIMAL(9,2), name TEXT, more INT DEFAULT 7)",
        );
        await load(database.url, { sink: `mode = "${mode}"\nkey = ["id"]` }, rows, mode);
        const expected = mode === "upsert"
          ? [["1", "3.00", "c", "7"], ["2", "2.00", "b", "7"]]
          : [["1", "1.00", "a", "7"], ["2", "2.00", "b", "7"]];
        assert.deepEqual(await database.rows("SELECT * FROM t ORDER BY id"), expected);
      }
      await database.admin("ALTER TABLE t ADD UNIQUE (amount)");
      assert.equal(await codeOf(load(database.url, { sink: 'mode = "upsert"\nkey = ["id"]' }, rows, "r")), "key_ambiguous");
      assert.equal(await codeOf(load(database.url, { sink: 'mode = "upsert"\nkey = ["name"]' }, rows, "r")), "key_missing");
    });
  },
);

await withServers(
  "mysql: a value that its column would cut, round or refuse stops the run, and nothing of the epoch is kept",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const fields = `fields = { id = "int", amount = "decimal(2)", name = "string", at = "timestamp" }`;
      const good = [1, 100, "a", 1_000_000];
      const cases: [string, unknown[], string][] = [
        ["id TINYINT", [300, 100, "a", 0], "mysql_value"],
        ["amount DECIMAL(9,1)", [2, 105, "a", 0], "mysql_value"],
        ["amount DECIMAL(4,2)", [2, 10_000, "a", 0], "mysql_value"],
        ["name VARCHAR(3)", [2, 100, "four", 0], "mysql_value"],
        ["name VARCHAR(3) CHARACTER SET latin1", [2, 100, "日", 0], "mysql_value"],
        ["at DATETIME", [2, 100, "a", 1_500_000], "mysql_value"],
        ["at DATETIME(3)", [2, 100, "a", 1_000_001], "mysql_value"],
        ["at TIMESTAMP", [2, 100, "a", -1e6], "mysql_value"],
        ["name ENUM('a','b')", [2, 100, "c", 0], "mysql_value"],
        ["name TEXT, UNIQUE (id)", [1, 100, "again", 0], "mysql_duplicate"],
      ];
      for (const [change, bad, code] of cases) {
        const [column] = change.split(" ");
        const columns = [["id", "INT"], ["amount", "DECIMAL(9,2)"], ["name", "TEXT"], ["at", "DATETIME(6)"]].map(([name, type]) =>
          name === column ? change : `${name} ${type}`
        );
        for (const bulk of ["auto", "off"]) {
          await database.admin(`CREATE OR REPLACE TABLE t (${columns.join(", ")})`);
          const loading = load(database.url, { fields, sink: `bulk_load = "${bulk}"` }, [good, bad], `${change}${bulk}`);
          assert.equal(await codeOf(loading), code, `${change}, ${bulk}`);
          assert.deepEqual(await database.rows("SELECT COUNT(*) FROM t"), [["0"]], change);
        }
      }
      await database.admin("CREATE OR REPLACE TABLE t (id INT, amount DECIMAL(9,2), name TEXT, at DATETIME) ENGINE=MyISAM");
      assert.equal(await codeOf(load(database.url, { fields }, [good])), "table_engine");
    });
  },
);

await withServers("mysql: a time column holds what the field says, in seconds too", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const fields =
      `fields = { id = "int", at = { type = "timestamp", format = "dd.MM.yyyy HH:mm:ss", zone = "Europe/Berlin" }, day = { type = "date", format = "dd.MM.yyyy" } }`;
    for (
      const [type, shown] of [["DATETIME", "2023-11-14 23:13:20"], ["DATETIME(3)", "2023-11-14 23:13:20.000"], [
        "VARCHAR(30)",
        "14.11.2023 23:13:20",
      ]]
    ) {
      for (const bulk of ["auto", "off"]) {
        await database.admin(
          `DROP TABLE IF EXISTS millrace_epochs; CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, at ${type}, day ${
            type === "VARCHAR(30)" ? type : "DATE"
          })`,
        );
        await load(database.url, { fields, sink: `bulk_load = "${bulk}"` }, [[1, 1_700_000_000_000_000, 19_675]], `${type}${bulk}`);
        assert.deepEqual(await database.rows("SELECT at, day FROM t"), [[shown, type === "VARCHAR(30)" ? "14.11.2023" : "2023-11-14"]]);
        const reader = await readerOf(database.url, { fields });
        const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 9, bytesMax: 999 }));
        reader.close();
        assert.deepEqual([rejects, rows[0].startsWith("1 1 [1,1700000000000000,19675]")], [[], true], rows[0]);
      }
    }
    await database.admin(
      "DROP TABLE IF EXISTS millrace_epochs; CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, at TIMESTAMP NULL, day DATE)",
    );
    await load(database.url, { fields }, [[1, 1_700_000_000_000_000, 19_675]], "timestamp");
    assert.deepEqual(await database.rows("SELECT UNIX_TIMESTAMP(at) FROM t"), [["1700000000"]]);
  });
});

await withServers("mysql: rows of one empty column are rows", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    for (const bulk of ["auto", "off"]) {
      await database.admin("DROP TABLE IF EXISTS millrace_epochs; CREATE OR REPLACE TABLE t (name TEXT)");
      await load(database.url, { sink: `columns = ["name"]\nbulk_load = "${bulk}"` }, [[1, 1, ""], [2, 1, null], [3, 1, ""]], bulk);
      assert.deepEqual(await database.rows("SELECT COUNT(*), COUNT(name) FROM t"), [["3", "2"]]);
    }
  });
});
