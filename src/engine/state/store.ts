/**
 * A lane's keyed state and its stored form. Every epoch writes the rows it touched (a delta) and folds a bounded part of older
 * changes into base chunks. Invariants: what belongs to epoch e is written under keys that carry e, and never touches what
 * recovery at e - 1 reads; the newest base chunks up to e and then all deltas up to e, in order, are the state at e.
 *
 *   ["delta", epoch, part]                 rows of many tables
 *   ["base", table, chunk, epoch, part]    all rows of one chunk of one table
 *
 * A value is cut into parts of at most KV_VALUE_BYTES_MAX; sealed as a whole, so that a missing part is noticed.
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { KvKey } from "../../ports/mod.ts";
import { BinaryReader, BinaryWriter, type Seal, seal, unseal } from "../binary.ts";
import type { History, HistorySpec, StateStore, StateTable, StateTableSpec } from "../contracts.ts";
import type { TableLayout } from "../head.ts";
import { GARBAGE_KEYS_PER_EPOCH_MAX, KV_VALUE_BYTES_MAX } from "../limits.ts";
import { HistoryTable } from "./history.ts";
import { Table } from "./table.ts";

const DELTA: Seal = { magic: 0x5444_524d, version: 3, what: "change of state" };
const BASE: Seal = { magic: 0x4253_524d, version: 3, what: "chunk of state" };
/**
 * Folding per epoch, in bytes of the epoch's own changes: as fast as they come, so that what is not folded stays about the state's size
 * at the most. Faster, recovery reads less and every epoch writes more (docs/performance.md).
 */
const FOLD_FACTOR = 1;
/** Folded per epoch even when little changes, so that small deltas do not pile up for ever. */
const FOLD_BYTES_MIN = 1024;

/** What the store keeps: rows by number of the table, written as changes of an epoch, and all of one chunk as its base. */
interface StoredTable {
  readonly layout: TableLayout;
  readonly live: number;
  readonly bytes: number;
  /** By chunk: the oldest epoch whose change of a row is in no base chunk; 0 when the newest base has everything. */
  readonly unfoldedSince: readonly number[];
  /** By chunk: the epoch of its newest base, 0 when it has none. */
  readonly foldedAt: readonly number[];
  writeChanges(writer: BinaryWriter, number: number, epoch: number): void;
  writeChunk(writer: BinaryWriter, number: number, chunk: number, epoch: number): void;
  readRows(rows: BinaryReader, written: "base" | "changes", epoch: number): void;
  restored(): void;
}

/** A table as the operator asked for it; read by those who look at stored state. */
export type OpenedTable =
  | { readonly kind: "table"; readonly spec: StateTableSpec; readonly table: StateTable }
  | { readonly kind: "history"; readonly spec: HistorySpec; readonly history: History };

/** One stored value under its key inside the lane. */
export interface StateEntry {
  readonly key: KvKey;
  readonly value: Uint8Array;
}
/** A lane's state as it was found. */
export interface StoredState {
  /** The head's epoch: entries of a later one are an unfinished attempt, and left alone. */
  readonly epoch: number;
  readonly tables: readonly TableLayout[];
  readonly entries: readonly StateEntry[];
}
/** What an epoch writes and removes. */
export interface Checkpoint {
  readonly sets: readonly StateEntry[];
  /** Needed by no epoch from the previous one on: to be removed together with the flip. */
  readonly deletes: readonly KvKey[];
}
interface Piece {
  readonly epoch: number;
  readonly parts: Uint8Array[];
}
interface TableRowsStored {
  readonly written: "base" | "changes";
  readonly epoch: number;
  readonly rows: Uint8Array;
}

/** An empty state, or a stored one. Throws MillraceError when stored bytes are damaged or of another format. */
export function createStateStore(stored: StoredState = { epoch: 0, tables: [], entries: [] }): LaneState {
  return new LaneState(stored);
}

export class LaneState implements StateStore {
  readonly #tables: StoredTable[] = [];
  readonly #opened: OpenedTable[] = [];
  readonly #storedLayouts: readonly TableLayout[];
  /** By table number; emptied as the operators ask for their tables. */
  readonly #storedRows = new Map<number, TableRowsStored[]>();
  /** Stored deltas, oldest first, with their number of parts. */
  #deltas: { readonly epoch: number; readonly parts: number }[] = [];
  /** "table/chunk" to the number of parts of its newest base. */
  readonly #baseParts = new Map<string, number>();
  #garbage: KvKey[] = [];
  #foldCredit = 0;
  #foldNext = { table: 0, chunk: 0 };
  readonly #writer = new BinaryWriter(1 << 16);

