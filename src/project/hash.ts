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
