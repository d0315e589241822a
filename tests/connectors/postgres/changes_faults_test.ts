/** What must never be a silent gap: slots that were dropped or moved, tables that change their form, values that nobody told. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { realWorld, thrownBy } from "../support/sql.ts";
import { type ChangesTable, Following, slotOf } from "./changes_support.ts";
import { type Database, withDatabase } from "./support.ts";

const ITEMS: ChangesTable = { table: "items", fields: `{ id = "int", name = "string?", amount = "decimal(2)" }` };
const MADE = "CREATE TABLE items (id INT PRIMARY KEY, name TEXT, amount NUMERIC(12,2) NOT NULL, more TEXT)";

/** Reads until `count` rows came and are covered; gives where that is. */
async function readAndCover(database: Database, count: number, table = ITEMS, from: readonly string[] | null = null) {
  const { world } = realWorld();
  const following = await Following.open(database, [table], { world, from });
  await following.until(() => following.rows.length >= count);
  following.cover();
  const { positions, rows } = following;
  following.close();
  return { positions, rows };
}
/** What stops a reader from there on. */
async function faultFrom(database: Database, from: readonly string[] | null, table = ITEMS): Promise<string> {
  const { world } = realWorld();
  const following = await Following.open(database, [table], { world, from });
  try {
    return (await thrownBy(following.until(() => false))).code;
  } finally {
    following.close();
  }
}
/** Waits until nobody reads the slot. */
async function released(database: Database): Promise<void> {
  const free = async () =>
    (await database.rows(`SELECT 1 FROM pg_replication_slots WHERE database = '${database.name}' AND active`)).length === 0;
  for (let tries = 0; !(await free()); tries++) {
    assert.ok(tries < 500, "the slot is let go of");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await withServers(
  "postgres changes: a slot that was dropped, moved or made anew is an error, not a gap",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items VALUES (1, 'a', 1)`);
      const { positions } = await readAndCover(database, 1);
      const slot = `'${slotOf(database)}'`;
      await released(database);
      await database.admin("INSERT INTO items VALUES (2, 'missed', 2)");
      await database.admin(`SELECT pg_replication_slot_advance(${slot}, pg_current_wal_lsn())`);
      assert.equal(await faultFrom(database, positions), "changes_lost");
      await released(database);
      await database.admin(`SELECT pg_drop_replication_slot(${slot})`);
      assert.equal(await faultFrom(database, positions), "changes_lost");
      assert.deepEqual(await database.rows("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"), []);
      await database.admin(`SELECT pg_create_logical_replication_slot(${slot}, 'pgoutput')`);
      assert.equal(await faultFrom(database, positions), "changes_lost");
      await released(database);
      // From the start there is a way on: the table as it is, then what comes.
      const anew = await readAndCover(database, 2);
      assert.deepEqual(anew.rows.map(({ values }) => values[0]), [1, 2]);
      const elsewhere = positions.map((position) => position.replace(/^[^:]+/, "3w5e11264sgsgz1"));
      assert.equal(await faultFrom(database, elsewhere), "changes_lost");
      await released(database);
      await database.admin(`SELECT pg_drop_replication_slot(${slot}); SELECT pg_create_logical_replication_slot(${slot}, 'test_decoding')`);
      assert.equal(await faultFrom(database, null), "slot_kind");
    });
  },
);

await withServers("postgres changes: without create nothing is made, and what is missing is named", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin(`${MADE}; CREATE VIEW shown AS SELECT * FROM items`);
    const table = { ...ITEMS, settings: "create = false" };
    assert.equal(await faultFrom(database, null, table), "publication_missing");
    await database.admin(`CREATE PUBLICATION ${slotOf(database)}`);
    assert.equal(await faultFrom(database, null, table), "publication_missing");
    await database.admin(`ALTER PUBLICATION ${slotOf(database)} ADD TABLE items`);
    assert.equal(await faultFrom(database, null, table), "slot_missing");
    assert.equal(await faultFrom(database, null, { ...ITEMS, table: "nothing" }), "table_missing");
    assert.equal(await faultFrom(database, null, { ...ITEMS, table: "shown" }), "table_kind");
    assert.equal(await faultFrom(database, null, { ...ITEMS, fields: `{ id = "int", absent = "int" }` }), "column_missing");
  });
});

await withServers(
  "postgres changes: TRUNCATE stops behind the rows before it, unless it is to be ignored",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items VALUES (1, 'a', 1)`);
      let { positions } = await readAndCover(database, 1);
      await released(database);
      await database.admin("INSERT INTO items VALUES (2, 'b', 1)");
      await database.admin("BEGIN; INSERT INTO items VALUES (3, 'c', 1); TRUNCATE items; INSERT INTO items VALUES (4, 'd', 1); COMMIT");
      const following = await Following.open(database, [ITEMS], { world: realWorld().world, from: positions });
      await following.until(() => following.rows.length === 2);
      assert.equal(await following.turn(), false, "as long as a checkpoint may cover more, the fault waits");
      following.cover();
      assert.equal((await thrownBy(following.until(() => false))).code, "table_truncated");
      positions = following.positions;
      following.close();
      await released(database);
      assert.equal(await faultFrom(database, positions), "table_truncated");
      await released(database);
      const { rows } = await readAndCover(database, 1, { ...ITEMS, settings: 'truncate = "ignore"' }, positions);
      assert.deepEqual(rows.map(({ values }) => values[0]), [4]);
    });
  },
);

