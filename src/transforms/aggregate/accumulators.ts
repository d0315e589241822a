/**
 * How each aggregate function keeps its value: state columns of the group, the code that folds one row in, the result, and how
 * another lane's value is added. Invariant: folding cannot fail; a value that fits no number is only noticed in the result.
 */
import { compareText } from "../../expr/runtime/text.ts";
import type { CheckedAggregate } from "../../expr/mod.ts";
import { addBigToWide, addToWide, bigToNumber, roundQuotient, wideToBig, wideToNumber } from "../../data/decimal.ts";
import { detach } from "../../data/columns.ts";
import { assert } from "../../data/fault.ts";
import type { Type } from "../../data/types.ts";
import type { StateColumnKind, StateTable } from "../../engine/contracts.ts";
import { keyedName } from "../support/keys.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { fromJson, storedKind, toJson } from "../join/stored_rows.ts";

/** A result that no exact number holds. */
export const BEYOND_NUMBERS: unique symbol = Symbol("beyond ±(2^53-1)");

/** Names of what generated code works on. */
export interface FoldNames {
  /** The group's slot. */
  readonly slot: string;
  /** The argument's value; null rows are skipped. Absent for count. */
  readonly value: string | null;
  /** What orders, for first_by and last_by. */
  readonly by: string | null;
  /** The condition that the row passed its filter; "" without one. */
  readonly passes: string;
}
/** What an aggregate's state is read from and written to. */
export type StateColumns = Pick<StateTable, "number" | "text" | "value" | "wide">;
/** One aggregate of a group. */
export interface Accumulator {
  readonly columns: readonly { readonly name: string; readonly kind: StateColumnKind }[];
  /** Statements that fold a row in. The group's slot is there, and is touched by the caller. */
  fold(builder: LoopBuilder, names: FoldNames): string;
  /** The value of the group in `slot`, below 0 for a group without rows. */
  result(groups: StateColumns, slot: number): unknown;
  absorb(mine: StateColumns, slot: number, theirs: StateColumns, from: number): void;
}

/** The accumulator of a function that keeps everything in its group's row; count_distinct, counts and mode do not. */
export function accumulatorOf(field: string, aggregate: CheckedAggregate): Accumulator {
  // The stored name tells the types: another function or another scale is another layout.
  const types = [aggregate.argument, aggregate.by].flatMap((checked) => checked === undefined ? [] : [checked.type]);
  const name = `${field}: ${keyedName(aggregate.function, types)}`;
  switch (aggregate.function) {
    case "count":
      return counter(name);
    case "sum":
      return aggregate.type.kind === "double" ? doubleSum(name) : wideSum(name);
    case "min":
    case "max":
      return extreme(name, aggregate.argument!.type, aggregate.function);
    case "avg":
      return average(name, aggregate);
    case "first":
    case "last":
      return byPosition(name, aggregate.argument!.type, aggregate.function);
    case "first_by":
    case "last_by":
      return ordered(name, aggregate.argument!.type, aggregate.by!.type, aggregate.function);
    default:
      assert(false, `${aggregate.function} keeps values in a table of its own`);
  }
}

/** Reads a group's table column as code. */
function column(builder: LoopBuilder, kind: StateColumnKind, name: string): string {
  return builder.hoist(name, `state[0].${kind}(${JSON.stringify(name)})`);
}

/** `statements` under the conditions that the row passed the filter and has a value. */
function guarded(names: FoldNames, statements: string): string {
  const conditions = [names.passes, names.value === null ? "" : `${names.value} !== null`].filter((text) => text !== "");
  return conditions.length === 0 ? statements : `if (${conditions.join(" && ")}) { ${statements} }`;
}

function counter(name: string): Accumulator {
  return {
    columns: [{ name, kind: "number" }],
    fold: (builder, names) => addTo(builder, name, names, "1"),
    result: (groups, slot) => slot < 0 ? 0 : groups.number(name).values[slot],
    absorb(mine, slot, theirs, from) {
      mine.number(name).values[slot] += theirs.number(name).values[from];
      mine.number(name).valid[slot] = 1;
    },
  };
}

