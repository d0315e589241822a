/**
 * Writes messages.json: what a real server's pgoutput says of a few transactions, in hexadecimal. Run when another version of
 * PostgreSQL is to be recorded: deno run -A --unstable-kv tests/connectors/pgoutput/support/record_messages.ts
 */
import { Database } from "../../postgres/support.ts";
import { postgresServer } from "../../../services/mod.ts";

const server = await postgresServer();
if ("skipped" in server) throw new Error(server.skipped);
const database = await Database.make(server);
await database.admin(
  `CREATE TABLE items (id INT PRIMARY KEY, name TEXT, amount NUMERIC(12,2)); ALTER TABLE items ALTER name SET STORAGE EXTERNAL;
  CREATE TABLE "Fully ""quoted""" (id INT, at TIMESTAMPTZ); ALTER TABLE "Fully ""quoted""" REPLICA IDENTITY FULL;
  CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE moods (id INT PRIMARY KEY, how mood); CREATE PUBLICATION p FOR TABLE items, "Fully ""quoted""", moods`,
);
await database.admin(`SELECT pg_create_logical_replication_slot('${database.name}', 'pgoutput')`);
for (
  const sql of [
    "INSERT INTO items VALUES (1, 'one', 1.50), (2, NULL, NULL)",
    "INSERT INTO items VALUES (3, repeat('long', 800), 3)",
    "UPDATE items SET amount = 2 WHERE id = 3; UPDATE items SET id = 30 WHERE id = 2; DELETE FROM items WHERE id = 1",
    `INSERT INTO "Fully ""quoted""" VALUES (1, '2025-01-02 03:04:05.5Z'); UPDATE "Fully ""quoted""" SET id = 2; DELETE FROM "Fully ""quoted"""`,
    "INSERT INTO moods VALUES (1, 'sad'); SELECT pg_logical_emit_message(true, 'test', 'message'); TRUNCATE items, moods",
    "ALTER TABLE items ADD COLUMN more INT; INSERT INTO items VALUES (4, 'four', 4, 44)",
  ]
) await database.admin(sql);
const rows = await database.rows(`SELECT encode(data, 'hex') FROM
  pg_logical_slot_get_binary_changes('${database.name}', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')`);
const path = new URL("messages.json", import.meta.url);
await Deno.writeTextFile(path, JSON.stringify(rows.map(([hex]) => hex), null, 1) + "\n");
await database.drop();
