/** Streams from a number: rows in and out of order, late ones, repeats, partitions that fall idle and come back, ends and stops. */
import type { Happening, Row, WindowSetting, WindowShape } from "../oracle/windows.ts";

/** Mulberry32. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  below(bound: number): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * bound);
  }
  chance(of: number): boolean {
    return this.below(1000) < of * 1000;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}

const S = 1_000_000;
const SHAPES: readonly WindowShape[] = [
  { kind: "tumbling", size: 5 * S },
  { kind: "tumbling", size: 7 * S },
  { kind: "sliding", size: 10 * S, every: 5 * S },
  { kind: "sliding", size: 9 * S, every: 4 * S },
  { kind: "sliding", size: 5 * S, every: 5 * S },
  { kind: "session", gap: 3 * S, most: Infinity },
  { kind: "session", gap: 3 * S, most: 7 * S },
];
/** Every setting that is tried: each is compiled once. */
export const SETTINGS: readonly WindowSetting[] = SHAPES.flatMap((window) =>
  (["window", "record"] as const).flatMap((late) =>
    [[0, null, true, false], [2 * S, null, true, true], [2 * S, 6 * S, true, false], [6 * S, 3 * S, false, false]].map((
      [lateness, horizon, keyed, byTotal],
    ) => ({ window, late, lateness, horizon, keyed, byTotal }) as WindowSetting)
  )
);

export interface RandomStream {
  readonly partitions: readonly number[];
  /** In arrival order; ends with the end of all partitions or a stop, or with neither. Behind a stop the next start goes on. */
  readonly happenings: readonly Happening[];
}

/** A stream of up to about 50 rows. */
export function randomStream(random: Random, { lateness }: WindowSetting): RandomStream {
  const partitions = Array.from({ length: random.pick([1, 1, 2, 4]) }, (_, partition) => partition);
  const clocks = partitions.map(() => 1_700_000_000 * S + random.below(5) * S);
  const happenings: Happening[] = [];
  const rows: Row[] = [];
  const ended = new Set<number>();
  const disorder = random.pick([0, lateness, lateness, 2 * lateness + S]);
  for (let left = random.below(50); left > 0; left--) {
    const partition = random.pick(partitions);
    if (ended.has(partition)) continue;
    if (random.chance(0.02)) happenings.push({ what: "stop" });
    else if (random.chance(0.04)) happenings.push({ what: "idle", partition });
    else if (random.chance(0.01)) {
      ended.add(partition);
      happenings.push({ what: "end", partition });
    } else if (rows.length > 0 && random.chance(0.08)) {
      // Once more, as it was or with another partition's time.
      const before = random.pick(rows);
      happenings.push({ what: "row", row: { ...before, partition } });
    } else {
      clocks[partition] += random.pick([0, 1, S / 2, S, S, 2 * S, 5 * S]);
      const back = disorder === 0 ? 0 : random.pick([0, 0, random.below(disorder), random.below(2 * disorder)]);
      const row: Row = {
        id: rows.length,
        partition,
        at: clocks[partition] - back,
        key: random.pick(["a", "a", "b", "ß", ""]),
        n: random.pick([0, 1, -7, 40, 2 ** 40]),
      };
      rows.push(row);
      happenings.push({ what: "row", row });
    }
  }
  const finish = random.pick(["end", "end", "stop", "open"]);
  if (finish === "stop") happenings.push({ what: "stop" });
  if (finish === "end") { for (const partition of partitions) if (!ended.has(partition)) happenings.push({ what: "end", partition }); }
  return { partitions, happenings };
}