  constructor(stored: StoredState) {
    this.#storedLayouts = stored.tables;
    this.#readBases(stored);
    this.#readDeltas(stored);
  }

  /** The tables in the order of their numbers, for the head. */
  get layouts(): readonly TableLayout[] {
    return this.#tables.map((table) => table.layout);
  }

  /** In the order of their numbers, under their full names. */
  get opened(): readonly OpenedTable[] {
    return this.#opened;
  }

  /** For those who watch; costs a moment per table. */
  sizes(): readonly { readonly table: string; readonly rows: number; readonly bytes: number }[] {
    return this.#tables.map((table) => ({ table: table.layout.name, rows: table.live, bytes: table.bytes }));
  }

  /** A view in which an operator's table names are its own. */
  scope(operator: string): StateStore {
    return {
      table: (spec) => this.table({ ...spec, name: `${operator}.${spec.name}` }),
      history: (spec) => this.history({ ...spec, name: `${operator}.${spec.name}` }),
    };
  }

  table(spec: StateTableSpec): StateTable {
    const table = this.#restore(new Table(spec));
    this.#opened.push({ kind: "table", spec, table });
    return table;
  }

  history(spec: HistorySpec): History {
    const history = this.#restore(new HistoryTable(spec));
    this.#opened.push({ kind: "history", spec, history });
    return history;
  }

