/**
 * Builds the one loop that an operator runs over a batch, as JavaScript: hoisted columns, lazily read texts, memoised values,
 * one `try` per row. Invariant: a row's body writes nothing that outlives the row before everything of it was evaluated, so
 * that a row refused by an EvaluationError has changed nothing.
 */
import type { Batch, Column } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";
import { viewOf } from "../../data/words.ts";
import { isNumeric, type RecordType, type Type, typeText, withoutNull } from "../../data/types.ts";
import type { Output, StateTable } from "../../engine/contracts.ts";
import {
  type Binding,
  type Bindings,
  type Checked,
  type CodeUnit,
  EvaluationError,
  type Expressions,
  type Keeper,
  type ListBinding,
  type TextSlice,
} from "../../expr/contracts.ts";
import { boolPart } from "./keys.ts";
import { lazyBinding, type ReadAs, readNumber } from "./read_as.ts";
import type { Work } from "./work.ts";
import { ROWS_AHEAD } from "../../data/limits.ts";

/** A compiled loop. `state` are the lane's tables in the order in which the code was told about them. */
export type Loop = (batch: Batch, out: Output, work: Work, state: readonly StateTable[]) => void;
/** The same for rows [from, to) of the batch. `read`: what is read of the batch once. */
type RowsLoop = (batch: Batch, out: Output, work: Work, state: readonly StateTable[], from: number, to: number, ...read: unknown[]) => void;

/** Where a loop body stands; code of a transform uses these names. */
export const ROW = "i";

interface Warming {
  readonly before: string;
  readonly slot: string;
  readonly reads: readonly string[];
}
/** A look-up as code. */
export interface LookedRow {
  /** Code for the table, and for the number of the row that was found, below 0 for none. */
  readonly rows: string;
  readonly row: string;
  /** See LoopBuilder.warm. */
  readonly reads: string[];
  /** Keeps what follows from the row; where its key follows from another looked-up row, from that one. */
  readonly keeper: Keeper & { follows(table: string): void };
}

/** Names of the hoisted parts of a text column. */
export interface Slices {
  /** All of them together: TextPlaces where `bytes` is not null. */
  readonly column: string;
  /** null where the column holds strings. */
  readonly bytes: string;
  readonly start: string;
  readonly end: string;
  readonly valid: string;
}

/** Collects the pieces of one loop; `build` joins them. */
export class LoopBuilder {
  readonly unit: CodeUnit;
  readonly bindings = new Map<string, Binding>();
  /** By the name of a look-up. */
  readonly looked = new Map<string, LookedRow>();
  readonly #expressions: Expressions;
  readonly #warming: Warming[] = [];
  /** Arrays of the input's number fields. */
  readonly #numbers = new Map<string, string>();
  readonly #hoisted: string[] = [];
  readonly #read: { readonly name: string; readonly code: string }[] = [];
  readonly #locals: string[] = [];
  readonly #resets: string[] = [];
  readonly #outOfLine: { readonly name: string; readonly code: string }[] = [];
  #source = "";
  #record: RecordType | null = null;
  /** By field: the hoisted parts of its text column. */
  readonly #slices = new Map<number, Slices>();

  constructor(expressions: Expressions) {
    this.#expressions = expressions;
    this.unit = expressions.unit();
  }

  /** A value computed before each call of the loop, for some hundred rows. */
  hoist(hint: string, code: string): string {
    const name = this.unit.local(hint);
    this.#hoisted.push(`const ${name} = ${code};`);
    return name;
  }

  /**
   * The same for what follows from the batch alone: computed once, outside of the loop. Columns come in several forms, for whose first late
   * one V8 would throw the compiled loop away and compile it with all of them.
   */
  readOnce(hint: string, code: string): string {
    const name = this.unit.local(hint);
    this.#read.push({ name, code });
    return name;
  }

  /**
   * Reads memory for some hundred rows before the first of them is computed: what misses the cache is then fetched side by side, not
   * one after the other. `slot` is code over row `j` of the batch, `before` what precedes all of them; statements added to the result read
   * what belongs to slot `at` and make something of it, a number of `w` and an integer of `n`, so that no compiler may leave the reading out.
   */
  warm(slot: string, before = ""): string[] {
    const reads: string[] = [];
    this.#warming.push({ before, slot, reads });
    return reads;
  }

