/**
 * The records that a key remembers: the newest by arrival, or those of a span of event time in its order. A record is staged first, to be
 * seen beside the others by whatever judges it, and then committed or forgotten. Invariant: the records of a key lie side by side in one
 * block; what is stored are the records that came, in their order, and taking them in again gives the same history: so a checkpoint
 * writes a record once, whatever the history's length, and leaves out what fell out of it.
 *
 *   rows = bytes:u32 table:u32 chunk:u32 count:u32 slots column*      chunk: NO_CHUNK for changes
 *
 * The slots are those of the keys, one per record, as packed numbers.
 */
import { assert } from "../../data/fault.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { History, HistoryKeep, HistorySpec, NumberHistory, TextHistory, ValueHistory } from "../contracts.ts";
import type { TableLayout } from "../head.ts";
import { HISTORY_CHUNK_KEYS } from "../limits.ts";
import { type Block, blockEntries, HistoryBlocks } from "./history_blocks.ts";
import { createHistoryColumn, type HistoryColumn, NumberHistoryColumn, type Places } from "./history_columns.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";

const NO_CHUNK = 0xffff_ffff;
/** Where a record of a key lies that has none yet, until it is committed. */
const SCRATCH_ENTRIES = 2;
/** Of a block that records run through: room for so many more than are kept, so that they are moved to its start only now and then. */
const slackOf = (records: number): number => Math.max(4, records >> 3);

export class HistoryTable implements History {
  readonly layout: TableLayout;
  readonly unfoldedSince: number[] = [];
  readonly foldedAt: number[] = [];
  /** Records that are kept. */
  live = 0;
  page = 0;
  from = 0;
  to = 0;
  before = 0;
  at = 0;
  readonly #keep: HistoryKeep;
  readonly #names: readonly string[];
  readonly #columns: readonly HistoryColumn[];
  /** Of a history by time: the column that orders it. */
  readonly #times: NumberHistoryColumn | null;
  readonly #blocks: HistoryBlocks;
  readonly #scratch: Block;
  readonly #blockEntriesMax: number;
  #keys = 0;
  /** By slot of the key: its block, and what of it is filled. */
  #page = new Int32Array(16);
  #start = new Int32Array(16);
  #capacity = new Int32Array(16);
  #first = new Int32Array(16);
  #count = new Int32Array(16);
  /** A record is staged, for a key that has a history already or for one that has none. */
  #staged: "known" | "new" | null = null;
  /** Slots of the records in the journal. */
  #noted = new Float64Array(16);
  #notedCount = 0;

  constructor(spec: HistorySpec) {
    this.layout = historyLayoutOf(spec);
    this.#keep = spec.keep;
    this.#names = spec.columns.map(({ name }) => name);
    this.#columns = spec.columns.map(({ kind }) => createHistoryColumn(kind));
    const times = spec.keep.kind === "span" ? this.#columns[this.#names.indexOf(spec.keep.column)] : null;
    assert(times === null || times instanceof NumberHistoryColumn && times.kind === "number", "a column of times orders the history");
    this.#times = times;
    this.#blocks = new HistoryBlocks((page, entries) => this.#columns.forEach((column) => column.setPage(page, entries)));
    this.#blockEntriesMax = spec.keep.kind === "count" ? spec.keep.records + slackOf(spec.keep.records) : 2 ** 30;
    this.#scratch = this.#blocks.take(SCRATCH_ENTRIES);
  }

  /** An estimate of the memory it takes. */
  get bytes(): number {
    return this.#columns.reduce((sum, { bytes }) => sum + bytes, 20 * this.#page.length);
  }

  number(column: string): NumberHistory {
    return this.#column(column, "number") as HistoryColumn & NumberHistory;
  }
  text(column: string): TextHistory {
    return this.#column(column, "text") as HistoryColumn & TextHistory;
  }
  value(column: string): ValueHistory {
    return this.#column(column, "value") as HistoryColumn & ValueHistory;
  }

  stage(slot: number, timeMicros: number): number {
    return this.#stage(slot, timeMicros, this.#keep.kind === "count" ? this.#keep.records : this.#keep.recordsMax);
  }

