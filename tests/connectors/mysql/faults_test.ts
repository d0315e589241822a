/** MySQL when things go wrong: connections killed in a transaction, commits in doubt, servers that stop, secrets in what is said. */
import assert from "node:assert/strict";
import type { Sink, SinkLane } from "../../../src/engine/contracts.ts";
import { Session } from "../../../src/connectors/mysql/driver.ts";
import { parseUrl } from "../../../src/connectors/sql/address.ts";
import { MYSQL_ADDRESS } from "../../../src/connectors/mysql/mysql_connection.ts";
import { withServers } from "../../services/mod.ts";
import { faultsOf, plan } from "../support/project.ts";
import { isMysqlCommit, relayTo } from "../support/relay.ts";
import { codeOf, load, readerOf, realWorld, run, sinkOf, stamp, thrownBy, toml, until } from "../support/sql.ts";
import { Database, withDatabase } from "./support.ts";

const POLL_MS = 20;
interface Lane {
  readonly sink: Sink;
  readonly lane: SinkLane;
  write(...ids: number[]): void;
}
async function openLane(url: string, owner = 1, fresh = true): Promise<Lane> {
  const { sink, batch } = await sinkOf(url, { sink: "create = true" });
  await sink.open(run("r", fresh));
  const lane = sink.lane(0);
  await lane.fence(owner);
  return { sink, lane, write: (...ids) => lane.write(batch(ids.map((id) => [id, 100, "a"]))) };
}
/** A connection of the test's own, to hold locks. */
async function sessionOf(database: Database): Promise<Session> {
  const login = parseUrl(database.url, MYSQL_ADDRESS);
  assert.ok(typeof login !== "string");
  const address = { scheme: "mysql", ...login, passwordFile: "", tls: "off", caFile: "", connectTimeoutMs: 5000 } as const;
  return await Session.open({ address, password: login.password, authorities: "" });
}
const ids = async (database: Database) => (await database.rows("SELECT id FROM t ORDER BY id")).flat().join(" ");
/** Ends the connections that are at such a statement, or at none in an open transaction. */
async function kill(database: Database, condition: string): Promise<void> {
  const found = `SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '${database.name}' AND ${condition}`;
  await until(async () => (await database.rows(found)).length > 0);
  for (const [id] of await database.rows(found)) await database.admin(`KILL ${id}`);
}

await withServers("mysql: a connection killed in its transaction leaves nothing, and the epoch is delivered after a new take-over", [
  "mysql",
], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const { sink, lane, write } = await openLane(database.url);
    write(1);
    await lane.deliver(stamp("r", 1));
    const blocker = await sessionOf(database);
    // The rows go in behind the marker: whoever waits for the table's lock has an open transaction.
    await blocker.run("LOCK TABLES t READ");
    write(2, 3);
    const delivering = thrownBy(lane.deliver(stamp("r", 2)));
    await kill(database, "INFO LIKE 'LOAD DATA%'");
    const lost = await delivering;
    assert.deepEqual([lost.code, lost.retry], ["mysql_lost", "wait"]);
    await blocker.close();
    assert.deepEqual(await lane.fence(2), { epoch: 1, digest: "0/1" });
    assert.equal(await ids(database), "1");
    write(2, 3);
    await lane.deliver(stamp("r", 2, 2));
    assert.equal(await ids(database), "1 2 3");
    await sink.close();
  });
});

await withServers("mysql: a connection that ended between epochs is opened again without a word", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    const { sink, lane, write } = await openLane(database.url);
    write(1);
    await lane.deliver(stamp("r", 1));
    await kill(database, "COMMAND = 'Sleep'");
    await until(async () =>
      (await database.rows(`SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = '${database.name}' AND USER <> 'root'`)).length === 0
    );
    await new Promise((resolve) => setTimeout(resolve, 5 * POLL_MS));
    write(2);
    await lane.deliver(stamp("r", 2));
    assert.equal(await ids(database), "1 2");
    await sink.close();
  });
});

for (const what of ["answer", "commit"] as const) {
  await withServers(`mysql: a COMMIT whose ${what} is lost is settled by the marker`, ["mysql"], async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const { hostname, port } = new URL(database.url);
      const relay = relayTo(hostname, Number(port), isMysqlCommit);
      const url = new URL(database.url);
      url.port = String(relay.port);
      const { sink, lane, write } = await openLane(url.href);
      write(1);
      relay.loseNext(what);
      // With the answer lost the epoch is there, with the COMMIT itself lost it is not; nobody may guess.
      assert.equal(await codeOf(lane.deliver(stamp("r", 1))), what === "answer" ? "none" : "mysql_lost");
      assert.equal(await ids(database), what === "answer" ? "1" : "");
      const marker = await lane.fence(2);
      assert.deepEqual(marker, what === "answer" ? { epoch: 1, digest: "0/1" } : null);
      write(1);
      await lane.deliver(stamp("r", 1, 2));
      assert.equal(await ids(database), "1");
      await sink.close();
      await relay.close();
    });
  });
}

