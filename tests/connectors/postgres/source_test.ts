/** The PostgreSQL source: the same rows however they are cut, from every position, by keys of many kinds; nothing passed over in silence. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { withServers } from "../../services/mod.ts";
import { readAll } from "../support/rows.ts";
import { plan } from "../support/project.ts";
import { codeOf, FIELDS, readerOf, realWorld, toml } from "../support/sql.ts";
import { withDatabase } from "./support.ts";

const ROWS = 60;
/** Every eighth row is refused for its amount, every eleventh for its id. */
const ROW_SQL = `SELECT CASE WHEN seq % 11 = 7 THEN 'x' ELSE seq::text END, CASE WHEN seq % 8 = 5 THEN '1.005' ELSE (seq / 4)::text END,
  CASE WHEN seq % 5 <> 0 THEN 'näme ' || seq END`;
const KEYS: Readonly<Record<string, readonly [declared: string, value: string]>> = {
  "an integer beyond 2^53": ["k BIGINT PRIMARY KEY", "9223372036854775807 - (seq * 37) % 101"],
  "a negative integer": ["k SMALLINT PRIMARY KEY", "(seq * 37) % 101 - 50"],
  "text": ["k VARCHAR(20) PRIMARY KEY", `CASE WHEN seq % 2 = 0 THEN 'ä' ELSE 'Z' END || (seq * 37) % 101 || '''"\\\\'`],
  "text without case": ["k TEXT COLLATE nocase PRIMARY KEY", "CASE WHEN seq % 2 = 0 THEN 'ä' ELSE 'Z' END || (seq * 37) % 101"],
  "a decimal": ["k NUMERIC(40,20) PRIMARY KEY", "12345678901234567890 + ((seq * 37) % 101) / 100000.0"],
  "a double": ["k DOUBLE PRECISION PRIMARY KEY", "((seq * 37) % 101) / 7::float8"],
  "a float": ["k REAL PRIMARY KEY", "((seq * 37) % 101) / 7::float4"],
  "a time": ["k TIMESTAMP PRIMARY KEY", "TIMESTAMP '2025-01-01' + (seq * 37) % 101 * INTERVAL '1 microsecond'"],
  "an instant": ["k TIMESTAMPTZ PRIMARY KEY", "TIMESTAMPTZ '2025-01-01 00:00:00+02' + (seq * 37) % 101 * INTERVAL '1 microsecond'"],
  "bytes": ["k BYTEA PRIMARY KEY", "decode(lpad(to_hex(((seq * 37) % 101) * 20000000), 8, '0'), 'hex')"],
  "an enum": ["k INT, l colour, PRIMARY KEY (l, k)", "(seq * 37) % 101, (ARRAY['red', 'green', 'blue'])[1 + seq % 3]::colour"],
  "two columns": ["k INT, l VARCHAR(9), PRIMARY KEY (k, l)", "(seq * 37) % 3, 'v' || (seq * 37) % 101"],
  "three columns": ["k INT, l INT, m INT, PRIMARY KEY (k, l, m)", "seq % 3, (seq * 7) % 4, seq"],
};

for (const [name, [declared, value]] of Object.entries(KEYS)) {
  await withServers(
    `postgres source by ${name}: a range is the same however it is cut, from every position`,
    ["postgres"],
    async ({ postgres }) => {
      await withDatabase(postgres, async (database) => {
        const columns = declared.split(/ ?(?:[A-Z]|colour)[^,]*(?:, )?/).filter((part) => /^[klm]$/.test(part)).join(", ");
        await database.admin(`CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
        CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (id TEXT, amount TEXT, name TEXT, ${declared});
        INSERT INTO t (id, amount, name, ${columns}) ${ROW_SQL}, ${value} FROM generate_series(0, ${ROWS - 1}) AS seq`);
        const reader = await readerOf(database.url, {});
        const whole = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 1 << 20 }));
        assert.deepEqual([whole.last, whole.read, whole.rows.length + whole.rejects.length], ["end", ROWS, ROWS]);
        assert.ok(
          whole.rejects.some((text) => text.includes(" type:id ")) && whole.rejects.some((text) => text.includes(" scale:amount ")),
        );
        const limits = fc.record({ rowsMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 2000 }) });
        let at = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(limits, { minLength: 1, maxLength: 4 }), fc.nat(ROWS), async (cuts, to) => {
            const place = whole.places[at++ % whole.places.length];
            const rest = await readAll(reader, place.position, (poll) => cuts[poll % cuts.length]);
            assert.equal(rest.read, ROWS - place.read);
            assert.deepEqual([...rest.rows].sort(), [...whole.rows].filter((row) => parseInt(row) > place.read).sort());
            assert.deepEqual(rest.rejects, whole.rejects.filter((row) => parseInt(row) > place.read));
            const until = whole.places[Math.max(to, place.read)];
            const range = await readAll(reader, place.position, (poll) => ({ ...cuts[poll % cuts.length], until: until.position }));
            assert.deepEqual([range.read, range.places.at(-1)!.position], [until.read - place.read, until.position]);
          }),
          { seed: 4, numRuns: ROWS + 1 },
        );
        reader.close();
      });
    },
  );
}

