/** PostgreSQL when things go wrong: connections killed in a transaction, commits in doubt, servers that stop, secrets in what is said. */
import assert from "node:assert/strict";
import type { Sink, SinkLane } from "../../../src/engine/contracts.ts";
import { Session } from "../../../src/connectors/postgres/driver.ts";
import { POSTGRES_ADDRESS } from "../../../src/connectors/postgres/postgres_connection.ts";
import { parseUrl } from "../../../src/connectors/sql/address.ts";
import { withServers } from "../../services/mod.ts";
import { faultsOf, plan } from "../support/project.ts";
import { isPostgresCommit, relayTo } from "../support/relay.ts";
import { codeOf, load, readerOf, realWorld, run, sinkOf, stamp, thrownBy, toml, until } from "../support/sql.ts";
import { Database, withDatabase } from "./support.ts";

interface Lane {
  readonly sink: Sink;
  readonly lane: SinkLane;
  write(...ids: number[]): void;
}
async function openLane(url: string, settings = "create = true", owner = 1): Promise<Lane> {
  const { sink, batch } = await sinkOf(url, { sink: settings });
  await sink.open(run("r", true));
  const lane = sink.lane(0);
  await lane.fence(owner);
  return { sink, lane, write: (...ids) => lane.write(batch(ids.map((id) => [id, 100, "a"]))) };
}
/** A connection of the test's own, to hold locks. */
async function sessionOf(database: Database): Promise<Session> {
  const login = parseUrl(database.url, POSTGRES_ADDRESS);
  assert.ok(typeof login !== "string");
  const address = {
    scheme: "postgres",
    ...login,
    passwordFile: "",
    tls: "off",
    caFile: "",
    connectTimeoutMs: 5000,
    schema: "public",
    setup: [],
  } as const;
  return await Session.open({ address, password: login.password, authorities: "" });
}
const ids = async (database: Database) => (await database.rows("SELECT id FROM t ORDER BY id")).flat().join(" ");
/** Ends the product's connections that are at such a statement or state. */
async function kill(database: Database, condition: string): Promise<void> {
  const found =
    `SELECT pid FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name LIKE 'millrace%' AND ${condition}`;
  await until(async () => (await database.rows(found)).length > 0);
  await database.server.admin(`SELECT pg_terminate_backend(pid) FROM (${found}) AS found`);
}

for (const mode of ["append", "ignore"]) {
  await withServers(
    `postgres, ${mode}: a connection killed in its transaction leaves nothing, and the epoch is delivered after a new take-over`,
    ["postgres"],
    async ({ postgres }) => {
      await withDatabase(postgres, async (database) => {
        const { sink, lane, write } = await openLane(database.url, `create = true\nmode = "${mode}"\nkey = ["id"]`);
        write(1);
        await lane.deliver(stamp("r", 1));
        const blocker = await sessionOf(database);
        // The rows go in behind the marker: whoever waits for the table's lock has an open transaction.
        await blocker.run("BEGIN");
        await blocker.run("LOCK TABLE t IN SHARE MODE");
        write(2, 3);
        const delivering = thrownBy(lane.deliver(stamp("r", 2)));
        await kill(database, `query LIKE '${mode === "append" ? "COPY" : 'INSERT INTO "t"'}%' AND wait_event_type = 'Lock'`);
        const lost = await delivering;
        assert.deepEqual([lost.code, lost.retry], ["postgres_lost", "wait"], lost.message);
        await blocker.close();
        assert.deepEqual(await lane.fence(2), { epoch: 1, digest: "0/1" });
        assert.equal(await ids(database), "1");
        write(2, 3);
        await lane.deliver(stamp("r", 2, 2));
        assert.equal(await ids(database), "1 2 3");
        await sink.close();
      });
    },
  );
}

await withServers("postgres: a connection that is killed while it sends megabytes is told as lost", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const { sink, batch } = await sinkOf(database.url, { sink: "create = true" });
    await sink.open(run("r", true));
    const lane = sink.lane(0);
    await lane.fence(1);
    const blocker = await sessionOf(database);
    await blocker.run("BEGIN");
    await blocker.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    // More than the sockets' buffers hold: the sender waits for the server, which waits for the lock.
    lane.write(batch(Array.from({ length: 400 }, (_, id) => [id, 100, "x".repeat(100_000)])));
    const delivering = thrownBy(lane.deliver(stamp("r", 1)));
    await kill(database, "query LIKE 'COPY%' AND wait_event_type = 'Lock'");
    assert.equal((await delivering).code, "postgres_lost");
    await blocker.close();
    assert.equal(await lane.fence(2), null);
    await sink.close();
  });
});

