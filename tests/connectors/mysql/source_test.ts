/** The MySQL source: the same rows however they are cut, from every position, by keys of many kinds; nothing passed over in silence. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { withServers } from "../../services/mod.ts";
import { readAll } from "../support/rows.ts";
import { plan } from "../support/project.ts";
import { codeOf, FIELDS, readerOf, realWorld, toml } from "../support/sql.ts";
import { withDatabase } from "./support.ts";

const ROWS = 60;
/** Every eighth row is refused for its amount, every eleventh for its id. */
const ROW_SQL = `SELECT IF(seq % 11 = 7, 'x', seq), IF(seq % 8 = 5, '1.005', seq / 4), IF(seq % 5 = 0, NULL, CONCAT('näme ', seq))`;
const KEYS: Readonly<Record<string, readonly [declared: string, value: string]>> = {
  "an integer beyond 2^53": ["k BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - (seq * 37) % 101"],
  "a negative integer": ["k SMALLINT PRIMARY KEY", "(seq * 37) % 101 - 50"],
  "text without case": [
    "k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY",
    "CONCAT(IF(seq % 2 = 0, 'ä', 'Z'), (seq * 37) % 101, '\\'\"\\\\')",
  ],
  "a decimal": ["k DECIMAL(40,20) PRIMARY KEY", "12345678901234567890 + ((seq * 37) % 101) / 100000"],
  "a double": ["k DOUBLE PRIMARY KEY", "((seq * 37) % 101) / 7"],
  "a time": ["k DATETIME(6) PRIMARY KEY", "TIMESTAMP('2025-01-01') + INTERVAL (seq * 37) % 101 MICROSECOND"],
  "bytes": ["k BINARY(4) PRIMARY KEY", "UNHEX(LPAD(HEX(((seq * 37) % 101) * 20000000), 8, '0'))"],
  "two columns": ["k INT, l VARCHAR(9), PRIMARY KEY (k, l)", "(seq * 37) % 3, CONCAT('v', (seq * 37) % 101)"],
  "three columns": ["k INT, l INT, m INT, PRIMARY KEY (k, l, m)", "seq % 3, (seq * 7) % 4, seq"],
};

for (const [name, [declared, value]] of Object.entries(KEYS)) {
  await withServers(`mysql source by ${name}: a range is the same however it is cut, from every position`, ["mysql"], async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const columns = declared.split(/ ?[A-Z][^,]*(?:, )?/).filter((part) => /^[klm]$/.test(part)).join(", ");
      const numbers = Array.from({ length: ROWS }, (_, seq) => `SELECT ${seq} AS seq`).join(" UNION ALL ");
      await database.admin(`CREATE TABLE t (id VARCHAR(9), amount VARCHAR(20), name TEXT, ${declared}) CHARACTER SET utf8mb4;
        INSERT INTO t (id, amount, name, ${columns}) ${ROW_SQL}, ${value} FROM (${numbers}) AS numbers`);
      const reader = await readerOf(database.url, {});
      const whole = await readAll(reader, reader.start, () => ({ rowsMax: 1, bytesMax: 1 << 20 }));
      assert.deepEqual([whole.last, whole.read, whole.rows.length + whole.rejects.length], ["end", ROWS, ROWS]);
      assert.ok(whole.rejects.some((text) => text.includes(" type:id ")) && whole.rejects.some((text) => text.includes(" scale:amount ")));
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
  });
}

await withServers(
  "mysql source: identity follows the content, not the numbers of an invisible key; progress ends at 1",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const invisible = "millrace_row BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY";
      await database.admin(`CREATE TABLE t (${invisible}, id INT, amount DECIMAL(9,2), name TEXT)`);
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
  "mysql source: numbers keep their digits, and what does not fit its field is rejected by name",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      await database.admin(
        `CREATE TABLE t (k INT PRIMARY KEY, a BIGINT UNSIGNED, b DECIMAL(30,10), c INT(8) ZEROFILL, d BIT(1), e TINYINT, f DATETIME, g TEXT, h BLOB);
      SET SESSION sql_mode = '';
      INSERT INTO t VALUES (1, 9007199254740991, 90071992547409.9100000000, 7, 1, 1, '2025-01-02 03:04:05', '[1.10]', 'x'),
        (2, 9007199254740992, 1, 7, 1, 1, '2025-01-02', '[]', ''), (3, 1, 1.005, 7, 1, 1, '2025-01-02', '[]', ''),
        (4, 1, 1, 7, 1, 2, '2025-01-02', '[]', ''), (5, 1, 1, 7, 1, 1, '0000-00-00', '[]', ''), (6, 1, 1, 7, 1, 1, '2025-01-02', 'no', ''),
        (7, NULL, 1, 7, 0, 0, '2025-01-02', '[]', ''), (8, 18446744073709551615, 1, 7, 0, 0, '2025-01-02', '[]', '')`,
      );
      const fields =
        `fields = { k = "int", a = "int", b = "decimal(2)", c = "int", d = "bool", e = "bool", f = "timestamp", g = "list<decimal(2)>" }`;
      const reader = await readerOf(database.url, { fields });
      const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 100, bytesMax: 1 << 20 }));
      reader.close();
      assert.deepEqual(rows.map((row) => row.slice(0, row.indexOf(" {"))), [
        "1 1 [1,9007199254740991,9007199254740991,7,true,true,1735787045000000,[110]]",
      ]);
      const reasons = rejects.map((row) => row.split(" ").filter((_, i) => i === 0 || i === 3).join(" "));
      assert.deepEqual(reasons, ["2 range:a", "3 scale:b", "4 type:e", "5 type:f", "6 json:g", "7 type:a", "8 range:a"]);
    });
  },
);

await withServers("mysql source: rows are not passed over in silence", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const read = async (source: string, fields = `fields = { id = "int" }`) =>
      await codeOf((async () => (await readerOf(database.url, { fields, source })).close())());
    assert.equal(await read(""), "table_missing");
    await database.admin(`CREATE TABLE t (id INT, k VARCHAR(9), e ENUM('b', 'a'), x FLOAT);
      INSERT INTO t VALUES (1, 'a', 'a', 0.1), (2, 'a', 'b', 0.2), (3, NULL, NULL, 0.3)`);
    assert.equal(await read(""), "read_by");
    for (const column of ["k", "nothing", "e", "x"]) assert.equal(await read(`read_by = ["${column}"]`), "read_by", column);
    assert.equal(await read('read_by = ["id"]'), "none");
    assert.equal(await read('read_by = ["id"]', `fields = { id = "int", absent = "int" }`), "column_missing");
  });
});

await withServers("mysql: check --connect tells what servers say", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
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
    assert.deepEqual(await database.rows("SHOW TABLES"), []);
    await database.admin("CREATE TABLE t (id INT PRIMARY KEY, amount DECIMAL(9,2), name TEXT)");
    assert.deepEqual(await inspect(""), ["none", "fine", "fine"]);
  });
});
