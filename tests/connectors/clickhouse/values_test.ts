/** Values between fields and ClickHouse columns: as they are, or refused with the column's name, on the real engine. */
import assert from "node:assert/strict";
import { parseColumnType } from "../../../src/connectors/clickhouse/column_type.ts";
import { statementsOf } from "../../../src/connectors/clickhouse/setup.ts";
import { withServers } from "../../services/mod.ts";
import { faultsOf } from "../support/project.ts";
import { run, stamp, thrownBy } from "../support/sql.ts";
import { type SinkChoices, sinkOf, toml, Warehouse, withWarehouse } from "./support.ts";

async function load(warehouse: Warehouse, choices: SinkChoices, rows: readonly (readonly unknown[])[]): Promise<void> {
  const { sink, batch } = await sinkOf(warehouse, choices);
  try {
    await sink.open(run("r", true));
    const lane = sink.lane(0);
    lane.write(batch(rows));
    await lane.deliver(stamp("r", 1));
  } finally {
    await sink.close();
  }
}
const SAFE = Number.MAX_SAFE_INTEGER;

await withServers("clickhouse: every type of field lands as it is in a created table", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    const fields =
      `fields = { i = "int", d = "decimal(2)", f = "double", s = "string", b = "bool", t = "timestamp", a = "date", l = "list<string>", n = "list<int?>", m = "map<string, int>", j = "json", o = "string?", q = "decimal(4)?" }`;
    const long = "ü€😀".repeat(300);
    await load(warehouse, { fields }, [
      [
        SAFE,
        -SAFE,
        0.1,
        long,
        true,
        1_737_026_625_123_456,
        7300,
        ["a", "", "ü"],
        [1, null],
        new Map([["x", 1]]),
        { k: [1, null] },
        null,
        null,
      ],
      [-SAFE, 5, -1e308, "", false, -1, -1, [], [], new Map(), null, "", -12_345],
    ]);
    const shown = await warehouse.rows(
      "SELECT i, toString(d), f, s = repeat('ü€😀', 300), length(s), b, t, a, l, n, m, j, o, q FROM t ORDER BY i DESC",
    );
    assert.deepEqual(shown, [
      [
        "9007199254740991",
        "-90071992547409.91",
        "0.1",
        "1",
        "2700",
        "true",
        "2025-01-16 11:23:45.123456",
        "1989-12-27",
        "['a','','ü']",
        "[1,NULL]",
        "{'x':1}",
        '{"k":[1,null]}',
        "\\N",
        "\\N",
      ],
      [
        "-9007199254740991",
        "0.05",
        "-1e308",
        "0",
        "0",
        "false",
        "1969-12-31 23:59:59.999999",
        "1969-12-31",
        "[]",
        "[]",
        "{}",
        "null",
        "",
        "-1.2345",
      ],
    ]);
    const types = await warehouse.rows(
      "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 't_rows' ORDER BY position",
    );
    assert.deepEqual(Object.fromEntries(types), {
      i: "Int64",
      d: "Decimal(18, 2)",
      f: "Float64",
      s: "String",
      b: "Bool",
      t: "DateTime64(6, \\'UTC\\')",
      a: "Date32",
      l: "Array(String)",
      n: "Array(Nullable(Int64))",
      m: "Map(String, Int64)",
      j: "String",
      o: "Nullable(String)",
      q: "Nullable(Decimal(18, 4))",
      millrace_run: "LowCardinality(String)",
      millrace_lane: "UInt32",
      millrace_epoch: "UInt64",
      millrace_row: "UInt32",
    });
  });
});

/** One column of a table of the user's own: values that it takes with what it then shows, and values that it cannot keep. */
const COLUMNS: readonly (readonly [type: string, field: string, good: readonly (readonly [unknown, string])[], bad: readonly unknown[]])[] =
  [
    ["Int8", "int", [[-128, "-128"], [127, "127"]], [128, -129]],
    ["UInt8", "int", [[0, "0"], [255, "255"]], [256, -1]],
    ["UInt8", "bool", [[true, "1"]], []],
    ["Int16", "int", [[-32768, "-32768"], [32767, "32767"]], [32768]],
    ["UInt16", "int", [[65535, "65535"]], [65536, -1]],
    ["Int32", "int", [[-2147483648, "-2147483648"], [2147483647, "2147483647"]], [2147483648]],
    ["UInt32", "int", [[4294967295, "4294967295"]], [4294967296, -1]],
    ["Int64", "int", [[SAFE, String(SAFE)], [-SAFE, String(-SAFE)], [-1, "-1"]], []],
    ["UInt64", "int", [[SAFE, String(SAFE)]], [-1]],
    ["Float64", "decimal(2)", [[10, "0.1"], [-12345, "-123.45"]], [SAFE]],
    ["Float64", "int", [[SAFE, String(SAFE)]], []],
    ["Decimal(9, 4)", "decimal(2)", [[-123, "-1.23"], [9999999, "99999.99"]], [10000000]],
    ["Decimal(18, 2)", "decimal(2)", [[SAFE, "90071992547409.91"]], []],
    ["Decimal(18, 6)", "decimal(2)", [[99999999999999, "999999999999.99"], [-99999999999999, "-999999999999.99"]], [100000000000000]],
    ["Decimal(38, 10)", "decimal(2)", [[SAFE, "90071992547409.91"], [-SAFE, "-90071992547409.91"], [-1, "-0.01"]], []],
    ["Decimal(18, 2)", "int", [[5, "5"]], []],
    ["LowCardinality(String)", "string", [["x", "x"]], []],
    ["LowCardinality(Nullable(String))", "string?", [[null, "\\N"], ["x", "x"]], []],
    ["String", "decimal(2)", [[1250, "12.50"]], []],
    ["String", "date", [[0, "1970-01-01"]], []],
    ["String", "list<int>", [[[1, 2], "[1,2]"]], []],
    ["Date", "date", [[0, "1970-01-01"], [65535, "2149-06-06"]], [-1, 65536]],
    ["Date32", "date", [[-25567, "1900-01-01"], [120529, "2299-12-31"]], [-25568, 120530]],
    ["DateTime('UTC')", "timestamp", [[1_000_000, "1970-01-01 00:00:01"]], [1_000_001, -1_000_000]],
    ["DateTime64(3, 'UTC')", "timestamp", [[-1000, "1969-12-31 23:59:59.999"]], [1]],
    ["DateTime64(9, 'UTC')", "timestamp", [[1, "1970-01-01 00:00:00.000001000"]], []],
    ["Array(LowCardinality(String))", "list<string>", [[["a", "b"], "['a','b']"]], []],
    ["Array(UInt8)", "list<int>", [[[1, 255], "[1,255]"]], [[256]]],
    ["Map(String, UInt32)", "map<string, int>", [[new Map([["a", 4294967295]]), "{'a':4294967295}"]], [new Map([["a", -1]])]],
  ];