for (const mode of ["append", "upsert"]) {
  await withServers(
    `postgres, ${mode}: rows that went on their way early are there with their marker or not at all`,
    ["postgres"],
    async ({ postgres }) => {
      await withDatabase(postgres, async (database) => {
        const settings = { sink: `create = true\nmode = "${mode}"\nkey = ["id"]` };
        const wide = "x".repeat(50_000);
        const open = async (owner: number) => {
          const { sink, batch } = await sinkOf(database.url, settings);
          await sink.open(run("r", owner === 1));
          const lane = sink.lane(0);
          const marker = await lane.fence(owner);
          // A megabyte each, in several pieces: more than waits for the end of an epoch.
          const write = (...ids: number[]) =>
            ids.forEach((id) => lane.write(batch([[id, 100, wide], [id + 100, 100, wide], [id + 200, 100, wide]])));
          return { sink, lane, write, marker };
        };
        const first = await open(1);
        first.write(1, 2, 3, 4, 5, 6, 7);
        // On its way, and seen by nobody.
        const busy = `SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE 'COPY%' AND state = 'active'`;
        await until(async () => (await database.rows(busy)).length > 0);
        assert.equal(await ids(database), "");
        await first.lane.deliver(stamp("r", 1));
        const shown = await ids(database);
        assert.equal(shown.split(" ").length, 21);
        // The same epoch again: what was sent is taken back.
        first.write(1, 2, 3, 4, 5, 6, 7);
        await first.lane.deliver(stamp("r", 1));
        assert.equal(await ids(database), shown);
        // Dropped in the middle.
        first.write(11, 12, 13, 14, 15, 16, 17);
        first.lane.discard();
        assert.equal(first.lane.bytesHeld(), 0);
        assert.deepEqual(await first.lane.fence(1), { epoch: 1, digest: "0/1" });
        // Superseded in the middle: nothing of it is kept, and the successor does not wait for it.
        first.write(21, 22, 23, 24, 25, 26, 27);
        const second = await open(2);
        assert.deepEqual(second.marker, { epoch: 1, digest: "0/1" });
        // Its successor has ended the connection, rows and all; asking again it hears why.
        assert.equal(await codeOf(first.lane.deliver(stamp("r", 2))), "postgres_lost");
        assert.equal(await codeOf(first.lane.fence(1)), "fenced");
        assert.equal(await ids(database), shown);
        // Killed in the middle.
        second.write(31, 32, 33, 34, 35, 36, 37);
        await kill(database, "query LIKE 'COPY%' AND state = 'active'");
        assert.equal(await codeOf(second.lane.deliver(stamp("r", 2, 2))), "postgres_lost");
        assert.equal(await ids(database), shown);
        assert.deepEqual(await second.lane.fence(3), { epoch: 1, digest: "0/1" });
        second.write(41);
        await second.lane.deliver(stamp("r", 2, 3));
        assert.equal(await ids(database), `${shown} 41 141 241`.split(" ").toSorted((a, b) => Number(a) - Number(b)).join(" "));
        await Promise.all([first.sink.close(), second.sink.close()]);
      });
    },
  );
}

await withServers(
  "postgres: an older owner that stands still with its rows half sent holds nobody back",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const open = async (owner: number) => {
        const { sink, batch } = await sinkOf(database.url, { sink: 'create = true\nkey = ["id"]' });
        await sink.open(run("r", owner === 1));
        const lane = sink.lane(0);
        assert.equal(await lane.fence(owner), null);
        return { sink, lane, write: (id: number) => lane.write(batch([[id, 100, "x".repeat(600_000)]])) };
      };
      const old = await open(1);
      old.write(1);
      const copying = `SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE 'COPY%' AND state = 'active'`;
      await until(async () => (await database.rows(copying)).length > 0);
      const started = performance.now();
      const successor = await open(2);
      // The same key: it would have to wait for the other's transaction.
      successor.write(1);
      await successor.lane.deliver(stamp("r", 1, 2));
      assert.ok(performance.now() - started < 15_000);
      assert.equal(await ids(database), "1");
      assert.equal(await codeOf(old.lane.deliver(stamp("r", 1))), "postgres_lost");
      assert.equal(await codeOf(old.lane.fence(1)), "fenced");
      await Promise.all([old.sink.close(), successor.sink.close()]);
    });
  },
);

