/** Tells the newest of many values, at most so often. Invariant: the last one is told, however soon it came behind another. */
import type { Clock } from "../../ports/mod.ts";

/** `tell` made seldom: at most once in `everyMs`, with what is the newest then. */
export function seldom<Value>(clock: Clock, everyMs: number, tell: (value: Value) => void): (value: Value) => void {
  let toldMs = -Infinity;
  let waiting: { value: Value } | null = null;
  return (value) => {
    const waitMs = toldMs + everyMs - clock.monotonicMs();
    if (waiting) waiting.value = value;
    else if (waitMs <= 0) {
      toldMs = clock.monotonicMs();
      tell(value);
    } else {
      const newest = waiting = { value };
      void clock.sleep(waitMs).then(() => {
        waiting = null;
        toldMs = clock.monotonicMs();
        tell(newest.value);
      });
    }
  };
}