  /** A variable of the loop; with `reset`, set to that at the start of each row. */
  local(hint: string, reset?: string): string {
    const name = this.unit.local(hint);
    this.#locals.push(name);
    if (reset !== undefined) this.#resets.push(`${name} = ${reset};`);
    return name;
  }

  /** Code for a value that is evaluated at most once per row, and only where it is read. */
  memo(hint: string, code: string): string {
    const name = this.local(hint, "undefined");
    return `(${name} === undefined ? ${name} = ${code} : ${name})`;
  }

  /**
   * Moves big code that would be repeated into a function inside the loop's. Variables that such a function shares with the loop
   * are slower to read everywhere, so `build` puts code that turns out to stand in one place back there.
   */
  outOfLine(hint: string, code: string): string {
    const name = this.unit.local(hint);
    this.#outOfLine.push({ name, code });
    return placeOf(name);
  }

  /** JavaScript for the expression's value; `more` are bindings of this place alone. */
  emit(checked: Checked, more?: Bindings): string {
    const bindings = more === undefined ? this.bindings : new Map([...this.bindings, ...more]);
    return this.#expressions.emit(checked, bindings, this.unit);
  }

  /** Like `emit`, converted to the type `to` that it is stored as. */
  emitAs(checked: Checked, to: Type, more?: Bindings): string {
    return this.convert(this.emit(checked, more), checked.type, to);
  }

  /** The same as a number and whether there is one, where the expression merely names what is kept so; else null. */
  emitApart(checked: Checked, to: Type, more?: Bindings): { readonly isNull: string; readonly present: string } | null {
    if (checked.constant !== undefined || !checked.type.nullable || !isNumeric(to)) return null;
    const [root, ...fields] = checked.source.text.trim().split(".");
    const binding = fields.reduce((of, field) => of?.fields?.get(field), more?.get(root) ?? this.bindings.get(root));
    if (binding?.present === undefined || binding.isNull === undefined) return null;
    return { isNull: binding.isNull, present: this.convert(binding.present, withoutNull(checked.type), withoutNull(to)) };
  }

  convert(code: string, from: Type, to: Type): string {
    return typeText(from) === typeText(to) ? code : this.#expressions.convert(code, from, to, this.unit);
  }

  /**
   * Where the bytes of a text lie that the expression merely names: code for the buffer (null where the column holds strings, or the text is
   * null), the start and the end in row `row`. null where it is anything else.
   */
  textSlice(checked: Checked): TextSlice | null {
    const index = this.#fieldOf(checked);
    return index < 0 ? null : this.#sliceOf(index);
  }

  /** The column of a text field that the expression merely names, null where it is anything else. */
  textColumn(checked: Checked): Slices | null {
    const index = this.#fieldOf(checked);
    return index < 0 ? null : this.#slicesOf(index);
  }

