/**
 * One lane of a parts sink. An epoch is delivered when its rows are in the lane's journal; which of them make up a file, and when
 * it is shown, follows from the epochs. Invariant: the journal lets rows go only when their file and its manifest entry are durable.
 */
import type { Batch } from "../../../data/batch.ts";
import { assert, MillraceError } from "../../../data/fault.ts";
import type { EpochStamp, Marker, SinkLane } from "../../../engine/contracts.ts";
import { Draft } from "./draft.ts";
import { LaneJournal } from "./journal.ts";
import type { JournalEpoch } from "./journal_frames.ts";
import { encodeEntry, entryName, fileName, isSameContent, type PartFile } from "./manifest.ts";
import { type OpenFile, OpenFiles } from "./open_files.ts";
import { PartitionedRows } from "./partitioning.ts";
import type { PartsSinkOptions } from "./parts_sink.ts";

export interface PartsLaneOptions extends PartsSinkOptions {
  readonly pipeline: string;
  readonly run: string;
  readonly lane: number;
  /** The folder of the run's journals. */
  readonly journals: string;
}

export class PartsLane implements SinkLane {
  readonly #rows: PartitionedRows;
  #journal: LaneJournal | null = null;
  #open: OpenFiles;
  #owner = 0;
  #draftsBegun = 0;
  #hasDecided = false;

  constructor(private readonly options: PartsLaneOptions) {
    this.#rows = new PartitionedRows(options.format, options.partitioning);
    this.#open = new OpenFiles(options.roll);
  }

  async fence(owner: number): Promise<Marker | null> {
    const { files, journals: folder, lane, spareBytes } = this.options;
    this.close();
    this.discard();
    this.#owner = owner;
    this.#draftsBegun = 0;
    this.#hasDecided = false;
    this.#open = new OpenFiles(this.options.roll);
    this.#journal = await LaneJournal.takeOver({ files, folder, lane, owner, spareBytes });
    for (const epoch of [...this.#journal.epochs]) await this.#take(epoch);
    return this.#journal.marker;
  }

  write(batch: Batch): void {
    this.#rows.append(batch);
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    assert(this.#journal, "a lane is fenced before it delivers");
    const sections = this.#rows.sections();
    const isNew = stamp.epoch > (this.#journal.marker?.epoch ?? 0);
    // That a stop closes files must be as durable as rows: the files go on being named by what is in them.
    if (isNew && (sections.length > 0 || stamp.stopping && this.holdsOpen())) {
      const epoch = await this.#journal.append(stamp, sections);
      this.#rows.clear();
      if (!this.#hasDecided) await this.#removeOlderDrafts();
      await this.#take(epoch);
    } else {
      this.#rows.clear();
      await this.#closeExpired(stamp.timeMicros);
    }
    await this.#journal.tidy();
  }

  discard(): void {
    this.#rows.clear();
  }

  bytesHeld(): number {
    return this.#rows.bytes;
  }

  dueMicros(): number | null {
    return this.#open.dueMicros();
  }

  holdsOpen(): boolean {
    return this.#open.all().length > 0;
  }

  /** The input has ended: shows what is open. */
  async finish(): Promise<void> {
    await this.#showAll();
    await this.#journal?.conclude();
  }

  close(): void {
    for (const { draft } of this.#open.all()) draft.close();
    this.#journal?.close();
    this.#journal = null;
  }

  /** What an epoch does to the files: the same whether it has just come or is read from the journal. */
  async #take(epoch: JournalEpoch): Promise<void> {
    await this.#closeExpired(epoch.timeMicros);
    for (const section of epoch.sections) {
      let file = this.#open.of(section.partition);
      if (file && this.#open.isFull(file, section.bytes)) {
        await this.#show(file);
        file = null;
      }
      if (!file) {
        for (let old = this.#open.crowdedOut(); old; old = this.#open.crowdedOut()) await this.#show(old);
        file = this.#open.begin(section.partition, epoch, this.#newDraft());
      }
      file.lastEpoch = epoch.epoch;
      file.lastMicros = epoch.timeMicros;
      file.rows += section.rows;
      await file.draft.add(section);
    }
    if (epoch.isLast) await this.#showAll();
  }

  async #showAll(): Promise<void> {
    for (const file of this.#open.all()) await this.#show(file);
  }

  async #closeExpired(timeMicros: number): Promise<void> {
    for (const file of this.#open.expired(timeMicros)) await this.#show(file);
  }

  async #show(file: OpenFile): Promise<void> {
    const { place, pipeline, sink, run, lane, format: { extension } } = this.options;
    const { partition, rows, firstEpoch, lastEpoch, firstMicros, lastMicros } = file;
    const span = { rows, firstEpoch, lastEpoch, firstMicros, lastMicros };
    const part: PartFile = { pipeline, sink, run, lane, partition, extension, ...span, ...await file.draft.finish() };
    const name = fileName(part);
    await place.show(file.draft.path, name, part.bytes);
    const entry = encodeEntry(part);
    const there = await place.record(entryName(name), entry, this.#owner);
    if (there && !isSameContent(there, entry)) throw conflict(name);
    this.#open.end(file);
    await this.#journal!.shown(partition, lastEpoch);
  }

  #newDraft(): Draft {
    const { files, place, format, roll } = this.options;
    const path = `${place.drafts}/${this.#draftPrefix()}${String(this.#draftsBegun++)}.${this.#owner}.tmp`;
    // Small files have several groups too, so that their size is known before they are full.
    const groupBytes = Math.min(format.groupBytes, Math.max(1, roll.bytes / 4));
    return new Draft({ files, path, format, groupBytes, read: (section) => this.#journal!.read(section) });
  }

  #draftPrefix(): string {
    const { pipeline, sink, run, lane } = this.options;
    return `${pipeline}.${sink}.${run}.${String(lane).padStart(5, "0")}-`;
  }

  /** Only once this owner's intent stands, as with journals. */
  async #removeOlderDrafts(): Promise<void> {
    const { files, place } = this.options;
    this.#hasDecided = true;
    for (const name of await files.list(place.drafts)) {
      const owner = /\.(\d+)\.tmp$/.exec(name)?.[1];
      if (name.startsWith(this.#draftPrefix()) && Number(owner) < this.#owner) await files.remove(`${place.drafts}/${name}`);
    }
  }
}

function conflict(name: string): MillraceError {
  return new MillraceError("manifest_conflict", `the manifest has an entry for ${name} that says other rows than this run's`, {
    hint: "the state folder and the files come from different histories: bring both back from one moment, or start over with --rerun",
  });
}
