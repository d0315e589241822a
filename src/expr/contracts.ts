/**
 * CEL with exact decimals (DESIGN.md section 4): the interface that transforms use. Three steps: `parse` (text to tree, with
 * places), `check` (types, nullability, cost), `emit` (JavaScript source for the middle of a generated loop).
 */
import type { Fault, Span } from "../data/fault.ts";
import type { Type } from "../data/types.ts";

/** The text of an expression and where it stands. `place(offset)` maps an offset in `text` to file, line and column. */
export interface ExprSource {
  readonly text: string;
  readonly span: Span;
  place(offset: number): Span;
}

/** The names an expression may use. Structs (a looked-up row, `right`, `params`, `meta`) are types with fields. */
export interface Scope {
  readonly variables: ReadonlyMap<string, Type>;
  /** Values known at start-up, folded into the code: `params`. Keyed by path, "params.threshold". */
  readonly constants: ReadonlyMap<string, unknown>;
  /** Paths known not to be null here, because earlier rules of a first-match list failed. */
  readonly narrowed?: ReadonlySet<string>;
  /**
   * By bool variable: the paths known not to be null when it is true, and when it is false. A `let` hands on what its own
   * condition told (`known = a != null && b != null`), so that `known ? a + b : 0` checks.
   */
  readonly facts?: ReadonlyMap<string, { readonly whenTrue: ReadonlySet<string>; readonly whenFalse: ReadonlySet<string> }>;
  /** Paths of sets: typed as lists, of which only the size and `in` can be asked. */
  readonly sets?: ReadonlySet<string>;
}

export interface Checked {
  readonly source: ExprSource;
  readonly type: Type;
  /** Paths of variables that are read, "amount", "customer.address", "customer.*" for all of it; pruning and dependency order use it. */
  readonly uses: ReadonlySet<string>;
  /** Whether evaluation can reject the record (overflow, division, index, ...). */
  readonly canFail: boolean;
  /** Set when the value is known at start-up. */
  readonly constant?: { readonly value: unknown };
  /** What is known not to be null when this condition is true, and when it is false. */
  readonly whenTrue: ReadonlySet<string>;
  readonly whenFalse: ReadonlySet<string>;
  /** Opaque: the typed tree. */
  readonly tree: unknown;
}

/** How generated code reads a variable. */
export interface Binding {
  /** A JavaScript expression for the value (null for null), without side effects, cheap to repeat or already a local. */
  readonly code: string;
  /** For structs: how to read a field without making the struct; absent fields fall back to `code`. */
  readonly fields?: ReadonlyMap<string, Binding>;
  /** Of what may be null: code for whether it is. */
  readonly isNull?: string;
  /** Of what may be null: code for the value where that is known not to be null. It spares V8 a value that is a number or null. */
  readonly present?: string;
  /** Set where the value follows from something of which there are fewer than records, such as a looked-up row. */
  readonly keeper?: Keeper;
  /** Of a text: where its UTF-8 lies, so that a piece of it can be read without the whole. */
  readonly slice?: TextSlice | null;
  /** Of a text that lies as a code: code for that, and for what knows the codes of texts (`find`, `at`). */
  readonly coded?: { readonly code: string; readonly texts: string };
  /** Of a list that lies in columns: loops run over these, and `code` makes the list where it is taken whole. */
  readonly list?: ListBinding;
  /** Of a set of values that is not made at all: code for how many there are, and for whether `value` is one of them. */
  readonly set?: { readonly size: string; has(value: string): string };
}
/** A list that lies in columns, and what was made of it. */
export interface ListBinding {
  readonly columns: ColumnList;
  /** Filters and maps on the way here; opaque. */
  readonly stages: readonly unknown[];
}
/** A list of structs as columns. All codes are cheap to repeat and without side effects. */
export interface ColumnList {
  /** Code for the first place and for the one behind the last. */
  readonly from: string;
  readonly to: string;
  /** Code for a place among them that does not count; null where all do. */
  readonly without: string | null;
  /** The member that is never less than at the place before; null for none. */
  readonly ascending: string | null;
  readonly members: ReadonlyMap<string, ColumnMember>;
}
/** Code for a member's column, to be read at a place. */
export type ColumnMember =
  /** Numbers; bool as 0 and 1. `valid`: 0 where there is none; null where there always is one. */
  | { readonly kind: "number"; readonly type: Type; readonly values: string; readonly valid: string | null }
  /**
   * Codes of texts, -1 for null, and what knows them. `same`: at place `at` stands the very text that the code `value` gives, so that
   * nobody need look for its code; below 0 where it stands is not known.
   */
  | {
    readonly kind: "text";
    readonly type: Type;
    readonly values: string;
    readonly texts: string;
    readonly same: { readonly value: string; readonly at: string } | null;
  }
  | { readonly kind: "value"; readonly type: Type; readonly values: string };
/** Code for a view of the bytes (null where there are strings only), and for the text's start and end in it. */
export interface TextSlice {
  readonly bytes: string;
  readonly from: string;
  readonly to: string;
}
/** Keeps results by what they follow from. Two bindings with the same keeper follow from the same thing. */
export interface Keeper {
  /** Code that evaluates `code` once for each of these things. `code` must read bindings with this keeper and nothing else of the record. */
  keep(code: string): string;
}
export type Bindings = ReadonlyMap<string, Binding>;

/** Collects what generated code closes over: constants, helper functions, compiled patterns. */
export interface CodeUnit {
  /** The name under which generated code sees `value`. Equal values may share a name. */
  constant(value: unknown, hint?: string): string;
  /** A fresh local name, for code that declares it itself. */
  local(hint?: string): string;
  /** A function beside the one that is built, closing over constants alone; returns the name to call it by. */
  helper(parameters: readonly string[], body: string, name: string): string;
  /** A fresh local that `build` declares, for expressions that hold a value; never shared between threads of evaluation. */
  temporary(): string;
  /** Compiles `body`, the body of a function with `parameters`, closing over all constants. `name` is what profiles call it. */
  build<F>(parameters: readonly string[], body: string, name?: string): F;
}

/** Thrown by compiled expressions for a record that cannot be evaluated; `code` becomes the reject reason. */
export class EvaluationError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The entry points, implemented in mod.ts. */
export interface Expressions {
  /** Reports through `fault`; null when the expression cannot be used. `expected`: the wished type, checked for assignability. */
  check(source: ExprSource, scope: Scope, fault: (fault: Fault) => void, expected?: Type): Checked | null;
  /** A JavaScript expression giving the value. */
  emit(checked: Checked, bindings: Bindings, unit: CodeUnit): string;
  /** A JavaScript expression converting `code` of type `from` for storing into `to` (decimal scales, null), both checked before. */
  convert(code: string, from: Type, to: Type, unit: CodeUnit): string;
  /**
   * A list in columns as a variable's, where the expression only filters and maps another one; else null. `local` gives a variable that is
   * set to `reset` at the start of each record.
   */
  listOf(checked: Checked, bindings: Bindings, unit: CodeUnit, local: (hint: string, reset: string) => string): ListBinding | null;
  /** A JavaScript expression that makes the list. */
  wholeList(list: ListBinding, unit: CodeUnit): string;
  unit(): CodeUnit;
}
