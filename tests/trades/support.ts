/** The trades project as its users start it, against a feed that a test controls. Nothing here imports the product. */
export const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");

export interface Ended {
  readonly code: number;
  readonly killed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Program {
  readonly child: Deno.ChildProcess;
  /** Standard error so far. */
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
}

/** Starts `millrace` from source. */
export function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${ROOT}/src/main.ts`, ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const collect = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  };
  let stdout = "";
  const ended = Promise.all([
    child.status,
    collect(child.stdout, (text) => stdout += text),
    collect(child.stderr, (text) => stderr += text),
  ]).then(([{ code, signal }]) => ({ code, killed: signal === "SIGKILL", stdout, stderr }));
  return { child, stderr: () => stderr, ended };
}

export const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> => start(words, env).ended;

/** The variables that point a run at a folder and a feed. */
export const at = (folder: string, port: number): Record<string, string> => ({
  TRADES_OUTPUT: folder,
  TRADES_LAKE: `${folder}/lake`,
  TRADES_FEED: `127.0.0.1:${port}`,
  MILLRACE_LOG: "info",
});

export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-trades-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A free port, so that a feed can go away and come back at its old place. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A TCP server that does to each client what it is told. */
export class Feed {
  connections = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  constructor(port: number, serve: (connection: Deno.TcpConn, number: number) => Promise<void>) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#listener = listener;
    void (async () => {
      for await (const connection of listener) {
        this.#open.add(connection);
        void serve(connection, ++this.connections).catch(() => {}).finally(() => this.#open.delete(connection));
      }
    })().catch(() => {});
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  close(): void {
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // Closed by its own serving.
      }
    }
  }
}

/** Writes all of it. */
export async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

export interface TradeParts {
  readonly id: string;
  /** Without zone, as the original wrote it. */
  readonly timestamp: string;
  readonly type?: string;
  readonly price?: string;
  readonly quantity?: number;
  readonly total?: string;
  readonly currency?: string;
}
/** A record of one share, as the wire has it. */
export function trade({ id, timestamp, type = "BUY", price = "10.0", quantity = 1, total = price, currency = "USD" }: TradeParts): string {
  return `{"transaction_id": "${id}", "timestamp": "${timestamp}", "account_id": "ACC_25210", "transaction_type": "${type}", ` +
    `"symbol": "SPOT", "quantity": ${quantity}, "price": ${price}, "total_amount": ${total}, "currency": "${currency}", ` +
    `"exchange": "NYSE", "customer_segment": "RETAIL"}\n`;
}

export interface WindowRow {
  readonly window_start: string;
  readonly window_end: string;
  readonly transaction_type: string;
  readonly currency: string;
  readonly count: number;
  readonly sum: number;
  readonly partial: boolean;
}

/** All rows of all published NDJSON files in a folder, in the order of the files' names. */
export async function rows<Row>(folder: string): Promise<Row[]> {
  const found: Row[] = [];
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".ndjson")) names.push(name);
  } catch {
    return found; // Nothing was written there yet.
  }
  for (const name of names.sort()) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    for (const line of text.split("\n")) if (line !== "") found.push(JSON.parse(line));
  }
  return found;
}

/** The ids of all whole records in a journal, found as text: what was received and kept. */
export async function journaledIds(folder: string): Promise<string[]> {
  const ids: string[] = [];
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".journal")) names.push(name);
  for (const name of names.sort()) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
    for (const [, id] of text.matchAll(/"transaction_id": "([^"]+)"[^\n]*\}\n/g)) ids.push(id);
  }
  return ids;
}
