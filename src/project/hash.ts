/**
 * The digest of everything in a configuration that can change outputs. Invariant: comments, white space, the order of tables,
 * secrets and what is only shown to people do not change it.
 */
import { createHash } from "node:crypto";
import type { SchemaPlan } from "../component/component.ts";
import { typeText } from "../data/types.ts";
import type { Connection } from "./connections.ts";
import type { PlacedEdge } from "./graph.ts";
import type { Params } from "./params.ts";
import type { CheckedGroup } from "./setting_group.ts";

/** A node as far as outputs depend on it. */
export interface HashedNode {
  readonly role: "source" | "table" | "transform" | "sink";
  readonly name: string;
  readonly type: string;
  readonly settings: CheckedGroup;
  readonly connection?: Connection | null;
  readonly inputs?: readonly (readonly PlacedEdge[])[];
  readonly schema?: SchemaPlan;
  /** `time` of a source. */
  readonly time?: CheckedGroup | null;
  /** The table's key. */
  readonly key?: string;
  /** What a table says that is kept from changes. */
  readonly changelog?: CheckedGroup | null;
}

/** SHA-256 in hexadecimal of the canonical form. The first element is its version. */
export function planHash(params: Params, nodes: readonly HashedNode[]): string {
  const fields = params.type.kind === "struct" ? params.type.fields : [];
  const parameters = fields.map(({ name, type }) => [name, typeText(type), params.shown.get(name) ?? ""]);
  const canonical = [2, sorted(parameters), sorted(nodes.map((node) => nodeForm(node)))];
  return createHash("sha256").update(JSON.stringify(canonical)).digest("hex");
}

const sorted = (items: readonly unknown[]): unknown[] =>
  items.map((item) => JSON.stringify(item)).sort().map((text): unknown => JSON.parse(text));

/**
 * What a plan's hash was made of, one digest for each thing that a person would call a change: "sink alerts" to "path" to a digest.
 * Two plans of one hash have equal parts; nothing can be read back from them.
 */
export type PlanParts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Enough to notice a change; nothing is decided by it. */
const PART_DIGEST_LENGTH = 12;

/** The parts of the plan whose hash is `planHash` of the same. */
export function planParts(params: Params, nodes: readonly HashedNode[]): PlanParts {
  const parts: Record<string, Record<string, string>> = {};
  const fields = params.type.kind === "struct" ? params.type.fields : [];
  for (const { name, type } of fields) parts[`parameter ${name}`] = { value: digestOf([typeText(type), params.shown.get(name) ?? ""]) };
  for (const node of nodes) {
    const own: Record<string, string> = { type: digestOf(node.type) };
    for (const [name, value] of node.settings.canonical()) own[name] = digestOf(value);
    if (node.connection) own.connection = digestOf([node.connection.type, node.connection.settings?.canonical()]);
    if (node.inputs) own.inputs = digestOf(node.inputs.map((edges) => edges.map(({ from, port }) => `${from}.${port}`).sort()));
    if (node.schema) own.schema = digestOf(schemaForm(node.schema));
    if (node.key !== undefined) own.key = digestOf(node.key);
    if (node.time) own.time = digestOf(node.time.canonical());
    if (node.changelog) own.changelog = digestOf(node.changelog.canonical());
    parts[`${node.role} ${node.name}`] = own;
  }
  return parts;
}

const digestOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value) ?? "").digest("hex").slice(0, PART_DIGEST_LENGTH);

function nodeForm(node: HashedNode): unknown {
  return [
    node.role,
    node.name,
    node.type,
    node.settings.canonical(),
    node.connection ? [node.connection.type, node.connection.settings?.canonical()] : null,
    node.inputs?.map((edges) => edges.map(({ from, port }) => `${from}.${port}`).sort()) ?? null,
    node.schema ? schemaForm(node.schema) : null,
    node.key ?? null,
    node.time?.canonical() ?? null,
    ...(node.changelog ? [node.changelog.canonical()] : []),
  ];
}

function schemaForm({ type, numericText, unknownFields, unique, require }: SchemaPlan): unknown {
  const fields = type.fields.map((
    { name, type, format, zone, oneOf },
  ) => [name, typeText(type), format ?? null, zone ?? null, oneOf ?? null]);
  return [fields, numericText, unknownFields, unique, require.map(({ code, that }) => [code, that.text])];
}
