/** ClickHouse when things go wrong: answers lost, servers slow, full, away or read only; and what `check --connect` says of tables. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { mustRun } from "../../services/run_command.ts";
import { plan } from "../support/project.ts";
import { realWorld, run, stamp, thrownBy, until } from "../support/sql.ts";
import { faultyWayTo } from "./faulty_way.ts";
import { type Made, type SinkChoices, sinkOf, toml, type Warehouse, withWarehouse } from "./support.ts";

interface Open extends Made {
  readonly lane: ReturnType<Made["sink"]["lane"]>;
  write(...ids: number[]): void;
}
async function open(warehouse: Warehouse, choices: SinkChoices = {}, fresh = true): Promise<Open> {
  const made = await sinkOf(warehouse, choices);
  await made.sink.open(run("r", fresh));
  const lane = made.sink.lane(0);
  await lane.fence(1);
  return { ...made, lane, write: (...ids) => lane.write(made.batch(ids.map((id) => [id, 100, "a"]))) };
}
const ids = (warehouse: Warehouse) => warehouse.shown("SELECT id FROM t ORDER BY id").then((rows) => rows.join(" "));

for (const mode of ["append", "token"]) {
  await withServers(
    `clickhouse, ${mode}: an insert whose answer is lost is sent again and is there once`,
    ["clickhouse"],
    async ({ clickhouse }) => {
      const way = faultyWayTo(clickhouse.url);
      try {
        await withWarehouse(clickhouse, async (warehouse) => {
          const { sink, lane, write } = await open(warehouse, { url: way.url, sink: `create = true\nmode = "${mode}"` });
          write(1, 2);
          way.next("answer_lost", "t");
          const lost = await thrownBy(lane.deliver(stamp("r", 1)));
          assert.deepEqual([lost.code, lost.retry], ["clickhouse_unreachable", "wait"]);
          assert.equal(await lane.fence(2), null, "no marker: whether it arrived is not known");
          write(1, 2);
          await lane.deliver(stamp("r", 1, 2));
          assert.equal(way.arrived.filter((table) => table.startsWith("t")).length, 2, "the rows arrived twice");
          assert.equal(await ids(warehouse), "1 2");
          await sink.close();
        });
      } finally {
        await way.close();
      }
    },
  );
}

await withServers("clickhouse: a marker whose answer is lost is found by the next owner", ["clickhouse"], async ({ clickhouse }) => {
  const way = faultyWayTo(clickhouse.url);
  try {
    await withWarehouse(clickhouse, async (warehouse) => {
      const { sink, lane, write } = await open(warehouse, { url: way.url });
      write(1);
      way.next("answer_lost", "millrace_epochs");
      assert.equal((await thrownBy(lane.deliver(stamp("r", 1)))).retry, "wait");
      assert.deepEqual(await lane.fence(2), { epoch: 1, digest: "0/1" });
      write(2);
      way.next("not_sent", "millrace_epochs");
      assert.equal((await thrownBy(lane.deliver(stamp("r", 2, 2)))).retry, "wait");
      assert.deepEqual(await lane.fence(3), { epoch: 1, digest: "0/1" }, "rows alone are no epoch");
      write(2);
      await lane.deliver(stamp("r", 2, 3));
      assert.equal(await ids(warehouse), "1 2");
      await sink.close();
    });
  } finally {
    await way.close();
  }
});

await withServers("clickhouse: a request that takes too long is given up and made again", ["clickhouse"], async ({ clickhouse }) => {
  const way = faultyWayTo(clickhouse.url);
  try {
    await withWarehouse(clickhouse, async (warehouse) => {
      const first = await open(warehouse);
      await first.sink.close();
      const { sink, lane, write } = await open(warehouse, { url: way.url, connection: 'request_timeout = "400ms"' }, false);
      write(1);
      way.next("slow", "t_rows");
      const late = await thrownBy(lane.deliver(stamp("r", 1)));
      assert.deepEqual([late.code, late.retry], ["clickhouse_unreachable", "wait"]);
      await lane.fence(2);
      write(1);
      await lane.deliver(stamp("r", 1, 2));
      assert.equal(await ids(warehouse), "1");
      await sink.close();
    });
  } finally {
    await way.close();
  }
});

await withServers(
  "clickhouse: a server that takes nothing now is asked again, and nothing is lost",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const { sink, lane, write } = await open(warehouse);
      write(1);
      await lane.deliver(stamp("r", 1));
      write(2);
      await lane.deliver(stamp("r", 2));
      await warehouse.admin("SYSTEM STOP MERGES t_rows");
      await warehouse.admin("ALTER TABLE t_rows MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1");
      write(3);
      const full = await thrownBy(lane.deliver(stamp("r", 3)));
      assert.deepEqual([full.code, full.retry], ["clickhouse_busy", "wait"]);
      assert.match(full.message, /[Tt]oo many parts/);
      await warehouse.admin("ALTER TABLE t_rows RESET SETTING parts_to_delay_insert, parts_to_throw_insert");
      await warehouse.admin("SYSTEM START MERGES t_rows");
      await lane.fence(2);
      write(3);
      await lane.deliver(stamp("r", 3, 2));
      assert.equal(await ids(warehouse), "1 2 3");
      await sink.close();

      const small = await open(warehouse, { user: "small" }, false);
      small.write(...Array.from({ length: 50_000 }, (_, id) => id));
      const starved = await thrownBy(small.lane.deliver(stamp("r", 4)));
      assert.deepEqual([starved.code, starved.retry], ["clickhouse_busy", "wait"]);
      assert.match(starved.message, /memory limit/i);
      await small.sink.close();
      assert.equal(await ids(warehouse), "1 2 3");
    });
  },
);

await withServers(
  "clickhouse: rows that the table refuses stop the run, and are taken once it does not",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const { sink, lane, write } = await open(warehouse);
      await warehouse.admin("ALTER TABLE t_rows ADD CONSTRAINT below CHECK id < 10");
      write(1, 20);
      const refused = await thrownBy(lane.deliver(stamp("r", 1)));
      assert.deepEqual([refused.code, refused.retry], ["clickhouse_value", "never"]);
      assert.match(refused.message, /below/);
      assert.equal(await ids(warehouse), "", "none of the block");
      await warehouse.admin("ALTER TABLE t_rows DROP CONSTRAINT below");
      await lane.fence(2);
      write(1, 20);
      await lane.deliver(stamp("r", 1, 2));
      assert.equal(await ids(warehouse), "1 20");
      await warehouse.admin("DROP TABLE t_rows");
      write(3);
      assert.equal((await thrownBy(lane.deliver(stamp("r", 2, 2)))).code, "table_missing");
      await sink.close();
    });
  },
);

await withServers(
  "clickhouse: who may not write, or is not known, is told so at once and without the password",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      await (await open(warehouse)).sink.close();
      const attempts: readonly (readonly [SinkChoices, string])[] = [
        [{ user: "reader" }, "clickhouse_read_only"],
        [{ user: "nobody" }, "clickhouse_denied"],
      ];
      for (const [choices, code] of attempts) {
        const { sink } = await sinkOf(warehouse, choices);
        const refused = await thrownBy(sink.open(run("r", false)));
        assert.equal(refused.code, code, refused.message);
        assert.equal(refused.retry, "never");
        assert.ok(!`${refused.message} ${refused.hint}`.includes(clickhouse.password));
        assert.equal(refused.cause, undefined);
        await sink.close();
      }
      const elsewhere = await sinkOf({ ...warehouse, name: "nowhere", server: clickhouse } as Warehouse, { sink: "" });
      assert.equal((await thrownBy(elsewhere.sink.open(run("r", true)))).code, "clickhouse_database");
      await elsewhere.sink.close();
    });
  },
);

await withServers(
  "clickhouse: a server that is not there is waited for, until the run is to stop",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const stopping = new AbortController();
      const { world, logged } = realWorld(stopping.signal);
      const { sink } = await sinkOf(warehouse, { url: "http://127.0.0.1:1", world });
      const opening = thrownBy(sink.open(run("r", true)));
      await until(() => logged.filter((line) => line.includes("server_unreachable")).length >= 2);
      stopping.abort();
      assert.equal((await opening).code, "clickhouse_unreachable");
      assert.ok(!logged.join("").includes(clickhouse.password));
      await sink.close();
    });
  },
);

await withServers("clickhouse: statements of setup run at every start, before the table is looked for; a wrong one is named", [
  "clickhouse",
], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(
        `${folder}/t.sql`,
        "CREATE TABLE IF NOT EXISTS t (id Int32, amount Decimal(9, 2), name Nullable(String)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 5;\nCREATE OR REPLACE VIEW v AS SELECT sum(id) AS s FROM t;\n",
      );
      await Deno.writeTextFile(`${folder}/bad.sql`, "SELECT 1;\nCREATE VIEW w AS SELECT nope FROM t;\n");
      const choices = { sink: 'mode = "token"', connection: `setup = ["${folder}/t.sql"]` };
      for (const epoch of [1, 2]) {
        const { sink, lane, write } = await open(warehouse, choices, epoch === 1);
        write(epoch);
        await lane.deliver(stamp("r", epoch));
        await sink.close();
      }
      // Starts of several pipelines at once do not get in one another's way.
      const several = await Promise.all(Array.from({ length: 6 }, () => open(warehouse, choices, false)));
      for (const { sink } of several) await sink.close();
      assert.deepEqual(await warehouse.rows("SELECT s FROM v"), [["3"]]);
      const wrong = await sinkOf(warehouse, { ...choices, connection: `setup = ["${folder}/bad.sql"]` });
      const refused = await thrownBy(wrong.sink.open(run("r", false)));
      assert.match(refused.message, /statement 2 of .*bad\.sql: .*nope/);
      await wrong.sink.close();
      const missing = await sinkOf(warehouse, { ...choices, connection: `setup = ["${folder}/none.sql"]` });
      assert.equal((await thrownBy(missing.sink.open(run("r", false)))).code, "file_missing");
      await missing.sink.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

/** What `check --connect` says: level and text of each finding, or the code of what is thrown. */
async function inspected(warehouse: Warehouse, choices: SinkChoices): Promise<string> {
  const { sinks } = await plan(toml(warehouse, choices));
  const findings = sinks.find(({ name }) => name === "out")!.plan.inspect!(realWorld().world);
  return await findings.then(
    (all) => all.map(({ level, text }) => `${level}: ${text}`).join("\n"),
    (error) => `${error.code}: ${error.message}`,
  );
}
await withServers(
  "clickhouse: check --connect reads engine, order and window, and names the guarantee that they give",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      assert.match(await inspected(warehouse, {}), /^fine: .*database millrace_.* and table t will be made/);
      assert.match(await inspected(warehouse, { sink: "" }), /^clickhouse_database: /);
      await clickhouse.admin(`CREATE DATABASE ${warehouse.name}`);
      assert.match(await inspected(warehouse, {}), /^fine: ClickHouse 26\..*: table t_rows will be made/);
      assert.match(await inspected(warehouse, { sink: "" }), /^fault: .*there is no table t$/);
      await (await open(warehouse)).sink.close();
      assert.match(await inspected(warehouse, {}), /^fine: .*ReplacingMergeTree, ordered by millrace_run, .*; exactly once/);
      assert.match(await inspected(warehouse, { sink: 'mode = "upsert"\nkey = ["id"]' }), /^table_engine: .*millrace_version/);
      assert.match(
        await inspected(warehouse, { fields: 'fields = { id = "string" }' }),
        /^column_type: column id .* is Int64, the field is string/,
      );
      assert.match(await inspected(warehouse, { fields: 'fields = { other = "int" }' }), /^column_missing: .*"other"/);

      const columns = "(id Int64, amount Decimal(9, 2), name Nullable(String))";
      await warehouse.admin(`CREATE TABLE plain ${columns} ENGINE = MergeTree ORDER BY id`);
      const plain = (sink: string) => inspected(warehouse, { table: "plain", sink });
      assert.match(await plain(""), /^table_engine: .*MergeTree, which keeps a row as often as it arrives/);
      assert.match(await plain('mode = "token"'), /^fault: .*remembers no inserts/);
      const { sink } = await sinkOf(warehouse, { table: "plain", sink: 'mode = "token"' });
      assert.equal((await thrownBy(sink.open(run("r", true)))).code, "table_window");
      await sink.close();
      await warehouse.admin("ALTER TABLE plain MODIFY SETTING non_replicated_deduplication_window = 7");
      assert.match(await plain('mode = "token"'), /^weak: .*within the next 7 inserts/);

      const tail = "millrace_run String, millrace_lane UInt32, millrace_epoch UInt64, millrace_row UInt32";
      await warehouse.admin(`CREATE TABLE wide ${columns.slice(0, -1)}, ${tail}) ENGINE = ReplacingMergeTree ORDER BY id`);
      assert.match(await inspected(warehouse, { table: "wide", sink: "" }), /^table_engine: .*not ordered by millrace_run/);
      await warehouse.admin("CREATE TABLE log (id Int64) ENGINE = Log");
      assert.match(await inspected(warehouse, { table: "log", sink: 'mode = "token"' }), /^table_engine: .*Log/);
      assert.match(await inspected(warehouse, { url: "http://127.0.0.1:1" }), /^clickhouse_unreachable: http:\/\/127\.0\.0\.1:1: /);
    });
  },
);