await withServers("clickhouse: columns of one's own table take what fits and refuse the rest", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
    for (const [type, field, good, bad] of COLUMNS) {
      await warehouse.admin("DROP TABLE IF EXISTS t");
      await warehouse.admin(
        `CREATE TABLE t (n UInt32, v ${type}) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 9`,
      );
      const choices = { fields: `fields = { n = "int", v = "${field}" }`, sink: 'mode = "token"' };
      await load(warehouse, choices, good.map(([value], at) => [at, value]));
      assert.deepEqual((await warehouse.rows("SELECT v FROM t ORDER BY n")).flat(), good.map(([, text]) => text), `${field} in ${type}`);
      for (const value of bad) {
        const refused = await thrownBy(load(warehouse, choices, [[1, value]]));
        assert.deepEqual([refused.code, refused.message.includes(" v ")], ["clickhouse_value", true], `${field} ${value} in ${type}`);
      }
    }
  });
});

const MISFITS: readonly (readonly [type: string, field: string])[] = [
  ["Int32", "string"],
  ["String", "string?"],
  ["Decimal(9, 1)", "decimal(2)"],
  ["Float32", "double"],
  ["Int64", "decimal(2)"],
  ["Date", "timestamp"],
  ["UUID", "string"],
  ["Enum8('a' = 1)", "string"],
];
await withServers("clickhouse: a column that does not fit is told at the start, by name", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
    for (const [type, field] of MISFITS) {
      await warehouse.admin("DROP TABLE IF EXISTS t");
      await warehouse.admin(
        `CREATE TABLE t (n UInt32, v ${type}) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 9`,
      );
      const refused = await thrownBy(load(warehouse, { fields: `fields = { n = "int", v = "${field}" }`, sink: 'mode = "token"' }, []));
      assert.deepEqual(
        [refused.code, refused.message.includes("column v of table")],
        ["column_type", true],
      );
    }
  });
});

Deno.test("clickhouse: types are read as the server writes them", () => {
  assert.deepEqual(parseColumnType("Map(LowCardinality(String), Array(Nullable(Decimal(9, 2))))"), {
    kind: "map",
    key: { kind: "string" },
    value: { kind: "array", item: { kind: "nullable", of: { kind: "decimal", precision: 9, scale: 2 } } },
  });
  assert.deepEqual(parseColumnType("DateTime64(3, 'Asia/Tokyo')"), { kind: "datetime64", decimals: 3 });
  assert.deepEqual(parseColumnType("DateTime"), { kind: "datetime" });
  for (
    const text of [
      "Int128",
      "FixedString(3)",
      "Tuple(a Int8, b String)",
      "AggregateFunction(uniq, String)",
      "Decimal(76, 2)",
      "Enum8('a,(' = 1)",
      "",
    ]
  ) {
    assert.equal(parseColumnType(text).kind, "other", text);
  }
});

Deno.test("clickhouse: statements end with a semicolon at a line's end", () => {
  assert.deepEqual(statementsOf("-- a\nSELECT ';' AS x, 1;\n\n  -- b; c\nSELECT 2\n  FROM t ;\nSELECT 3"), [
    "SELECT ';' AS x, 1",
    "SELECT 2\n  FROM t",
    "SELECT 3",
  ]);
  assert.deepEqual(statementsOf("-- nothing\n"), []);
});

Deno.test("clickhouse: what is wrong with a sink is told with its place, and nothing of a url", async () => {
  const server = { url: "http://h:1", user: "u", password: "secret" } as Warehouse["server"];
  const faults = (choices: SinkChoices) => faultsOf(toml(new Warehouse(server), choices));
  assert.equal(await faults({}), "");
  assert.match(await faults({ sink: 'columns = ["id", "nope", "id"]' }), /no field "nope"[\s\S]*listed twice/);
  assert.match(await faults({ sink: 'mode = "upsert"' }), /needs a key/);
  assert.match(await faults({ sink: 'create = true\nkey = ["name"]' }), /may be null/);
  assert.match(await faults({ fields: 'fields = { millrace_row = "int" }' }), /uses itself/);
  for (const url of ["ftp://u:hidden@h", "http://u:hid%den@h", "http://h/a/b?hidden", "hidden"]) {
    const said = await faults({ url });
    assert.match(said, /the url/);
    assert.doesNotMatch(said.replace(/^.*url = .*$/m, ""), /hid/, url);
  }
  assert.match(await faults({ url: "http://someone@h" }), /user twice/);
  assert.match(await faults({ url: "http://:other@h" }), /two passwords|password twice/);
});
