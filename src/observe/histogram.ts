/** Counts of durations in fixed buckets, as Prometheus wants them. Plain data: they are posted between threads and added up. */

/** Upper bounds in milliseconds; the last bucket has none. */
export const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const;

export interface Histogram {
  /** By bucket, not added up; one more than BUCKETS_MS. */
  readonly counts: number[];
  sumMs: number;
}

export const emptyHistogram = (): Histogram => ({ counts: new Array<number>(BUCKETS_MS.length + 1).fill(0), sumMs: 0 });

export function observe(histogram: Histogram, ms: number): void {
  let bucket = 0;
  while (bucket < BUCKETS_MS.length && ms > BUCKETS_MS[bucket]) bucket++;
  histogram.counts[bucket]++;
  histogram.sumMs += ms;
}

export function addHistogram(into: Histogram, more: Histogram): void {
  for (let i = 0; i < into.counts.length; i++) into.counts[i] += more.counts[i];
  into.sumMs += more.sumMs;
}

export const countOf = ({ counts }: Histogram): number => counts.reduce((sum, count) => sum + count, 0);