await withServers(
  "postgres source: identity follows the content, not the numbers of a numbered key; progress ends at 1",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const numbered = "millrace_row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
      await database.admin(`CREATE TABLE t (id INT, amount DECIMAL(9,2), name TEXT, ${numbered})`);
      const source = (await plan(toml(database.url))).sources[0].plan.create(realWorld().world, new Set(["id", "amount", "name"]));
      const identityOf = async (rows: string) => {
        await database.admin(`DELETE FROM t; INSERT INTO t (id, amount, name) VALUES ${rows}`);
        return await source.identity();
      };
      const first = await identityOf("(1, 1.50, 'a'), (1, 1.50, 'a'), (2, 2, NULL)");
      assert.equal(await identityOf("(1, 1.50, 'a'), (1, 1.50, 'a'), (2, 2, NULL)"), first);
      const others = [
        "(1, 1.50, 'a'), (2, 2, NULL)",
        "(2, 2, NULL), (1, 1.50, 'a'), (1, 1.50, 'a')",
        "(1, 1.50, 'a'), (1, 1.50, 'a'), (2, 2, 'NULL')",
        "(1, 1.50, 'a'), (1, 1.51, 'a'), (2, 2, NULL)",
      ];
      const found = new Set([first]);
      for (const rows of others) found.add(await identityOf(rows));
      assert.equal(found.size, 1 + others.length);
      const reader = await source.reader(0);
      const { places } = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 100 }));
      reader.close();
      assert.deepEqual(places.map(({ position }) => source.progress!([position])), [0, 1 / 3, 2 / 3, 1]);
    });
  },
);

await withServers(
  "postgres source: numbers keep their digits, and what does not fit its field is rejected by name",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`CREATE DOMAIN cents AS NUMERIC(30,10);
        CREATE TABLE t (k INT PRIMARY KEY, a NUMERIC, b cents, c FLOAT8, d BOOLEAN, e SMALLINT, f TIMESTAMP, g TEXT, h BYTEA, i NUMERIC(9,3)[]);
        INSERT INTO t VALUES (1, 9007199254740991, 90071992547409.91, 7, true, 1, '2025-01-02 03:04:05', '[1.10]', 'x', '{1.10,NULL}'),
          (2, 9007199254740992, 1, 7, true, 1, '2025-01-02', '[]', '', '{}'), (3, 1, 1.005, 7, true, 1, '2025-01-02', '[]', '', '{}'),
          (4, 1, 1, 7, true, 2, '2025-01-02', '[]', '', '{}'), (5, 1, 1, 7, true, 1, 'infinity', '[]', '', '{}'),
          (6, 1, 1, 7, true, 1, '2025-01-02', 'no', '', '{}'), (7, NULL, 1, 7, false, 0, '2025-01-02', '[]', '', '{}'),
          (8, 'NaN', 1, 7, false, 0, '2025-01-02', '[]', '', '{}'), (9, 1, 'NaN', 7, false, 0, '2025-01-02', '[]', '', '{}'),
          (10, 1, 1, '-Infinity', false, 0, '2025-01-02', '[]', '', '{}'), (11, 1, 1, 7, false, 0, '0044-03-15 BC', '[]', '', '{}'),
          (12, 1, 1, 7, false, 0, '2025-01-02', '[]', '', '{1.005}')`);
      const fields =
        `fields = { k = "int", a = "int", b = "decimal(2)", c = "double", d = "bool", e = "bool", f = "timestamp", g = "list<decimal(2)>", i = "list<decimal(2)?>" }`;
      const reader = await readerOf(database.url, { fields });
      const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 100, bytesMax: 1 << 20 }));
      reader.close();
      assert.deepEqual(rows.map((row) => row.slice(0, row.indexOf(" {"))), [
        "1 1 [1,9007199254740991,9007199254740991,7,true,true,1735787045000000,[110],[110,null]]",
      ]);
      const reasons = rejects.map((row) => row.split(" ").filter((_, i) => i === 0 || i === 3).join(" "));
      assert.deepEqual(reasons, [
        ...["2 range:a", "3 scale:b", "4 type:e", "5 type:f", "6 json:g", "7 type:a", "8 type:a", "9 type:b", "10 type:c", "11 type:f"],
        "12 scale:i",
      ]);
    });
  },
);

await withServers("postgres source: rows are not passed over in silence", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const read = async (source: string, fields = `fields = { id = "int" }`) =>
      await codeOf((async () => (await readerOf(database.url, { fields, source })).close())());
    assert.equal(await read(""), "table_missing");
    await database.admin(`CREATE TABLE t (id INT, k VARCHAR(9), x JSON); CREATE VIEW v AS SELECT * FROM t;
      INSERT INTO t VALUES (1, 'a', '1'), (2, 'a', '2'), (3, NULL, NULL)`);
    assert.equal(await read(""), "read_by");
    for (const column of ["k", "nothing", "x", "ID"]) assert.equal(await read(`read_by = ["${column}"]`), "read_by", column);
    assert.equal(await read('read_by = ["id"]'), "none");
    assert.equal(await read('table = "v"\nread_by = ["id"]'), "none");
    assert.equal(await read('read_by = ["id"]', `fields = { id = "int", absent = "int" }`), "column_missing");
  });
});

await withServers("postgres: check --connect tells what servers say", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const inspect = async (sink: string) => {
      const { sources: [source], sinks } = await plan(toml(database.url, { sink, fields: FIELDS }));
      const { world } = realWorld();
      const ofSource = await codeOf(source.plan.inspect!(world));
      return [ofSource, ...await sinks.find(({ name }) => name === "out")!.plan.inspect!(world)].map((found) =>
        typeof found === "string" ? found : found.level
      );
    };
    assert.deepEqual(await inspect(""), ["table_missing", "fault"]);
    assert.deepEqual(await inspect("create = true"), ["table_missing", "fine", "fine"]);
    assert.deepEqual(await database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), []);
    await database.admin("CREATE TABLE t (id INT PRIMARY KEY, amount DECIMAL(9,2), name TEXT)");
    assert.deepEqual(await inspect(""), ["none", "fine", "fine"]);
  });
});
