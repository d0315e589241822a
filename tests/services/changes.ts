/** A database whose tables change at full speed, a pipeline that follows them, and what its triggers say happened. */
import assert from "node:assert/strict";
import type { CardsRun } from "../golden/command_line.ts";
import { inTemporaryFolder } from "../golden/command_line.ts";
import type { KafkaBroker, PostgresServer } from "./mod.ts";
import { type Running, startMillrace } from "./processes.ts";

/** What a test gets; everything in it is gone afterwards. */
export interface Ledger {
  readonly server: PostgresServer;
  readonly database: string;
  readonly slot: string;
  /** The project's folder. */
  readonly folder: string;
  rows(sql: string): Promise<string[][]>;
  /** As the tables' owner. */
  admin(sql: string): Promise<void>;
}

let made = 0;

/** A writer changes a few of its own rows, commits and goes on until `halt` has a row; triggers write down what it did. */
const SCHEMA = `
CREATE TABLE ledger (id INT PRIMARY KEY, writer INT NOT NULL, version INT NOT NULL, note TEXT);
ALTER TABLE ledger REPLICA IDENTITY FULL;
CREATE TABLE accounts (id INT PRIMARY KEY, writer INT NOT NULL, version INT NOT NULL);
CREATE TABLE halt (id INT);
CREATE TABLE audit (seq BIGSERIAL, what TEXT, op TEXT, id INT, writer INT, version INT);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN INSERT INTO audit (what, op, id, writer, version) VALUES (TG_TABLE_NAME, TG_OP, OLD.id, OLD.writer, OLD.version);
  ELSE INSERT INTO audit (what, op, id, writer, version) VALUES (TG_TABLE_NAME, TG_OP, NEW.id, NEW.writer, NEW.version);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION note();
CREATE PROCEDURE churn(me INT, pause FLOAT, changes INT) LANGUAGE plpgsql AS $$
DECLARE n INT := 0; k INT;
BEGIN
  WHILE NOT EXISTS (SELECT 1 FROM halt) LOOP
    n := n + 1;
    FOR i IN 1..1 + floor(random() * 2 * changes)::int LOOP
      k := me * 1000 + floor(random() * 50)::int;
      IF random() < 0.25 THEN DELETE FROM ledger WHERE id = k;
      ELSE INSERT INTO ledger VALUES (k, me, n, repeat('x', floor(random() * 40)::int)) ON CONFLICT (id) DO UPDATE SET version = n;
      END IF;
    END LOOP;
    IF n % 7 = 0 THEN INSERT INTO accounts VALUES (me * 1000 + n % 50, me, n) ON CONFLICT (id) DO UPDATE SET version = n; END IF;
    COMMIT;
    PERFORM pg_sleep(pause);
  END LOOP;
END $$;
`;

const projectToml = (url: string): string =>
  `[params]
output = { type = "string", env = "LEDGER_OUTPUT" }

[connections.db]
type = "postgres"
url  = ${JSON.stringify(url)}
` + `
[schemas.entry.fields]
id      = "int"
writer  = "int"
version = "int"
`;
/** All rows in one partition, beside their tables. */
const topicToml = (brokers: string, topic: string): string => `
[connections.bus]
type    = "kafka"
brokers = "${brokers}"

[sinks.topic]
connection = "bus"
topic      = "${topic}"
inputs     = ["ledger_placed", "accounts_placed"]
create     = { partitions = 1 }
`;
const pipelineToml = (slot: string): string =>
  `kind = "stream"
[epoch]
every = "100ms"
` + ["ledger", "accounts"].map((table) => `
[sources.${table}]
connection = "db"
table      = "${table}"
read       = "changes"
slot       = "${slot}"
create     = true
deletes    = "pass"
schema     = "entry"

[transforms.${table}_placed]
type   = "map"
inputs = ["${table}"]
set    = { place = "meta.position", what = "'${table}'" }

[sinks.${table}_seen]
connection = "db"
table      = "${table}_seen"
inputs     = ["${table}_placed"]
mode       = "append"
create     = true
`).join("");

/** Runs `body` with a fresh database and project; with a broker the rows also go to a topic, named as the database. */
export async function ledgerOn(
  server: PostgresServer,
  body: (ledger: Ledger) => Promise<void>,
  kafka: KafkaBroker | null = null,
): Promise<void> {
  const database = `millrace_${Deno.pid}_${crypto.randomUUID().slice(0, 8)}_${++made}`;
  const url = new URL(server.url);
  await server.admin(`CREATE DATABASE ${database} OWNER ${url.username}`);
  url.pathname = database;
  const admin = (sql: string) => server.admin(`SET ROLE ${url.username}; ${sql}`, database);
  try {
    await admin(SCHEMA);
    await inTemporaryFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/millrace.toml`, projectToml(url.href));
      await Deno.writeTextFile(`${folder}/follow.toml`, `${pipelineToml(database)}${kafka ? topicToml(kafka.brokers, database) : ""}`);
      await body({ server, database, slot: database, folder, rows: (sql) => server.rows(sql, database), admin });
    });
  } finally {
    await server.start();
    await server.admin(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = '${database}' AND active`);
    await server.admin(`DROP DATABASE ${database} WITH (FORCE)`);
  }
}

