/** A pipeline that follows PostgreSQL tables, as its users start it. */
import assert from "node:assert/strict";
import { churn, follow, halt, type Ledger, ledgerOn, millraceText, requireFaithful, seenCount } from "./changes.ts";
import { eventually } from "./instance.ts";
import { withServers } from "./mod.ts";

await withServers(
  "postgres changes: a slot has one reader: a second pipeline ends with exit code 3 and says who has it",
  ["postgres"],
  async ({ postgres }) => {
    await ledgerOn(postgres, async (ledger) => {
      const first = follow(ledger);
      await first.says(/changes_connected/);
      // The same project with a state of its own, as on another machine.
      const other = `${ledger.folder}/other`;
      await Deno.mkdir(other);
      const second = follow(ledger, { LEDGER_OUTPUT: other });
      const { code, stderr } = await second.ended;
      assert.equal(code, 3, stderr);
      assert.match(stderr, /is being read by server process \d+/);
      first.stop();
      const ended = await first.ended;
      assert.equal(ended.code, 0, ended.stderr);
    });
  },
);

await withServers(
  "postgres changes: a planned stop and a start lose and double nothing, while the tables are written",
  ["postgres"],
  async ({ postgres }) => {
    await ledgerOn(postgres, async (ledger) => {
      const writing = churn(ledger, 2, 0.005);
      for (let life = 0; life < 3; life++) {
        const running = follow(ledger);
        await running.says(/changes_connected/);
        await new Promise((resolve) => setTimeout(resolve, 800));
        running.stop();
        const { code, stderr } = await running.ended;
        assert.equal(code, 0, stderr);
      }
      await halt(ledger);
      await writing;
      const last = follow(ledger);
      await cameToRest(ledger);
      last.stop();
      await last.ended;
      for (const table of ["ledger", "accounts"]) await requireFaithful(ledger, table);
    });
  },
);

await withServers(
  "postgres changes: started over while the tables are written, the tables are copied again and every change behind them comes once",
  ["postgres"],
  async ({ postgres }) => {
    await ledgerOn(postgres, async (ledger) => {
      const writing = churn(ledger, 3, 0);
      for (let life = 0; life < 5; life++) {
        const running = follow(ledger, {}, life === 0 ? [] : ["--rerun"]);
        await running.says(/changes_connected/);
        await new Promise((resolve) => setTimeout(resolve, 300));
        running.stop();
        const { code, stderr } = await running.ended;
        assert.equal(code, 0, stderr);
      }
      await halt(ledger);
      await writing;
      const last = follow(ledger);
      await cameToRest(ledger);
      last.stop();
      await last.ended;
      for (const table of ["ledger", "accounts"]) await requireFaithful(ledger, table);
    });
  },
);

await withServers("postgres changes: the server stops in order and at once under a running pipeline, and nothing is lost or doubled", [
  "postgres",
], async ({ postgres }) => {
  await ledgerOn(postgres, async (ledger) => {
    const running = follow(ledger);
    await running.says(/changes_connected/);
    for (const how of ["SIGINT", "SIGQUIT"] as const) {
      // Its transactions end with the server.
      const writing = churn(ledger, 2, 0.005).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 1500));
      Deno.kill(Number((await postgres.rows("SELECT pg_read_file('postmaster.pid')"))[0][0]), how);
      await postgres.stop();
      await writing;
      await postgres.start();
    }
    const writing = churn(ledger, 2, 0.005);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await halt(ledger);
    await writing;
    await cameToRest(ledger);
    running.stop();
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    for (const table of ["ledger", "accounts"]) await requireFaithful(ledger, table);
  });
});

await withServers("postgres changes: a table over the same slot is as it was when the record came", ["postgres"], async ({ postgres }) => {
  await ledgerOn(postgres, async (ledger) => {
    const connection = await Deno.readTextFile(`${ledger.folder}/millrace.toml`);
    await Deno.writeTextFile(
      `${ledger.folder}/millrace.toml`,
      `${connection}
[tables.accounts]
connection = "db"
table      = "accounts"
read       = "changes"
slot       = "${ledger.slot}"
create     = true
schema     = "entry"
key        = "id"
`,
    );
    await Deno.writeTextFile(
      `${ledger.folder}/follow.toml`,
      `kind = "stream"
[epoch]
every = "100ms"
[sources.ledger]
connection = "db"
table      = "ledger"
read       = "changes"
slot       = "${ledger.slot}"
create     = true
schema     = "entry"
[transforms.shown]
type   = "lookup"
inputs = ["ledger"]
lookup = { account = "accounts[writer]" }
set    = { account_version = "account.version" }
[sinks.joined_seen]
connection = "db"
table      = "joined_seen"
inputs     = ["shown"]
mode       = "append"
create     = true
`,
    );
    await ledger.admin("INSERT INTO accounts VALUES (7, 7, 100)");
    const running = follow(ledger);
    await running.says(/changes_connected/);
    // Each version of the account, then a row that refers to it, in one transaction or in two.
    for (let version = 1; version <= 40; version++) {
      const [first, second] = [
        `UPDATE accounts SET version = ${version} WHERE id = 7`,
        `INSERT INTO ledger VALUES (${version}, 7, ${version})`,
      ];
      if (version % 2 === 0) await ledger.admin(`${first}; ${second}`);
      else for (const sql of [first, second]) await ledger.admin(sql);
    }
    await ledger.admin("DELETE FROM accounts WHERE id = 7; INSERT INTO ledger VALUES (41, 7, 41)");
    const count = async () => {
      const [[there]] = await ledger.rows("SELECT to_regclass('joined_seen') IS NOT NULL");
      return there === "t" ? Number((await ledger.rows("SELECT count(*) FROM joined_seen"))[0][0]) : 0;
    };
    const came = await eventually(async () => await count() >= 41, 30_000);
    running.stop();
    const { stderr } = await running.ended;
    assert.ok(came, stderr);
    const rows = await ledger.rows("SELECT version, account_version FROM joined_seen ORDER BY version");
    assert.deepEqual(rows, [...Array.from({ length: 40 }, (_, i) => [`${i + 1}`, `${i + 1}`]), ["41", "NULL"]]);
  });
});

await withServers(
  "postgres changes: check --connect says what is there, what would be made, and how much log the slot keeps",
  ["postgres"],
  async ({ postgres }) => {
    await ledgerOn(postgres, async (ledger) => {
      const before = await millraceText(["check", ledger.folder, "--connect"], ledger);
      assert.match(before, /slot millrace_\w+ will be made/);
      assert.match(before, /wal_level = logical/);
      assert.match(before, /no publication/);
      const running = follow(ledger);
      await running.says(/changes_connected/);
      running.stop();
      await running.ended;
      const after = await millraceText(["check", ledger.folder, "--connect"], ledger);
      assert.match(after, /keeps \d+ KiB of the log; nobody reads it/);
      assert.match(after, /publication millrace_\w+ has table ledger/);
    });
  },
);

/** Until nothing comes for a while. */
async function cameToRest(ledger: Ledger): Promise<void> {
  let before = -1;
  const isQuiet = async () => {
    const now = await seenCount(ledger, "ledger");
    const isSame = now === before && now > 0;
    before = now;
    if (!isSame) await new Promise((resolve) => setTimeout(resolve, 2500));
    return isSame;
  };
  assert.ok(await eventually(isQuiet, 60_000), "what is written comes to an end");
}
