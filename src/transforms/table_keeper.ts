/**
 * The operator behind a changelog table: keeps the newest row of each key in the lane's state, where look-ups find it. Invariant: after
 * a call the table is what its rows say in their order of arrival; a row that says that its key is no more takes it out.
 */
import type { Batch, Column } from "../data/batch.ts";
import { assert } from "../data/fault.ts";
import { type Field, type RecordType, type Type } from "../data/types.ts";
import { viewOf } from "../data/words.ts";
import type { KeptColumn, KeptTable, Operator, OperatorContext, Output, StateTable } from "../engine/contracts.ts";
import { fromJson, keyReader, storeColumn, storedKind } from "./join/stored_rows.ts";
import { keyedName, keyKind, typedName } from "./support/keys.ts";
import { pick } from "./support/work.ts";

export interface KeeperPlan {
  readonly table: string;
  readonly type: RecordType;
  readonly key: string;
  /** Fields that look-ups read. */
  readonly kept: ReadonlySet<string>;
  /** Refuses rows that their schema does not allow; null where it allows all. */
  readonly require: { create(context: OperatorContext): Operator } | null;
}

/** Puts its table among those of the lane when it is made. */
export class TableKeeper implements Operator {
  readonly #plan: KeeperPlan;
  readonly #keyIndex: number;
  readonly #state: StateTable;
  readonly #columns: readonly StoredField[];
  readonly #followers: KeptTable["followers"] = [];
  readonly #require: Operator | null;

