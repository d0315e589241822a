/**
 * What the pipeline's KV file knows about its runs. A bounded run is done only while its plan, its parameters and its inputs
 * are what they were; another run starts from nothing under a new id.
 */
import { MillraceError } from "../data/fault.ts";
import type { Kv, World } from "../ports/mod.ts";

const KEY = ["run"];

export interface RunRecord {
  readonly version: 1;
  readonly run: string;
  readonly hash: string;
  /** "reset": it was never begun; a user has given up the runs before it. */
  readonly status: "open" | "done" | "reset";
  /** By source or table name; "" where it could not be told at the start. */
  readonly identities: Readonly<Record<string, string>>;
  /** sha-256 of the kept snapshot of each reference table; absent before they were read. */
  readonly tables: Readonly<Record<string, string>> | null;
  readonly startedMicros: number;
  /** Of several processes, the one that opens the sinks of a new run first, until it has. */
  readonly opening?: string | null;
  /** Runs that came before and whose keys are still to be removed. */
  readonly stale: readonly string[];
  /** For people: how the run ended. */
  readonly summary: RunSummary | null;
  /** Of a stage: the run of the stage before that it reads. */
  readonly follows?: string;
  /** Runs that came before the stale ones, the newest last: sinks may still tell of them. */
  readonly past?: readonly string[];
  /** The newest run that was to write the outputs anew (--rerun): whatever earlier ones left in the sinks is given up. */
  readonly anew?: string;
}
export interface RunSummary {
  readonly records: number;
  readonly rejected: number;
  readonly finishedMicros: number;
}

/** More runs than these are known by the time they began. */
const PAST_MAX = 256;

/** What a run that comes after `before` remembers of those that came before it. */
export function pastOf(before: RunRecord | null): Pick<RunRecord, "stale" | "past" | "anew"> {
  if (!before) return { stale: [] };
  return { stale: [...before.stale, before.run], past: before.past, ...(before.anew === undefined ? {} : { anew: before.anew }) };
}

/** The record without runs whose keys are gone; that there were such runs is remembered. */
export function withoutStale(record: RunRecord, collected: readonly string[]): RunRecord {
  const gone = record.stale.filter((run) => collected.includes(run));
  const past = [...record.past ?? [], ...gone].slice(-PAST_MAX);
  return { ...record, stale: record.stale.filter((run) => !collected.includes(run)), past };
}

/**
 * Whether a sink may hold something of the run: the record's history has it, or a user has given up what was there before. Everything
 * else was written by a checkpoint that is not this one.
 */
export function knowsRun(record: RunRecord, run: string): boolean {
  const { stale, past = [], anew } = record;
  if (run === record.run || stale.includes(run) || past.includes(run)) return true;
  if (anew !== undefined && beganBefore(run, anew)) return true;
  return past.length === PAST_MAX && beganBefore(run, past[0]);
}

/** By the time in their ids. */
function beganBefore(run: string, other: string): boolean {
  const [a, b] = [run, other].map((id) => Number.parseInt(id.split("-")[0], 36));
  return a < b;
}

/** Gives up after this many writers came between: they would have to change the record all the time. */
const RACES_MAX = 50;

/**
 * The record as this process last saw it. Every change is decided on the newest record and checked against it, because replicas of
 * a pipeline change it side by side.
 */
export class RunRecords {
  #versionstamp: string | null = null;
  private constructor(private readonly kv: Kv, public current: RunRecord | null) {}

  static async open(kv: Kv): Promise<RunRecords> {
    const records = new RunRecords(kv, null);
    await records.reload();
    return records;
  }

  async reload(): Promise<RunRecord | null> {
    const entry = await this.kv.get(KEY);
    this.#versionstamp = entry?.versionstamp ?? null;
    return this.current = entry ? decode(entry.value) : null;
  }

  /**
   * Changes the newest record; `change` is asked again when another process was faster, and says null where the record is right
   * as it stands. Returns the record that holds then, ours or another's. May be asked again after a fault.
   */
  async update(change: (newest: RunRecord | null) => RunRecord | null): Promise<RunRecord | null> {
    for (let race = 0; race < RACES_MAX; race++) {
      const newest = race === 0 ? this.current : await this.reload();
      const changed = change(newest);
      if (changed === null) return newest;
      const result = await this.kv.commit({
        checks: [{ key: KEY, versionstamp: this.#versionstamp }],
        sets: [{ key: KEY, value: new TextEncoder().encode(JSON.stringify(changed)) }],
        deletes: [],
      });
      if (!result.ok) continue;
      this.#versionstamp = result.versionstamp;
      return this.current = changed;
    }
    throw superseded("other processes change this pipeline's run record again and again");
  }

  /** As `update`, of the run that this process takes part in: throws when another one was begun. */
  async updateRun(run: string, change: (newest: RunRecord) => RunRecord | null): Promise<RunRecord> {
    const record = await this.update((newest) => {
      if (newest?.run !== run) throw superseded("another run of this pipeline was begun");
      return change(newest);
    });
    return record!;
  }

  /** Throws when another run was begun. */
  async requireRun(run: string): Promise<void> {
    if ((await this.reload())?.run !== run) throw superseded("another run of this pipeline was begun");
  }
}

const superseded = (what: string): MillraceError =>
  new MillraceError("owned", what, { hint: "this process stops and has changed nothing since; --rerun is for one process at a time" });

/** A run id that sorts by time of start. */
export function newRunId(world: World): string {
  return `${Math.floor(world.clock.nowMicros() / 1000).toString(36)}-${world.random.uint32().toString(36)}`;
}

function decode(value: Uint8Array): RunRecord {
  const record = JSON.parse(new TextDecoder().decode(value)) as RunRecord;
  if (record.version !== 1) {
    throw new MillraceError("state_version", `the checkpoint was written by another version (run record ${record.version}, known is 1)`, {
      hint: "finish the run with the version that began it, or start over with --rerun",
    });
  }
  return record;
}
