/**
 * Names and field access. A path of fields is one node, so that bindings can read a looked-up row without making it a struct,
 * and so that narrowing has a name for it. Null passes on through dots.
 */
import { BOOL, type Field, STRING, type Type, withNull, withoutNull } from "../../data/types.ts";
import { call, constant, nullTest } from "../nodes.ts";
import { valueOfKey } from "../operators/membership.ts";
import type { Syntax } from "../syntax.ts";
import type { Node, PathNode } from "../tree.ts";
import { type Context, kindText, nearestName, requireValue } from "./context.ts";

type Select = Extract<Syntax, { kind: "select" | "has" }>;

/** A name, or fields of a name or of any struct. */
export function checkPath(syntax: Syntax, context: Context): Node | null {
  const names: string[] = [];
  let base = syntax;
  while (base.kind === "select") {
    names.unshift(base.field);
    base = base.operand;
  }
  if (base.kind !== "name") {
    const select = syntax as Select;
    const operand = context.check(select.operand, context);
    return operand === null ? null : selectField(operand, select.field, syntax.at, context);
  }
  names.unshift(base.name);
  if (names[0] === "this" && names.length > 1 && !isKnown("this", context)) names.shift();
  return resolve(names, base.at, context);
}

function isKnown(name: string, context: Context): boolean {
  return context.locals.has(name) || context.scope.variables.has(name);
}

function resolve(names: readonly string[], at: number, context: Context): Node | null {
  const [root, ...fields] = names;
  const local = context.locals.get(root);
  const rootType = local?.type ?? context.scope.variables.get(root);
  if (rootType === undefined) return unknownName(root, at, context);
  let path: PathNode = {
    op: "path",
    root,
    local: local?.code ?? null,
    fields: [],
    types: [rootType],
    narrowedBy: [],
    type: rootType,
    at,
    canFail: false,
  };
  path = narrow(path, root, context);
  for (let i = 0; i < fields.length; i++) {
    if (path.type.kind === "map") {
      return fields.slice(i).reduce((node: Node | null, key) => node && selectField(node, key, at, context), path);
    }
    const field = fieldOf(path.type, fields[i], at, context);
    if (field === null) return null;
    const type = path.type.nullable ? withNull(field.type) : field.type;
    path = { ...path, fields: [...path.fields, fields[i]], types: [...path.types, field.type], type };
    path = narrow(path, [root, ...path.fields].join("."), context);
  }
  return local === undefined ? foldParameter(withFacts(path, context), names.join("."), context) : path;
}

/** A bool variable hands on what its own condition told, except about names that a comprehension hides. */
function withFacts(path: PathNode, context: Context): PathNode {
  const facts = path.fields.length === 0 ? context.scope.facts?.get(path.root) : undefined;
  if (facts === undefined || path.type.kind !== "bool") return path;
  const visible = (paths: ReadonlySet<string>) => new Set([...paths].filter((text) => !context.locals.has(text.split(".")[0])));
  return { ...path, facts: { whenTrue: visible(facts.whenTrue), whenFalse: visible(facts.whenFalse) } };
}

function narrow(path: PathNode, text: string, context: Context): PathNode {
  if (!path.type.nullable || path.type.kind === "null" || !context.narrowed.has(text)) return path;
  return { ...path, type: withoutNull(path.type), narrowedBy: [...path.narrowedBy, text] };
}

/** A value known at start-up. Null keeps the declared type, so that the types do not depend on the values. */
function foldParameter(path: PathNode, text: string, context: Context): Node {
  if (!context.scope.constants.has(text)) return path;
  const value = context.scope.constants.get(text);
  return constant(value, value === null ? path.type : withoutNull(path.type), path.at);
}

function fieldOf(type: Type, name: string, at: number, context: Context): Field | null {
  if (type.kind === "struct") {
    const field = type.fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return field;
    const names = type.fields.map((candidate) => candidate.name);
    const near = nearestName(name, names);
    const hint = near !== null ? `did you mean ${near}?` : names.length > 0 ? `it has ${listed(names)}` : undefined;
    return context.report("expression-name", at, `there is no field "${name}"`, hint);
  }
  const hint = type.kind === "json" ? "give the json field its `fields` in the schema to read inside it" : undefined;
  return context.report("expression-type", at, `.${name} reads a field of a struct, this is ${kindText(type)}`, hint);
}

function listed(names: readonly string[]): string {
  return names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;
}

function unknownName(name: string, at: number, context: Context): null {
  const names = [...context.locals.keys(), ...context.scope.variables.keys()];
  const near = nearestName(name, names);
  const hint = near !== null ? `did you mean ${near}?` : names.length > 0 ? `known here: ${listed(names)}` : "no names are known here";
  return context.report("expression-name", at, `there is no name "${name}" here`, hint);
}

function selectField(operand: Node, name: string, at: number, context: Context): Node | null {
  if (operand.type.kind === "map" && operand.type.key.kind === "string") {
    return requireValue(operand, `.${name}`, context) ? valueOfKey(operand, constant(name, STRING, at), at) : null;
  }
  const field = fieldOf(operand.type, name, at, context);
  if (field === null) return null;
  const type = operand.type.nullable ? withNull(field.type) : field.type;
  return { op: "select", operand, field: name, type, at, canFail: operand.canFail };
}

/** has(x.f): present and not null; for a map, whether the key is there. */
export function checkHas(syntax: Select, context: Context): Node | null {
  if (syntax.operand.kind === "name" && syntax.operand.name === "this" && !isKnown("this", context)) {
    const own = resolve([syntax.field], syntax.at, context);
    return own === null ? null : nullTest(widened(own), false, syntax.at);
  }
  const operand = context.check(syntax.operand, context);
  if (operand === null) return null;
  if (operand.type.kind === "map") {
    if (!requireValue(operand, "has", context)) return null;
    const key = JSON.stringify(syntax.field);
    return call("has", [operand], BOOL, syntax.at, ([map]) => `${map}.has(${key})`);
  }
  const node = checkPath({ ...syntax, kind: "select" }, context);
  return node === null ? null : nullTest(widened(node), false, syntax.at);
}

/** A path as if it had not been narrowed, for operators that take null: so they never rely on a condition that failed. */
export function widened(node: Node): Node {
  if (node.op !== "path" || node.narrowedBy.length === 0) return node;
  return { ...node, narrowedBy: [], type: withNull(node.type) };
}