await withServers("postgres: a connection that ended between epochs is opened again without a word", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const { sink, lane, write } = await openLane(database.url);
    write(1);
    await lane.deliver(stamp("r", 1));
    await kill(database, "state = 'idle'");
    await until(async () =>
      (await database.rows(`SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name LIKE 'millrace%'`))
        .length === 0
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    write(2);
    await lane.deliver(stamp("r", 2));
    assert.equal(await ids(database), "1 2");
    await sink.close();
  });
});

for (const what of ["answer", "commit"] as const) {
  await withServers(`postgres: a COMMIT whose ${what} is lost is settled by the marker`, ["postgres"], async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const { hostname, port } = new URL(database.url);
      const relay = relayTo(hostname, Number(port), isPostgresCommit);
      const url = new URL(database.url);
      url.port = String(relay.port);
      const { sink, lane, write } = await openLane(url.href);
      write(1);
      relay.loseNext(what);
      // With the answer lost the epoch is there, with the COMMIT itself lost it is not; nobody may guess.
      assert.equal(await codeOf(lane.deliver(stamp("r", 1))), what === "answer" ? "none" : "postgres_lost");
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
  "postgres: a take-over waits for an older owner's open transaction, and reads what it left",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const old = await openLane(database.url);
      const zombie = await sessionOf(database);
      await zombie.run("BEGIN");
      await zombie.run("UPDATE millrace_epochs SET epoch = 1, digest = '0/1' WHERE epoch < 1 AND owner = 1");
      await zombie.run("INSERT INTO t (id, amount) VALUES (1, 1)");
      const { sink, batch } = await sinkOf(database.url, { sink: "create = true" });
      await sink.open(run("r", false));
      let fenced = false;
      const fencing = sink.lane(0).fence(2).finally(() => fenced = true);
      const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event_type = 'Lock'`;
      await until(async () => (await database.rows(waits)).length > 0);
      assert.equal(fenced, false);
      await zombie.run("COMMIT");
      assert.deepEqual(await fencing, { epoch: 1, digest: "0/1" });
      old.lane.write(batch([[9, 9, "late"]]));
      // The take-over ends the older owner's connection too: it may notice that first, and then asks the checkpoint store who owns the lane.
      assert.match(await codeOf(old.lane.deliver(stamp("r", 2, 1))), /^(fenced|postgres_lost)$/);
      assert.equal(await ids(database), "1");
      await Promise.all([zombie.close(), sink.close(), old.sink.close()]);
    });
  },
);

await withServers("postgres: tables that several processes make at once are made once", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const sinks = await Promise.all(Array.from({ length: 8 }, () => sinkOf(database.url, { sink: "create = true" })));
    assert.deepEqual(await Promise.all(sinks.map(({ sink }) => codeOf(sink.open(run("r", false))))), Array(8).fill("none"));
    await Promise.all(sinks.map(({ sink }) => sink.close()));
  });
});

await withServers(
  "postgres: a server that is down is waited for and told, at the start and in between",
  ["postgres"],
  async ({ postgres }) => {
    const database = await Database.make(postgres);
    await postgres.stop();
    try {
      const { world, logged } = realWorld();
      const { sink, batch } = await sinkOf(database.url, { sink: "create = true", world });
      const opening = sink.open(run("r", true));
      await until(() => logged.some((line) => line.startsWith("warning server_unreachable")));
      await postgres.start();
      await opening;
      assert.ok(logged.some((line) => line.startsWith("info server_reached")), logged.join("\n"));
      const lane = sink.lane(0);
      await lane.fence(1);
      const reader = await readerOf(database.url, { source: 'read_by = ["id"]' }, world);
      await postgres.stop();
      lane.write(batch([[1, 100, "a"]]));
      for (const failing of [lane.deliver(stamp("r", 1)), lane.fence(2), reader.poll(reader.start, { rowsMax: 1, bytesMax: 1 })]) {
        const error = await thrownBy(failing);
        assert.deepEqual([error.retry, ["postgres_lost", "postgres_unreachable"].includes(error.code)], ["wait", true], error.message);
      }
      await postgres.start();
      assert.equal(await lane.fence(2), null);
      lane.write(batch([[1, 100, "a"]]));
      await lane.deliver(stamp("r", 1, 2));
      assert.equal((await reader.poll(reader.start, { rowsMax: 9, bytesMax: 999 })).kind, "batch");
      reader.close();
      await sink.close();
    } finally {
      await postgres.start();
      await database.drop();
    }
  },
);

Deno.test("postgres: waiting for a server ends when the run is stopped", async () => {
  const stop = new AbortController();
  const { world, logged } = realWorld(stop.signal);
  const { sink } = await sinkOf("postgres://me:secret@127.0.0.1:1/d", { world });
  const opening = codeOf(sink.open(run("r", true)));
  await until(() => logged.filter((line) => line.includes("server_unreachable")).length >= 2);
  stop.abort();
  assert.equal(await opening, "postgres_unreachable");
  await sink.close();
});

Deno.test("postgres: a server that says nothing is given up after the time to connect", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) accepted.push(connection);
  })();
  const { world } = realWorld(AbortSignal.abort());
  const url = `postgres://me:secret@127.0.0.1:${listener.addr.port}/d`;
  const { sink } = await sinkOf(url, { world, connection: 'connect_timeout = "200ms"' });
  const started = performance.now();
  assert.equal(await codeOf(sink.open(run("r", true))), "postgres_unreachable");
  assert.ok(performance.now() - started < 5_000);
  await sink.close();
  listener.close();
  await accepting;
  for (const connection of accepted) connection.close();
});

