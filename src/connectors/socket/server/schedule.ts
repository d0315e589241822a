/** When records are due: record n at start + n intervals, so lateness never adds up. */

export class Schedule {
  /** `rate` in records per second; Infinity: all of them, at once. */
  constructor(private readonly startMs: number, readonly rate: number) {}

  /** One behind the last record that is due. */
  due(nowMs: number): number {
    return this.rate === Infinity ? Infinity : Math.floor((nowMs - this.startMs) * this.rate / 1000 + 1e-6) + 1;
  }

  /** 0 where the record is due. */
  waitMs(number: number, nowMs: number): number {
    return this.rate === Infinity ? 0 : Math.max(0, this.startMs + number * 1000 / this.rate - nowMs);
  }
}
