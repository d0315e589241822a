/**
 * The runs of all pipelines that one with stages is made of, or was made of with other lanes: sinks are the whole's, whichever of them
 * writes. Invariant: a checkpoint that this process has open is never opened again, and none that another one has.
 */
import type { World } from "../ports/mod.ts";
import { kvPath, lockPath } from "./checkpoint_store.ts";
import { knowsRun, type RunRecord, RunRecords } from "./run_record.ts";

export class KinRuns {
  /** Of what runs in this process, by state folder; they can be read behind its end. */
  readonly #joined = new Map<string, RunRecords>();
  #others: readonly RunRecord[] = [];
  /** `folder` is the whole's state folder; those of stages behind the first have its name, a dot and their own. */
  constructor(private readonly folder: string) {}

  /** A stage, or the whole, has chosen its run; it knows those of whoever joined before, and what lies in the folders of the others. */
  async join(folder: string, records: RunRecords, world: World): Promise<void> {
    this.#joined.set(folder, records);
    this.#others = await this.#readOthers(world);
  }

  /** Whether one of them has made the run, or had it before. */
  knows(run: string): boolean {
    const joined = [...this.#joined.values()].flatMap(({ current }) => current ?? []);
    return [...joined, ...this.#others].some((record) => knowsRun(record, run));
  }

  async #readOthers({ files, locks, openKv }: World): Promise<readonly RunRecord[]> {
    const at = this.folder.lastIndexOf("/") + 1;
    const parent = this.folder.slice(0, at);
    const found: RunRecord[] = [];
    for (const name of await files.list(parent || ".")) {
      const stateFolder = parent + name;
      const checkpoint = kvPath({ stateFolder });
      if (!stateFolder.startsWith(`${this.folder}.`) || this.#joined.has(stateFolder) || !(await files.stat(checkpoint))) continue;
      const lock = await locks.acquire(lockPath({ stateFolder }));
      if (!lock) continue;
      try {
        const kv = await openKv(checkpoint);
        try {
          const { current } = await RunRecords.open(kv);
          if (current) found.push(current);
        } finally {
          kv.close();
        }
      } finally {
        lock.release();
      }
    }
    return found;
  }
}
