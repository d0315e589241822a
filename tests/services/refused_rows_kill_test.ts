/**
 * Tables that refuse rows, and change their minds between and during the lives of a pipeline that is killed by SIGKILL again and again:
 * each row is in the table or among the rejects, once, and in one of them only.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { ProtocolStep } from "../../src/ports/probe.ts";
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import { Database as MysqlDatabase } from "../connectors/mysql/support.ts";
import { Database as PostgresDatabase } from "../connectors/postgres/support.ts";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

const SEED = 20251121;
const KILLS_WANTED = 15;
const LIVES_MAX = 40;
const ROWS = 600;
const EPOCH_ROWS = 20;
const MOOD_AFTER_MS = [300, 1500] as const;

/** Where a kill finds an outcome known here and not there. */
const STEPS: readonly ProtocolStep[] = [
  "intent_written",
  "sink_delivered",
  "refused_written",
  "sink_delivered",
  "head_flipped",
  "batch_processed",
];

interface Target {
  readonly connection: string;
  readonly table: string;
  /** What the table refuses from now on, by a number. */
  change(mood: number): Promise<void>;
  ids(): Promise<number[]>;
  /** Of refused rows, besides the others. */
  readonly reason: string;
}

const pipeline = (folder: string, { connection }: Target): string =>
  `[connections.table]
${connection}

[sources.file]
type   = "csv"
path   = "${folder}/payments.csv"
fields = { id = "int", code = "int", amount = "decimal(2)" }

[sinks.payments]
connection = "table"
table      = "payments"
inputs     = ["file"]
refused    = "reject"

[sinks.rejects]
type    = "ndjson"
path    = "${folder}/rejects.ndjson"
inputs  = ["*.rejected"]
columns = ["step", "reason", "position", "raw", "message"]
`;
/** Every 50th record is refused whatever the mood. */
const cents = (id: number): number => id % 50 === 7 ? 9_999_999 : id * 3;
const FILE = ["id,code,amount", ...Array.from({ length: ROWS }, (_, id) => `${id},${id % 13},${(cents(id) / 100).toFixed(2)}`)].join("\n") +
  "\n";