/** Starts the pipeline. */
export function follow({ folder }: Ledger, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): Running {
  const run: CardsRun = { input: folder, output: folder, env: { LEDGER_OUTPUT: folder, ...env } };
  return startMillrace(["run", folder, "--quiet", ...flags], run);
}

/** Writers that go on until `halt`; what they return ends then. */
export function churn({ server, database }: Ledger, writers: number, pauseSeconds: number, changes = 2): Promise<unknown> {
  return Promise.all(
    Array.from({ length: writers }, (_, i) => server.rows(`CALL churn(${i + 1}, ${pauseSeconds}, ${changes})`, database)),
  );
}
export const halt = ({ admin }: Ledger): Promise<void> => admin("INSERT INTO halt VALUES (1)");

export async function seenCount({ rows }: Ledger, table: string): Promise<number> {
  const [[there]] = await rows(`SELECT to_regclass('${table}_seen') IS NOT NULL`);
  return there === "t" ? Number((await rows(`SELECT count(*) FROM ${table}_seen`))[0][0]) : 0;
}

/** "id:version" of what happened, by writer; `deleted` where the row went. */
interface Event {
  readonly id: string;
  readonly text: string;
  readonly deleted: boolean;
}

/** Whether what the sink has is what happened: a state of the table at some moment, then every change behind it, each once, in order. */
export async function requireFaithful(ledger: Ledger, table: string): Promise<void> {
  const { rows } = ledger;
  const positions = (await rows(`SELECT place FROM ${table}_seen ORDER BY place`)).map(([place]) => Number(place));
  assert.deepEqual(positions, positions.map((_, i) => i + 1), `${table}: every place is there once`);
  const writers = (await rows(`SELECT DISTINCT writer FROM audit WHERE what = '${table}' ORDER BY 1`)).map(([writer]) => writer);
  for (const writer of writers) {
    const seen = (await rows(`SELECT id, version FROM ${table}_seen WHERE writer = ${writer} ORDER BY place`)).map((row) => row.join(":"));
    const audit = await rows(`SELECT id, version, op FROM audit WHERE what = '${table}' AND writer = ${writer} ORDER BY seq`);
    const events = audit.map(([id, version, op]): Event => ({ id, text: `${id}:${version}`, deleted: op === "DELETE" }));
    assert.ok(isFaithful(seen, events), `${table}: what came of writer ${writer} is not what happened: ${seen.length} of ${events.length}`);
  }
}

/** As `requireFaithful`, of the rows of both tables in the order in which they are in the topic. */
export async function requireFaithfulTopic({ rows }: Ledger, values: readonly string[]): Promise<void> {
  const records = values.map((value) => JSON.parse(value) as { id: number; writer: number; version: number; place: number; what: string });
  assert.equal(new Set(records.map(({ what, place }) => `${what} ${place}`)).size, records.length, "every place is there once");
  const audit = await rows("SELECT what, id, version, op, writer FROM audit ORDER BY seq");
  for (const writer of new Set(audit.map((row) => row[4]))) {
    const own = audit.filter((row) => row[4] === writer);
    const events = own.map(([what, id, version, op]): Event => ({
      id: `${what}:${id}`,
      text: `${what}:${id}:${version}`,
      deleted: op === "DELETE",
    }));
    const seen = records.filter((record) => String(record.writer) === writer).map(({ what, id, version }) => `${what}:${id}:${version}`);
    assert.ok(
      isFaithful(seen, events),
      `the topic: what came of writer ${writer} is not what happened: ${seen.length} of ${events.length}`,
    );
  }
}

function isFaithful(seen: readonly string[], events: readonly Event[]): boolean {
  const state = new Map<string, string>();
  for (let behind = 0; behind <= events.length; behind++) {
    if (state.size + events.length - behind === seen.length) {
      const copied = seen.slice(0, state.size).toSorted();
      const followed = seen.slice(state.size);
      const sameState = JSON.stringify(copied) === JSON.stringify([...state.values()].toSorted());
      if (sameState && followed.every((text, i) => text === events[behind + i].text)) return true;
    }
    const next = events[behind];
    if (next?.deleted) state.delete(next.id);
    else if (next) state.set(next.id, next.text);
  }
  return false;
}

/** All that a command says; it must succeed. */
export async function millraceText(words: readonly string[], { folder }: Ledger): Promise<string> {
  const { code, stdout, stderr } = await startMillrace(words, { input: folder, output: folder, env: { LEDGER_OUTPUT: folder } }).ended;
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}
