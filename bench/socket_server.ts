/**
 * The socket server under load, printed figures for docs/performance.md.
 *
 *   deno run -A bench/socket_server.ts clients [--clients 1000] [--rate 100] [--seconds 60]     many paced clients, bounded memory
 *   deno run -A bench/socket_server.ts speed [--records 2000000]       one client at full speed, beside the same bytes from a file
 *   deno run -A bench/socket_server.ts churn [--connections 10000]     connections that come, misbehave and go
 *
 * The server is the program as users start it, in a process of its own; the clients are this process.
 */
import { parseArgs } from "node:util";

const { positionals: [what = "speed"], values } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    clients: { type: "string", default: "1000" },
    rate: { type: "string", default: "100" },
    seconds: { type: "string", default: "60" },
    records: { type: "string", default: "2000000" },
    connections: { type: "string", default: "10000" },
    mode: { type: "string", default: "per_client" },
  },
});
const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname).replace(/\/$/, "");

interface Server {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

async function serve(args: readonly string[]): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let told = "";
  const listening = Promise.withResolvers<number>();
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      told += chunk;
      const match = /listening on 127\.0\.0\.1:(\d+)/.exec(told);
      if (match) listening.resolve(Number(match[1]));
    }
    listening.reject(new Error(told));
  })();
  const port = await listening.promise;
  return {
    pid: child.pid,
    port,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
      console.log(`  server: ${told.trim().split("\n").at(-1)!.trim()}`);
    },
  };
}
const feed = (rate: string, mode: string): Promise<Server> =>
  serve(["src/main.ts", "serve", "-c", "config/trades", "--listen", "127.0.0.1:0", "--rate", rate, "--set", `params.mode=${mode}`]);

interface Usage {
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly nowMb: number;
}
async function usage(pid: number): Promise<Usage> {
  const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).replace(/^.*\) /, "").split(" ");
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const mb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, peakMb: mb("VmHWM"), nowMb: mb("VmRSS") };
}

const connect = (port: number): Promise<Deno.TcpConn> => Deno.connect({ hostname: "127.0.0.1", port });
function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

