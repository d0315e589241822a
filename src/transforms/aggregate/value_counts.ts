/**
 * count_distinct, counts and mode: how often each value occurred in each group, in a table of their own keyed by the group's
 * slot and the value. So a group may hold any number of values, and a checkpoint writes only those that changed. The values of a
 * group are chained, newest first: reading or dropping a group costs its own values, not those of all groups. Invariant: several
 * functions of the same values read one table, which the first of them keeps.
 */
import type { CheckedAggregate } from "../../expr/mod.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { KeyPart, StateColumnKind, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import { typedName } from "../support/keys.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { compareValues, type FoldNames } from "./accumulators.ts";

/** Occurrences of one value: the value and how often it came. */
export type Occurrence = readonly [value: unknown, rows: number];
/** Where a function's values are counted. */
export interface CountsPlace {
  /** The table's index in the operator's state. */
  readonly table: number;
  /** The function of the same values that keeps the table; null where this one does. */
  readonly keeper: ValueCounts | null;
}

export class ValueCounts {
  readonly spec: StateTableSpec;
  /** In the groups' table: the newest entry of the group's chain, plus one. */
  readonly columns: readonly { readonly name: string; readonly kind: StateColumnKind }[];
  /** The table's index in the operator's state. */
  readonly table: number;
  /** Whether this function keeps the table: folds rows into it, and adds and drops groups. */
  readonly keeps: boolean;
  readonly #function: CheckedAggregate["function"];
  readonly #type: Type;
  readonly #first: string;

  constructor(name: string, aggregate: CheckedAggregate, { table, keeper }: CountsPlace) {
    this.#function = aggregate.function;
    this.#type = aggregate.argument!.type;
    this.table = table;
    this.keeps = keeper === null;
    this.spec = keeper?.spec ?? {
      name: typedName(`${name} values`, this.#type),
      key: ["number", isNumeric(this.#type) ? "number" : "text"],
      columns: [{ name: "rows", kind: "number" }, { name: "next", kind: "number" }],
      version: 2,
    };
    this.#first = `${this.spec.name}.first`;
    this.columns = this.keeps ? [{ name: this.#first, kind: "number" }] : [];
  }

  /** Statements that count a row's value. */
  fold(builder: LoopBuilder, names: FoldNames): string {
    const table = `state[${this.table}]`;
    const first = builder.hoist("first", `state[0].number(${JSON.stringify(this.#first)})`);
    const rows = builder.hoist("rows", `${table}.number("rows")`);
    const next = builder.hoist("next", `${table}.number("next")`);
    const entry = builder.local("entry");
    const part = this.#type.kind === "bool" ? `(${names.value} ? 1 : 0)` : names.value;
    const count = `${entry} = ${table}.insert(${names.slot}, ${part});
if (${rows}.valid[${entry}] === 0) { ${chain(names.slot, entry, first, rows, next)} }
${rows}.values[${entry}]++; ${table}.touch(${entry});`;
    return `if (${names.passes === "" ? "" : `${names.passes} && `}${names.value} !== null) { ${count} }`;
  }

  /** The value of a group of these `occurrences`. */
  result(occurrences: readonly Occurrence[]): unknown {
    if (this.#function === "count_distinct") return occurrences.length;
    if (this.#function === "counts") return new Map(occurrences.toSorted(([a], [b]) => compareValues(a, b)));
    let most: Occurrence | null = null;
    for (const one of occurrences) {
      if (most === null || one[1] > most[1] || (one[1] === most[1] && compareValues(one[0], most[0]) < 0)) most = one;
    }
    return most === null ? null : most[0];
  }

  /** The values of a group, the newest first: for all functions that read the table. */
  occurrences(groups: StateTable, group: number, table: StateTable): readonly Occurrence[] {
    const rows = table.number("rows").values;
    return this.#entries(groups, group, table).map((entry) => {
      const [, part] = table.keyOf(entry);
      return [this.#type.kind === "bool" ? part === 1 : part, rows[entry]];
    });
  }

  /** A list: whoever goes through it may remove them. */
  #entries(groups: StateTable, group: number, table: StateTable): number[] {
    const entries: number[] = [];
    const next = table.number("next").values;
    for (let entry = group < 0 ? -1 : groups.number(this.#first).values[group] - 1; entry >= 0; entry = next[entry] - 1) {
      entries.push(entry);
    }
    return entries;
  }

  /** Forgets the values of a group that is about to be removed. */
  drop(groups: StateTable, group: number, table: StateTable): void {
    for (const entry of this.#entries(groups, group, table)) table.remove(entry);
  }

  /** Adds another group's counts to those of `group`; the other may be of another lane, or of the same tables. */
  absorb(
    mine: { readonly groups: StateTable; readonly table: StateTable },
    group: number,
    theirs: { readonly groups: StateTable; readonly table: StateTable },
    from: number,
  ): void {
    for (const entry of this.#entries(theirs.groups, from, theirs.table)) {
      const [, part] = theirs.table.keyOf(entry);
      this.#add(mine, group, part, theirs.table.number("rows").values[entry]);
    }
  }

  /** The values of a group and how often each came, as JSON can hold it. */
  list(groups: StateTable, group: number, table: StateTable): unknown {
    const rows = table.number("rows").values;
    return this.#entries(groups, group, table).map((entry) => [table.keyOf(entry)[1], rows[entry]]);
  }

  /** Adds what `list` gave. */
  addList(groups: StateTable, group: number, table: StateTable, list: unknown): void {
    for (const [part, rows] of list as readonly (readonly [KeyPart, number])[]) this.#add({ groups, table }, group, part, rows);
  }

  #add({ groups, table }: { readonly groups: StateTable; readonly table: StateTable }, group: number, part: KeyPart, added: number): void {
    const slot = table.insert(group, part);
    const [first, rows, next] = [groups.number(this.#first), table.number("rows"), table.number("next")];
    if (rows.valid[slot] === 0) {
      rows.valid[slot] = next.valid[slot] = first.valid[group] = 1;
      next.values[slot] = first.values[group];
      first.values[group] = slot + 1;
    }
    rows.values[slot] += added;
    table.touch(slot);
  }
}

/** Statements that put a new entry in front of its group's chain. */
function chain(group: string, entry: string, first: string, rows: string, next: string): string {
  return `${rows}.valid[${entry}] = ${next}.valid[${entry}] = ${first}.valid[${group}] = 1;
${next}.values[${entry}] = ${first}.values[${group}]; ${first}.values[${group}] = ${entry} + 1;`;
}
