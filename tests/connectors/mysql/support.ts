/** What the tests of the MySQL connector share: a database of their own. */
import type { MysqlServer } from "../../services/mod.ts";

let databases = 0;

/** A fresh database, whose URL the product gets. */
export class Database {
  private constructor(readonly server: MysqlServer, readonly name: string, readonly url: string) {}

  static async make(server: MysqlServer): Promise<Database> {
    const name = `millrace_test_${Deno.pid}_${++databases}`;
    await server.admin(`CREATE OR REPLACE DATABASE ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return new Database(server, name, url.href);
  }
  admin(sql: string): Promise<void> {
    return this.server.admin(`USE ${this.name}; ${sql}`);
  }
  rows(sql: string): Promise<string[][]> {
    return this.server.rows(`USE ${this.name}; ${sql}`);
  }
  async drop(): Promise<void> {
    await this.server.admin(`DROP DATABASE ${this.name}`);
  }
}

export async function withDatabase(server: MysqlServer, test: (database: Database) => Promise<void>): Promise<void> {
  const database = await Database.make(server);
  try {
    await test(database);
  } finally {
    await database.drop();
  }
}
