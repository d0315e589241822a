/** The ClickHouse source: the same rows however they are cut, from every position, by keys of many kinds; nothing passed over in silence. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cell } from "../../../src/data/columns.ts";
import type { Source } from "../../../src/engine/contracts.ts";
import { withServers } from "../../services/mod.ts";
import { plan } from "../support/project.ts";
import { readAll } from "../support/rows.ts";
import { FIELDS, realWorld, run, stamp, thrownBy } from "../support/sql.ts";
import { sinkOf, type Warehouse, withWarehouse } from "./support.ts";

const ROWS = 60;
/** Every eighth row is refused for its amount, every eleventh for its id. */
const ROW_SQL =
  "if(number % 11 = 7, 'x', toString(number)), if(number % 8 = 5, '1.005', toString(number / 4)), if(number % 5 = 0, NULL, concat('näme ', toString(number)))";
const KEYS: Readonly<Record<string, readonly [declared: string, value: string]>> = {
  "an integer beyond 2^53": ["k UInt64", "toUInt64(18446744073709551615 - (number * 37) % 101)"],
  "a negative integer": ["k Int16", "toInt16((number * 37) % 101) - 50"],
  "text of any letters": ["k String", "concat(if(number % 2 = 0, 'ä', 'Z'), toString((number * 37) % 101), '\\'\"\\\\\\t\\n')"],
  "a decimal": ["k Decimal(38, 20)", "toDecimal128('123456789012345', 20) + toDecimal128((number * 37) % 101, 20) / 100000"],
  "a date": ["k Date32", "toDate32('1925-01-01') + (number * 37) % 101"],
  "two columns": ["k Int32, l LowCardinality(String)", "(number * 37) % 3, concat('v', toString((number * 37) % 101))"],
  "three columns": ["k Int8, l UInt8, m Int64", "number % 3, (number * 7) % 4, number"],
};

function sourceToml({ server, name }: Warehouse, fields: string, settings: string): string {
  return `[connections.warehouse]
type = "clickhouse"
url = "${server.url}/${name}"
user = "reader"
password = "${server.password}"
[sources.in]
connection = "warehouse"
${fields}
${settings}
[sinks.out]
type = "console"
inputs = ["in"]
`;
}
async function sourceOf(warehouse: Warehouse, settings = 'table = "t"', fields = FIELDS): Promise<Source> {
  const [{ plan: source, schema }] = (await plan(sourceToml(warehouse, fields, settings))).sources;
  return source.create(realWorld().world, new Set(schema.type.fields.map((field) => field.name)));
}

for (const [name, [declared, value]] of Object.entries(KEYS)) {
  await withServers(
    `clickhouse source by ${name}: a range is the same however it is cut, from every position`,
    ["clickhouse"],
    async ({ clickhouse }) => {
      await withWarehouse(clickhouse, async (warehouse) => {
        await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
        const columns = [...declared.matchAll(/\b([klm]) /g)].map(([, column]) => column).join(", ");
        await warehouse.admin(
          `CREATE TABLE t (id String, amount String, name Nullable(String), ${declared}) ENGINE = MergeTree ORDER BY (${columns})`,
        );
        await warehouse.admin(`INSERT INTO t (id, amount, name, ${columns}) SELECT ${ROW_SQL}, ${value} FROM numbers(${ROWS})`);
        const reader = await (await sourceOf(warehouse)).reader(0);
        const whole = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 1 << 20 }));
        assert.deepEqual([whole.last, whole.read, whole.rows.length + whole.rejects.length], ["end", ROWS, ROWS]);
        assert.ok(
          whole.rejects.some((text) => text.includes(" type:id ")) && whole.rejects.some((text) => text.includes(" scale:amount ")),
        );
        const limits = fc.record({ rowsMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 2000 }) });
        let at = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(limits, { minLength: 1, maxLength: 4 }), fc.nat(ROWS), async (cuts, to) => {
            const place = whole.places[(7 * at++) % whole.places.length];
            const rest = await readAll(reader, place.position, (poll) => cuts[poll % cuts.length]);
            assert.equal(rest.read, ROWS - place.read);
            assert.deepEqual([...rest.rows].sort(), [...whole.rows].filter((row) => parseInt(row) > place.read).sort());
            assert.deepEqual(rest.rejects, whole.rejects.filter((row) => parseInt(row) > place.read));
            const until = whole.places[Math.max(to, place.read)];
            const range = await readAll(reader, place.position, (poll) => ({ ...cuts[poll % cuts.length], until: until.position }));
            assert.deepEqual([range.read, range.places.at(-1)!.position], [until.read - place.read, until.position]);
          }),
          { seed: 4, numRuns: 12 },
        );
        reader.close();
      });
    },
  );
}

