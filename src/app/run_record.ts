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
  readonly status: "open" | "done";
  /** By source or table name; "" where it could not be told at the start. */
  readonly identities: Readonly<Record<string, string>>;
  /** sha-256 of the kept snapshot of each reference table; absent before they were read. */
  readonly tables: Readonly<Record<string, string>> | null;
  readonly startedMicros: number;
  /** Runs that came before and whose keys are still to be removed. */
  readonly stale: readonly string[];
  /** For people: how the run ended. */
  readonly summary: RunSummary | null;
}
export interface RunSummary {
  readonly records: number;
  readonly rejected: number;
  readonly finishedMicros: number;
}

/** Holds the record with its versionstamp; every write checks it, so a second owner is noticed. */
export class RunRecords {
  #versionstamp: string | null = null;
  private constructor(private readonly kv: Kv, public current: RunRecord | null) {}

  static async open(kv: Kv): Promise<RunRecords> {
    const entry = await kv.get(KEY);
    const records = new RunRecords(kv, entry ? decode(entry.value) : null);
    records.#versionstamp = entry?.versionstamp ?? null;
    return records;
  }

  async write(record: RunRecord): Promise<void> {
    const result = await this.kv.commit({
      checks: [{ key: KEY, versionstamp: this.#versionstamp }],
      sets: [{ key: KEY, value: new TextEncoder().encode(JSON.stringify(record)) }],
      deletes: [],
    });
    if (!result.ok) throw new MillraceError("owned", "another process changed this pipeline's run while it was being started");
    this.#versionstamp = result.versionstamp;
    this.current = record;
  }
}

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
