/** ClickHouse for tests: the real engine from npm (chdb's library, 180 MB once) behind an HTTP interface of ours, in a process of its own. */
import { cacheFolder, freePort, instanceOf, isListening, readText, type ServerProgram, underLock } from "./instance.ts";
import type { Skipped, TestServer } from "./mod.ts";
import { download } from "./run_command.ts";

export interface ClickhouseServer extends TestServer {
  /** "http://127.0.0.1:PORT". */
  readonly url: string;
  /** May do anything; "reader", with the same password, may only read. */
  readonly user: string;
  readonly password: string;
  /** Runs SQL. */
  admin(sql: string, database?: string): Promise<void>;
  /** Rows as the server writes them, tab-separated, \N for null; by a plain request, not by the product's client. */
  rows(sql: string, database?: string): Promise<string[][]>;
}

const file = (name: string) => decodeURIComponent(new URL(`clickhouse/${name}`, import.meta.url).pathname);
const engineFolder = (): string => `${cacheFolder()}/clickhouse-engine`;
const library = (): string => `${engineFolder()}/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so`;

/** Why there is no ClickHouse here; null when there can be one. Under CI=true that is an error. */
export function lackingClickhouse(): string | null {
  if (Deno.build.target === "x86_64-unknown-linux-gnu") return null;
  const reason = `no clickhouse: its engine is not to be had for ${Deno.build.target}`;
  if (Deno.env.get("CI") === "true") throw new Error(reason);
  return reason;
}

/** A running server, shared by the files of this test process; it ends with the process. */
export async function clickhouseServer(): Promise<ClickhouseServer | Skipped> {
  const skipped = lackingClickhouse();
  if (skipped !== null) return { skipped };
  await underLock(`${cacheFolder()}/services/clickhouse-engine.lock`, downloadEngine);
  const { facts: { port, password }, start, stop } = await instanceOf(clickhouse);
  const url = `http://127.0.0.1:${port}`;
  const ask = (sql: string, database = "default") => request(`${url}/?database=${encodeURIComponent(database)}`, password, sql);
  return {
    url,
    user: "millrace",
    password,
    start,
    stop,
    admin: async (sql, database) => void await ask(sql, database),
    rows: async (sql, database) => (await ask(sql, database)).split("\n").filter((line) => line !== "").map((line) => line.split("\t")),
  };
}

async function request(url: string, password: string, sql: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    body: sql,
    headers: { "X-ClickHouse-User": "default", "X-ClickHouse-Key": password },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${sql.slice(0, 200)}: ${text}`);
  return text;
}

/** Parallel processes must hold a lock around it. */
async function downloadEngine(): Promise<void> {
  const [wanted, lock] = await Promise.all(["package.json", "deno.lock"].map((name) => Deno.readTextFile(file(name))));
  const folder = engineFolder();
  if (await readText(`${folder}/done.json`) === wanted) return;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, wanted);
  await Deno.writeTextFile(`${folder}/deno.lock`, lock);
  await download("the ClickHouse engine from npm", "sh", ["-c", 'cd "$1" && "$2" install --frozen --quiet', "sh", folder, Deno.execPath()]);
  // Last, so that a download cut short is done again.
  await Deno.writeTextFile(`${folder}/done.json`, wanted);
}

const clickhouse: ServerProgram = {
  name: "clickhouse",
  prepare: () => Promise.resolve({ port: String(freePort()), password: crypto.randomUUID().replaceAll("-", "") }),
  command(folder, { port, password }) {
    return Promise.resolve([Deno.execPath(), "run", "-A", "--no-config", file("facade.ts"), library(), `${folder}/`, port, password]);
  },
  ready: (_folder, { port }) => isListening(Number(port)),
};
