/** The right side of a join: by key, the fields that something reads. */
import type { Batch } from "../../data/batch.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import { type Field, isNumeric, type Type } from "../../data/types.ts";
import type { KeyPart, Output, StateStore, StateTable } from "../../engine/contracts.ts";
import type { Binding } from "../../expr/contracts.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { lazyBinding, type ReadAs, readNumber, readOfRow } from "../support/read_as.ts";
import { keyedName, keyKind, typedName } from "../support/keys.ts";
import { columnNamed, fromJson, keyReader, storeColumn, storedKind } from "./stored_rows.ts";

export interface RightPlan {
  readonly node: string;
  readonly on: readonly Field[];
  /** Fields that expressions read. */
  readonly fields: readonly Field[];
  /** Whether a second row for a key stops the run, or is passed over. */
  readonly match: "one" | "first";
}

export class RightRows {
  readonly table: StateTable;
  readonly #plan: RightPlan;

  constructor(plan: RightPlan, state: StateStore) {
    this.#plan = plan;
    const columns = plan.fields.map((field) => ({ name: typedName(field.name, field.type), kind: storedKind(field.type) }));
    this.table = state.table({
      name: keyedName("right", plan.on.map((field) => field.type)),
      key: plan.on.map((field) => keyKind(field.type)!),
      columns,
      version: 1,
    });
  }

  /** Keeps the first row of each key. A row whose key has a null never matches, so it is not kept. */
  add(batch: Batch, out: Output): void {
    const { on, fields, match } = this.#plan;
    const readers = on.map((field) => keyReader(columnOf(batch, field), field.type));
    const slots = new Int32Array(batch.rows);
    for (let row = 0; row < batch.rows; row++) {
      const key = readers.map((read) => read(row));
      const before = this.table.size;
      const slot = key.includes(null) ? -1 : this.table.insert(...(key as [KeyPart, KeyPart?, KeyPart?, KeyPart?]));
      const isNew = slot === before;
      if (slot >= 0 && !isNew && match === "one") this.#refuseSecond(batch, row, key);
      slots[row] = isNew ? slot : -1;
    }
    for (const field of fields) {
      storeColumn(this.table, typedName(field.name, field.type), field.type, columnOf(batch, field), slots, batch.rows);
    }
    out.count("folded", batch.rows);
  }

  #refuseSecond({ meta }: Batch, row: number, key: readonly KeyPart[]): never {
    const { node, on } = this.#plan;
    const named = on.map((field, index) => `${field.name} ${field.tag === undefined ? key[index] : "(masked)"}`).join(", ");
    throw new MillraceError(
      "join_match",
      `${node}: the right side has a second row for ${named} (row ${meta.position[row]} of ${meta.source})`,
      {
        hint: 'match = "first" takes the first row of each key; or make the right side unique with an aggregate or a dedupe',
      },
    );
  }
}

function columnOf(batch: Batch, field: Field) {
  const column = columnNamed(batch, field.name);
  assert(column !== null, "the right side's fields that a join reads were decoded");
  return column;
}

/** How generated code reads the matching right row in slot `slot`, which is below 0 where there is none. */
export interface RightBinding {
  readonly binding: Binding;
  /** The fields that code asked for so far. */
  readonly asked: ReadonlySet<string>;
  /** The name that stands in code that takes the row as a whole. */
  readonly whole: string;
}

/**
 * Binds the right row; columns are hoisted when they are first asked for. With "absent" the row as a whole is a name that means
 * nothing: such a loop only tells, by mentioning it, that the whole row is wanted.
 */
export function bindRight(builder: LoopBuilder, type: readonly Field[], slot: string, wholeRow: "absent" | "present"): RightBinding {
  const asked = new Set<string>();
  const fields = new Map<string, Binding>();
  for (const field of type) {
    fields.set(
      field.name,
      lazyBinding(() => {
        asked.add(field.name);
        const column = builder.hoist(
          field.name,
          `state[0].${storedKind(field.type)}(${JSON.stringify(typedName(field.name, field.type))})`,
        );
        return readOfRow({ row: slot, slot }, field.type, (at) => readField(builder, column, at, field.type));
      }),
    );
  }
  const whole = builder.unit.local("wholeRight");
  const object = (): string => `{ ${type.map(({ name }) => `${JSON.stringify(name)}: ${fields.get(name)!.code}`).join(", ")} }`;
  const code = wholeRow === "present" ? `(${slot} < 0 ? null : (${object()}))` : `${whole}()`;
  return { binding: { code, fields, isNull: `(${slot} < 0)` }, asked, whole };
}

function readField(builder: LoopBuilder, column: string, slot: string, type: Type): ReadAs {
  if (isNumeric(type)) return readNumber(`${column}.values`, type.nullable ? `${column}.valid` : null, slot, type);
  const value = `${column}.values[${slot}]`;
  if (!holdsMap(type)) return { code: value };
  return { code: `${builder.unit.constant((stored: unknown) => fromJson(stored, type), "fromJson")}(${value})` };
}

function holdsMap(type: Type): boolean {
  switch (type.kind) {
    case "map":
      return true;
    case "list":
      return holdsMap(type.item);
    case "struct":
      return type.fields.some((field) => holdsMap(field.type));
    default:
      return false;
  }
}
