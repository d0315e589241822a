/** A lost or old checkpoint before sinks on servers; the others stand in tests/app. */
import { checkpointIsLost, checkpointIsOld, type LosingSink } from "../support/lost_checkpoint.ts";
import { lackingKcat, readCommittedWithKcat } from "./foreign_client.ts";
import { type AllServers, type ServerName, withServers } from "./mod.ts";
import { lackingS3, type S3Server, s3Server } from "./s3_server.ts";

/** A database of its own each time it is asked for. */
let made = 0;
const fresh = (): string => `millrace_lost_${Deno.pid}_${++made}`;

async function provesLoss<const S extends ServerName>(
  name: string,
  server: S,
  sinkOf: (server: AllServers[S]) => LosingSink | Promise<LosingSink>,
): Promise<void> {
  await withServers(`${name}: a lost or an old checkpoint is noticed, and each choice does what it says`, [server], async (servers) => {
    const sink = () => sinkOf((servers as Pick<AllServers, S>)[server]);
    await checkpointIsLost(sink);
    await checkpointIsOld(sink);
  });
}
const ids = (rows: readonly (readonly string[])[]): number[] => rows.map(([id]) => Number(id));
const urlWith = (url: string, database: string): string => url.replace(/\/[^/]*$/, `/${database}`);

for (const mode of ["append", "upsert", "replace"] as const) {
  const table = `connection = "target"\ntable = "payments"\ncreate = true\nmode = "${mode}"\n${mode === "upsert" ? 'key = ["id"]\n' : ""}`;
  await provesLoss(`mysql, ${mode}`, "mysql", async (mysql) => {
    const database = fresh();
    await mysql.admin(`CREATE DATABASE ${database}`);
    return {
      connection: `[connections.target]\ntype = "mysql"\nurl = "${urlWith(mysql.url, database)}"\n`,
      sink: table,
      ids: async () => ids(await mysql.rows(`SELECT id FROM ${database}.payments`)),
      anew: "once",
    };
  });
  await provesLoss(`postgres, ${mode}`, "postgres", async (postgres) => {
    const database = fresh();
    await postgres.admin(`CREATE DATABASE ${database} OWNER ${new URL(postgres.url).username}`);
    return {
      connection: `[connections.target]\ntype = "postgres"\nurl = "${urlWith(postgres.url, database)}"\n`,
      sink: table,
      ids: async () => ids(await postgres.rows("SELECT id FROM payments", database)),
      anew: "once",
    };
  });
}

for (const mode of ["append", "upsert"] as const) {
  await provesLoss(`clickhouse, ${mode}`, "clickhouse", ({ url, user, password, rows }) => {
    const database = fresh();
    return {
      connection: `[connections.target]
type = "clickhouse"
url = "${url}"
user = "${user}"
password = "${password}"
database = "${database}"
`,
      sink: `connection = "target"\ntable = "payments"\ncreate = true\nmode = "${mode}"\nkey = ["id"]\n`,
      ids: async () => ids(await rows("SELECT id FROM payments ORDER BY id", database)),
      anew: "once",
    };
  });
}

const withoutKcat = await lackingKcat();
if (withoutKcat !== null) Deno.test(`SKIPPED (${withoutKcat}): kafka: a lost or an old checkpoint is noticed`, () => {});
else {
  await provesLoss("kafka", "kafka", ({ brokers }) => {
    const topic = fresh();
    return {
      connection: `[connections.target]\ntype = "kafka"\nbrokers = "${brokers}"\n`,
      sink: `connection = "target"\ntopic = "${topic}"\ncreate = { partitions = 2 }\nkey = "id"\n`,
      ids: async () => (await readCommittedWithKcat(brokers, topic)).map(({ value }) => JSON.parse(value).id),
      anew: "half twice",
    };
  });
}

const withoutS3 = await lackingS3();
const s3 = "s3: a lost or an old checkpoint is noticed, and each choice does what it says";
if (withoutS3 !== null) Deno.test(`SKIPPED (${withoutS3}): ${s3}`, () => {});
else {
  Deno.test(s3, async () => {
    const store = await s3Server();
    if ("skipped" in store) throw new Error(store.skipped);
    await store.start();
    await checkpointIsLost(() => inBucket(store));
    await checkpointIsOld(() => inBucket(store));
  });
}

async function inBucket(store: S3Server): Promise<LosingSink> {
  const bucket = await store.bucket();
  return {
    connection: `[connections.target]
type = "s3"
endpoint = "${store.endpoint}"
access_key_id = "${store.accessKey}"
secret_access_key = "${store.secretKey}"
`,
    sink: `connection = "target"\ntype = "ndjson"\npath = "s3://${bucket}/payments"\npublish = "parts"\n`,
    ids: () => idsOfObjects(`${store.folderOf(bucket)}/payments`),
    anew: "once",
  };
}

async function idsOfObjects(folder: string): Promise<number[]> {
  const found: number[] = [];
  if (!(await Deno.stat(folder).catch(() => null))) return found;
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    for (const line of text.trimEnd().split("\n")) found.push(JSON.parse(line).id);
  }
  return found;
}
