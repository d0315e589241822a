/**
 * The folder in which one sink keeps the parts of one run until they are published, and the markers of what was published.
 * Files here are only ever added whole; a part is removed only when a durable record says that its rows are published.
 */
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { folderOf, makeDurableFolder, readWhole, writeWhole } from "../../ports/durable.ts";
import type { OrderedRows } from "./epoch_rows.ts";
import { parsePartName, type Part, readPart, writePart } from "./part.ts";

/** Rows of one lane, epochs `first` to `epoch`, that were published; `epoch` and `digest` are the lane's marker. */
export interface Published extends Marker {
  readonly lane: number;
  readonly first: number;
}

const PUBLISHED_NAME = /^published-(\d{5})-(\d{12})\.json$/;

export class PartStore {
  #made = false;
  constructor(readonly files: Files, readonly folder: string) {}

  /** Removes what other runs left in the folder above. Only for a run of which nothing was ever committed. */
  async removeOtherRuns(): Promise<void> {
    const above = folderOf(this.folder);
    const own = this.folder.slice(above.length + 1);
    for (const name of await this.files.list(above)) {
      if (name !== own) await this.files.remove(`${above}/${name}`);
    }
  }

  async write(stamp: EpochStamp, ordered: OrderedRows, keyWidth: number | null): Promise<Part> {
    await this.make();
    return await writePart(this.files, this.folder, stamp, ordered, keyWidth);
  }

  /** The newest epoch of the lane, published or not. */
  async marker(lane: number): Promise<Marker | null> {
    const published = (await this.published()).filter((record) => record.lane === lane).at(-1) ?? null;
    const newest = (await this.names()).filter((part) => part.lane === lane).at(-1);
    if (!newest || published && newest.epoch <= published.epoch) return published && { epoch: published.epoch, digest: published.digest };
    const { epoch, digest } = await readPart(this.files, `${this.folder}/${newest.name}`);
    return { epoch, digest };
  }

  /** Of all lanes, published or not; null when the folder holds none. */
  async newestEpoch(): Promise<number | null> {
    const epochs = [...await this.names(), ...await this.published()].map(({ epoch }) => epoch);
    return epochs.length === 0 ? null : epochs.reduce((a, b) => Math.max(a, b));
  }

  /** Parts not yet published, by lane and epoch. */
  async parts(lane?: number): Promise<Part[]> {
    const upTo = new Map<number, number>();
    for (const record of await this.published()) upTo.set(record.lane, record.epoch);
    const parts: Part[] = [];
    for (const name of await this.names()) {
      if (lane !== undefined && name.lane !== lane || name.epoch <= (upTo.get(name.lane) ?? -1)) continue;
      parts.push(await readPart(this.files, `${this.folder}/${name.name}`));
    }
    return parts;
  }

  /** Published rows, by lane and epoch. */
  async published(): Promise<Published[]> {
    const all: Published[] = [];
    for (const name of await this.files.list(this.folder)) {
      if (!PUBLISHED_NAME.test(name)) continue;
      const path = `${this.folder}/${name}`;
      const bytes = await readWhole(this.files, path);
      try {
        all.push(...JSON.parse(new TextDecoder().decode(bytes!)) as Published[]);
      } catch (cause) {
        throw new MillraceError("part_damaged", `${path} cannot be read`, {
          hint: "restore the state folder, or start over with --rerun",
          cause,
        });
      }
    }
    return all.sort((a, b) => a.lane - b.lane || a.epoch - b.epoch);
  }

  /**
   * Remembers durably that the parts' rows, which went into one file, are published: all lanes by one record, so that a crash
   * cannot leave some of them to be published again without the others. Only then may `removePublished` remove the parts.
   */
  async markPublished(parts: readonly Part[], owner: string): Promise<void> {
    const records = new Map<number, Published>();
    for (const { lane, epoch, digest } of parts) records.set(lane, { lane, first: records.get(lane)?.first ?? epoch, epoch, digest });
    const name = `published-${String(parts[0].lane).padStart(5, "0")}-${String(parts[0].epoch).padStart(12, "0")}.json`;
    const bytes = new TextEncoder().encode(JSON.stringify([...records.values()]));
    await writeWhole(this.files, { folder: this.folder, name, owner }, (handle) => handle.write(bytes));
  }

  /** Removes parts that a record covers, those that a late owner wrote again included. */
  async removePublished(): Promise<void> {
    const upTo = new Map<number, number>();
    for (const record of await this.published()) upTo.set(record.lane, record.epoch);
    for (const name of await this.names()) {
      if (name.epoch <= (upTo.get(name.lane) ?? -1)) await this.files.remove(`${this.folder}/${name.name}`);
    }
  }

  /** Makes durable what can be seen: who renamed it here may have died before its own sync. */
  async settle(): Promise<void> {
    await this.make();
    await this.files.syncFolder(this.folder);
  }

  async make(): Promise<void> {
    if (!this.#made) await makeDurableFolder(this.files, this.folder);
    this.#made = true;
  }

  private async names(): Promise<{ name: string; lane: number; epoch: number }[]> {
    const names: { name: string; lane: number; epoch: number }[] = [];
    for (const name of await this.files.list(this.folder)) {
      const parsed = parsePartName(name);
      if (parsed) names.push({ name, ...parsed });
    }
    return names;
  }
}
