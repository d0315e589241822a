/** [params]: NAME = { type, default, env, one_of, secret }. */
import type { Span } from "../data/fault.ts";
import type { Type } from "../data/types.ts";
import type { Document } from "./documents.ts";
import type { Faults } from "./faults.ts";
import { suggestion } from "./nearest.ts";
import type { TomlEntry, TomlNode, TomlTable } from "./toml.ts";
import { parseType } from "./type_notation.ts";

/** One declared parameter; its values are looked at later, when placeholders can be filled in. */
export interface ParamDeclaration {
  readonly span: Span;
  readonly type: Type;
  readonly default: TomlNode | null;
  readonly env: string | null;
  readonly oneOf: readonly TomlNode[] | null;
  readonly secret: boolean;
}

const KEYS = ["type", "default", "env", "one_of", "secret"];
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** All parameters that a pipeline knows, in document order, the shared ones first. */
export function readDeclarations(document: Document, faults: Faults): ReadonlyMap<string, ParamDeclaration> {
  const declarations = new Map<string, ParamDeclaration>();
  for (const [name, { entry }] of document.section("params")) {
    if (!IDENTIFIER.test(name)) {
      faults.add("bad_name", entry.keySpan, `"${name}" cannot be a parameter's name`, "letters, digits and _, as in params.min_age");
    } else if (entry.value.kind !== "table") {
      faults.add("wrong_type", entry.value.span, `params.${name} needs its type`, `as in ${name} = ${exampleFor(entry.value)}`);
    } else {
      const declaration = readDeclaration(name, entry.keySpan, entry.value, faults);
      if (declaration) declarations.set(name, declaration);
    }
  }
  return declarations;
}

function exampleFor(value: TomlNode): string {
  const type = value.kind === "integer" ? "int" : value.kind === "boolean" ? "bool" : value.kind === "float" ? "decimal(2)" : "string";
  const written = value.kind === "string" ? JSON.stringify(value.text) : "text" in value ? value.text : "...";
  return `{ type = "${type}", default = ${written} }`;
}

function readDeclaration(name: string, span: Span, table: TomlTable, faults: Faults): ParamDeclaration | null {
  for (const [key, { keySpan }] of table.entries) {
    if (!KEYS.includes(key)) faults.add("unknown_key", keySpan, `a parameter has no key "${key}"`, suggestion(key, KEYS));
  }
  const type = readType(name, span, table.entries.get("type"), faults);
  const env = textOf(table.entries.get("env"), faults);
  const oneOf = table.entries.get("one_of")?.value;
  if (oneOf && oneOf.kind !== "array") faults.add("wrong_type", oneOf.span, "`one_of` is a list of values");
  const secret = table.entries.get("secret")?.value;
  if (secret && secret.kind !== "boolean") faults.add("wrong_type", secret.span, "`secret` is true or false");
  if (!type) return null;
  return {
    span,
    type,
    default: table.entries.get("default")?.value ?? null,
    env,
    oneOf: oneOf?.kind === "array" ? oneOf.items : null,
    secret: secret?.kind === "boolean" && secret.text === "true",
  };
}

function readType(name: string, span: Span, entry: TomlEntry | undefined, faults: Faults): Type | null {
  if (!entry) {
    faults.add("missing_key", span, `params.${name} needs a type`, 'as in { type = "string", default = "..." }');
    return null;
  }
  const { value } = entry;
  if (value.kind !== "string") {
    faults.add("wrong_type", value.span, "`type` is a text", 'as in type = "int"');
    return null;
  }
  const parsed = parseType(value.text);
  if ("error" in parsed) {
    faults.add("type_notation", value.place(parsed.error.offset), parsed.error.message, parsed.error.hint);
    return null;
  }
  return parsed.type;
}

function textOf(entry: TomlEntry | undefined, faults: Faults): string | null {
  if (!entry) return null;
  if (entry.value.kind === "string") return entry.value.text;
  faults.add("wrong_type", entry.value.span, `\`${entry.key}\` is a text`);
  return null;
}
