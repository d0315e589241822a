/** The epoch that a lane has under way. */
import { entryBytes, type ScheduleEntry } from "./schedule.ts";

/** From its first record to its flip. */
export interface OpenEpoch {
  readonly timeMicros: number;
  readonly startedMs: number;
  readonly schedule: ScheduleEntry[];
  scheduleBytes: number;
  /** Records read and held rows given out. */
  records: number;
}

/** Notes what was done, so that it can be done again. */
export function schedule(epoch: OpenEpoch, entry: ScheduleEntry): void {
  epoch.schedule.push(entry);
  epoch.scheduleBytes += entryBytes(entry);
}