await withServers("postgres changes: columns that nobody reads may come and go; others stop the pipeline behind the rows before", [
  "postgres",
], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin(`${MADE}; INSERT INTO items VALUES (1, 'a', 1)`);
    const following = await Following.open(database, [ITEMS], { world: realWorld().world });
    await following.until(() => following.rows.length === 1);
    await database.admin("ALTER TABLE items ADD COLUMN further INT; INSERT INTO items VALUES (2, 'b', 1, 'x', 7)");
    await database.admin(
      "ALTER TABLE items DROP COLUMN more; ALTER TABLE items ALTER further TYPE TEXT; INSERT INTO items VALUES (3, 'c', 1, 'y')",
    );
    await following.until(() => following.rows.length === 3);
    await database.admin("INSERT INTO items VALUES (4, 'd', 1.25)");
    await database.admin("ALTER TABLE items ALTER amount TYPE TEXT; INSERT INTO items VALUES (5, 'e', '2.5')");
    await following.until(() => following.rows.length === 4);
    following.cover();
    assert.equal((await thrownBy(following.until(() => false))).code, "column_changed");
    following.close();
    await released(database);
    // Started again, it goes on behind the change; the text is still an exact amount.
    const { rows, positions } = await readAndCover(database, 1, ITEMS, following.positions);
    assert.deepEqual(rows.map(({ values }) => values), [[5, "e", 250]]);
    await released(database);
    await database.admin("ALTER TABLE items DROP COLUMN amount; INSERT INTO items VALUES (6, 'f')");
    assert.equal(await faultFrom(database, positions), "column_missing");
  });
});

await withServers("postgres changes: a long value that an update does not tell is rejected by name, with identity full it is there", [
  "postgres",
], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin(`${MADE}; ALTER TABLE items ALTER name SET STORAGE EXTERNAL; INSERT INTO items VALUES (1, 'a', 1)`);
    const following = await Following.open(database, [ITEMS], { world: realWorld().world });
    await following.until(() => following.rows.length === 1);
    await database.admin("INSERT INTO items VALUES (2, repeat('long', 5000), 1)");
    await database.admin("UPDATE items SET amount = 2 WHERE id = 2");
    await following.until(() => following.refused.length === 1);
    assert.deepEqual(following.refused.map(({ position, reason }) => [position, reason]), [[3, "unchanged:name"]]);
    assert.equal(following.refused[0].raw, '{"id":2,"name":null,"amount":2.00}');
    await database.admin("ALTER TABLE items REPLICA IDENTITY FULL; UPDATE items SET amount = 3 WHERE id = 2");
    await following.until(() => following.rows.length === 3);
    assert.deepEqual(following.rows[2].values, [2, "long".repeat(5000), 300]);
    await database.admin("UPDATE items SET name = repeat('y', 2 * 1048576) WHERE id = 1");
    await following.until(() => following.refused.length === 2);
    assert.equal(following.refused[1].reason, "too-long");
    following.close();
  });
});

