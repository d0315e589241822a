/**
 * One keyed state table: keys, typed columns, and which slots this epoch touched. Invariant: after `writeChanges` of every epoch
 * up to e, the written rows, applied in order, give the table as it was at the end of e.
 *
 *   rows = bytes:u32 table:u32 size:u32 removed keyed kept keys(of keyed) column*(of kept)
 *   removed, keyed, kept = count:u32 slots
 *
 * Slots are ascending packed numbers: those that are free now, those whose key is new, and those whose columns follow.
 */
import { assert } from "../../data/fault.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { KeyPart, NumberState, StateColumnKind, StateTable, StateTableSpec, TextState, ValueState, WideState } from "../contracts.ts";
import type { TableLayout } from "../head.ts";
import { STATE_CHUNK_ROWS, STATE_KEY_PARTS_MAX } from "../limits.ts";
import { ByteKeys } from "./byte_keys.ts";
import { createColumn, type StateColumn } from "./columns.ts";
import type { Keys } from "./keys.ts";
import { NumberKeys } from "./number_keys.ts";
import { NumberPairKeys } from "./number_pair_keys.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";
import { Slots } from "./slots.ts";

/** What a slot takes in each kind of column, and for its key with its place in the index. */
const COLUMN_BYTES: Readonly<Record<StateColumnKind, number>> = { number: 9, wide: 16, text: 8, value: 8 };
const KEY_BYTES = 32;

/** Marks of a slot in the open epoch: written into; its key is not stored yet. */
const TOUCHED = 1, KEYED = 2;

export class Table implements StateTable {
  readonly layout: TableLayout;
  /** By chunk: the oldest epoch whose change of a row is in no base chunk; 0 when the newest base has everything. */
  readonly unfoldedSince: number[] = [];
  /** By chunk: the epoch of its newest base, 0 when it has none. */
  readonly foldedAt: number[] = [];
  readonly #slots = new Slots();
  readonly #keys: Keys;
  readonly #columns: ReadonlyMap<string, StateColumn>;
  #capacity = 0;
  #marks = new Uint8Array(0);
  /** Grows with what one epoch touches, not with the table. */
  #changed = new Int32Array(16);
  #changedCount = 0;
  /** Of the changed slots, those whose key is not stored yet. */
  #keyedCount = 0;

