/** Look-ups in reference tables: `owner = "people[owner_id]"`. A null key or a missing row gives a null struct. */
import type { MissingRow } from "../../component/changelog.ts";
import type { TablePlan, TableRows } from "../../component/component.ts";
import type { Cel, CelTable } from "../../component/settings.ts";
import { assert } from "../../data/fault.ts";
import { isNumeric, type RecordType, type Type, withNull } from "../../data/types.ts";
import type { KeptTable, OperatorContext } from "../../engine/contracts.ts";
import type { Binding, Checked, Keeper, Scope } from "../../expr/contracts.ts";
import { dependencyOrder } from "./dependency_order.ts";
import { type LookedRow, type LoopBuilder, ROW, type Slices } from "./loop_builder.ts";
import { lazyBinding, readNumber, readOfRow } from "./read_as.ts";
import { nameFault, nearestHint } from "./names.ts";
import { type PlanChecker, rootsOf, withVariables } from "./plan_checker.ts";
import { ROWS_AHEAD } from "../../data/limits.ts";

export interface LookupPlan {
  readonly name: string;
  readonly table: TablePlan;
  readonly key: Checked;
  /** The type of the table's key, which `key` is converted to. */
  readonly keyType: Type;
}

/** Checks a `lookup` table; returns the look-ups in order of dependency and the scope that knows them. */
export function planLookups(
  table: CelTable,
  scope: Scope,
  tables: ReadonlyMap<string, TablePlan>,
  checker: PlanChecker,
): { readonly lookups: readonly LookupPlan[]; readonly scope: Scope } {
  const lookups: LookupPlan[] = [];
  let known = scope;
  for (const entry of dependencyOrder(table, "lookup", checker)) {
    const wrong = nameFault(entry.name) ?? (scope.variables.has(entry.name) ? `"${entry.name}" is already a field of the record` : null);
    if (wrong !== null) checker.fault(entry.keySpan, wrong, "give the looked-up row another name");
    const lookup = planLookup(entry.name, entry.value, known, tables, checker);
    if (lookup === null || wrong !== null) continue;
    lookups.push(lookup);
    known = withVariables(known, [[entry.name, { kind: "struct", fields: lookup.table.type.fields, nullable: true }]]);
  }
  return { lookups, scope: known };
}

/** What records do that find nothing there. */
export const missingOf = ({ table }: LookupPlan): MissingRow => table.missing ?? { kind: "null" };

/** A look-up whose missing rows something is done about; its place in the list is its bit in what the probe answers. */
export interface WatchedLookup {
  readonly lookup: LookupPlan;
  readonly missing: Exclude<MissingRow, { readonly kind: "null" }>;
}
/** The look-ups that something is to be done about: one that the node does not need is not missed. */
export function watchedLookups(lookups: readonly LookupPlan[], used: ReadonlySet<string>): readonly WatchedLookup[] {
  return lookups.flatMap((lookup) => {
    const missing = missingOf(lookup);
    return missing.kind === "null" || !used.has(lookup.name) ? [] : [{ lookup, missing }];
  });
}

/** The tables that each lane keeps itself, in the order in which a loop finds them in `work.tables`. */
export function keptTableNames(lookups: readonly LookupPlan[]): readonly string[] {
  return [...new Set(lookups.filter(({ table }) => table.rows === null).map(({ table }) => table.name))];
}

/** Those tables of the lane. */
export function keptTablesOf(names: readonly string[], { tables }: OperatorContext): readonly KeptTable[] {
  return names.map((name) => {
    const table = tables?.get(name);
    assert(table, `table "${name}" is kept before it is looked into`);
    return table;
  });
}

/** Tells the tables which of their fields the node's expressions read; called when all of them are checked. */
export function tellReads(lookups: readonly LookupPlan[], checker: PlanChecker): void {
  for (const { name, table } of lookups) {
    for (const path of checker.uses) {
      const [root, field] = path.split(".");
      if (root !== name || field === undefined) continue;
      if (field === "*") { for (const each of table.type.fields) table.read.add(each.name); }
      else table.read.add(field);
    }
  }
}