await withServers(
  "postgres changes: a delete tells the key, with identity full all; another key is a delete of the old one",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items SELECT n, 'a', n FROM generate_series(1, 4) AS n`);
      const table = { ...ITEMS, settings: 'deletes = "pass"' };
      const following = await Following.open(database, [table], { world: realWorld().world });
      await following.until(() => following.rows.length === 4);
      await database.admin("DELETE FROM items WHERE id = 1; UPDATE items SET id = 20 WHERE id = 2");
      await database.admin("ALTER TABLE items REPLICA IDENTITY FULL");
      await database.admin(
        "DELETE FROM items WHERE id = 3; UPDATE items SET id = 40 WHERE id = 4; UPDATE items SET name = 'b' WHERE id = 40",
      );
      await following.until(() => following.rows.length === 11);
      const came = following.rows.slice(4).map(({ values: [id, name, amount], deleted }) =>
        deleted ? ["-", id, name] : ["+", id, name, amount]
      );
      assert.deepEqual(came.map((row) => row[0] === "-" && (row[1] as number) < 3 ? row.slice(0, 2) : row), [
        ["-", 1],
        ["-", 2],
        ["+", 20, "a", 200],
        ["-", 3, "a"],
        ["-", 4, "a"],
        ["+", 40, "a", 400],
        ["+", 40, "b", 400],
      ]);
      assert.deepEqual([following.refused, following.deletes], [[], 0]);
      following.close();
    });
  },
);

await withServers(
  "postgres changes: a server that stops, even at once, is waited for, and nothing is missed",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items VALUES (0, 'a', 1)`);
      const { world, logged } = realWorld();
      const following = await Following.open(database, [ITEMS], { world });
      await following.until(() => following.rows.length === 1);
      let ids = 1;
      for (const how of ["SIGINT", "SIGQUIT"] as const) {
        await database.admin(`INSERT INTO items SELECT n, 'b', 1 FROM generate_series(${ids}, ${ids + 999}) AS n`);
        await following.until(() => following.rows.length > ids, 100);
        const pid = Number((await postgres.rows("SELECT pg_read_file('postmaster.pid')"))[0][0]);
        Deno.kill(pid, how);
        // An orderly stop waits until we say that all it sent is covered.
        const covering = setInterval(() => void following.turn().then(() => following.cover()).catch(() => {}), 20);
        await postgres.stop();
        clearInterval(covering);
        await postgres.start();
        await database.admin(`INSERT INTO items SELECT n, 'c', 1 FROM generate_series(${ids + 1000}, ${ids + 1009}) AS n`);
        ids += 1010;
        await following.until(() => following.rows.length === ids);
      }
      assert.deepEqual(following.rows.map(({ values }) => values[0]), Array.from({ length: ids }, (_, i) => i));
      assert.ok(logged.some((line) => line.includes("changes_interrupted") || line.includes("server_unreachable")));
      following.close();
    });
  },
);

