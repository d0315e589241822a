/**
 * The sink behind `publish = "parts"`: a folder, or a prefix of a bucket, of rolled files with a manifest. Idempotent for ever
 * (DESIGN.md section 1): names and rows of a file follow from the epochs alone, so an older owner can only repeat what is there.
 */
import { assert } from "../../../data/fault.ts";
import type { HeldRun, Sink, SinkLane } from "../../../engine/contracts.ts";
import type { Files } from "../../../ports/mod.ts";
import { makeDurableFolder } from "../../../ports/durable.ts";
import type { PartPlace, RowFormat } from "./contracts.ts";
import { lanesWithJournals } from "./journal.ts";
import { isEntry, isOfOtherRun, runOf } from "./manifest.ts";
import type { Roll } from "./open_files.ts";
import type { Partitioning } from "./partitioning.ts";
import { PartsLane } from "./parts_lane.ts";

export interface PartsSinkOptions {
  readonly files: Files;
  /** Journals of a run lie in a folder below it that is named after the run. */
  readonly stateFolder: string;
  /** The sink's name, as file names tell it. */
  readonly sink: string;
  readonly place: PartPlace;
  readonly format: RowFormat;
  readonly partitioning: Partitioning;
  readonly roll: Roll;
  /** See JournalPlace. */
  readonly spareBytes: number;
}

export class PartsSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew = "replaced";
  readonly #lanes = new Map<number, PartsLane>();
  #run: { readonly pipeline: string; readonly run: string } | null = null;
  constructor(private readonly options: PartsSinkOptions) {}

  /** Files that are shown, and journals of those that are not. The newest epoch is at least the one told. */
  async heldRuns({ pipeline }: { readonly pipeline: string }): Promise<readonly HeldRun[]> {
    const { files, stateFolder, place, sink } = this.options;
    const epochs = new Map<string, number>();
    for (const name of await files.list(stateFolder)) {
      const path = `${stateFolder}/${name}`;
      if (path !== place.drafts && (await lanesWithJournals(files, path)).size > 0) epochs.set(name, 0);
    }
    await place.open();
    for (const name of await place.names()) {
      const found = isEntry(name) ? null : runOf(name, { pipeline, sink });
      if (found) epochs.set(found.run, Math.max(epochs.get(found.run) ?? 0, found.firstEpoch));
    }
    return [...epochs].map(([run, epoch]) => ({ run, epoch: epoch || null }));
  }

  async open({ pipeline, run, fresh }: { readonly pipeline: string; readonly run: string; readonly fresh: boolean }): Promise<void> {
    const { place } = this.options;
    this.#run = { pipeline, run };
    await place.open();
    if (fresh) await this.#clearOtherRuns(pipeline, run);
  }

  lane(lane: number): SinkLane {
    assert(this.#run, "a sink is opened before its lanes");
    const made = new PartsLane({ ...this.options, ...this.#run, lane, journals: `${this.options.stateFolder}/${this.#run.run}` });
    // A lane that went to another replica may come back.
    this.#lanes.get(lane)?.close();
    this.#lanes.set(lane, made);
    return made;
  }

  /** Also of lanes that other threads ran: what they left open is in their journals. */
  async finish(): Promise<void> {
    assert(this.#run, "a sink is opened before it is finished");
    const left = await lanesWithJournals(this.options.files, `${this.options.stateFolder}/${this.#run.run}`);
    for (const [lane, owner] of left) if (!this.#lanes.has(lane)) await this.lane(lane).fence(owner);
    for (const lane of this.#lanes.values()) await lane.finish();
  }

  close(): Promise<void> {
    for (const lane of this.#lanes.values()) lane.close();
    return Promise.resolve();
  }

  /** Files go before their entries: a file that nothing lists would be found by its name for ever. */
  async #clearOtherRuns(pipeline: string, run: string): Promise<void> {
    const { files, stateFolder, place, sink } = this.options;
    const isStale = (name: string): boolean => isOfOtherRun(name, { pipeline, sink }, run);
    const stale = (await place.names()).filter(isStale);
    for (const name of stale.filter((name) => !isEntry(name))) await place.remove(name);
    for (const name of stale.filter(isEntry)) await place.remove(name);
    for (const name of await files.list(place.drafts)) if (isStale(name)) await files.remove(`${place.drafts}/${name}`);
    for (const name of await files.list(stateFolder)) {
      const path = `${stateFolder}/${name}`;
      if (name !== run && path !== place.drafts) await files.remove(path);
    }
    await makeDurableFolder(files, `${stateFolder}/${run}`);
  }
}