async function killUntilDone(target: Target, seed: number, test: Deno.TestContext): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/payments.csv`, FILE);
    await Deno.writeTextFile(`${folder}/store.toml`, pipeline(folder, target));
    const sequence = new SeededSequence(seed, "refused rows");
    const histogram = new Map<string, number>();
    let kills = 0;
    for (let life = 0;; life++) {
      assert.ok(life < LIVES_MAX, "it does not come to an end");
      await target.change(life);
      const dies = kills < KILLS_WANTED;
      const step = STEPS[life % STEPS.length];
      const env: Record<string, string> = dies ? { MILLRACE_KILL_AT: `${step}:${sequence.between(1, 3)}` } : {};
      const set = [`state=${folder}/state`, `epoch.records_max=${EPOCH_ROWS}`];
      const running = startMillrace(["run", `${folder}/store.toml`, "--quiet"], { input: folder, output: folder, set, env });
      // Once in the midst of the life too, from another connection.
      const timer = setTimeout(() => void target.change(life + 3), sequence.between(...MOOD_AFTER_MS));
      const { code, killed, stderr } = await running.ended;
      clearTimeout(timer);
      if (!killed) {
        assert.equal(code, 0, `life ${life}: ${stderr}`);
        break;
      }
      kills++;
      histogram.set(step, (histogram.get(step) ?? 0) + 1);
    }
    assert.ok(kills >= KILLS_WANTED, `only ${kills} kills before the end`);
    await verify(folder, target);
    // As the name of a step, since a quiet test run drops what tests print.
    const shown = [...histogram].toSorted().map(([name, count]) => `${name} ${count}`).join(", ");
    await test.step(`${kills} kills: ${shown}`, () => assert.ok(kills >= KILLS_WANTED));
  });
}

async function verify(folder: string, target: Target): Promise<void> {
  const lines = (await Deno.readTextFile(`${folder}/rejects.ndjson`)).trimEnd().split("\n");
  const rejects = lines.map((line) => JSON.parse(line) as { step: string; reason: string; raw: string; message: string });
  const taken = await target.ids();
  const refused = rejects.map(({ raw }) => Number(raw.split(",")[0]));
  assert.deepEqual([...taken, ...refused].sort((a, b) => a - b), Array.from({ length: ROWS }, (_, id) => id));
  assert.ok(refused.length >= ROWS / 10 && taken.length >= ROWS / 2, `${refused.length} refused, ${taken.length} taken`);
  for (const { step, reason, raw, message } of rejects) {
    assert.equal(step, "sink:payments");
    const id = Number(raw.split(",")[0]);
    assert.equal(raw, `${id},${id % 13},${(cents(id) / 100).toFixed(2)}`);
    // Rows that both would refuse are told by either.
    assert.match(
      reason,
      cents(id) === 9_999_999 ? /^sink:payments:(check|trigger|missing)/ : new RegExp(`^sink:payments:${target.reason}$`),
    );
    assert.ok(message.length > 10 && !message.includes("secret"), message);
  }
}

const TABLE = "CREATE TABLE payments (id INT PRIMARY KEY, code INT NOT NULL, amount DECIMAL(12,2) NOT NULL CHECK (amount < 90000))";
const WRONG_MOOD = "(NEW.id + (SELECT n FROM mood)) % 5 = 0";

Deno.test("a SQLite table that refuses rows: kills at every step, each row once", async (test) => {
  await inTemporaryFolder(async (folder) => {
    const path = `${folder}/t.sqlite`;
    const change = (sql: string): void => {
      using database = new DatabaseSync(path);
      database.exec(`PRAGMA busy_timeout = 20000; ${sql}`);
    };
    change(`PRAGMA journal_mode = WAL; ${TABLE}; CREATE TABLE mood (n INT); INSERT INTO mood VALUES (0);
      CREATE TRIGGER moody BEFORE INSERT ON payments WHEN ${WRONG_MOOD} BEGIN SELECT RAISE(ABORT, 'secret'); END`);
    await killUntilDone(
      {
        connection: `type = "sqlite"\npath = "${path}"`,
        table: "payments",
        reason: "trigger",
        change: (mood) => Promise.resolve(change(`UPDATE mood SET n = ${mood}`)),
        ids: () => {
          using database = new DatabaseSync(path);
          return Promise.resolve(database.prepare("SELECT id FROM payments ORDER BY id").all().map(({ id }) => Number(id)));
        },
      },
      SEED,
      test,
    );
  });
});

await withServers("a MySQL table that refuses rows: kills at every step, each row once", ["mysql"], async ({ mysql }, test) => {
  const database = await MysqlDatabase.make(mysql);
  try {
    await database.admin(`${TABLE}; CREATE TABLE mood (n INT); INSERT INTO mood VALUES (0);
      CREATE TRIGGER moody BEFORE INSERT ON payments FOR EACH ROW SET NEW.code = IF(${WRONG_MOOD}, NULL, NEW.code)`);
    await killUntilDone(
      {
        connection: `type = "mysql"\nurl = "${database.url}"`,
        table: "payments",
        reason: "missing:code",
        change: (mood) => database.admin(`UPDATE mood SET n = ${mood}`),
        ids: async () => (await database.rows("SELECT id FROM payments ORDER BY id")).map(([id]) => Number(id)),
      },
      SEED + 1,
      test,
    );
  } finally {
    await database.drop();
  }
});

await withServers("a PostgreSQL table that refuses rows: kills at every step, each row once", ["postgres"], async ({ postgres }, test) => {
  const database = await PostgresDatabase.make(postgres);
  try {
    await database.admin(`${TABLE}; CREATE TABLE mood (n INT); INSERT INTO mood VALUES (0);
      CREATE FUNCTION moody() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF ${WRONG_MOOD} THEN RAISE EXCEPTION 'secret'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER moody BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION moody()`);
    await killUntilDone(
      {
        connection: `type = "postgres"\nurl = "${database.url}"`,
        table: "payments",
        reason: "trigger",
        change: (mood) => database.admin(`UPDATE mood SET n = ${mood}`),
        ids: async () => (await database.rows("SELECT id FROM payments ORDER BY id")).map(([id]) => Number(id)),
      },
      SEED + 2,
      test,
    );
  } finally {
    await database.drop();
  }
});