function planLookup(name: string, cel: Cel, scope: Scope, tables: ReadonlyMap<string, TablePlan>, checker: PlanChecker): LookupPlan | null {
  const shape = /^\s*([A-Za-z_]\w*)\s*\[([^]*)\]\s*$/.exec(cel.text);
  if (shape === null) {
    checker.fault(
      cel.span,
      `"${cel.text.trim()}" is not a look-up`,
      `write TABLE[key], for example ${name} = "${[...tables.keys()][0] ?? "table"}[id]"`,
    );
    return null;
  }
  const table = tables.get(shape[1]);
  if (table === undefined) {
    checker.fault(cel.place(cel.text.indexOf(shape[1])), `there is no table "${shape[1]}"`, nearestHint(shape[1], tables.keys()));
    return null;
  }
  const keyField = table.type.fields.find((field) => field.name === table.key);
  assert(keyField !== undefined, `table ${table.name} has its key field ${table.key}`);
  const start = cel.text.indexOf("[") + 1;
  const inner: Cel = { cel: true, text: shape[2], span: cel.span, place: (offset) => cel.place(start + offset) };
  const keyType = withNull(keyField.type);
  const key = checker.check(inner, scope, keyType);
  return key && { name, table, key, keyType: key.type.nullable ? keyType : keyField.type };
}

/**
 * Binds the looked-up rows: the key is looked up at most once per row and, unless it merely names a text field, only where the row is
 * read. Gives, by look-up, code for the number of the row that was found, below 0 for none.
 */
export function bindLookups(
  builder: LoopBuilder,
  lookups: readonly LookupPlan[],
  used: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const rowOf = new Map<string, string>();
  const watched = watchedLookups(lookups, used).map(({ lookup }) => lookup);
  for (const lookup of lookups) {
    if (!used.has(lookup.name)) continue;
    const bit = watched.indexOf(lookup);
    const probed = bit < 0 ? null : builder.hoist("probed", `work.found === null ? null : work.found[${bit}]`);
    const kept = keptTableNames(lookups).indexOf(lookup.table.name);
    const rows = kept < 0 ? builder.unit.constant(lookup.table.rows, "table") : builder.hoist("table", `work.tables[${kept}].state`);
    const columns = kept < 0 ? `${rows}.columns` : builder.hoist("columns", `work.tables[${kept}].columns`);
    const key = builder.keyPart(builder.emitAs(lookup.key, lookup.keyType), lookup.keyType);
    const texts = lookup.keyType.kind === "string" ? builder.textColumn(lookup.key) : null;
    const whole = lookup.keyType.nullable ? `${builder.unit.constant(findOrNone, "findOrNone")}(${rows}, ${key})` : `${rows}.find(${key})`;
    // What the texts of a block found is there when its rows are computed: only a text without bytes is looked for here. Any other key may
    // be costly, or fail: it is looked for where the row is read first, -2 until then. A number from the start keeps the variable a small
    // integer.
    const found = texts === null ? null : builder.unit.constant(new Int32Array(ROWS_AHEAD), "found");
    const there = found === null ? "" : `${found}[${ROW} - from]`;
    const unknown = probed === null ? "-2" : `${probed} === null ? -2 : ${probed}[${ROW}]`;
    const slot = builder.local(lookup.name, found === null ? unknown : `${there} === -2 ? ${whole} : ${there}`);
    const row = found === null ? `(${slot} === -2 ? ${slot} = ${whole} : ${slot})` : slot;
    const reads = found === null
      ? readAhead(builder, lookup, rows, probed)
      : findAhead(builder, { texts: texts!, rows, found, probed, atOnce: kept < 0 });
    rowOf.set(lookup.name, row);
    const bound = bindRow(builder, { table: lookup.table, columns, row, slot, reads });
    builder.bindings.set(lookup.name, bound);
    // What follows from a row is kept only where rows stay as they are.
    if (kept >= 0) continue;
    const keeper = rowBehind(builder, lookup.key)?.keeper ?? new RowKeeper(builder, row, reads);
    keeper.follows(rows);
    builder.looked.set(lookup.name, { keeper, row, rows, reads });
    builder.bindings.set(lookup.name, { ...bound, keeper });
  }
  return rowOf;
}

interface FoundAhead {
  readonly texts: Slices;
  /** Code for the table, and for what a probe before this loop found (null: there was none); what the texts find goes to `found`. */
  readonly rows: string;
  readonly found: string;
  readonly probed: string | null;
  /** Whether the table can look for many texts at once. */
  readonly atOnce: boolean;
}

/** Looks for all texts of a block before its rows are computed, and keeps what they found: looking for a text again is not cheap. */
function findAhead(builder: LoopBuilder, { texts, rows, found, probed, atOnce }: FoundAhead): string[] {
  const { column, bytes, start, end, valid } = texts;
  const each = (code: string) => `for (let j = from; j < to; j++) ${found}[j - from] = ${code};`;
  const find = atOnce
    ? `${rows}.findTexts(${column}, from, to, ${found});`
    : each(`${valid} !== null && ${valid}[j] === 0 ? -1 : ${rows}.findText(${bytes}, ${start}[j], ${end}[j])`);
  const known = probed === null ? "" : `if (${probed} !== null) ${each(`${probed}[j]`)} else `;
  return builder.warm(`${found}[j - from]`, `${known}if (${bytes} === null) ${found}.fill(-2); else ${find}\n`);
}

