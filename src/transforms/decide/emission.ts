/** `emit`: the fields of a decision. `"..." = true` copies the record first; dotted keys make nested objects in place. */
import type { CelTable } from "../../component/settings.ts";
import type { Field, RecordType } from "../../data/types.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import type { PlanChecker } from "../support/plan_checker.ts";
import { computedField } from "../support/projection.ts";
import { checkOwn, type SetName } from "./branches.ts";

/** What an emitted field holds. */
export type Emitted =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "set"; readonly name: string }
  | { readonly kind: "value"; readonly checked: Checked }
  | { readonly kind: "object"; readonly members: readonly { readonly name: string; readonly emitted: Emitted }[] };
export interface EmittedField {
  readonly field: Field;
  readonly emitted: Emitted;
}
interface Surroundings {
  readonly input: RecordType;
  readonly names: readonly SetName[];
  readonly scope: Scope;
  readonly checker: PlanChecker;
}
/** A field or an object while the table is read. */
interface Node {
  readonly name: string;
  leaf: { readonly field: Field; readonly emitted: Emitted } | null;
  readonly members: Node[];
}

/** Without an `emit` table: the record's fields, those that were set in their places, then the other names that were set. */
export function planEmission(table: CelTable | null, around: Surroundings): EmittedField[] {
  if (table === null) return recordFields(around);
  const nodes: Node[] = [];
  for (const { path, keySpan, value } of table.entries) {
    if (path.length !== 1 || path[0] !== "...") continue;
    if (value.text.trim() !== "true") {
      around.checker.fault(value.span, '"..." takes `true`', 'leave "..." out to emit only the named fields');
    }
    for (const { field, emitted } of recordFields(around).slice(0, around.input.fields.length)) {
      nodes.push({ name: field.name, leaf: { field, emitted }, members: [] });
    }
    if (around.input.fields.length === 0) around.checker.fault(keySpan, "the record has no fields to copy");
  }
  for (const { path, keySpan, value } of table.entries) {
    if (path.length === 1 && path[0] === "...") continue;
    const emitted = emitValue(value, around);
    if (emitted !== null && !place(nodes, path, path, emitted)) {
      around.checker.fault(keySpan, `"${path.join(".")}" is both a value and an object`, "emit either the whole or its members");
    }
  }
  return nodes.map(finish);
}

function recordFields({ input, names }: Surroundings): EmittedField[] {
  const fields: EmittedField[] = input.fields.map((field, index) => {
    const set = names.find(({ name }) => name === field.name);
    if (set === undefined) return { field, emitted: { kind: "input", index } };
    return { field: computedField(field.name, set.type, field), emitted: { kind: "set", name: set.name } };
  });
  for (const { name, type } of names) {
    if (!input.fields.some((field) => field.name === name)) fields.push({ field: { name, type }, emitted: { kind: "set", name } });
  }
  return fields;
}

function emitValue(value: CelTable["entries"][number]["value"], around: Surroundings): { field: Field; emitted: Emitted } | null {
  const checked = checkOwn(
    around.checker.check(value, around.scope),
    around.input,
    ["code", "matched", "points", "matched_points"],
    around.checker,
  );
  if (checked === null) return null;
  const text = value.text.trim();
  const set = around.names.find(({ name }) => name === text);
  if (set !== undefined) return { field: { name: text, type: checked.type }, emitted: { kind: "value", checked } };
  const index = around.input.fields.findIndex((field) => field.name === text);
  if (index < 0) return { field: { name: "", type: checked.type }, emitted: { kind: "value", checked } };
  return { field: { ...around.input.fields[index], type: checked.type }, emitted: { kind: "input", index } };
}

/** Puts a value at its path; false where a value and an object would meet. */
function place(nodes: Node[], path: readonly string[], rest: readonly string[], value: { field: Field; emitted: Emitted }): boolean {
  const [name, ...deeper] = rest;
  let node = nodes.find((n) => n.name === name);
  if (node === undefined) nodes.push(node = { name, leaf: null, members: [] });
  if (deeper.length > 0) {
    if (node.leaf !== null) return false;
    return place(node.members, path, deeper, value);
  }
  if (node.members.length > 0) return false;
  const replaced = node.leaf?.field ?? null;
  const field = value.emitted.kind === "input" ? { ...value.field, name } : computedField(name, value.field.type, replaced);
  node.leaf = { field, emitted: value.emitted };
  return true;
}

function finish(node: Node): EmittedField {
  if (node.leaf !== null) return node.leaf;
  const members = node.members.map(finish);
  const type = { kind: "struct", nullable: false, fields: members.map((member) => member.field) } as const;
  const emitted: Emitted = { kind: "object", members: members.map((member) => ({ name: member.field.name, emitted: member.emitted })) };
  return { field: { name: node.name, type }, emitted };
}
