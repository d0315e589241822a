/**
 * count_distinct, counts and mode: how often each value occurred in each group, in a table of their own keyed by the group's
 * slot and the value. So a group may hold any number of values, and a checkpoint writes only those that changed.
 */
import type { CheckedAggregate } from "../../expr/mod.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { KeyPart, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import { typedName } from "../support/keys.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { compareValues, type FoldNames } from "./accumulators.ts";

/** Occurrences of one value: the value and how often it came. */
type Occurrence = readonly [value: unknown, rows: number];

export class ValueCounts {
  readonly spec: StateTableSpec;
  readonly #function: CheckedAggregate["function"];
  readonly #type: Type;
  /** By group; made for results, dropped when a row is folded in. */
  #byGroup: Map<number, Occurrence[]> | null = null;

  constructor(name: string, aggregate: CheckedAggregate) {
    this.#function = aggregate.function;
    this.#type = aggregate.argument!.type;
    this.spec = {
      name: typedName(`${name} values`, this.#type),
      key: ["number", isNumeric(this.#type) ? "number" : "text"],
      columns: [{ name: "rows", kind: "number" }],
      version: 1,
    };
  }

  /** Statements that count a row's value; `table` names the table in code. */
  fold(builder: LoopBuilder, names: FoldNames, table: string): string {
    const rows = builder.hoist("rows", `${table}.number("rows")`);
    const entry = builder.local("entry");
    const part = this.#type.kind === "bool" ? `(${names.value} ? 1 : 0)` : names.value;
    const count =
      `${entry} = ${table}.insert(${names.slot}, ${part}); ${rows}.values[${entry}]++; ${rows}.valid[${entry}] = 1; ${table}.touch(${entry});`;
    return `if (${names.passes === "" ? "" : `${names.passes} && `}${names.value} !== null) { ${count} }`;
  }

  /** Rows came: what was made for results is stale. */
  changed(): void {
    this.#byGroup = null;
  }

  result(table: StateTable, group: number): unknown {
    const occurrences = (this.#byGroup ??= this.#collect(table)).get(group) ?? [];
    if (this.#function === "count_distinct") return occurrences.length;
    if (this.#function === "counts") return new Map(occurrences.toSorted(([a], [b]) => compareValues(a, b)));
    let most: Occurrence | null = null;
    for (const one of occurrences) {
      if (most === null || one[1] > most[1] || (one[1] === most[1] && compareValues(one[0], most[0]) < 0)) most = one;
    }
    return most === null ? null : most[0];
  }

  #collect(table: StateTable): Map<number, Occurrence[]> {
    const byGroup = new Map<number, Occurrence[]>();
    const rows = table.number("rows").values;
    for (let slot = 0; slot < table.size; slot++) {
      const [group, part] = table.keyOf(slot) as [number, KeyPart];
      const occurrence: Occurrence = [this.#type.kind === "bool" ? part === 1 : part, rows[slot]];
      const list = byGroup.get(group);
      if (list === undefined) byGroup.set(group, [occurrence]);
      else list.push(occurrence);
    }
    return byGroup;
  }

  /** Adds another lane's counts; `groupOf` translates its groups into ours. */
  absorb(mine: StateTable, theirs: StateTable, groupOf: Int32Array): void {
    const rows = theirs.number("rows").values;
    for (let from = 0; from < theirs.size; from++) {
      const [group, part] = theirs.keyOf(from) as [number, KeyPart];
      const slot = mine.insert(groupOf[group], part);
      mine.number("rows").values[slot] += rows[from];
      mine.number("rows").valid[slot] = 1;
      mine.touch(slot);
    }
    this.changed();
  }
}
