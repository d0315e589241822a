/**
 * `millrace prove` on real servers that are marked for tests: it has topics, databases and prefixes of its own there, leaves what stands
 * there alone, removes what it made, and notices a sink that doubles.
 */
import assert from "node:assert/strict";
import { inFolder, prove, writeProject } from "../prove/project.ts";
import { withBug } from "../prove/planted.ts";
import { edgesInput } from "./cards.ts";
import { makeTopic, topicsOf } from "./foreign_client.ts";
import { type ClickhouseServer, type MysqlServer, type PostgresServer, withServers } from "./mod.ts";
import { lackingS3, type S3Server, s3Server } from "./s3_server.ts";

const OWN = "millrace_prove_";

const databasesOf = {
  mysql: async ({ rows }: MysqlServer) => (await rows("SHOW DATABASES")).flat(),
  postgres: async ({ rows }: PostgresServer) => (await rows("SELECT datname FROM pg_database")).flat(),
  clickhouse: async ({ rows }: ClickhouseServer) => (await rows("SHOW DATABASES")).flat(),
};
const requireNone = (names: readonly string[]) => assert.deepEqual(names.filter((name) => name.includes(OWN)), []);

await withServers(
  "a project on a broker and a database is proved there; what stood there still does",
  ["kafka", "mysql"],
  async (servers) => {
    const { kafka, mysql } = servers;
    const name = `millrace_proved_${crypto.randomUUID().slice(0, 8)}`;
    await mysql.admin(
      `CREATE DATABASE ${name}; CREATE TABLE ${name}.decisions (transaction_id INT); INSERT INTO ${name}.decisions VALUES (7)`,
    );
    await makeTopic(kafka.brokers, name, 1);
    const url = new URL(mysql.url);
    url.pathname = name;
    try {
      await inFolder(async (folder) => {
        const env = {
          CARDS_BACKEND: "servers",
          KAFKA_BROKERS: kafka.brokers,
          MYSQL_URL: url.href,
          CARDS_TOPIC: name,
          CARDS_INPUT: edgesInput(),
          CARDS_OUTPUT: `${folder}/out`,
          CARDS_PARTITIONS: "2",
        };
        const words = ["--kills", "4", "--records", "150", "--json"];
        const unmarked = await prove(folder, words, { env, project: "config/cards" });
        assert.equal(unmarked.code, 2, unmarked.stderr);
        assert.match(unmarked.stderr, /error\[prove_server\].*the connection "(bus|serving)", which is not marked for tests/s);

        const { code, stdout, stderr } = await prove(folder, words, { env: { ...env, CARDS_TEST: "true" }, project: "config/cards" });
        assert.equal(code, 0, stdout + stderr);
        const { kills, sinks } = JSON.parse(stdout);
        assert.equal(kills, 4);
        for (const sink of ["topic", "decisions", "cards_table"]) {
          assert.ok(sinks.find((one: { sink: string }) => one.sink === sink)?.found > 0, `${sink} was read back\n${stdout}`);
        }
        assert.doesNotMatch(stdout + stderr, new RegExp(url.password));
      });
      requireNone(await databasesOf.mysql(mysql));
      requireNone(await topicsOf(kafka.brokers));
      assert.deepEqual(await mysql.rows(`SELECT * FROM ${name}.decisions`), [["7"]]);
      assert.deepEqual(await mysql.rows(`SHOW TABLES IN ${name}`), [["decisions"]]);
    } finally {
      await mysql.admin(`DROP DATABASE ${name}`);
    }
  },
);

