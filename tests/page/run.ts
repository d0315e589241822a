/** A pipeline of its own for each test: a feed that the test writes by hand, decisions, windows, and a dashboard over them. */
import { chromiumPath } from "./browser.ts";
import { type Process, startMillrace, withFolder } from "./millrace.ts";

/** Stands in a tagged field. It passes no check of account numbers, so nothing but its tag hides it. */
export const PLANTED_PAN = "4929000011112222333";
export const PLANTED_SECRET = "hunter2-planted-secret";

const PIPELINE = `kind = "stream"

[params]
password = { type = "string", env = "PLANTED_PASSWORD", secret = true }

[sources.payments]
type    = "socket"
address = "127.0.0.1:PORT"
reconnect = { first = "100ms", most = "200ms" }
fields  = { id = "string", account = { type = "string", tag = "pan" }, amount = "decimal(2)", kind = "string", at = "timestamp" }
time    = { field = "at", lateness = "0s" }

[transforms.judge]
type   = "decide"
inputs = ["payments"]
match  = "first"

[[transforms.judge.rules]]
code = "large"
when = "amount > 1000.00 || kind == params.password"

[transforms.judge.matched]
set = { verdict = "code" }

[transforms.judge.otherwise]
set = { verdict = "'fine'" }

[transforms.judge.emit]
"..."   = true
verdict = "verdict"

[transforms.per_second]
type      = "aggregate"
inputs    = ["payments"]
window    = { type = "tumbling", size = "1s" }
by        = ["kind"]
aggregate = { count = "count()", amount = "sum(amount)" }
emit      = "final"

[sinks.judged]
type    = "ndjson"
inputs  = ["judge"]
path    = "\${params.output}/judged"
publish = "parts"

[sinks.seconds]
type    = "ndjson"
inputs  = ["per_second"]
path    = "\${params.output}/seconds"
publish = "parts"
`;

export interface Run {
  /** Of the project; its state is in `.millrace` under `out`. */
  readonly folder: string;
  /** "127.0.0.1:12345" */
  readonly address: string;
  /** One record down the feed. */
  send(record: Readonly<Record<string, unknown>> | string): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<{ readonly status: number; readonly body: string }>;
  /** All that the process has written. */
  output(): string;
  kill(): Promise<void>;
  /** A planned stop. */
  stop(): Promise<void>;
  /** Rows that readers of a file sink see. */
  rowsOf(sink: string): Promise<number>;
  /** Another process over the same state, at the same address. */
  again(): Promise<void>;
}

/** Ends the process and removes everything when `work` is done. */
export const withRun = (work: (run: Run) => Promise<void>, panels = ""): Promise<void> =>
  withFolder((folder) => runIn(folder, work, panels));

async function runIn(folder: string, work: (run: Run) => Promise<void>, panels: string): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const feed = new Feed(listener);
  await Deno.writeTextFile(`${folder}/millrace.toml`, `[params]\noutput = { type = "string", default = "${folder}/out" }\n`);
  await Deno.writeTextFile(`${folder}/live.toml`, PIPELINE.replace("PORT", String(listener.addr.port)) + panels);
  let process = await start(folder);
  try {
    await work({
      folder,
      get address() {
        return process.address;
      },
      send: (record) => feed.send(typeof record === "string" ? record : JSON.stringify(record)),
      async get(path, headers = {}) {
        const response = await fetch(`http://${process.address}${path}`, { headers });
        return { status: response.status, body: await response.text() };
      },
      output: () => process.output(),
      async kill() {
        await process.kill();
        feed.renew();
      },
      stop: () => process.stop(),
      rowsOf: (sink) => countRows(`${folder}/out/${sink}`),
      async again() {
        process = await start(folder, process.address);
      },
    });
  } finally {
    await process.stop();
    feed.close();
  }
}

async function countRows(folder: string): Promise<number> {
  let rows = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".ndjson")) rows += (await Deno.readTextFile(`${folder}/${name}`)).split("\n").length - 1;
  }
  return rows;
}

const start = (folder: string, address?: string): Promise<Process> =>
  startMillrace(["stream", "-c", folder, "--log", "json", "--log-level", "debug"], { PLANTED_PASSWORD: PLANTED_SECRET }, address);

/** Writes to whoever is connected, and waits for somebody. */
export class Feed {
  #connection: Promise<Deno.TcpConn>;
  #open: Deno.TcpConn | null = null;
  #closed = false;
  constructor(private readonly listener: Deno.TcpListener) {
    this.#connection = this.#accept();
  }

  get address(): string {
    return `${this.listener.addr.hostname}:${this.listener.addr.port}`;
  }

  async send(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line + "\n");
    for (;;) {
      const connection = await this.#connection;
      try {
        await connection.write(bytes);
        return;
      } catch {
        this.renew();
      }
    }
  }

  /** The reader has gone: what is written now is for the next one. */
  renew(): void {
    this.#open?.close();
    this.#open = null;
    this.#connection = this.#accept();
  }

  close(): void {
    this.#closed = true;
    this.#open?.close();
    this.listener.close();
  }

  async #accept(): Promise<Deno.TcpConn> {
    try {
      return this.#open = await this.listener.accept();
    } catch (error) {
      if (this.#closed) return new Promise(() => {});
      throw error;
    }
  }
}

export const chromium = await chromiumPath();
/** A test that needs a browser; elsewhere it is named as skipped. */
export function pageTest(name: string, body: (executablePath: string) => Promise<void>): void {
  if (chromium === null) {
    Deno.test(`SKIPPED, no Chromium here: ${name}`, () => console.log(`skipped: ${name}`));
    return;
  }
  // The browser's own pipes outlive a test by a moment.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn: () => body(chromium) });
}

export async function until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