const PLANTED = "pl@nted/s3cret:word";
await withServers("postgres: a planted password and the rows' values are in nothing that is said", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    const user = `planted_${database.name}`;
    await postgres.admin(`CREATE ROLE ${user} LOGIN PASSWORD '${PLANTED}'`);
    await postgres.admin(`GRANT ALL ON SCHEMA public TO ${user}`, database.name);
    const { world, logged } = realWorld(AbortSignal.abort());
    const said: unknown[] = [];
    const at = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      url.username = user;
      url.password = encodeURIComponent(PLANTED);
      change(url);
      return url.href;
    };
    const fails = async (code: string, url: string, rows: unknown[][] = [[1, 100, "a"]], sink = "create = true") => {
      const error = await thrownBy(load(url, { sink, world }, rows, String(said.length)));
      said.push(error, error.cause);
      assert.equal(error.code, code, error.message);
    };
    try {
      await fails("postgres_denied", at((url) => url.password = encodeURIComponent(PLANTED + "x")));
      await fails("postgres_denied", at((url) => url.password = ""));
      await fails("postgres_database", at((url) => url.pathname = "/nowhere_at_all"));
      await fails("postgres_unreachable", at((url) => url.port = "1"));
      await fails("postgres_unreachable", at((url) => url.hostname = "nowhere.invalid"));
      await database.admin("CREATE TABLE t (id INT)");
      await fails("column_missing", at(() => {}));
      await database.admin(
        "DROP TABLE t; CREATE TABLE t (id INT PRIMARY KEY, amount NUMERIC(9,2), name TEXT UNIQUE CHECK (name <> '4111'))",
      );
      await fails("postgres_denied", at(() => {}));
      await database.admin(`GRANT ALL ON t TO ${user}`);
      const value = "4111 1111 1111 1111";
      await fails("postgres_duplicate", at(() => {}), [[1, 100, value], [2, 100, value]]);
      await fails("postgres_value", at(() => {}), [[1, 99_999_999_999, value]]);
      await database.admin("ALTER TABLE t DROP COLUMN name, ADD COLUMN name UUID");
      await fails("postgres_value", at(() => {}), [[1, 100, value]]);
      assert.match(String((said.at(-2) as Error).message), /column name/);
      await database.admin("ALTER TABLE t DROP COLUMN name, ADD COLUMN name VARCHAR(4)");
      await fails("postgres_value", at(() => {}), [[1, 100, value]]);
      await database.admin("ALTER TABLE t DROP COLUMN name, ADD COLUMN name TEXT CHECK (name = '')");
      await fails("postgres_value", at(() => {}), [[1, 100, value]]);
      for (
        const bad of [
          at((url) => url.pathname = "/"),
          at((url) => url.search = "?sslmode=require"),
          `postgres://planted:${PLANTED}%@h/d`,
          `postgresx://a:${encodeURIComponent(PLANTED)}@h/d`,
        ]
      ) {
        const text = await faultsOf(toml(bad));
        assert.match(text, /the url /);
        said.push(text);
      }
      const fine = at(() => {});
      said.push(
        (await plan(toml(fine, { sink: "create = true" }))).sinks.map(({ plan: { place, guaranteeNote } }) => place + guaranteeNote),
      );
      const text = [...said.map((one) => Deno.inspect(one, { depth: 9, showHidden: true })), ...logged].join("\n");
      for (const secret of [PLANTED, encodeURIComponent(PLANTED), "s3cret", value]) {
        assert.equal(text.includes(secret), false, `${secret} in ${text}`);
      }
      assert.ok(text.includes("password authentication failed") && logged.length > 0);
    } finally {
      await postgres.admin(`DROP OWNED BY ${user}`, database.name);
      await postgres.admin(`DROP ROLE ${user}`);
    }
  });
});

