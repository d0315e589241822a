/**
 * The sink behind `publish = "one_file"`: idempotent for ever (DESIGN.md section 1). Fencing cuts nothing: an epoch's part has
 * one name and one content whoever writes it, so an older owner can only repeat what is there.
 */
import type { Batch } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";
import type { RowsEncoder } from "../../data/codec.ts";
import type { EpochStamp, HeldRun, Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import { EpochRows } from "./epoch_rows.ts";
import { PartStore } from "./part_store.ts";
import type { OneFilePublisher } from "./publisher.ts";
import type { SortKey } from "./sort_key.ts";

export interface FileSinkOptions {
  readonly files: Files;
  /** Parts of a run lie in a folder below it that is named after the run. */
  readonly stateFolder: string;
  readonly encoder: RowsEncoder;
  readonly key: SortKey | null;
  readonly publisher: OneFilePublisher;
}

export class FileSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew = "replaced";
  #store: PartStore | null = null;
  #owner = 0;
  constructor(private readonly options: FileSinkOptions) {}

  async heldRuns(): Promise<readonly HeldRun[]> {
    const { files, stateFolder } = this.options;
    const held: HeldRun[] = [];
    for (const run of await files.list(stateFolder)) {
      const epoch = await new PartStore(files, `${stateFolder}/${run}`).newestEpoch();
      if (epoch !== null) held.push({ run, epoch });
    }
    return held;
  }

  async open({ run, fresh }: { readonly run: string; readonly fresh: boolean }): Promise<void> {
    const { files, stateFolder } = this.options;
    this.#store = new PartStore(files, `${stateFolder}/${run}`);
    if (!fresh) return;
    await this.#store.removeOtherRuns();
    await this.#store.make();
  }

  lane(lane: number): SinkLane {
    assert(this.#store, "a sink is opened before its lanes");
    return new FileSinkLane(this.options, this.#store, lane, (owner) => this.#owner = Math.max(this.#owner, owner));
  }

  async finish(): Promise<void> {
    assert(this.#store, "a sink is opened before it is finished");
    await this.options.publisher.finish(this.#store, String(this.#owner));
  }

  async close(): Promise<void> {}
}

class FileSinkLane implements SinkLane {
  readonly #rows: EpochRows;
  constructor(
    private readonly options: FileSinkOptions,
    private readonly store: PartStore,
    private readonly lane: number,
    private readonly onOwner: (owner: number) => void,
  ) {
    this.#rows = new EpochRows(options.encoder, options.key);
  }

  async fence(owner: number): Promise<Marker | null> {
    this.onOwner(owner);
    this.discard();
    await this.store.settle();
    await this.options.publisher.recovered(owner);
    return await this.store.marker(this.lane);
  }

  write(batch: Batch): void {
    this.#rows.append(batch);
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.#rows.count > 0) await this.store.write(stamp, this.#rows.ordered(), this.options.key?.width ?? null);
    this.#rows.clear();
  }

  discard(): void {
    this.#rows.clear();
  }

  bytesHeld(): number {
    return this.#rows.bytes;
  }
}