function addTo(builder: LoopBuilder, name: string, names: FoldNames, value: string): string {
  const target = column(builder, "number", name);
  return guarded(names, `${target}.values[${names.slot}] += ${value}; ${target}.valid[${names.slot}] = 1;`);
}

function doubleSum(name: string): Accumulator {
  return { ...counter(name), fold: (builder, names) => addTo(builder, name, names, names.value!) };
}

function wideSum(name: string): Accumulator {
  return {
    columns: [{ name, kind: "wide" }],
    fold(builder, names) {
      const add = builder.unit.constant(addToWide, "addToWide");
      return guarded(names, `${add}(${column(builder, "wide", name)}, ${names.slot}, ${names.value});`);
    },
    result(groups, slot) {
      if (slot < 0) return 0;
      const { hi, lo } = groups.wide(name);
      return wideToNumber(hi[slot], lo[slot]) ?? BEYOND_NUMBERS;
    },
    absorb: (mine, slot, theirs, from) => absorbWide(name, mine, slot, theirs, from),
  };
}

function absorbWide(name: string, mine: StateColumns, slot: number, theirs: StateColumns, from: number): void {
  const { hi, lo } = theirs.wide(name);
  addBigToWide(mine.wide(name), slot, wideToBig(hi[from], lo[from]));
}

function average(name: string, { argument, places, mode }: CheckedAggregate): Accumulator {
  const [sum, count] = [wideSum(`${name}.sum`), counter(`${name}.count`)];
  const scale = argument!.type.kind === "decimal" ? argument!.type.scale : 0;
  return {
    columns: [...sum.columns, ...count.columns],
    fold: (builder, names) => `${sum.fold(builder, names)} ${count.fold(builder, names)}`,
    result(groups, slot) {
      const rows = count.result(groups, slot) as number;
      if (rows === 0) return null;
      const { hi, lo } = groups.wide(`${name}.sum`);
      // sum / 10^scale / rows, in units of 10^-places.
      const numerator = wideToBig(hi[slot], lo[slot]) * 10n ** BigInt(Math.max(0, places! - scale));
      const denominator = BigInt(rows) * 10n ** BigInt(Math.max(0, scale - places!));
      return bigToNumber(roundQuotient(numerator, denominator, mode!)) ?? BEYOND_NUMBERS;
    },
    absorb(mine, slot, theirs, from) {
      sum.absorb(mine, slot, theirs, from);
      count.absorb(mine, slot, theirs, from);
    },
  };
}

/** Where a value of `type` is kept, and how code and results read and write it. */
function keptValue(name: string, type: Type) {
  const kind = storedKind(type);
  return {
    kind,
    write(builder: LoopBuilder, slot: string, value: string): string {
      const target = column(builder, kind, name);
      if (kind === "number") {
        return `${target}.values[${slot}] = ${type.kind === "bool" ? `(${value} ? 1 : 0)` : value}; ${target}.valid[${slot}] = 1;`;
      }
      const convert = kind === "text" ? detach : (item: unknown) => toJson(item, type);
      return `${target}.values[${slot}] = ${builder.unit.constant(convert, "kept")}(${value});`;
    },
    read(groups: StateColumns, slot: number): unknown {
      if (slot < 0) return null;
      if (kind === "text") return groups.text(name).values[slot];
      if (kind === "value") return fromJson(groups.value(name).values[slot] ?? null, type);
      const { values, valid } = groups.number(name);
      if (valid[slot] === 0) return null;
      return type.kind === "bool" ? values[slot] === 1 : values[slot];
    },
    copy(mine: StateColumns, slot: number, theirs: StateColumns, from: number): void {
      if (kind === "text") mine.text(name).values[slot] = theirs.text(name).values[from];
      else if (kind === "value") mine.value(name).values[slot] = theirs.value(name).values[from];
      else {
        mine.number(name).values[slot] = theirs.number(name).values[from];
        mine.number(name).valid[slot] = theirs.number(name).valid[from];
      }
    },
  };
}