async function manyClients(): Promise<void> {
  const [clients, seconds] = [Number(values.clients), Number(values.seconds)];
  const server = await feed(values.rate, values.mode);
  const before = await usage(server.pid);
  const connections: Deno.TcpConn[] = [];
  for (let i = 0; i < clients; i++) connections.push(await connect(server.port));
  let records = 0;
  const each = new Float64Array(clients);
  const reading = connections.map(async (connection, client) => {
    const into = new Uint8Array(32 << 10);
    for (let count = await connection.read(into); count !== null; count = await connection.read(into).catch(() => null)) {
      const lines = countLines(into.subarray(0, count));
      records += lines;
      each[client] += lines;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const [startRecords, start, startedMs] = [records, await usage(server.pid), performance.now()];
  const startEach = each.slice();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const [end, endedMs] = [await usage(server.pid), performance.now()];
  const took = (endedMs - startedMs) / 1000;
  const perClient = [...each].map((count, i) => (count - startEach[i]) / took).sort((a, b) => a - b);
  const delivered = records - startRecords;
  console.log(`${clients} clients (${values.mode}) at ${values.rate} records/s each, ${took.toFixed(1)} s`);
  console.log(
    `  ${Math.round(delivered / took)} records/s in all; per client ${perClient[0].toFixed(1)} to ${perClient.at(-1)!.toFixed(1)}`,
  );
  const cpu = end.cpuSeconds - start.cpuSeconds;
  console.log(`  CPU ${(cpu / took * 100).toFixed(0)} % of a core, ${(cpu * 1e6 / delivered).toFixed(2)} µs per record`);
  console.log(
    `  memory ${before.nowMb.toFixed(0)} MB before, ${start.nowMb.toFixed(0)} MB at the start, ${end.nowMb.toFixed(0)} MB at the end`,
  );
  await server.stop();
  await Promise.all(reading);
}

/** Reads so many records as fast as they come; the bytes are counted, not looked at. */
async function readFast(port: number, bytesWanted: number): Promise<{ seconds: number; bytes: number }> {
  const connection = await connect(port);
  const into = new Uint8Array(1 << 20);
  const started = performance.now();
  let bytes = 0;
  while (bytes < bytesWanted) {
    const count = await connection.read(into);
    if (count === null) break;
    bytes += count;
  }
  connection.close();
  return { seconds: (performance.now() - started) / 1000, bytes };
}

async function fullSpeed(): Promise<void> {
  const records = Number(values.records);
  const generated = await feed("max", values.mode);
  const sample = await connect(generated.port);
  const into = new Uint8Array(1 << 20);
  const file = await Deno.makeTempFile();
  const handle = await Deno.open(file, { write: true });
  let lines = 0;
  while (lines < records) {
    const count = await sample.read(into);
    lines += countLines(into.subarray(0, count!));
    for (let done = 0; done < count!;) done += handle.writeSync(into.subarray(done, count!));
  }
  sample.close();
  handle.close();
  const { size } = await Deno.stat(file);
  const plain = await serve(["bench/plain_file_server.ts", file]);
  console.log(`one client at full speed, ${lines} records, ${(size / 1e6).toFixed(0)} MB; alternated`);
  const best = { generated: Infinity, plain: Infinity };
  for (let round = 0; round < 3; round++) {
    for (const [name, server] of [["plain", plain], ["generated", generated]] as const) {
      const before = await usage(server.pid);
      const { seconds, bytes } = await readFast(server.port, size);
      const cpu = (await usage(server.pid)).cpuSeconds - before.cpuSeconds;
      best[name] = Math.min(best[name], seconds * size / bytes);
      const rate = Math.round(lines / seconds);
      console.log(
        `  ${name.padEnd(10)} ${rate} records/s, ${(bytes / seconds / 1e6).toFixed(0)} MB/s, server CPU ${
          (cpu * 1e6 / lines).toFixed(2)
        } µs per record`,
      );
    }
  }
  console.log(`  ratio of the best rounds, generated to plain: ${(best.plain / best.generated).toFixed(2)}`);
  await generated.stop();
  await plain.stop();
  await Deno.remove(file);
}

async function churn(): Promise<void> {
  const wanted = Number(values.connections);
  const server = await feed("10", values.mode);
  const noise = crypto.getRandomValues(new Uint8Array(4096));
  const silent = await Promise.all(Array.from({ length: 100 }, () => connect(server.port)));
  const before = await usage(server.pid);
  const started = performance.now();
  for (let made = 0; made < wanted; made += 50) {
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const connection = await connect(server.port);
      if (i % 4 === 0) await connection.write(noise).catch(() => {});
      if (i % 4 === 1) await connection.closeWrite().catch(() => {});
      if (i % 2 === 0) await connection.read(new Uint8Array(1024)).catch(() => {});
      connection.close();
    }));
  }
  const seconds = (performance.now() - started) / 1000;
  const after = await usage(server.pid);
  const asked = performance.now();
  const last = await connect(server.port);
  await last.read(new Uint8Array(1024));
  console.log(
    `${wanted} connections in ${seconds.toFixed(1)} s beside 100 silent clients; a new client's first record after ${
      (performance.now() - asked).toFixed(1)
    } ms`,
  );
  console.log(`  memory ${before.nowMb.toFixed(0)} MB before, ${after.nowMb.toFixed(0)} MB after, peak ${after.peakMb.toFixed(0)} MB`);
  for (const connection of [...silent, last]) connection.close();
  await server.stop();
}

const runs: Readonly<Record<string, () => Promise<void>>> = { clients: manyClients, speed: fullSpeed, churn };
if (!runs[what]) throw new Error(`there is no ${what}; there are: ${Object.keys(runs).join(", ")}`);
await runs[what]();