  #stage(slot: number, timeMicros: number, recordsMax: number): number {
    if (this.#staged !== null) this.settle();
    const isKnown = slot >= 0 && slot < this.#keys && this.#capacity[slot] > 0;
    if (isKnown && this.#first[slot] + this.#count[slot] === this.#start[slot] + this.#capacity[slot]) this.#makeRoom(slot);
    const first = isKnown ? this.#first[slot] : this.#scratch.start;
    const end = isKnown ? first + this.#count[slot] : first;
    this.page = isKnown ? this.#page[slot] : this.#scratch.page;
    this.before = first;
    this.from = first;
    this.to = end + 1;
    this.at = end;
    const keep = this.#keep;
    if (keep.kind === "count") {
      if (end - first === keep.records) this.from++;
    } else if (!this.#stageByTime(timeMicros, keep, recordsMax)) return -1;
    this.#staged = isKnown ? "known" : "new";
    return this.at;
  }

  look(slot: number): void {
    if (this.#staged !== null) this.settle();
    const isKnown = slot >= 0 && slot < this.#keys && this.#capacity[slot] > 0;
    this.page = isKnown ? this.#page[slot] : this.#scratch.page;
    this.from = this.before = isKnown ? this.#first[slot] : this.#scratch.start;
    this.to = isKnown ? this.from + this.#count[slot] : this.from;
    this.at = -1;
  }

  commit(slot: number): void {
    assert(this.#staged !== null, "what is committed was staged");
    if (this.#staged === "new") this.#begin(slot);
    this.#staged = null;
    const { page, at, to } = this;
    const first = this.#firstKept(page, this.before, to);
    // A record so late that it is not kept leaves no trace.
    if (at >= first) this.#note(slot, page, at);
    if (first > this.before) { for (const column of this.#columns) column.drop(page, this.before, first); }
    this.live += to - first - this.#count[slot];
    this.#first[slot] = first;
    this.#count[slot] = to - first;
  }

  settle(): void {
    if (this.#staged === null) return;
    this.#staged = null;
    const { page, at, to } = this;
    for (const column of this.#columns) {
      column.drop(page, at, at + 1);
      if (at < to - 1) column.move(page, at + 1, page, at, to - 1 - at);
    }
  }

  /** Appends the records that came since the last call, if any, as changes of `epoch`. */
  writeChanges(writer: BinaryWriter, number: number, epoch: number): void {
    assert(this.#staged === null, "an epoch ends with every record committed or forgotten");
    const slots = this.#noted.slice(0, this.#notedCount);
    this.#notedCount = 0;
    if (slots.length === 0) return;
    this.#writeRows(writer, number, NO_CHUNK, slots, (column) => column.writeNoted(writer));
    for (const slot of slots) {
      const chunk = this.#chunkOf(slot);
      if (this.unfoldedSince[chunk] === 0) this.unfoldedSince[chunk] = epoch;
    }
  }

  /** Appends all records of the keys of a chunk, and takes them for folded at `epoch`. */
  writeChunk(writer: BinaryWriter, number: number, chunk: number, epoch: number): void {
    const from = chunk * HISTORY_CHUNK_KEYS;
    const to = Math.min(from + HISTORY_CHUNK_KEYS, this.#keys);
    let count = 0;
    for (let slot = from; slot < to; slot++) count += this.#count[slot];
    const slots = new Float64Array(count);
    const where: Places = { pages: new Int32Array(count), places: new Int32Array(count) };
    let i = 0;
    for (let slot = from; slot < to; slot++) {
      for (let k = 0; k < this.#count[slot]; k++, i++) {
        slots[i] = slot;
        where.pages[i] = this.#page[slot];
        where.places[i] = this.#first[slot] + k;
      }
    }
    this.#writeRows(writer, number, chunk, slots, (column) => column.write(writer, where));
    this.unfoldedSince[chunk] = 0;
    this.foldedAt[chunk] = epoch;
  }

  /** Takes in again the records that were written at `epoch`: bases first, then changes, the oldest first. */
  readRows(rows: BinaryReader, written: "base" | "changes", epoch: number): void {
    const chunk = rows.u32();
    const count = rows.u32();
    const slots = unpackNumbers(rows, count);
    const putters = this.#columns.map((column) => column.read(rows, count));
    assert(rows.done, "stored records end where their length says");
    const times = this.#times === null ? -1 : this.#columns.indexOf(this.#times);
    if (written === "base") this.foldedAt[this.#chunkOf(chunk * HISTORY_CHUNK_KEYS)] = epoch;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      const own = this.#chunkOf(slot);
      if (written === "changes") {
        if (epoch <= this.foldedAt[own]) continue;
        if (this.unfoldedSince[own] === 0) this.unfoldedSince[own] = epoch;
      }
      let time = 0;
      if (times >= 0) {
        putters[times](i, this.#scratch.page, this.#scratch.start);
        time = this.#times!.pages[this.#scratch.page][this.#scratch.start];
      }
      // Where fewer are wanted now than were stored, there is room for the stored ones all the same.
      const at = this.#stage(slot, time, Infinity);
      for (const put of putters) put(i, this.page, at);
      this.commit(slot);
    }
    // What is taken in again is stored already.
    this.#forgetJournal();
  }

  restored(): void {
    this.settle();
  }

  /** Puts the staged record in its place by time; false where there is no room for it. */
  #stageByTime(timeMicros: number, keep: Extract<HistoryKeep, { kind: "span" }>, recordsMax: number): boolean {
    const times = this.#times!.pages[this.page];
    const end = this.to - 1;
    let at = end;
    while (at > this.before && times[at - 1] > timeMicros) at--;
    const horizon = (at === end ? timeMicros : times[end - 1]) - keep.micros;
    let from = this.before;
    while (from < at && times[from] < horizon) from++;
    from = Math.max(this.before, from - keep.older);
    if (this.to - from > recordsMax) return false;
    if (at < end) { for (const column of this.#columns) column.move(this.page, at, this.page, at + 1, end - at); }
    this.at = at;
    this.from = from;
    return true;
  }

  /** Of records that lie in [first, to), the newest one included: the first that is kept. */
  #firstKept(page: number, first: number, to: number): number {
    const keep = this.#keep;
    if (keep.kind === "count") return Math.max(first, to - keep.records);
    const times = this.#times!.pages[page];
    const horizon = times[to - 1] - keep.micros;
    let kept = first;
    while (times[kept] < horizon) kept++;
    return Math.max(first, kept - keep.older);
  }

  /** Gives a key its first block, and its first record a place there. */
  #begin(slot: number): void {
    if (slot >= this.#page.length) this.#grow(slot + 1);
    if (slot >= this.#keys) this.#keys = slot + 1;
    const capacity = blockEntries(1, this.#blockEntriesMax);
    const { page, start } = this.#blocks.take(capacity);
    for (const column of this.#columns) column.move(this.#scratch.page, this.#scratch.start, page, start, 1);
    [this.#page[slot], this.#start[slot], this.#capacity[slot]] = [page, start, capacity];
    this.page = page;
    this.before = this.from = this.at = start;
    this.to = start + 1;
  }

  /** Room for one more record behind the key's last: the records move to the block's start, or into a block that fits them better. */
  #makeRoom(slot: number): void {
    const [page, first, count, capacity] = [this.#page[slot], this.#first[slot], this.#count[slot], this.#capacity[slot]];
    const wanted = blockEntries(count + 1 + slackOf(count), this.#blockEntriesMax);
    if (wanted <= capacity && wanted * 2 > capacity) {
      const start = this.#start[slot];
      for (const column of this.#columns) column.move(page, first, page, start, count);
      this.#first[slot] = start;
      return;
    }
    const block = this.#blocks.take(wanted);
    for (const column of this.#columns) column.move(page, first, block.page, block.start, count);
    this.#blocks.give(page, this.#start[slot], capacity);
    [this.#page[slot], this.#start[slot], this.#capacity[slot]] = [block.page, block.start, wanted];
    this.#first[slot] = block.start;
  }

  #note(slot: number, page: number, at: number): void {
    if (this.#notedCount === this.#noted.length) {
      const noted = new Float64Array(this.#notedCount * 2);
      noted.set(this.#noted);
      this.#noted = noted;
    }
    this.#noted[this.#notedCount++] = slot;
    for (const column of this.#columns) column.note(page, at);
  }

  #forgetJournal(): void {
    this.#notedCount = 0;
    for (const column of this.#columns) column.forgetNoted();
  }

  #writeRows(writer: BinaryWriter, number: number, chunk: number, slots: Float64Array, write: (column: HistoryColumn) => void): void {
    const start = writer.length;
    writer.u32(0);
    writer.u32(number);
    writer.u32(chunk);
    writer.u32(slots.length);
    packNumbers(writer, slots);
    this.#columns.forEach(write);
    writer.view.setUint32(start, writer.length - start, true);
  }

  #chunkOf(slot: number): number {
    const chunk = Math.floor(slot / HISTORY_CHUNK_KEYS);
    while (this.foldedAt.length <= chunk) {
      this.foldedAt.push(0);
      this.unfoldedSince.push(0);
    }
    return chunk;
  }

  #column(name: string, kind: "number" | "text" | "value"): HistoryColumn {
    const column = this.#columns[this.#names.indexOf(name)];
    assert(column?.kind.startsWith(kind), `history ${this.layout.name} has no ${kind} column "${name}"`);
    return column;
  }

  #grow(slots: number): void {
    const size = Math.max(this.#page.length * 2, slots);
    const grown = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const into = new Int32Array(size);
      into.set(from);
      return into;
    };
    this.#page = grown(this.#page);
    this.#start = grown(this.#start);
    this.#capacity = grown(this.#capacity);
    this.#first = grown(this.#first);
    this.#count = grown(this.#count);
  }
}

/** How the records of such a history look; compared before any is read. How many are kept may change: what is there is then cut. */
export function historyLayoutOf({ name, version, keep, columns }: HistorySpec): TableLayout {
  const shown = columns.map((column) => `${column.name}:${column.kind}`).join(",");
  return { name, version, shape: `history by ${keep.kind === "count" ? "arrival" : keep.column}|${shown}` };
}
