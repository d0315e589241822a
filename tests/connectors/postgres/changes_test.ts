/** A table's changes as they are committed, from a real server. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { realWorld } from "../support/sql.ts";
import { Following } from "./changes_support.ts";
import { withDatabase } from "./support.ts";

const ITEMS = { table: "items", fields: `{ id = "int", name = "string?", amount = "decimal(2)" }` };

await withServers(
  "postgres changes: first the rows that are there, then what is committed, in order",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await database.admin(`CREATE TABLE items (id INT PRIMARY KEY, name TEXT, amount NUMERIC(12,2) NOT NULL, more TEXT);
      INSERT INTO items SELECT n, 'name ' || n, n / 4.0, 'x' FROM generate_series(1, 10) AS n`);
      const { world } = realWorld();
      const following = await Following.open(database, [ITEMS], { world });
      await following.until(() => following.rows.length >= 10);
      assert.deepEqual(following.rows.map(({ values }) => values[0]), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      await database.admin(
        `INSERT INTO items VALUES (11, 'a "b"\n\\', 1.50, 'y'); UPDATE items SET amount = 2.25 WHERE id = 1; DELETE FROM items WHERE id = 2`,
      );
      await database.admin(`INSERT INTO items VALUES (12, NULL, 3, 'y')`);
      await following.until(() => following.rows.length >= 13);
      assert.deepEqual(following.rows.slice(10).map(({ values, position }) => [position, ...values]), [
        [11, 11, 'a "b"\n\\', 150],
        [12, 1, "name 1", 225],
        [14, 12, null, 300],
      ]);
      assert.deepEqual([following.deletes, following.refused], [1, []]);
      following.close();
    });
  },
);

const ORDERS = { table: "orders", fields: `{ id = "int", item = "int" }` };
const changes = (database: { admin(sql: string): Promise<void> }) =>
  database.admin(`CREATE TABLE items (id INT PRIMARY KEY, name TEXT, amount NUMERIC(12,2) NOT NULL);
    CREATE TABLE orders (id INT PRIMARY KEY, item INT)`);

await withServers("postgres changes: tables of one slot keep the order of commits between them", ["postgres"], async ({ postgres }) => {
  await withDatabase(postgres, async (database) => {
    await changes(database);
    const following = await Following.open(database, [ITEMS, ORDERS], { world: realWorld().world });
    await database.admin("INSERT INTO items VALUES (0, 'there', 1)");
    await following.until(() => following.rows.length === 1);
    // An order comes behind its item, in the same transaction or in one of its own.
    for (let n = 1; n <= 30; n += 3) {
      await database.admin(`BEGIN; INSERT INTO items VALUES (${n}, 'a', 1); INSERT INTO orders VALUES (${n}, ${n}); COMMIT;
        INSERT INTO items VALUES (${n + 1}, 'b', 1), (${n + 2}, 'c', 1);`);
      await database.admin(`INSERT INTO orders SELECT n, n FROM generate_series(${n + 1}, ${n + 2}) AS n`);
    }
    // So few at once that a lane asks for an item ahead while it is the turn of an order.
    await following.until(() => following.rows.length === 61, 1);
    const came = following.rows.slice(1).map(({ table, values }) => `${table[0]}${values[0]}`);
    const expected: string[] = [];
    for (let n = 1; n <= 30; n += 3) expected.push(`i${n}`, `o${n}`, `i${n + 1}`, `i${n + 2}`, `o${n + 1}`, `o${n + 2}`);
    assert.deepEqual(came, expected);
    following.close();
  });
});

await withServers(
  "postgres changes: a range of places gives the same rows again, after a restart too, and what a checkpoint covers does not come back",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      await changes(database);
      await database.admin("INSERT INTO items SELECT n, 'x', 1 FROM generate_series(1, 50) AS n");
      let following = await Following.open(database, [ITEMS], { world: realWorld().world });
      const start = following.positions;
      await following.until(() => following.rows.length === 50);
      await database.admin("INSERT INTO items SELECT n, 'y', 2 FROM generate_series(51, 250) AS n");
      await following.until(() => following.rows.length === 250);
      const places = [...start, ...following.positions];
      // Killed before a checkpoint: everything comes again from the same copy, and as far as the schedule says.
      following.close();
      following = await Following.open(database, [ITEMS], { world: realWorld().world });
      await database.admin("INSERT INTO items VALUES (251, 'z', 3)");
      const first = await following.again(0, places[0], places[1]);
      assert.deepEqual([first.read, first.rows.map(({ values }) => values[0])], [250, Array.from({ length: 250 }, (_, i) => i + 1)]);
      following.close();
      // Killed behind a checkpoint in the midst of the transaction.
      following = await Following.open(database, [ITEMS], { world: realWorld().world, from: [places[1]] });
      await following.until(() => following.rows.length === 1);
      assert.deepEqual(following.rows.map(({ values, position }) => [position, ...values]), [[251, 251, "z", 300]]);
      const middle = following.positions;
      following.cover();
      following.close();
      await database.admin(
        "BEGIN; INSERT INTO items SELECT n, 'u', 4 FROM generate_series(300, 399) AS n; UPDATE items SET name = 'v' WHERE id < 11; COMMIT",
      );
      following = await Following.open(database, [ITEMS], { world: realWorld().world, from: middle });
      await following.until(() => following.rows.length >= 40, 40);
      const half = following.positions;
      following.cover();
      following.close();
      following = await Following.open(database, [ITEMS], { world: realWorld().world, from: half });
      await following.until(() => following.rows.length === 70);
      assert.deepEqual(following.rows[0].values, [340, "u", 400]);
      assert.deepEqual(following.rows.slice(60).map(({ values }) => values[1]), Array(10).fill("v"));
      following.close();
    });
  },
);