/** Compares two values of an ordered type that are not null. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === "string") return compareText(a, b as string);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function extreme(name: string, type: Type, which: "min" | "max"): Accumulator {
  const kept = keptValue(name, type);
  const sign = which === "min" ? "<" : ">";
  return {
    columns: [{ name, kind: kept.kind }],
    fold(builder, names) {
      const target = column(builder, kept.kind, name);
      const there = `${target}.values[${names.slot}]`;
      const write = kept.write(builder, names.slot, names.value!);
      if (kept.kind === "text") {
        const compare = builder.unit.constant(compareText, "compareText");
        return guarded(names, `if (${there} === null || ${compare}(${names.value}, ${there}) ${sign} 0) { ${write} }`);
      }
      return guarded(
        names,
        `if (${target}.valid[${names.slot}] === 0 || ${
          type.kind === "bool" ? `Number(${names.value})` : names.value
        } ${sign} ${there}) { ${write} }`,
      );
    },
    result: (groups, slot) => kept.read(groups, slot),
    absorb(mine, slot, theirs, from) {
      const [value, other] = [kept.read(mine, slot), kept.read(theirs, from)];
      if (other === null) return;
      const order = value === null ? 1 : compareValues(value, other);
      if (value === null || (which === "min" ? order > 0 : order < 0)) kept.copy(mine, slot, theirs, from);
    },
  };
}

/** first and last: by order of arrival; the position decides between lanes. */
function byPosition(name: string, type: Type, which: "first" | "last"): Accumulator {
  const kept = keptValue(name, type);
  const at = `${name}.at`;
  return {
    columns: [{ name, kind: kept.kind }, { name: at, kind: "number" }],
    fold(builder, names) {
      const position = column(builder, "number", at);
      const write = `${
        kept.write(builder, names.slot, names.value!)
      } ${position}.values[${names.slot}] = batch.meta.position[i]; ${position}.valid[${names.slot}] = 1;`;
      return guarded(names, which === "last" ? write : `if (${position}.valid[${names.slot}] === 0) { ${write} }`);
    },
    result: (groups, slot) => slot < 0 || groups.number(at).valid[slot] === 0 ? null : kept.read(groups, slot),
    absorb(mine, slot, theirs, from) {
      const [own, other] = [mine.number(at), theirs.number(at)];
      if (other.valid[from] === 0) return;
      const wins = own.valid[slot] === 0 ||
        (which === "first" ? other.values[from] < own.values[slot] : other.values[from] > own.values[slot]);
      if (!wins) return;
      kept.copy(mine, slot, theirs, from);
      own.values[slot] = other.values[from];
      own.valid[slot] = 1;
    },
  };
}

/** first_by and last_by: of equals the first to arrive. */
function ordered(name: string, type: Type, byType: Type, which: "first_by" | "last_by"): Accumulator {
  const kept = keptValue(name, type);
  const order = keptValue(`${name}.by`, byType);
  const replaces = (comparison: number): boolean => which === "first_by" ? comparison < 0 : comparison > 0;
  return {
    columns: [{ name, kind: kept.kind }, { name: `${name}.by`, kind: order.kind }],
    fold(builder, names) {
      const target = column(builder, order.kind, `${name}.by`);
      const there = `${target}.values[${names.slot}]`;
      const empty = order.kind === "text" ? `${there} === null` : `${target}.valid[${names.slot}] === 0`;
      const compare = builder.unit.constant(compareValues, "compareValues");
      const by = byType.kind === "bool" ? `Number(${names.by})` : names.by;
      const sign = which === "first_by" ? "< 0" : "> 0";
      const write = `${kept.write(builder, names.slot, names.value!)} ${order.write(builder, names.slot, names.by!)}`;
      return guarded(names, `if (${empty} || ${compare}(${by}, ${there}) ${sign}) { ${write} }`);
    },
    result: (groups, slot) => kept.read(groups, slot),
    absorb(mine, slot, theirs, from) {
      const [own, other] = [order.read(mine, slot), order.read(theirs, from)];
      if (other === null || (own !== null && !replaces(compareValues(other, own)))) return;
      kept.copy(mine, slot, theirs, from);
      order.copy(mine, slot, theirs, from);
    },
  };
}
