/** The operator of transforms that look at one row at a time and keep nothing: run the loop, hand on what passed. */
import type { Batch } from "../../data/batch.ts";
import type { Operator, Output, StateTable } from "../../engine/contracts.ts";
import type { Loop } from "./loop_builder.ts";
import { newWork, type OutputShape, passedBatch, pick, prepare, type Work } from "./work.ts";

/** Runs a compiled loop. `otherPort` names where the rows go that the loop put aside, and as what they count. */
export class RowOperator implements Operator {
  readonly #loop: Loop;
  readonly #shape: OutputShape;
  readonly #state: readonly StateTable[];
  readonly #other: { readonly port: string; readonly count: "filtered" | "duplicates" } | null;
  readonly #work: Work;

  /** `work`: with what else the loop works with. */
  constructor(
    loop: Loop,
    shape: OutputShape,
    state: readonly StateTable[] = [],
    other: { readonly port: string; readonly count: "filtered" | "duplicates" } | null = null,
    work: Work = newWork(),
  ) {
    this.#work = work;
    this.#loop = loop;
    this.#shape = shape;
    this.#state = state;
    this.#other = other;
  }

  process(_input: number, batch: Batch, out: Output): void {
    const work = this.#work;
    prepare(work, this.#shape, batch.rows);
    this.#loop(batch, out, work, this.#state);
    if (work.filtered > 0) out.count("filtered", work.filtered);
    if (this.#other !== null && work.otherCount > 0) {
      out.count(this.#other.count, work.otherCount);
      out.emit(this.#other.port, pick(batch, work.others, work.otherCount));
    }
    if (work.count > 0) out.emit("out", passedBatch(work, this.#shape, batch));
  }
}

/** Makes a value when it is first asked for: loops are compiled at the first start, not by `check`. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