await withServers(
  "mysql: a take-over waits for an older owner's open transaction, and reads what it left",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const old = await openLane(database.url);
      const zombie = await sessionOf(database);
      await zombie.run("START TRANSACTION");
      await zombie.run("UPDATE millrace_epochs SET epoch = 1, digest = '0/1' WHERE epoch < 1 AND owner = 1");
      await zombie.run("INSERT INTO t (id, amount) VALUES (1, 1)");
      const { sink, batch } = await sinkOf(database.url, { sink: "create = true" });
      await sink.open(run("r", false));
      let fenced = false;
      const fencing = sink.lane(0).fence(2).finally(() => fenced = true);
      await until(async () =>
        (await database.rows(`SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = '${database.name}' AND COMMAND = 'Execute'`)).length >
          0
      );
      assert.equal(fenced, false);
      await zombie.run("COMMIT");
      assert.deepEqual(await fencing, { epoch: 1, digest: "0/1" });
      old.lane.write(batch([[9, 9, "late"]]));
      assert.equal(await codeOf(old.lane.deliver(stamp("r", 2, 1))), "fenced");
      assert.equal(await ids(database), "1");
      await Promise.all([zombie.close(), sink.close(), old.sink.close()]);
    });
  },
);

await withServers("mysql: a server that is down is waited for and told, at the start and in between", ["mysql"], async ({ mysql }) => {
  const database = await Database.make(mysql);
  await mysql.stop();
  try {
    const { world, logged } = realWorld();
    const { sink, batch } = await sinkOf(database.url, { sink: "create = true", world });
    const opening = sink.open(run("r", true));
    await until(() => logged.some((line) => line.startsWith("warning server_unreachable")));
    await mysql.start();
    await opening;
    assert.ok(logged.some((line) => line.startsWith("info server_reached")), logged.join("\n"));
    const lane = sink.lane(0);
    await lane.fence(1);
    const reader = await readerOf(database.url, { source: 'read_by = ["id"]' }, world);
    await mysql.stop();
    lane.write(batch([[1, 100, "a"]]));
    for (const failing of [lane.deliver(stamp("r", 1)), lane.fence(2), reader.poll(reader.start, { rowsMax: 1, bytesMax: 1 })]) {
      const error = await thrownBy(failing);
      assert.deepEqual([error.retry, ["mysql_lost", "mysql_unreachable"].includes(error.code)], ["wait", true], error.message);
    }
    await mysql.start();
    assert.equal(await lane.fence(2), null);
    lane.write(batch([[1, 100, "a"]]));
    await lane.deliver(stamp("r", 1, 2));
    assert.equal((await reader.poll(reader.start, { rowsMax: 9, bytesMax: 999 })).kind, "batch");
    reader.close();
    await sink.close();
  } finally {
    await mysql.start();
    await database.drop();
  }
});

Deno.test("mysql: waiting for a server ends when the run is stopped", async () => {
  const stop = new AbortController();
  const { world, logged } = realWorld(stop.signal);
  const { sink } = await sinkOf("mysql://me:secret@127.0.0.1:1/d", { world });
  const opening = codeOf(sink.open(run("r", true)));
  await until(() => logged.filter((line) => line.includes("server_unreachable")).length >= 2);
  stop.abort();
  assert.equal(await opening, "mysql_unreachable");
  await sink.close();
});

