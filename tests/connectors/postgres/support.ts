/** What the tests of the PostgreSQL connector share: a database of their own. */
import type { PostgresServer } from "../../services/mod.ts";

let databases = 0;

/** A fresh database, whose URL the product gets. */
export class Database {
  private constructor(readonly server: PostgresServer, readonly name: string, readonly url: string) {}

  static async make(server: PostgresServer): Promise<Database> {
    const name = `millrace_test_${Deno.pid}_${crypto.randomUUID().slice(0, 8)}_${++databases}`;
    const url = new URL(server.url);
    await server.admin(`CREATE DATABASE ${name} OWNER ${url.username}`);
    url.pathname = `/${name}`;
    return new Database(server, name, url.href);
  }
  /** As the product's user, so that tables are its own. */
  admin(sql: string): Promise<void> {
    return this.server.admin(`SET ROLE ${new URL(this.url).username}; ${sql}`, this.name);
  }
  rows(sql: string): Promise<string[][]> {
    return this.server.rows(sql, this.name);
  }
  async drop(): Promise<void> {
    // A slot that is being read keeps its database.
    await this.server.admin(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = '${this.name}' AND active`);
    await this.server.admin(`DROP DATABASE ${this.name} WITH (FORCE)`);
  }
}

export async function withDatabase(server: PostgresServer, test: (database: Database) => Promise<void>): Promise<void> {
  const database = await Database.make(server);
  try {
    await test(database);
  } finally {
    await database.drop();
  }
}
