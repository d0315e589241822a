/** What the tests of expressions share: scopes from short notation, sources with places, checking and running in one call. */
import type { Fault, Span } from "../../src/data/fault.ts";
import { type Field, type Type } from "../../src/data/types.ts";
import type { Checked, ExprSource, Scope } from "../../src/expr/contracts.ts";
import { evaluate, expressions } from "../../src/expr/mod.ts";

/** The source as it would stand at the start of line 1 of a file. */
export function sourceOf(text: string): ExprSource {
  const place = (offset: number): Span => {
    const before = text.slice(0, offset);
    const line = before.split("\n").length;
    const column = offset - (before.lastIndexOf("\n") + 1) + 1;
    return { file: "test.toml", line, column, endLine: line, endColumn: column + 1 };
  };
  return { text, span: place(0), place };
}

/** A type from the notation of configuration files: "decimal(2)?", "list<string>", "map<string, int>", "struct{a: int, b: string?}". */
export function typeOf(text: string): Type {
  const parser = { text: text.trim(), at: 0 };
  const type = readType(parser);
  if (parser.at !== parser.text.length) throw new Error(`bad type ${text}`);
  return type;
}
interface TypeReader {
  readonly text: string;
  at: number;
}
function readType(reader: TypeReader): Type {
  const take = (sign: string) => {
    while (reader.text[reader.at] === " ") reader.at++;
    const there = reader.text.startsWith(sign, reader.at);
    if (there) reader.at += sign.length;
    return there;
  };
  const word = () => {
    take("");
    const found = /^\w+/.exec(reader.text.slice(reader.at))?.[0] ?? "";
    reader.at += found.length;
    return found;
  };
  const kind = word();
  let type: Type;
  if (kind === "decimal") {
    take("(");
    type = { kind, scale: Number(word()), nullable: false };
    take(")");
  } else if (kind === "list") {
    take("<");
    type = { kind, item: readType(reader), nullable: false };
    take(">");
  } else if (kind === "map") {
    take("<");
    const key = readType(reader);
    take(",");
    type = { kind, key, value: readType(reader), nullable: false };
    take(">");
  } else if (kind === "struct") {
    take("{");
    const fields: Field[] = [];
    while (!take("}")) {
      take(",");
      take("");
      const name = word();
      take(":");
      fields.push({ name, type: readType(reader) });
    }
    type = { kind, fields, nullable: false };
  } else type = { kind, nullable: kind === "null" } as Type;
  return take("?") ? { ...type, nullable: true } as Type : type;
}

/** A scope from names to types in notation. */
export function scopeOf(
  variables: Readonly<Record<string, string>>,
  constants: Readonly<Record<string, unknown>> = {},
  narrowed: readonly string[] = [],
): Scope {
  return {
    variables: new Map(Object.entries(variables).map(([name, type]) => [name, typeOf(type)])),
    constants: new Map(Object.entries(constants)),
    narrowed: new Set(narrowed),
  };
}

/** Checks, collecting faults. */
export function check(
  text: string,
  scope: Scope,
  expected?: string,
): { readonly checked: Checked | null; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const checked = expressions.check(
    sourceOf(text),
    scope,
    (fault) => faults.push(fault),
    expected === undefined ? undefined : typeOf(expected),
  );
  return { checked, faults };
}
/** Checks what must be right. */
export function checkedOf(text: string, scope: Scope = scopeOf({}), expected?: string): Checked {
  const { checked, faults } = check(text, scope, expected);
  if (checked === null) throw new Error(`${text}\n${faults.map(faultText).join("\n")}`);
  return checked;
}
/** "line:column code: message (hint)". */
export function faultText(fault: Fault): string {
  const place = fault.span === null ? "?" : `${fault.span.line}:${fault.span.column}`;
  return `${place} ${fault.code}: ${fault.message}${fault.hint === undefined ? "" : ` [${fault.hint}]`}`;
}
/** The faults of an expression as text, one a line. */
export function faultsOf(text: string, scope: Scope = scopeOf({}), expected?: string): string {
  return check(text, scope, expected).faults.map(faultText).join("\n");
}
/** The value for given variables, in run-time representation. */
export function run(text: string, scope: Scope = scopeOf({}), values: Readonly<Record<string, unknown>> = {}): unknown {
  return evaluate(checkedOf(text, scope), new Map(Object.entries(values)));
}