await withServers(
  "clickhouse source: what the sink wrote is read back as it was, through the view",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const fields =
        'fields = { i = "int", d = "decimal(2)", f = "double", s = "string", b = "bool", t = "timestamp", a = "date", l = "list<int>", m = "map<string, int>", j = "json", o = "string?", q = "decimal(4)?", w = "timestamp?" }';
      const rows: readonly (readonly unknown[])[] = [
        [
          1,
          -9_007_199_254_740_991,
          0.1,
          'ü\n"\\',
          true,
          1_737_026_625_123_456,
          7300,
          [1, -2],
          new Map([["x", 9_007_199_254_740_991]]),
          { k: [1, null, "a"] },
          null,
          null,
          null,
        ],
        [2, 5, -1e300, "", false, -1, -1, [], new Map(), {}, "", -12_345, 1],
      ];
      const { sink, batch } = await sinkOf(warehouse, { fields, sink: 'create = true\nkey = ["i"]' });
      await sink.open(run("r", true));
      const lane = sink.lane(0);
      for (let repetition = 0; repetition < 2; repetition++) {
        lane.write(batch(rows));
        await lane.deliver(stamp("r", 1));
      }
      await sink.close();
      const reader = await (await sourceOf(warehouse, 'table = "t"\nread_by = ["i"]', fields)).reader(0);
      const polled = await reader.poll(reader.start, { rowsMax: 10, bytesMax: 1 << 20 });
      assert.ok(polled.kind === "batch");
      assert.deepEqual(polled.rejected.map(({ reason }) => reason), []);
      const read = await readAll(reader, reader.start, () => ({ rowsMax: 10, bytesMax: 1 << 20 }));
      const made = batch(rows);
      const plain = (value: unknown) => value instanceof Map ? JSON.stringify([...value]) : JSON.stringify(value);
      for (const [row] of rows.entries()) {
        for (const [at, { name, type }] of made.type.fields.entries()) {
          const value = cell(polled.batch.columns[at]!, type, row);
          assert.equal(plain(value), plain(rows[row][at]), `${name} of row ${row}`);
        }
      }
      assert.equal(read.read, 2);
      reader.close();
    });
  },
);

await withServers("clickhouse source: a number that is none rejects its row", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
    await warehouse.admin("CREATE TABLE t (id UInt64, f Nullable(Float64), b UInt8) ENGINE = MergeTree ORDER BY id");
    await warehouse.admin(
      "INSERT INTO t VALUES (1, nan, 1), (2, inf, 0), (3, 1e-300, 2), (4, NULL, 1), (18446744073709551615, 1, 1), (5, 0.1, 0)",
    );
    const reader = await (await sourceOf(warehouse, 'table = "t"', 'fields = { id = "int", f = "double?", b = "bool" }')).reader(0);
    const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 10, bytesMax: 1 << 20 }));
    assert.deepEqual(rejects.map((text) => text.split(" ")[3]), ["type:f", "type:f", "type:b", "range:id"]);
    assert.deepEqual(rows.map((text) => /\[[^\]]*\]/.exec(text)![0]), ["[4,null,true]", "[5,0.1,false]"]);
    reader.close();
  });
});

await withServers("clickhouse source: times are what they are in whatever zone their column is; identity follows the content", [
  "clickhouse",
], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
    await warehouse.admin(
      "CREATE TABLE t (id Int32, s DateTime('Asia/Tokyo'), m DateTime64(3, 'America/New_York'), u DateTime64(6)) ENGINE = MergeTree ORDER BY id",
    );
    const fields = 'fields = { id = "int", s = "timestamp", m = "timestamp", u = "timestamp" }';
    const source = await sourceOf(warehouse, 'table = "t"', fields);
    const identityOf = async (value: string) => {
      await warehouse.admin("TRUNCATE TABLE t");
      await warehouse.admin(
        `INSERT INTO t SELECT 1, toDateTime(1737026625), toDateTime64('2025-01-16 11:23:45.123', 3, 'UTC'), toDateTime64('${value}', 6, 'UTC')`,
      );
      return await source.identity();
    };
    const first = await identityOf("2025-01-16 11:23:45.123456");
    assert.notEqual(await identityOf("2025-01-16 11:23:45.123457"), first);
    assert.equal(await identityOf("2025-01-16 11:23:45.123456"), first);
    const reader = await source.reader(0);
    const { rows } = await readAll(reader, reader.start, () => ({ rowsMax: 10, bytesMax: 1 << 20 }));
    assert.match(rows[0], /\[1,1737026625000000,1737026625123000,1737026625123456\]/);
    assert.equal(source.progress!(['1:["1"]']), 1);
    reader.close();
  });
});

await withServers(
  "clickhouse source: a table that cannot be read without passing rows over is refused",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
      await warehouse.admin(
        "CREATE TABLE t (id Int32, amount Decimal(9, 2), name Nullable(String), f Float64) ENGINE = MergeTree ORDER BY id",
      );
      await warehouse.admin("INSERT INTO t VALUES (1, 1, 'a', 0.5), (1, 2, 'b', 1.5)");
      await warehouse.admin("CREATE VIEW v AS SELECT * FROM t");
      const refusals: readonly (readonly [settings: string, code: string, text: RegExp])[] = [
        ['table = "t"', "read_by", /two rows share one/],
        ['table = "v"', "read_by", /it is a view/],
        ['table = "t"\nread_by = ["f"]', "read_by", /no exact order/],
        ['table = "t"\nread_by = ["name"]', "read_by", /no exact order/],
        ['table = "t"\nread_by = ["nope"]', "read_by", /no column nope/],
        ['table = "nope"', "table_missing", /no table "nope"/],
      ];
      for (const [settings, code, text] of refusals) {
        const refused = await thrownBy((await sourceOf(warehouse, settings)).reader(0));
        assert.equal(refused.code, code, settings);
        assert.match(refused.message, text);
      }
      const other = await thrownBy(
        (await sourceOf(warehouse, 'table = "t"\nread_by = ["amount"]', 'fields = { other = "int" }')).reader(0),
      );
      assert.equal(other.code, "column_missing");
      const reader = await (await sourceOf(warehouse, 'table = "v"\nread_by = ["amount"]')).reader(0);
      assert.equal((await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 99 }))).read, 2);
      reader.close();
      const [{ plan: source }] = (await plan(sourceToml(warehouse, FIELDS, 'table = "v"\nread_by = ["amount"]'))).sources;
      const [finding] = await source.inspect!(realWorld().world);
      assert.match(`${finding.level}: ${finding.text}`, /^fine: ClickHouse 26\..*: table v has 2 rows, read by amount$/);
    });
  },
);