/** What is read of a row before its time. */
function readAhead(builder: LoopBuilder, lookup: LookupPlan, rows: string, probed: string | null): string[] {
  const known = probed === null ? "" : `${probed} !== null ? ${probed}[j] : `;
  const keys = builder.plainNumbers(lookup.key);
  return keys === null ? [] : builder.warm(`${known}${rows}.find(${keys}[j])`);
}

/** The one looked-up row that an expression reads, and nothing of the record beside it. */
export function rowBehind(builder: LoopBuilder, checked: Checked): LookedRow | undefined {
  const [root, ...others] = rootsOf(checked);
  return root === undefined || others.length > 0 ? undefined : builder.looked.get(root);
}

/** Keeps values in arrays by row number + 1: tables stay as they are while a pipeline runs. */
class RowKeeper implements Keeper {
  readonly #builder: LoopBuilder;
  /** Code for the number of the row that was found, below 0 for none. */
  readonly #row: string;
  /** Code for the row's table, then for those that were looked into with what stands in the row. */
  readonly #tables: string[] = [];
  /** Names of the arrays, by the code of what they keep. */
  readonly #arrays = new Map<string, string>();

  /** See LoopBuilder.warm. */
  readonly #reads: string[];

  constructor(builder: LoopBuilder, row: string, reads: string[]) {
    this.#builder = builder;
    this.#row = row;
    this.#reads = reads;
  }

  follows(table: string): void {
    this.#tables.push(table);
  }

  keep(code: string): string {
    const builder = this.#builder;
    let kept = this.#arrays.get(code);
    if (kept === undefined) {
      kept = builder.hoist("kept", `${builder.unit.constant(keptByRow(), "keptByRow")}([${this.#tables.join(", ")}])`);
      this.#arrays.set(code, kept);
      // A comparison with undefined looks at the word that stands there, not at what it points to.
      this.#reads.push(`if (${kept}[at + 1] === undefined) n++;`);
    }
    const row = builder.local("row");
    const value = builder.local("value");
    return `((${row} = ${this.#row} + 1, ${value} = ${kept}[${row}]) === undefined ? ${kept}[${row}] = ${code} : ${value})`;
  }
}

/** Gives the values kept for the rows of the first table, by row number + 1; begins anew when one of the tables was loaded again. */
function keptByRow(): (tables: readonly TableRows[]) => unknown[] {
  let loads: readonly number[] = [];
  let kept: unknown[] = [];
  return (tables) => {
    if (tables.some((table, i) => table.loads !== loads[i])) {
      loads = tables.map((table) => table.loads);
      kept = new Array(tables[0].size + 1).fill(undefined);
    }
    return kept;
  };
}

interface BoundRow {
  readonly table: TablePlan;
  /** Code for the table's columns, and for the number of the row that was found: looked up where needed, and once it was. */
  readonly columns: string;
  readonly row: string;
  readonly slot: string;
  /** See LoopBuilder.warm. */
  readonly reads: string[];
}

function bindRow(builder: LoopBuilder, { table, columns, row, slot, reads }: BoundRow): Binding {
  const fields = new Map<string, Binding>();
  table.type.fields.forEach((field, index) => {
    fields.set(
      field.name,
      lazyBinding(() => {
        const column = builder.hoist(field.name, `${columns}[${index}]`);
        const values = builder.hoist(field.name, `${column}.values`);
        if (!isNumeric(field.type)) return readOfRow({ row, slot }, field.type, (at) => ({ code: `${values}[${at}]` }));
        reads.push(`w += ${values}[at];`);
        const valid = field.type.nullable ? builder.hoist(field.name, `${column}.valid`) : null;
        return readOfRow({ row, slot }, field.type, (at) => readNumber(values, valid, at, field.type));
      }),
    );
  });
  const whole = builder.unit.constant((from: Columns, at: number): unknown => rowObject(table.type, from, at), "rowObject");
  return { code: `(${row} < 0 ? null : ${whole}(${columns}, ${slot}))`, fields, isNull: `(${row} < 0)` };
}

function findOrNone(rows: TableRows, key: number | string | null): number {
  return key === null ? -1 : rows.find(key);
}

type Columns = TableRows["columns"] | KeptTable["columns"];

function rowObject(type: RecordType, columns: Columns, at: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  type.fields.forEach((field, index) => {
    const column = columns[index];
    assert(column !== null, "a row that is read as a whole is kept as a whole");
    if (column.kind === "value") object[field.name] = column.values[at];
    else if (column.valid !== null && column.valid[at] === 0) object[field.name] = null;
    else object[field.name] = field.type.kind === "bool" ? column.values[at] === 1 : column.values[at];
  });
  return object;
}