await withServers(
  "postgres: a password from a file, and connections encrypted as they are asked for",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const url = new URL(database.url);
      const file = await Deno.makeTempFile();
      const ca = await Deno.makeTempFile();
      await Deno.writeTextFile(file, decodeURIComponent(url.password) + "\n");
      const parts = (more: string, host = url.hostname) =>
        toml("postgres://", { sink: "create = true" }).replace(
          'url = "postgres://"',
          `host = "${host}"\nport = ${url.port}\nuser = "${url.username}"\ndatabase = "${database.name}"\n${more}`,
        );
      const open = async (text: string) => {
        const { world } = realWorld(AbortSignal.abort());
        const sink = (await plan(text)).sinks.find(({ name }) => name === "out")!.plan.create(world);
        const code = await codeOf(sink.open(run("r", true)));
        const lane = code === "none" ? sink.lane(0) : null;
        await lane?.fence(1);
        const encrypted = await database.rows(
          `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = '${database.name}' AND application_name LIKE 'millrace%'`,
        );
        await sink.close();
        return [code, ...new Set(encrypted.flat())].join(" ");
      };
      const password = `password_file = "${file}"\n`;
      assert.equal(await open(parts(password)), "none f");
      assert.equal(await open(parts(`password_file = "${file}.absent"`)), "file_missing");
      if (postgres.caFile === null) {
        assert.equal(await open(parts(`${password}tls = "require"`)), "postgres_tls");
      } else {
        await Deno.copyFile(postgres.caFile, ca);
        assert.equal(await open(parts(`${password}tls = "require"`)), "none t");
        assert.equal(await open(parts(`${password}tls = "verify"\nca_file = "${ca}"`, "localhost")), "none t");
        // Signed by nobody that is known.
        assert.equal(await open(parts(`${password}tls = "verify"`, "localhost")), "postgres_tls");
      }
      await Promise.all([Deno.remove(file), Deno.remove(ca)]);
    });
  },
);

Deno.test("postgres: faults of the settings are told with their places", async () => {
  const url = "postgres://me:secret@h/d";
  assert.equal(await faultsOf(toml(url, { sink: 'mode = "upsert"\nkey = ["id"]' })), "");
  assert.equal(await faultsOf(toml("postgresql://me:secret@h/d")), "");
  assert.match(await faultsOf(toml(url, { sink: 'mode = "upsert"' })), /mode = "upsert" needs a key/);
  assert.match(await faultsOf(toml(url, { sink: 'key = ["idd"]' })), /the key's column "idd" is not written/);
  assert.match(await faultsOf(toml(url, { sink: 'create = true\nkey = ["name"]' })), /"name" may be null/);
  assert.match(await faultsOf(toml(url, { sink: 'mode = "ignore"\nkey = ["name"]' })), /"name" may be null/);
  assert.match(await faultsOf(toml(url, { connection: 'host = "h"' })), /both a url and host/);
  assert.match(await faultsOf(toml(url, { connection: 'password_file = "f"' })), /a password in its url and a password_file/);
  assert.match(await faultsOf(toml(url, { connection: 'ca_file = "f"' })), /ca_file is not used with tls = "off"/);
  assert.match(await faultsOf(toml("postgres://me:secret@[::1]/d", { connection: 'tls = "verify"' })), /needs the server's name/);
  assert.match(await faultsOf(toml(url).replace(/url = .*/, 'host = "h"')), /neither a url nor user, database/);
});
