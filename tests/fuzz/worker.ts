/** Tries inputs in a thread of its own and notes in shared memory which one it is at, so that another can end it where it hangs. */
import { Finding, tryInputs, type Verdicts } from "./harness.ts";
import { TARGETS } from "./targets/mod.ts";

export interface Order {
  readonly target: string;
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  /** One 64-bit number: the input that is being tried. */
  readonly at: SharedArrayBuffer;
}
export type Answer = { readonly verdicts: Verdicts } | { readonly finding: string };

interface Scope {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(answer: Answer): void;
}
const scope = globalThis as unknown as Scope;

scope.onmessage = async ({ data: { target: name, at, ...order } }) => {
  const place = new BigInt64Array(at);
  const target = TARGETS.find((target) => target.name === name)!;
  try {
    scope.postMessage({ verdicts: await tryInputs(target, { ...order, begin: (input) => void Atomics.store(place, 0, BigInt(input)) }) });
  } catch (error) {
    scope.postMessage({ finding: error instanceof Finding ? error.message : String(error instanceof Error ? error.stack : error) });
  }
};