await withServers(
  "postgres changes: a long silence and a long pause are no reason for the server to give the reader up",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items VALUES (1, 'a', 1); ALTER DATABASE ${database.name} SET wal_sender_timeout = '3s'`);
      const { world, logged } = realWorld();
      const following = await Following.open(database, [ITEMS], { world });
      await following.until(() => following.rows.length === 1);
      for (const [count, pauseMs] of [[1, 5_000], [60_000, 5_000]] as const) {
        const before = following.rows.length;
        // More than is taken in while nobody asks.
        await database.admin(`INSERT INTO items SELECT n, repeat('x', 400), 1 FROM generate_series(${before + 1}, ${before + count}) AS n`);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await following.until(() => following.rows.length === before + count);
      }
      assert.deepEqual(logged.filter((line) => line.startsWith("warning")), []);
      following.close();
    });
  },
);

await withServers(
  "postgres changes: a copy that was not finished is taken anew, beside the slot that is there",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; INSERT INTO items SELECT n, 'before', 1 FROM generate_series(1, 20000) AS n`);
      const { world, logged } = realWorld();
      const first = await Following.open(database, [ITEMS], { world });
      while (!logged.some((line) => line.includes("slot_made"))) {
        await first.turn();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      first.close();
      await released(database);
      await database.admin("UPDATE items SET name = 'after' WHERE id <= 10000; DELETE FROM items WHERE id > 19990");
      const second = await Following.open(database, [ITEMS], { world: realWorld().world });
      await second.until(() => second.rows.length === 19_990);
      await database.admin("INSERT INTO items VALUES (0, 'last', 1)");
      await second.until(() => second.rows.length === 19_991);
      const names = new Map(second.rows.map(({ values: [id, name] }) => [id, name]));
      assert.deepEqual([names.size, names.get(1), names.get(10_001), names.get(0), second.deletes], [19_991, "after", "before", "last", 0]);
      second.close();
    });
  },
);

await withServers(
  "postgres changes: while its table has none, a source moves on with the log, so that the server may forget",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`${MADE}; CREATE TABLE others (id INT); INSERT INTO items VALUES (1, 'a', 1)`);
      const following = await Following.open(database, [ITEMS], { world: realWorld().world });
      await following.until(() => following.rows.length === 1);
      const confirmed = async () =>
        Number(
          (await database.rows(
            `SELECT pg_wal_lsn_diff(confirmed_flush_lsn, '0/0') FROM pg_replication_slots WHERE slot_name = '${slotOf(database)}'`,
          ))[0][0],
        );
      following.cover();
      const before = await confirmed();
      await database.admin("INSERT INTO others SELECT n FROM generate_series(1, 20000) AS n");
      const [position] = following.positions;
      await following.until(() => following.positions[0] !== position);
      assert.ok(await confirmed() < before + 1_000_000, "nothing is confirmed before a checkpoint");
      following.cover();
      const deadline = performance.now() + 10_000;
      while (await confirmed() < before + 1_000_000) {
        assert.ok(performance.now() < deadline, "the server hears of the checkpoint");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(following.rows.length, 1);
      following.close();
    });
  },
);

await withServers("postgres changes: over TLS, with a password of any letters that is never shown; who may not replicate is told", [
  "postgres",
], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await database.admin(`${MADE}; INSERT INTO items VALUES (1, 'a', 1)`);
    const user = `r_${database.name.slice(-12)}`;
    const password = 'se cret"%\u00e9';
    await database.server.admin(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'; GRANT ${new URL(database.url).username} TO ${user}`);
    try {
      const url = new URL(database.url);
      [url.hostname, url.username, url.password] = ["localhost", user, encodeURIComponent(password)];
      const connection = `tls = "verify"\nca_file = ${JSON.stringify(postgres.caFile)}`;
      const { world, logged } = realWorld();
      const refused = await Following.open(database, [ITEMS], { world, url: url.href, connection });
      const fault = await thrownBy(refused.until(() => false));
      refused.close();
      assert.equal(fault.code, "postgres_denied");
      await database.server.admin(`ALTER ROLE ${user} REPLICATION`);
      const following = await Following.open(database, [ITEMS], { world, url: url.href, connection });
      await following.until(() => following.rows.length === 1);
      const sql =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_replication USING (pid) JOIN pg_replication_slots ON active_pid = pid";
      while (true) {
        const [[encrypted]] = await database.rows(`${sql} WHERE slot_name = '${slotOf(database)}'`);
        if (encrypted !== "NULL") {
          assert.equal(encrypted, "t");
          break;
        }
        await following.turn();
      }
      await database.admin("INSERT INTO items VALUES (2, 'b', 1)");
      await following.until(() => following.rows.length === 2);
      following.close();
      for (const text of [fault.message, ...logged]) assert.ok(!text.includes(password) && !text.includes(url.password), text);
    } finally {
      await released(database);
      // What it owns lies in this database.
      await database.server.admin(`DROP OWNED BY ${user}`, database.name);
      await database.server.admin(`DROP ROLE ${user}`);
    }
  });
});
