/**
 * What 200 open pages cost a pipeline: the processor time that its process takes per second, without and with 200 event streams, in turn
 * within one run at a steady rate. What they cost is there whatever the pipeline does, and is told as a part of one core: at full speed a
 * pipeline has that much less.
 *   deno run -A bench/page_followers.ts [followers] [pairs] [seconds] [rate]          default 200 10 4 20/s
 * The lower the rate, the less of what is compared is the pipeline.
 */
import { startMillrace, withFolder } from "../tests/page/millrace.ts";

const followers = Number(Deno.args[0] ?? 200);
const pairs = Number(Deno.args[1] ?? 10);
const seconds = Number(Deno.args[2] ?? 4);
const rate = Deno.args[3] ?? "20/s";

const PROJECT = `kind = "stream"
[sources.trades]
type   = "generate"
what   = "trades"
rate   = "RATE"
fields = { transaction_id = "string", timestamp = "string", account_id = "string", transaction_type = "string", total_amount = "decimal(2)", currency = "string" }
[transforms.judge]
type   = "decide"
inputs = ["trades"]
key    = "account_id"
state.spent = { type = "value", as = "decimal(2)", initial = "0.00" }
rules  = [{ code = "large", when = "total_amount > 50000.00", set = { verdict = "'large'" }, update = { spent = "spent + total_amount" } }]
otherwise = { set = { verdict = "'fine'" }, update = { spent = "spent + total_amount" } }
[sinks.out]
type    = "ndjson"
inputs  = ["judge"]
path    = "OUTPUT"
publish = "parts"
`;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Reading {
  readonly cpuSeconds: number;
  readonly atMs: number;
}
async function read(address: string): Promise<Reading> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return { cpuSeconds: Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]), atMs: performance.now() };
}
/** Milliseconds of processor time per second, over a while. */
async function cost(address: string): Promise<number> {
  const before = await read(address);
  await wait(seconds * 1000);
  const after = await read(address);
  return (after.cpuSeconds - before.cpuSeconds) * 1e6 / (after.atMs - before.atMs);
}

/** One open page: reads what it is sent and throws it away, until its connection is closed. Resolves at the first piece. */
async function follow(address: string): Promise<{ close(): Promise<void> }> {
  const [hostname, port] = address.split(":");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(`GET /events HTTP/1.1\r\nhost: ${address}\r\n\r\n`));
  const piece = new Uint8Array(64 << 10);
  if (await connection.read(piece) === null) throw new Error("the page does not answer");
  let isClosed = false;
  const reading = (async () => {
    try {
      while (await connection.read(piece) !== null);
    } catch (error) {
      if (!isClosed) throw error;
    }
  })();
  return {
    async close() {
      isClosed = true;
      connection.close();
      await reading;
    },
  };
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

await withFolder(async (folder) => {
  await Deno.writeTextFile(`${folder}/load.toml`, PROJECT.replace("OUTPUT", `${folder}/out`).replace("RATE", rate));
  const run = await startMillrace(["stream", "-c", `${folder}/load.toml`]);
  try {
    await wait(6_000);
    const [alone, followed, differences]: number[][] = [[], [], []];
    for (let pair = 0; pair < pairs; pair++) {
      const measure = async (count: number): Promise<number> => {
        // Open pages are measured, not their opening.
        const pages = await Promise.all(Array.from({ length: count }, () => follow(run.address)));
        await wait(1_000);
        const ms = await cost(run.address);
        await Promise.all(pages.map((page) => page.close()));
        return ms;
      };
      // In turn, so that neither is always the first.
      const counts = pair % 2 === 0 ? [0, followers] : [followers, 0];
      const [first, second] = [await measure(counts[0]), await measure(counts[1])];
      const [without, with_] = pair % 2 === 0 ? [first, second] : [second, first];
      alone.push(without);
      followed.push(with_);
      differences.push(with_ - without);
      console.log(`pair ${pair + 1}: ${without.toFixed(1)} and ${with_.toFixed(1)} ms per second`);
    }
    const difference = middle(differences);
    console.log(`in the middle: ${middle(alone).toFixed(1)} ms alone, ${middle(followed).toFixed(1)} ms with ${followers} streams`);
    console.log(`${followers} streams take ${difference.toFixed(1)} ms per second, ${(difference / 10).toFixed(2)} % of a core`);
  } finally {
    await run.stop();
  }
});