await withServers(
  "clickhouse: over TLS the server must show a certificate that is trusted; the password may lie in a file",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const folder = await Deno.makeTempDir();
      const [keyFile, caFile] = [`${folder}/key.pem`, `${folder}/cert.pem`];
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      await mustRun("openssl", [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        keyFile,
        "-out",
        caFile,
        ...subject,
      ]);
      await Deno.writeTextFile(`${folder}/password`, `${clickhouse.password}\n`);
      const way = faultyWayTo(clickhouse.url, { cert: Deno.readTextFileSync(caFile), key: Deno.readTextFileSync(keyFile) });
      try {
        const connectionOf = (more: string) => `password_file = "${folder}/password"\n${more}`;
        const choices = { url: way.url, password: "" };
        const trusted = await open(warehouse, { ...choices, connection: connectionOf(`ca_file = "${caFile}"`) });
        trusted.write(1);
        await trusted.lane.deliver(stamp("r", 1));
        await trusted.sink.close();
        assert.equal(await ids(warehouse), "1");
        const stopping = new AbortController();
        stopping.abort();
        const { world } = realWorld(stopping.signal);
        const { sink } = await sinkOf(warehouse, { ...choices, world, connection: connectionOf("") });
        const refused = await thrownBy(sink.open(run("r", false)));
        assert.deepEqual([refused.code, refused.retry], ["clickhouse_tls", "never"]);
        await sink.close();
      } finally {
        await way.close();
        await Deno.remove(folder, { recursive: true });
      }
    });
  },
);