  /** The input's field that the expression merely names, or -1. */
  #fieldOf(checked: Checked): number {
    const name = checked.source.text.trim();
    return this.#record?.fields.findIndex((field) => field.name === name) ?? -1;
  }

  #sliceOf(index: number): TextSlice | null {
    const slices = this.#slicesOf(index);
    if (slices === null) return null;
    const { bytes, start, end, valid } = slices;
    const there = this.#record!.fields[index].type.nullable ? `(${valid} !== null && ${valid}[${ROW}] === 0 ? null : ${bytes})` : bytes;
    return { bytes: there, from: `${start}[${ROW}]`, to: `${end}[${ROW}]` };
  }

  #slicesOf(index: number): Slices | null {
    const { name, type } = this.#record!.fields[index];
    if (type.kind !== "string") return null;
    let names = this.#slices.get(index);
    if (!names) {
      const column = this.readOnce(name, `${this.unit.constant(slicesOf, "slicesOf")}(batch.columns[${index}])`);
      const part = (of: string) => this.readOnce(of, `${column}.${of}`);
      names = { column, bytes: part("bytes"), start: part("start"), end: part("end"), valid: part("valid") };
      this.#slices.set(index, names);
    }
    return names;
  }

  /** The array of an expression that merely names a number field of the input; null for any other, and where there may be nulls. */
  plainNumbers(checked: Checked): string | null {
    return checked.type.nullable ? null : this.#numbers.get(checked.source.text.trim()) ?? null;
  }

  /** The list as columns, where the expression only filters and maps one that lies in columns. */
  listOf(checked: Checked): ListBinding | null {
    return this.#expressions.listOf(checked, this.bindings, this.unit, (hint, reset) => this.local(hint, reset));
  }

  /** A variable's binding to a list in columns; the list is made at most once per row, and only where it is taken whole. */
  bindList(hint: string, list: ListBinding): Binding {
    return lazyBinding(() => ({ code: this.memo(hint, this.#expressions.wholeList(list, this.unit)) }), list);
  }

  /** JavaScript for the code of a text in a dictionary, held there: a text that lies in bytes is not made a string. */
  holdText(checked: Checked, texts: string): string {
    const slice = this.textColumn(checked);
    if (slice === null) return `${texts}.hold(${this.emit(checked)})`;
    const { bytes, start, end, valid } = slice;
    const held = `${texts}.holdBytes(${bytes}, ${start}[${ROW}], ${end}[${ROW}])`;
    const known = checked.type.nullable ? `${valid} !== null && ${valid}[${ROW}] === 0 ? -1 : ${held}` : held;
    return `(${bytes} === null ? ${texts}.hold(${this.emit(checked)}) : ${known})`;
  }

  /** JavaScript for a part of a state key. */
  keyPart(code: string, type: Type): string {
    if (type.kind !== "bool") return code;
    return type.nullable ? `${this.unit.constant(boolPart, "boolPart")}(${code})` : `(${code} ? 1 : 0)`;
  }

  /** Binds the fields of the input that are in `used`, and `meta`. */
  readRecord(type: RecordType, used: ReadonlySet<string>): void {
    this.#record = type;
    type.fields.forEach((field, index) => {
      if (used.has(field.name)) this.bindings.set(field.name, this.#bindField(index, field.type, field.name));
    });
    if (used.has("meta")) this.bindings.set("meta", this.#readMeta());
  }

  #bindField(index: number, type: Type, name: string): Binding {
    const read = this.#readField(index, type, name);
    // Hoisted only where somebody asks for it.
    const slice = () => this.#sliceOf(index);
    const isNull = () => this.#isNullText(index, read.code);
    return {
      ...read,
      get slice() {
        return slice();
      },
      ...(type.kind === "string" && type.nullable
        ? {
          get isNull() {
            return isNull();
          },
        }
        : {}),
    };
  }

  /** Whether a text is null, without making a string of it where it lies in bytes. */
  #isNullText(index: number, code: string): string {
    const { bytes, valid } = this.#slicesOf(index)!;
    return `(${bytes} === null ? ${code} === null : ${valid} !== null && ${valid}[${ROW}] === 0)`;
  }

  #readField(index: number, type: Type, name: string): ReadAs {
    if (type.kind === "string") {
      const text = this.readOnce(name, `${this.unit.constant(textReader, "textReader")}(batch.columns[${index}])`);
      return { code: this.memo(name, `${text}.at(${ROW})`) };
    }
    if (!isNumeric(type)) {
      return { code: `${this.readOnce(name, `${this.unit.constant(valuesOf, "valuesOf")}(batch.columns[${index}])`)}[${ROW}]` };
    }
    const column = this.readOnce(name, `${this.unit.constant(numbersOf, "numbersOf")}(batch.columns[${index}])`);
    const values = this.readOnce(name, `${column}.values`);
    this.#numbers.set(name, values);
    const valid = type.nullable ? this.readOnce(name, `${column}.valid`) : null;
    return readNumber(values, valid, ROW, type);
  }

  #readMeta(): Binding {
    const meta = this.readOnce("meta", "batch.meta");
    const position = this.readOnce("position", `${meta}.position`);
    const origin = this.readOnce("origin", `${meta}.origin`);
    const fields = new Map<string, Binding>([
      ["source", { code: `${meta}.source` }],
      ["partition", { code: `${meta}.partition` }],
      ["position", { code: `${position}[${ROW}]` }],
      ["origin", { code: `${origin}[${ROW}]` }],
      ["epoch_time", { code: "out.epochTimeMicros" }],
    ]);
    return { code: `({${[...fields].map(([name, b]) => `${name}: ${b.code}`).join(", ")}})`, fields };
  }

  /**
   * Joins everything into the loop. `body` runs once per row; `continue` ends a row. `before` and `after` run around some rows of a
   * batch, so counters go on from those in `work`. Profiles show it by `name`.
   */
  build(name: string, body: string, around: { readonly before?: string; readonly after?: string } = {}): Loop {
    const refuse = this.unit.constant(refuseRow, "refuseRow");
    const loop = `${this.#hoisted.join("\n")}
${this.#warmingCode()}
let ${["i = from", ...this.#locals].join(", ")};
${around.before ?? ""}
for (; i < to; i++) {
  try {
    ${this.#resets.join(" ")}
    ${body}
  } catch (error) {
    ${refuse}(out, batch, i, error);
  }
}
${around.after ?? ""}`;
    const source = this.#placed(loop);
    this.#source = source;
    const names = this.#read.map((each) => each.name);
    const run = this.unit.build<RowsLoop>(["batch", "out", "work", "state", "from", "to", ...names], source, name);
    const read = this.#read.map((each) => `const ${each.name} = ${each.code};\n`).join("");
    const readOf = this.unit.build<(batch: Batch) => unknown[]>(["batch"], `${read}return [${names.join(", ")}];`, `${name}_reads`);
    return (batch, out, work, state) => {
      const { rows } = batch;
      const parts = readOf(batch);
      for (let from = 0; from < rows; from += ROWS_AHEAD) run(batch, out, work, state, from, Math.min(from + ROWS_AHEAD, rows), ...parts);
    };
  }

  #warmingCode(): string {
    if (this.#warming.length === 0) return "";
    const loops = this.#warming.map(({ before, slot, reads }) =>
      `${before}for (let j = from; j < to; j++) { const at = ${slot}; n ^= at; if (at >= 0) { ${reads.join(" ")} } }`
    );
    // Each sum of one kind, and never a whole number among doubles: V8 would go on asking whether it is one, which takes longer than reading.
    return ["let w = 0.5, n = 0;", ...loops, "work.warmed = w + n;"].join("\n");
  }

  /** Puts out-of-line code where it belongs, the last first: it may name what was moved out before it, never the other way. */
  #placed(loop: string): string {
    let source = loop;
    for (const { name, code } of this.#outOfLine.toReversed()) {
      const pieces = source.split(placeOf(name));
      if (pieces.length === 2) source = pieces.join(code);
      else if (pieces.length > 2) source = `function ${name}() { return ${code}; }\n${pieces.join(`${name}()`)}`;
    }
    return source;
  }

  /** Whether the loop that was built reads the variable or constant of this name. */
  mentions(name: string): boolean {
    return this.#source.includes(name);
  }
}

