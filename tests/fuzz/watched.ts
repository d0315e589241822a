/** Runs a target's inputs in a thread that is ended where an input hangs. */
import { BLOCK_INPUTS, Finding, INPUT_MS_MAX, type Verdicts } from "./harness.ts";
import type { Answer, Order } from "./worker.ts";

/** Threads that are started for one order before a thread that does not begin is an error. */
const STARTS_MAX = 3;
class NotBegun extends Error {}

/** Tries [first, first + count) of the target. Throws for a finding, an input that hangs included. */
export async function tryWatched(order: Omit<Order, "at">): Promise<Verdicts> {
  for (let start = 1;; start++) {
    try {
      return await tryOnce(order);
    } catch (error) {
      // It has tried nothing: now and then a thread of the runtime never runs.
      if (!(error instanceof NotBegun) || start === STARTS_MAX) throw error;
    }
  }
}

async function tryOnce(order: Omit<Order, "at">): Promise<Verdicts> {
  const at = new SharedArrayBuffer(8);
  const place = new BigInt64Array(at);
  Atomics.store(place, 0, -1n);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  let watch: ReturnType<typeof setInterval> | undefined;
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`the thread ended: ${event.message}`));
      };
      let before = -2n;
      // Twice the bound: an input that ends late is told by the thread itself, with its time.
      watch = setInterval(() => {
        const now = Atomics.load(place, 0);
        if (now === before) {
          reject(now < 0n ? new NotBegun("no thread began") : new Finding(order.target, order.seed, Number(now), "it hangs"));
        }
        before = now;
      }, 2 * INPUT_MS_MAX);
      worker.postMessage({ ...order, at } satisfies Order);
    });
    if ("finding" in answer) throw new Error(answer.finding);
    return answer.verdicts;
  } finally {
    clearInterval(watch);
    worker.terminate();
  }
}

/** Of what a whole run tried: verdicts added up. */
export function addVerdicts(sum: Record<string, number>, more: Verdicts): void {
  for (const [verdict, count] of Object.entries(more)) sum[verdict] = (sum[verdict] ?? 0) + count;
}

/** Inputs that one thread tries before the next takes over: whole blocks. */
export const TURN_INPUTS = 40 * BLOCK_INPUTS;