  constructor(plan: KeeperPlan, context: OperatorContext) {
    const { type, key, kept, table } = plan;
    this.#plan = plan;
    this.#keyIndex = type.fields.findIndex((field) => field.name === key);
    const keyType = type.fields[this.#keyIndex].type;
    const kind = keyKind(keyType);
    assert(kind !== null && context.tables, "a table has a key, and a lane has tables");
    const fields = type.fields.filter(({ name }) => kept.has(name));
    this.#state = context.state.table({
      name: keyedName("rows", [keyType]),
      key: [kind],
      columns: fields.map(({ name, type }) => ({ name: typedName(name, type), kind: storedKind(type) })),
      version: 1,
    });
    const columns = type.fields.map((field, index) => kept.has(field.name) ? new StoredField(this.#state, field, index) : null);
    this.#columns = columns.filter((column) => column !== null);
    this.#require = plan.require?.create(context) ?? null;
    context.tables.set(table, { state: this.#state, columns: columns.map((column) => column?.column ?? null), followers: this.#followers });
  }

  process(_input: number, batch: Batch, out: Output): void {
    const refused = this.#require === null ? null : refusedRows(this.#require, batch, out);
    const slots = new Int32Array(batch.rows);
    const arrived = this.#place(batch, refused, slots);
    // A row that was taken out again left its slot to nobody, or to a later row that writes all of it.
    for (let row = 0; row < batch.rows; row++) if (slots[row] >= 0 && !this.#state.isLive(slots[row])) slots[row] = -1;
    for (const column of this.#columns) column.store(batch, slots);
    countRows(batch, refused, out);
    const there = arrived.filter((slot) => this.#state.isLive(slot));
    if (there.length > 0) { for (const follower of this.#followers) follower(there); }
  }

  /** Fills the slots of rows that are written, -1 for others; returns the slots that began. */
  #place(batch: Batch, refused: Uint8Array | null, slots: Int32Array): number[] {
    const column = batch.columns[this.#keyIndex];
    assert(column, "a table's key is decoded");
    const keys = keysIn(this.#state, column, this.#plan.type.fields[this.#keyIndex].type);
    const { deleted } = batch.meta;
    const arrived = new Set<number>();
    for (let row = 0; row < batch.rows; row++) {
      slots[row] = -1;
      if (refused !== null && refused[row] === 1) continue;
      if (deleted && deleted[row] === 1) {
        const found = keys.find(row);
        if (found >= 0) this.#state.remove(found);
        continue;
      }
      const before = this.#state.live;
      const slot = slots[row] = keys.insert(row);
      if (this.#state.live > before) arrived.add(slot);
      else this.#state.touch(slot);
    }
    return [...arrived];
  }
}

/** Slots by the key in a row of the column. Texts are looked for as the bytes that they are. */
function keysIn(state: StateTable, column: Column, type: Type): { find(row: number): number; insert(row: number): number } {
  if (column.kind === "text") {
    const { start, end } = column;
    const bytes = viewOf(column.bytes);
    return {
      find: (row) => state.findText(bytes, start[row], end[row]),
      insert: (row) => state.insertText(bytes, start[row], end[row]),
    };
  }
  const keyOf = keyReader(column, type);
  return { find: (row) => state.find(keyOf(row)), insert: (row) => state.insert(keyOf(row)) };
}

function countRows({ rows, meta: { deleted } }: Batch, refused: Uint8Array | null, out: Output): void {
  let kept = 0;
  let deletes = 0;
  for (let row = 0; row < rows; row++) {
    if (refused !== null && refused[row] === 1) continue;
    if (deleted && deleted[row] === 1) deletes++;
    else kept++;
  }
  out.count("folded", kept);
  out.count("deletes", deletes);
}

/** One field's column. What JSON cannot hold as it is, is kept beside the stored form. */
class StoredField {
  readonly column: KeptColumn;
  readonly #state: StateTable;
  readonly #name: string;
  readonly #field: Field;
  readonly #index: number;
  readonly #values: unknown[] | null;

  constructor(state: StateTable, field: Field, index: number) {
    const { name, type } = field;
    this.#state = state;
    this.#field = field;
    this.#index = index;
    this.#name = typedName(name, type);
    this.#values = hasMap(type) ? state.value(this.#name).values.map((value) => fromJson(value, type)) : null;
    this.column = keptColumn(state, this.#name, type, this.#values);
  }

  store(batch: Batch, slots: Int32Array): void {
    const column = batch.columns[this.#index];
    assert(column, "the fields that look-ups read are decoded");
    const { type } = this.#field;
    storeColumn(this.#state, this.#name, type, column, slots, batch.rows);
    if (this.#values !== null) this.#mirror(column, slots, batch.rows);
  }

  #mirror(column: Column, slots: Int32Array, rows: number): void {
    const stored = this.#state.value(this.#name).values;
    assert(column.kind !== "number", "a map is no number");
    for (let row = 0; row < rows; row++) {
      const slot = slots[row];
      if (slot < 0) continue;
      while (this.#values!.length <= slot) this.#values!.push(null);
      this.#values![slot] = fromJson(stored[slot], this.#field.type);
    }
  }
}

function keptColumn(state: StateTable, name: string, type: Type, own: readonly unknown[] | null): KeptColumn {
  if (storedKind(type) === "number") {
    const numbers = state.number(name);
    return {
      kind: "number",
      get values() {
        return numbers.values;
      },
      get valid() {
        return numbers.valid;
      },
    };
  }
  const stored = storedKind(type) === "text" ? state.text(name) : state.value(name);
  return {
    kind: "value",
    get values() {
      return own ?? stored.values;
    },
  };
}

function hasMap(type: Type): boolean {
  if (type.kind === "map") return true;
  if (type.kind === "list") return hasMap(type.item);
  return type.kind === "struct" && type.fields.some((field) => hasMap(field.type));
}

/** Marks the rows that `require` refuses, and refuses them. One that only says that its key is no more is never refused. */
function refusedRows(require: Operator, batch: Batch, out: Output): Uint8Array {
  const refused = new Uint8Array(batch.rows);
  const { deleted } = batch.meta;
  const asked = new Int32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) if (!deleted || deleted[row] === 0) asked[count++] = row;
  require.process(0, pick(batch, asked, count), {
    epochTimeMicros: out.epochTimeMicros,
    emit() {},
    count() {},
    reject(_, row, reason) {
      refused[asked[row]] = 1;
      out.reject(batch, asked[row], reason);
    },
  });
  return refused;
}