/** Stands for out-of-line code until `build`. No literal can look like it: quoted text has its control characters escaped. */
const placeOf = (name: string): string => `\u0001${name}\u0001`;

/** An EvaluationError refuses the row; anything else is our own mistake and goes on. */
function refuseRow(out: Output, batch: Batch, row: number, error: unknown): void {
  if (!(error instanceof EvaluationError)) throw error;
  out.reject(batch, row, error.code);
}

function textReader(column: Column | null): { at(row: number): string | null } {
  assert(column !== null && column.kind !== "number", "a text field that an expression reads was decoded");
  if (column.kind === "text") return column;
  const values = column.values as readonly (string | null)[];
  return { at: (row) => values[row] };
}
const NO_PLACES = new Int32Array(0);
function slicesOf(column: Column | null): { bytes: DataView | null; start: Int32Array; end: Int32Array; valid: Uint8Array | null } {
  if (column?.kind === "text") return { bytes: viewOf(column.bytes), start: column.start, end: column.end, valid: column.valid };
  return { bytes: null, start: NO_PLACES, end: NO_PLACES, valid: null };
}

function numbersOf(column: Column | null): Column {
  assert(column !== null && column.kind === "number", "a number field that an expression reads was decoded");
  return column;
}
function valuesOf(column: Column | null): readonly unknown[] {
  assert(column !== null && column.kind === "value", "a field that an expression reads was decoded");
  return column.values;
}