  /** Gives a new table what is stored of it. */
  #restore<T extends StoredTable>(table: T): T {
    const { layout } = table;
    assert(!this.#tables.some((other) => other.layout.name === layout.name), `state table ${layout.name} is made once`);
    const number = this.#tables.length;
    const before = this.#storedLayouts[number];
    if (before) refuseOtherLayout(before, layout);
    for (const { written, epoch, rows } of this.#storedRows.get(number) ?? []) table.readRows(new BinaryReader(rows), written, epoch);
    table.restored();
    this.#storedRows.delete(number);
    this.#tables.push(table);
    return table;
  }

  /** All operators have made their tables: whatever is stored must have found its owner. */
  restored(): void {
    const unclaimed = this.#storedLayouts[this.#tables.length];
    if (unclaimed) throw incompatible(unclaimed.name, "the configuration has no such state any more");
    assert(this.#storedRows.size === 0, "stored rows belong to a table");
  }

  /** Takes what changed since the last call as the changes of `epoch`. If they do not become durable, this store is of no use any more. */
  checkpoint(epoch: number): Checkpoint {
    const deletes = this.#garbage.slice(0, GARBAGE_KEYS_PER_EPOCH_MAX);
    this.#garbage = this.#garbage.slice(deletes.length);
    const sets: StateEntry[] = [];
    this.#writer.reset();
    this.#tables.forEach((table, number) => table.writeChanges(this.#writer, number, epoch));
    const bytes = this.#writer.length;
    if (bytes > 0) this.#deltas.push({ epoch, parts: cut(seal(DELTA, this.#writer.written()), ["delta", epoch], sets) });
    this.#fold(epoch, bytes, sets);
    this.#retireDeltas();
    return { sets, deletes };
  }

  #fold(epoch: number, changedBytes: number, sets: StateEntry[]): void {
    this.#foldCredit += changedBytes * FOLD_FACTOR + FOLD_BYTES_MIN;
    while (this.#foldCredit > 0) {
      const next = this.#nextUnfolded();
      if (!next) {
        this.#foldCredit = 0;
        return;
      }
      const { number, chunk } = next;
      const table = this.#tables[number];
      const before = table.foldedAt[chunk];
      this.#writer.reset();
      table.writeChunk(this.#writer, number, chunk, epoch);
      const parts = cut(seal(BASE, this.#writer.written()), ["base", number, chunk, epoch], sets);
      for (let part = 0; before > 0 && part < this.#baseParts.get(`${number}/${chunk}`)!; part++) {
        this.#garbage.push(["base", number, chunk, before, part]);
      }
      this.#baseParts.set(`${number}/${chunk}`, parts);
      this.#foldCredit -= this.#writer.length;
    }
  }

  /** Round robin over the chunks of all tables that have changes outside their base. */
  #nextUnfolded(): { number: number; chunk: number } | null {
    let { table: number, chunk } = this.#foldNext;
    for (let tried = 0; tried <= this.#tables.length; tried++, number++, chunk = 0) {
      if (number >= this.#tables.length) number = 0;
      const since = this.#tables[number]?.unfoldedSince ?? [];
      while (chunk < since.length && since[chunk] === 0) chunk++;
      if (chunk < since.length) {
        this.#foldNext = { table: number, chunk: chunk + 1 };
        return { number, chunk };
      }
    }
    return null;
  }

  /** Deltas older than every change that is in no base are needed no more once this epoch has flipped. */
  #retireDeltas(): void {
    let oldest = Infinity;
    for (const { unfoldedSince } of this.#tables) {
      for (const since of unfoldedSince) if (since !== 0 && since < oldest) oldest = since;
    }
    let retired = 0;
    while (retired < this.#deltas.length && this.#deltas[retired].epoch < oldest) {
      const { epoch, parts } = this.#deltas[retired++];
      for (let part = 0; part < parts; part++) this.#garbage.push(["delta", epoch, part]);
    }
    if (retired > 0) this.#deltas = this.#deltas.slice(retired);
  }

  #readBases({ epoch: headEpoch, entries }: StoredState): void {
    const pieces = new Map<
      string,
      { readonly table: number; readonly chunk: number; readonly epoch: number; readonly parts: Uint8Array[] }
    >();
    for (const { key, value } of entries) {
      if (key[0] !== "base") continue;
      const [table, chunk, epoch, part] = key.slice(1) as number[];
      if (epoch > headEpoch) continue;
      const name = `${table}/${chunk}`;
      let piece = pieces.get(name);
      if (piece && piece.epoch < epoch) {
        for (let old = 0; old < piece.parts.length; old++) this.#garbage.push(["base", table, chunk, piece.epoch, old]);
        piece = undefined;
      }
      // Keys come in order, so an older epoch never follows a newer one of the same chunk.
      if (!piece) pieces.set(name, piece = { table, chunk, epoch, parts: [] });
      piece.parts[part] = value;
    }
    for (const [name, { epoch, parts }] of pieces) {
      this.#baseParts.set(name, parts.length);
      this.#keepRows(unseal(BASE, join(parts)), "base", epoch);
    }
  }

  #readDeltas({ epoch: headEpoch, entries }: StoredState): void {
    const pieces: Piece[] = [];
    for (const { key, value } of entries) {
      if (key[0] !== "delta") continue;
      const [epoch, part] = key.slice(1) as number[];
      if (epoch > headEpoch) continue;
      if (pieces.at(-1)?.epoch !== epoch) pieces.push({ epoch, parts: [] });
      pieces.at(-1)!.parts[part] = value;
    }
    for (const { epoch, parts } of pieces) {
      this.#deltas.push({ epoch, parts: parts.length });
      this.#keepRows(unseal(DELTA, join(parts)), "changes", epoch);
    }
  }

  /** Sorts rows by table; they are read when the operator asks for it. */
  #keepRows(body: Uint8Array, written: "base" | "changes", epoch: number): void {
    const reader = new BinaryReader(body);
    while (!reader.done) {
      const bytes = reader.u32();
      const number = reader.u32();
      const rows = reader.take(bytes - 8);
      const kept = this.#storedRows.get(number);
      if (kept) kept.push({ written, epoch, rows });
      else this.#storedRows.set(number, [{ written, epoch, rows }]);
    }
  }
}

/** Adds the value's parts to `sets` and returns how many. */
function cut(value: Uint8Array, key: KvKey, sets: StateEntry[]): number {
  let part = 0;
  for (let from = 0; from < value.length; from += KV_VALUE_BYTES_MAX) {
    sets.push({ key: [...key, part++], value: value.subarray(from, from + KV_VALUE_BYTES_MAX) });
  }
  return part;
}

function join(parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((bytes, part) => bytes + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (!part) continue; // A hole shortens the value, which its seal notices.
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function refuseOtherLayout(stored: TableLayout, wanted: TableLayout): void {
  if (stored.name !== wanted.name) throw incompatible(stored.name, `the configuration now has "${wanted.name}" in its place`);
  if (stored.version !== wanted.version) {
    throw incompatible(stored.name, `it was stored in version ${stored.version}, the configuration needs version ${wanted.version}`);
  }
  if (stored.shape !== wanted.shape) {
    throw incompatible(stored.name, `it was stored as ${stored.shape}, the configuration needs ${wanted.shape}`);
  }
}

function incompatible(table: string, why: string): MillraceError {
  return new MillraceError("state_incompatible", `the stored state "${table}" does not fit: ${why}`, {
    hint: "go on with the configuration that wrote it, or start over with --rerun; millrace plan shows what changed",
  });
}
