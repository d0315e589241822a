/** Tables, one appended to and one that keeps each account's newest row, read by the databases' own clients and by plain requests. */
import { type ClickhouseServer, clickhouseServer } from "../../services/clickhouse_server.ts";
import { mysqlServer, postgresServer } from "../../services/mod.ts";
import { type Row, rowOf } from "../ledger.ts";
import { freshName, type OpenTarget, type Place } from "../target.ts";

const COLUMNS = "id, account, amount, balance, count";

function sinks(append: string): string {
  return `[sinks.out]
connection = "target"
inputs     = ["balances"]
table      = "payments"
${append}
create     = true

[sinks.newest]
connection = "target"
inputs     = ["balances"]
table      = "newest_payments"
mode       = "upsert"
key        = ["account"]
create     = true
`;
}

/** `rows` runs a query in the place's own database. */
function placeOf(
  parts: Pick<Place, "toml" | "env" | "remove">,
  rows: (sql: string) => Promise<readonly (readonly string[])[]>,
): Place {
  const read = async (table: string): Promise<Row[]> => (await rows(`SELECT ${COLUMNS} FROM ${table}`)).map(rowOf);
  return {
    ...parts,
    shelves: [
      { sink: "out", content: "all", rows: () => read("payments") },
      { sink: "newest", content: "newest", rows: () => read("newest_payments") },
    ],
    // Before the first start there is no table.
    visible: () => rows("SELECT count(*) FROM payments").then(([[count]]) => Number(count), () => 0),
  };
}

export const mysql: OpenTarget = async () => {
  const server = await mysqlServer();
  if ("skipped" in server) return server;
  return {
    name: "mysql",
    heldBackMax: 0,
    place: async () => {
      const database = freshName();
      await server.admin(`CREATE DATABASE ${database}`);
      const url = new URL(server.url);
      url.pathname = database;
      return placeOf({
        toml: `[connections.target]\ntype = "mysql"\nurl  = "\${TARGET_URL}"\n\n${sinks('mode       = "append"')}`,
        env: { TARGET_URL: url.href },
        remove: () => server.admin(`DROP DATABASE ${database}`),
      }, (sql) => server.rows(`USE ${database}; ${sql}`));
    },
  };
};

export const postgres: OpenTarget = async () => {
  const server = await postgresServer();
  if ("skipped" in server) return server;
  return {
    name: "postgres",
    heldBackMax: 0,
    place: async () => {
      const database = freshName();
      const url = new URL(server.url);
      await server.admin(`CREATE DATABASE ${database} OWNER ${url.username}`);
      url.pathname = database;
      return placeOf({
        toml: `[connections.target]\ntype = "postgres"\nurl  = "\${TARGET_URL}"\n\n${sinks('mode       = "append"')}`,
        env: { TARGET_URL: url.href },
        remove: () => server.admin(`DROP DATABASE ${database} WITH (FORCE)`),
      }, (sql) => server.rows(sql, database));
    },
  };
};

export const clickhouse: OpenTarget = async () => {
  const server = await clickhouseServer();
  if ("skipped" in server) return server;
  return { name: "clickhouse", heldBackMax: 0, place: () => Promise.resolve(clickhousePlace(server)) };
};

function clickhousePlace(server: ClickhouseServer): Place {
  const database = freshName();
  const toml = `[connections.target]
type     = "clickhouse"
url      = "${server.url}"
user     = "${server.user}"
password = "\${TARGET_PASSWORD}"
database = "${database}"

${sinks('key        = ["id"]')}`;
  return placeOf({
    toml,
    env: { TARGET_PASSWORD: server.password },
    remove: () => server.admin(`DROP DATABASE IF EXISTS ${database}`),
  }, (sql) => server.rows(sql, database));
}
