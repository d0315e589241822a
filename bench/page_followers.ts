/**
 * What 200 open pages cost a pipeline that runs as fast as it can: processor time of its process for each record it reads, without
 * and with 200 event streams, in turn within one run.
 *   deno run -A bench/page_followers.ts [followers] [pairs] [seconds]          default 200 10 4
 */
import { startMillrace, withFolder } from "../tests/page/millrace.ts";

const followers = Number(Deno.args[0] ?? 200);
const pairs = Number(Deno.args[1] ?? 10);
const seconds = Number(Deno.args[2] ?? 4);

const PROJECT = `kind = "stream"
[sources.trades]
type   = "generate"
what   = "trades"
rate   = "max"
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
  readonly records: number;
  readonly cpuSeconds: number;
}
async function read(address: string): Promise<Reading> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const value = (name: RegExp): number => Number(name.exec(text)?.[1]);
  return {
    records: value(/^millrace_records_in_total\{[^}]*node="trades"[^}]*\} (\S+)$/m),
    cpuSeconds: value(/^process_cpu_seconds_total (\S+)$/m),
  };
}
/** µs of processor time per record over a while. */
async function cost(address: string): Promise<number> {
  const before = await read(address);
  await wait(seconds * 1000);
  const after = await read(address);
  return (after.cpuSeconds - before.cpuSeconds) * 1e6 / (after.records - before.records);
}

/** Reads what it is sent and throws it away; `began` is called at the first piece. */
async function follow(address: string, signal: AbortSignal, began: () => void): Promise<void> {
  try {
    const response = await fetch(`http://${address}/events`, { signal });
    for await (const _ of response.body!) began();
  } catch {
    // Told to stop.
  }
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

await withFolder(async (folder) => {
  await Deno.writeTextFile(`${folder}/load.toml`, PROJECT.replace("OUTPUT", `${folder}/out`));
  const run = await startMillrace(["stream", "-c", `${folder}/load.toml`]);
  try {
    await wait(6_000);
    const [alone, followed, ratios]: number[][] = [[], [], []];
    for (let pair = 0; pair < pairs; pair++) {
      const measure = async (count: number): Promise<number> => {
        const stop = new AbortController();
        const streams: Promise<void>[] = [];
        // Open pages are measured, not their opening.
        await Promise.all(
          Array.from({ length: count }, () => new Promise<void>((began) => streams.push(follow(run.address, stop.signal, began)))),
        );
        await wait(1_000);
        const micros = await cost(run.address);
        stop.abort();
        await Promise.all(streams);
        return micros;
      };
      // In turn, so that neither is always the first.
      const counts = pair % 2 === 0 ? [0, followers] : [followers, 0];
      const [first, second] = [await measure(counts[0]), await measure(counts[1])];
      const [without, with_] = pair % 2 === 0 ? [first, second] : [second, first];
      alone.push(without);
      followed.push(with_);
      ratios.push(with_ / without);
      console.log(`pair ${pair + 1}: ${without.toFixed(3)} and ${with_.toFixed(3)} µs per record, ratio ${(with_ / without).toFixed(3)}`);
    }
    const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
    console.log(
      `in the middle: ${middle(alone).toFixed(3)} µs alone, ${middle(followed).toFixed(3)} µs with ${followers} streams; ` +
        `ratio ${middle(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
    );
  } finally {
    await run.stop();
  }
});