  constructor(spec: StateTableSpec) {
    assert(
      spec.key.length >= 1 && spec.key.length <= STATE_KEY_PARTS_MAX,
      `state table ${spec.name}: 1 to ${STATE_KEY_PARTS_MAX} key parts`,
    );
    this.layout = layoutOf(spec);
    this.#keys = keysOf(spec.key, this.#slots);
    this.#columns = new Map(spec.columns.map(({ name, kind }) => [name, createColumn(kind)]));
    assert(this.#columns.size === spec.columns.length, `state table ${spec.name}: columns have different names`);
    this.#grow(16);
  }

  get size(): number {
    return this.#slots.size;
  }
  get live(): number {
    return this.#slots.live;
  }
  /** An estimate of the memory its slots take; what texts and lists hold beside is not counted. */
  get bytes(): number {
    let bytes = KEY_BYTES;
    for (const { kind } of this.#columns.values()) bytes += COLUMN_BYTES[kind];
    return bytes * this.#capacity;
  }
  get chunks(): number {
    return Math.ceil(this.size / STATE_CHUNK_ROWS);
  }

  find(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number {
    return this.#keys.find(a, b, c, d);
  }

  insert(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number {
    const before = this.#slots.live;
    const slot = this.#keys.insert(a, b, c, d);
    if (this.#slots.live > before) this.#added(slot);
    return slot;
  }

  findText(bytes: DataView, from: number, to: number): number {
    return this.#keys.findText(bytes, from, to);
  }

  insertText(bytes: DataView, from: number, to: number): number {
    const before = this.#slots.live;
    const slot = this.#keys.insertText(bytes, from, to);
    if (this.#slots.live > before) this.#added(slot);
    return slot;
  }

  /** The slot has a key that is not stored yet. */
  #added(slot: number): void {
    if (slot >= this.#capacity) this.#grow(this.#capacity * 2);
    this.touch(slot);
    if ((this.#marks[slot] & KEYED) === 0) this.#keyedCount++;
    this.#marks[slot] |= KEYED;
  }

  remove(slot: number): void {
    assert(this.#slots.isLive(slot), "a row is removed once");
    this.#keys.remove(slot);
    this.#slots.release(slot);
    for (const column of this.#columns.values()) column.clear(slot);
    this.touch(slot);
  }

  isLive(slot: number): boolean {
    return this.#slots.isLive(slot);
  }

  warm(keys: readonly Float64Array[], from: number, to: number): void {
    this.#keys.warm?.(keys, from, to);
  }

  touch(slot: number): void {
    if ((this.#marks[slot] & TOUCHED) !== 0) return;
    this.#marks[slot] |= TOUCHED;
    if (this.#changedCount === this.#changed.length) this.#changed = doubled(this.#changed);
    this.#changed[this.#changedCount++] = slot;
  }

  keyOf(slot: number): readonly KeyPart[] {
    assert(this.#slots.isLive(slot), "the slot is in the table");
    return this.#keys.keyOf(slot);
  }

  number(column: string): NumberState {
    return this.#column(column, "number") as StateColumn & NumberState;
  }
  text(column: string): TextState {
    return this.#column(column, "text") as StateColumn & TextState;
  }
  value(column: string): ValueState {
    return this.#column(column, "value") as StateColumn & ValueState;
  }
  wide(column: string): WideState {
    return this.#column(column, "wide") as StateColumn & WideState;
  }

  /** Appends the rows touched since the last call, if any, as changes of `epoch`. */
  writeChanges(writer: BinaryWriter, number: number, epoch: number): void {
    if (this.#changedCount === 0) return;
    const slots = this.#changedSlots();
    const some = (slot: number): boolean => (this.#marks[slot] & KEYED) !== 0;
    this.#writeRows(writer, number, slots, this.#keyedCount === 0 ? "none" : this.#keyedCount === slots.length ? "all" : some);
    for (let from = 0; from < slots.length; from += ROWS_PER_CALL) {
      clearMarks(this.#marks, slots, from, Math.min(from + ROWS_PER_CALL, slots.length));
    }
    for (let first = 0; first < slots.length;) {
      this.#markUnfolded(slots[first], epoch);
      first = firstAtLeast(slots, first, (this.#chunkOf(slots[first]) + 1) * STATE_CHUNK_ROWS);
    }
    this.#changedCount = 0;
    this.#keyedCount = 0;
  }

  /** Appends all rows of a chunk, and takes them for folded at `epoch`. */
  writeChunk(writer: BinaryWriter, number: number, chunk: number, epoch: number): void {
    const first = chunk * STATE_CHUNK_ROWS;
    const slots = new Int32Array(Math.min(STATE_CHUNK_ROWS, this.size - first));
    for (let i = 0; i < slots.length; i++) slots[i] = first + i;
    this.#writeRows(writer, number, slots, "all");
    this.unfoldedSince[chunk] = 0;
    this.foldedAt[chunk] = epoch;
  }

  /** Reads back rows that were written at `epoch`, as a base chunk or as changes: bases first. Finish with `restored`. */
  readRows(rows: BinaryReader, written: "base" | "changes", epoch: number): void {
    const size = rows.u32();
    const [removed, keyed, kept] = [readSlots(rows), readSlots(rows), readSlots(rows)];
    if (size > this.size) {
      while (this.#capacity < size) this.#grow(this.#capacity * 2);
      this.#slots.resize(size);
      this.#keys.resize();
    }
    for (const slot of removed) {
      this.#slots.mark(slot, "free");
      this.#keys.clear(slot);
      for (const column of this.#columns.values()) column.clear(slot);
    }
    for (const slot of keyed) this.#slots.mark(slot, "live");
    this.#keys.read(rows, keyed);
    for (const column of this.#columns.values()) column.read(rows, kept);
    assert(rows.done, "stored rows end where their length says");
    for (const slots of [removed, kept]) {
      if (written === "changes") { for (const slot of slots) this.#markUnfolded(slot, epoch); }
      else if (slots.length > 0) this.foldedAt[this.#chunkOf(slots[0])] = epoch;
    }
  }

  /** Ends a restore: every row read so far is known to be stored. */
  restored(): void {
    this.#slots.restored();
    this.#keys.reindex();
  }

  /** Ascending: neighbours then lie together in memory, and in few bytes when written. */
  #changedSlots(): Int32Array {
    const slots = this.#changed.slice(0, this.#changedCount);
    if (slots.length * SORTED_SHARE_MIN < this.size) return slots.sort();
    findMarked(this.#marks, slots);
    return slots;
  }

  #writeRows(writer: BinaryWriter, number: number, slots: Int32Array, isKeyed: "all" | "none" | ((slot: number) => boolean)): void {
    const start = writer.length;
    writer.u32(0);
    writer.u32(number);
    writer.u32(this.size);
    const allLive = this.live === this.size;
    const kept = allLive ? slots : slots.filter((slot) => this.#slots.isLive(slot));
    const keyed = isKeyed === "all" ? kept : isKeyed === "none" ? NONE : kept.filter(isKeyed);
    writeSlots(writer, allLive ? NONE : slots.filter((slot) => !this.#slots.isLive(slot)));
    writeSlots(writer, keyed);
    writeSlots(writer, kept);
    this.#keys.write(writer, keyed);
    for (const column of this.#columns.values()) column.write(writer, kept);
    const end = writer.length;
    writer.length = start;
    writer.u32(end - start);
    writer.length = end;
  }

  #markUnfolded(slot: number, epoch: number): void {
    const chunk = this.#chunkOf(slot);
    if (this.unfoldedSince[chunk] === 0 && epoch > this.foldedAt[chunk]) this.unfoldedSince[chunk] = epoch;
  }

  #chunkOf(slot: number): number {
    const chunk = Math.floor(slot / STATE_CHUNK_ROWS);
    while (this.foldedAt.length <= chunk) {
      this.foldedAt.push(0);
      this.unfoldedSince.push(0);
    }
    return chunk;
  }

  #column(name: string, kind: StateColumnKind): StateColumn {
    const column = this.#columns.get(name);
    assert(column?.kind === kind, `state table ${this.layout.name} has no ${kind} column "${name}"`);
    return column;
  }

  #grow(capacity: number): void {
    this.#capacity = capacity;
    const marks = new Uint8Array(capacity);
    marks.set(this.#marks);
    this.#marks = marks;
    for (const column of this.#columns.values()) column.grow(capacity);
  }
}

/** A smaller share of changed slots is sorted; of more, the marks of all slots are looked through, which is then cheaper. */
const SORTED_SHARE_MIN = 32;

function keysOf(kinds: StateTableSpec["key"], slots: Slots): Keys {
  const numbers = kinds.every((kind) => kind === "number");
  if (numbers && kinds.length === 1) return new NumberKeys(slots);
  return numbers && kinds.length === 2 ? new NumberPairKeys(slots) : new ByteKeys(kinds.length, slots);
}

/** Where marks are set; there are as many as there is room for. */
function findMarked(marks: Uint8Array, into: Int32Array): void {
  for (let slot = 0, at = 0; at < into.length; slot++) if (marks[slot] !== 0) into[at++] = slot;
}
function clearMarks(marks: Uint8Array, slots: Int32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) marks[slots[i]] = 0;
}

/**
 * The index of the first of the ascending slots, from index `from` on, that is not below `bound`; their count where there is none. The loop
 * of data/ascending.ts, for the other kind of array.
 */
function firstAtLeast(slots: Int32Array, from: number, bound: number): number {
  let [low, high] = [from, slots.length];
  while (low < high) {
    const middle = low + high >> 1;
    if (slots[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const into = new Int32Array(values.length * 2);
  into.set(values);
  return into;
}

const NONE = new Int32Array(0);

function writeSlots(writer: BinaryWriter, slots: Int32Array): void {
  writer.u32(slots.length);
  packNumbers(writer, new Float64Array(slots));
}
function readSlots(reader: BinaryReader): Int32Array {
  return new Int32Array(unpackNumbers(reader, reader.u32()));
}

/** How rows of such a table look; compared before any is read. */
export function layoutOf({ name, version, key, columns }: StateTableSpec): TableLayout {
  return { name, version, shape: `${key.join(",")}|${columns.map((column) => `${column.name}:${column.kind}`).join(",")}` };
}