const STORES = ({ postgres, clickhouse, s3, bucket }: Stores): string =>
  `[sources.payments]
type   = "csv"
path   = "in/payments.csv"
fields = { id = "int", account = "string", amount = "decimal(2)" }

[connections.bank]
type = "postgres"
url  = "${postgres.url}"
test = true

[connections.warehouse]
type     = "clickhouse"
url      = "${clickhouse.url}/millrace"
user     = "${clickhouse.user}"
password = "${clickhouse.password}"
test     = true

[connections.store]
type              = "s3"
endpoint          = "${s3.endpoint}"
access_key_id     = "${s3.accessKey}"
secret_access_key = "${s3.secretKey}"
test              = true

[sinks.rows]
connection = "bank"
inputs     = ["payments"]
table      = "payments"
create     = true

[sinks.facts]
connection = "warehouse"
inputs     = ["payments"]
table      = "payments"
key        = ["id"]
create     = true

[sinks.lake]
type       = "ndjson"
inputs     = ["payments"]
path       = "s3://${bucket}/lake"
publish    = "parts"
connection = "store"
`;
interface Stores {
  readonly postgres: PostgresServer;
  readonly clickhouse: ClickhouseServer;
  readonly s3: S3Server;
  readonly bucket: string;
}

const PAYMENTS = ["id,account,amount", ...Array.from({ length: 120 }, (_, id) => `${id},a${id % 7},${id}.25`)].join("\n") + "\n";
async function writeInput(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/in`);
  await Deno.writeTextFile(`${folder}/in/payments.csv`, PAYMENTS);
}

const noS3 = await lackingS3();
if (noS3 !== null) Deno.test(`SKIPPED (${noS3}): a database, a warehouse and an object store are proved at once`, () => {});
else {
  await withServers("a database, a warehouse and an object store are proved at once", ["postgres", "clickhouse"], async (servers) => {
    const s3 = await s3Server();
    if ("skipped" in s3) throw new Error(s3.skipped);
    const bucket = await s3.bucket();
    await inFolder(async (folder) => {
      await writeProject(folder, { toml: STORES({ ...servers, s3, bucket }) });
      await writeInput(folder);
      const { code, stdout, stderr } = await prove(folder, ["--kills", "4", "--records", "120", "--json"]);
      assert.equal(code, 0, stdout + stderr);
      const { rounds, sinks } = JSON.parse(stdout);
      for (const name of ["rows", "facts", "lake"]) {
        const { expected, found } = sinks.find(({ sink }: { sink: string }) => sink === name);
        assert.deepEqual([expected, found], [120 * rounds, 120 * rounds], name);
      }
    });
    requireNone(await databasesOf.postgres(servers.postgres));
    requireNone(await databasesOf.clickhouse(servers.clickhouse));
    assert.deepEqual(filesBelow(s3.folderOf(bucket)), []);
  });
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => isDirectory ? filesBelow(`${folder}/${name}`) : [name]);
}

/** Whoever takes the lane over writes each row twice: no marker, digest or position says so, only the rows do. */
const TWICE = {
  name: "a sink that was taken over delivers twice",
  file: "src/connectors/sql/sink_lane.ts",
  edits: [{
    find: 'if (await this.markers.advanceLane(session, this.writer, stamp) === "done") return;',
    replace: `if (await this.markers.advanceLane(session, this.writer, stamp) === "done") return;
        if (stamp.owner > 1) await this.putter.put(session, { text: this.#text, rows: this.#rows });`,
  }],
  seedsMax: 1,
};
const ON_MYSQL = ({ url }: MysqlServer): string =>
  `[sources.payments]
type   = "csv"
path   = "in/payments.csv"
fields = { id = "int", account = "string", amount = "decimal(2)" }

[connections.serving]
type = "mysql"
url  = "${url}"
test = true

[sinks.rows]
connection = "serving"
inputs     = ["payments"]
table      = "payments"
create     = true
`;

await withServers("a planted bug of a sink on a server is found, and nothing is left there", ["mysql"], async ({ mysql }) => {
  await inFolder(async (folder) => {
    await writeProject(folder, { toml: ON_MYSQL(mysql) });
    await writeInput(folder);
    const main = await withBug(`${folder}/copy`, TWICE);
    const { code, stdout, stderr } = await prove(folder, ["--kills", "2", "--records", "60", "--json"], { main });
    assert.equal(code, 1, stdout + stderr);
    const [{ sink, doubled, lost, unexpected }] = JSON.parse(stdout).sinks;
    assert.deepEqual([sink, doubled > 0, lost, unexpected], ["rows", true, 0, 0], stdout);
  });
  requireNone(await databasesOf.mysql(mysql));
});