const PLANTED = "pl@nted/s3cret:word";
await withServers("mysql: a planted password and the rows' values are in nothing that is said", ["mysql"], async ({ mysql }) => {
  await withDatabase(mysql, async (database) => {
    await mysql.admin(
      `CREATE OR REPLACE USER 'planted'@'%' IDENTIFIED BY '${PLANTED}'; GRANT ALL ON \`${database.name}\`.* TO 'planted'@'%'`,
    );
    const { world, logged } = realWorld(AbortSignal.abort());
    const said: unknown[] = [];
    const at = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      url.username = "planted";
      url.password = encodeURIComponent(PLANTED);
      change(url);
      return url.href;
    };
    const fails = async (code: string, url: string, rows: unknown[][] = [[1, 100, "a"]], sink = "create = true") => {
      const error = await thrownBy(load(url, { sink, world }, rows, String(said.length)));
      said.push(error, error.cause);
      assert.equal(error.code, code, error.message);
    };
    await fails("mysql_denied", at((url) => url.password = encodeURIComponent(PLANTED + "x")));
    await fails("mysql_denied", at((url) => url.pathname = "/mysql"));
    await fails("mysql_unreachable", at((url) => url.port = "1"));
    await fails("mysql_unreachable", at((url) => url.hostname = "nowhere.invalid"));
    const fine = at(() => {});
    await database.admin("CREATE TABLE t (id INT PRIMARY KEY, amount DECIMAL(9,2), name VARCHAR(20) UNIQUE, ts ENUM('a'))");
    const value = "4111 1111 1111 1111";
    await fails("mysql_duplicate", fine, [[1, 100, value], [2, 100, value]]);
    await fails("mysql_value", fine, [[1, 100, value.repeat(9)]]);
    await database.admin("ALTER TABLE t MODIFY name INT");
    await fails("mysql_value", fine, [[1, 100, value]]);
    await database.admin("ALTER TABLE t MODIFY name DATETIME");
    await fails("mysql_value", fine, [[1, 100, value]]);
    for (
      const bad of [
        at((url) => url.pathname = "/"),
        at((url) => url.search = "?ssl=1"),
        `mysql://planted:${PLANTED}%@h/d`,
        `http://a:${encodeURIComponent(PLANTED)}@h/d`,
      ]
    ) {
      const text = await faultsOf(toml(bad));
      assert.match(text, /the url /);
      said.push(text);
    }
    said.push((await plan(toml(fine, { sink: "create = true" }))).sinks.map(({ plan: { place, guaranteeNote } }) => place + guaranteeNote));
    const text = [...said.map((one) => Deno.inspect(one, { depth: 9, showHidden: true })), ...logged].join("\n");
    for (const secret of [PLANTED, encodeURIComponent(PLANTED), "s3cret", value]) {
      assert.equal(text.includes(secret), false, `${secret} in ${text}`);
    }
    assert.ok(text.includes("Access denied") && logged.length > 0);
  });
});

await withServers(
  "mysql: a password may come from a file, and TLS is not done without when it is asked for",
  ["mysql"],
  async ({ mysql }) => {
    await withDatabase(mysql, async (database) => {
      const url = new URL(database.url);
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, decodeURIComponent(url.password) + "\n");
      const parts = (more: string) =>
        toml("", { sink: "create = true" }).replace(
          'url = ""',
          `host = "${url.hostname}"\nport = ${url.port}\nuser = "${url.username}"\ndatabase = "${database.name}"\n${more}`,
        );
      const open = async (text: string) => {
        const sink = (await plan(text)).sinks.find(({ name }) => name === "out")!.plan.create(realWorld().world);
        const code = await codeOf(sink.open(run("r", true)));
        await sink.close();
        return code;
      };
      assert.equal(await open(parts(`password_file = "${file}"`)), "none");
      assert.equal(await open(parts(`password_file = "${file}.absent"`)), "file_missing");
      const [[offers]] = await mysql.rows("SELECT @@have_ssl");
      if (offers !== "YES") assert.equal(await open(parts(`password_file = "${file}"\ntls = "require"`)), "mysql_tls");
      await Deno.remove(file);
    });
  },
);

Deno.test("mysql: faults of the settings are told with their places", async () => {
  const url = "mysql://me:secret@h/d";
  assert.equal(await faultsOf(toml(url, { sink: 'mode = "upsert"\nkey = ["id"]' })), "");
  assert.match(await faultsOf(toml(url, { sink: 'mode = "upsert"' })), /mode = "upsert" needs a key/);
  assert.match(await faultsOf(toml(url, { sink: 'key = ["idd"]' })), /the key's column "idd" is not written/);
  assert.match(await faultsOf(toml(url, { sink: 'create = true\nkey = ["name"]' })), /"name" may be null/);
  assert.match(await faultsOf(toml(url, { fields: 'fields = { id = "int", ID = "int" }' })), /two columns are called/);
  assert.match(await faultsOf(toml(url, { connection: 'host = "h"' })), /both a url and host/);
  assert.match(await faultsOf(toml(url, { connection: 'password_file = "f"' })), /a password in its url and a password_file/);
  assert.match(await faultsOf(toml(url, { connection: 'ca_file = "f"' })), /ca_file is not used with tls = "off"/);
  assert.match(await faultsOf(toml("mysql://me:secret@[::1]/d", { connection: 'tls = "verify"' })), /needs the server's name/);
  assert.equal(await faultsOf(toml(url, { connection: 'tls = "verify"\nca_file = "f"' })), "");
  assert.match(await faultsOf(toml(url).replace(/url = .*/, 'host = "h"')), /neither a url nor user, database/);
});
