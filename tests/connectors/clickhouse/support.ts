/** What the tests of the ClickHouse connector share: a database of their own, sinks from TOML. */
import type { Batch } from "../../../src/data/batch.ts";
import type { Sink } from "../../../src/engine/contracts.ts";
import type { World } from "../../../src/ports/mod.ts";
import type { ClickhouseServer } from "../../services/clickhouse_server.ts";
import { plan } from "../support/project.ts";
import { batchOf } from "../support/rows.ts";
import { FIELDS, realWorld } from "../support/sql.ts";

let databases = 0;

/** A database that nobody else uses; the product makes it. */
export class Warehouse {
  readonly name = `millrace_${Deno.pid}_${++databases}`;
  constructor(readonly server: ClickhouseServer) {}

  admin(sql: string): Promise<void> {
    return this.server.admin(sql, this.name);
  }
  rows(sql: string): Promise<string[][]> {
    return this.server.rows(sql, this.name);
  }
  /** Rows of the view, in order, as texts. */
  async shown(sql = "SELECT * FROM t ORDER BY ALL"): Promise<string[]> {
    return (await this.rows(sql)).map((row) => row.join(" "));
  }
}

export async function withWarehouse(server: ClickhouseServer, test: (warehouse: Warehouse) => Promise<void>): Promise<void> {
  const warehouse = new Warehouse(server);
  try {
    await test(warehouse);
  } finally {
    await server.start();
    await server.admin(`DROP DATABASE IF EXISTS ${warehouse.name}`);
  }
}

export interface SinkChoices {
  /** Field declarations of the rows. */
  readonly fields?: string;
  /** Default: "t". */
  readonly table?: string;
  /** Settings of the sink. */
  readonly sink?: string;
  /** Settings of the connection. */
  readonly connection?: string;
  /** Default: the server's own. */
  readonly url?: string;
  readonly user?: string;
  /** "": the connection's settings say it. */
  readonly password?: string;
  readonly world?: World;
}

/** A pipeline "p" whose sink "out" writes a table. */
export function toml(
  { server, name }: Warehouse,
  { fields = FIELDS, table = "t", sink = "create = true", connection = "", url, user, password }: SinkChoices,
): string {
  return `[connections.warehouse]
type = "clickhouse"
url = "${url ?? server.url}"
user = "${user ?? server.user}"
${password === "" ? "" : `password = "${password ?? server.password}"`}
database = "${name}"
${connection}
[sources.in]
type = "csv"
path = "x"
${fields}
[sinks.out]
connection = "warehouse"
inputs = ["in"]
table = "${table}"
${sink}
`;
}

export interface Made {
  readonly sink: Sink;
  batch(rows: readonly (readonly unknown[])[], deleted?: Uint8Array): Batch;
}
export async function sinkOf(warehouse: Warehouse, choices: SinkChoices = {}): Promise<Made> {
  const blueprint = (await plan(toml(warehouse, choices))).sinks.find((each) => each.name === "out")!;
  return {
    sink: blueprint.plan.create(choices.world ?? realWorld().world),
    batch: (rows, deleted) => {
      const batch = batchOf(blueprint.input, rows);
      return deleted ? { ...batch, meta: { ...batch.meta, deleted } } : batch;
    },
  };
}
