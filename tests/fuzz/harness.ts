/**
 * Inputs without number for everything that reads what others wrote. Invariant: an input is made from the seed and its number alone, and
 * what became of it is told: accepted, rejected with a reason, or refused by a MillraceError. Everything else is a finding.
 */
import { Dice } from "../data/json_fuzz.ts";

/** Counts one record or message of an input: "accepted", "rejected REASON" or "refused CODE". */
export type Account = (verdict: string) => void;

/** What is tried, with what it has learned from the inputs before. */
export interface Trial {
  /** Tries one input; throws for a finding. */
  run(dice: Dice, account: Account): void | Promise<void>;
}
export interface Target {
  readonly name: string;
  /** How many of its inputs the gate tries. */
  readonly gateInputs: number;
  open(): Promise<Trial>;
}

/** Inputs between two fresh trials, so that what one learned is made again by running a block from its beginning. */
export const BLOCK_INPUTS = 500;
/** One input may take so long on a machine that others use, too. What takes longer hangs. */
export const INPUT_MS_MAX = 5_000;

/** Verdicts with how often each came, by target. */
export type Verdicts = Readonly<Record<string, number>>;

/** An input that was not accounted for. */
export class Finding extends Error {
  constructor(readonly target: string, readonly seed: number, readonly input: number, what: string) {
    const block = input - input % BLOCK_INPUTS;
    super(`${target}, input ${input}: ${what}\nagain: deno run -A tests/fuzz/main.ts ${input - block + 1} ${seed} ${target} ${block}`);
  }
}

/** The dice of one input: neighbours have nothing in common. */
const diceOf = (seed: number, input: number): Dice => new Dice(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(input + 1, 0xc2b2ae35));

/** Tries the inputs [first, first + count). `begin` is told the number of each before it is tried. Throws Finding. */
export async function tryInputs(
  target: Target,
  { seed, first, count, begin }: { seed: number; first: number; count: number; begin: (input: number) => void },
): Promise<Verdicts> {
  const verdicts: Record<string, number> = {};
  let accounted = 0;
  const account = (verdict: string): void => {
    accounted++;
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  };
  let trial = await target.open();
  for (let input = first; input < first + count; input++) {
    if (input % BLOCK_INPUTS === 0 && input > first) trial = await target.open();
    begin(input);
    accounted = 0;
    const started = performance.now();
    try {
      const result = trial.run(diceOf(seed, input), account);
      if (result) await result;
    } catch (error) {
      throw new Finding(target.name, seed, input, error instanceof Error ? error.stack ?? error.message : String(error));
    }
    if (accounted === 0) throw new Finding(target.name, seed, input, "nobody tells what became of it");
    const took = performance.now() - started;
    if (took > INPUT_MS_MAX) throw new Finding(target.name, seed, input, `it took ${Math.round(took)} ms`);
  }
  return verdicts;
}
