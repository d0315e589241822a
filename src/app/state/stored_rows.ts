/**
 * Stored state as a person reads it: per key its values under their names, with their exact decimals, what it remembers and what it has
 * collected. Invariant: restored by the operators that keep it, so what they could not take over is refused, never misread; one lane is
 * in memory at a time.
 */
import { MillraceError } from "../../data/fault.ts";
import { jsonText } from "../../data/json/mod.ts";
import type { Type } from "../../data/types.ts";
import { wideToBig } from "../../data/wide.ts";
import type { History, HistorySpec, KeyPart, PipelinePlan, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import { createStateStore, LaneGraph, type LaneState, type OpenedTable } from "../../engine/mod.ts";
import { fromJson } from "../../transforms/join/stored_rows.ts";
import { readColumnName, readTableName, type StoredName } from "./stored_name.ts";
import type { StoredLane } from "./stored_lanes.ts";

/** One key of one table of a node. */
export interface StoredRow {
  readonly node: string;
  readonly table: string;
  readonly lane: number;
  /** Each as JSON text. */
  readonly key: readonly string[];
  /** JSON text by name, in their order. */
  readonly values: readonly (readonly [string, string])[];
  /** Of histories and sets: JSON texts of their items. */
  readonly lists: readonly (readonly [string, readonly string[]])[];
}

/** All rows of the lane's tables, or of one node's. Throws MillraceError where the plan cannot take the state over. */
export function* storedRows(plan: PipelinePlan, { lane, head, entries }: StoredLane, node: string | null): Generator<StoredRow> {
  const state = createStateStore({ epoch: head.epoch, tables: head.tables, entries });
  new LaneGraph({ plan, lane, state, write: () => {} });
  for (const operator of plan.operators.map(({ name }) => name)) {
    if (node !== null && operator !== node) continue;
    yield* rowsOf(operator, ownTables(state, plan, operator), lane);
  }
}

/** The nodes of a plan that keep state, in their order. */
export function nodesWithState(plan: PipelinePlan): string[] {
  const state = createStateStore();
  new LaneGraph({ plan, lane: 0, state, write: () => {} });
  return plan.operators.map(({ name }) => name).filter((name) => ownTables(state, plan, name).length > 0);
}

function ownTables(state: LaneState, plan: PipelinePlan, operator: string): readonly OpenedTable[] {
  const ownerOf = (table: string): string | undefined =>
    plan.operators.map(({ name }) => name).filter((name) => table.startsWith(`${name}.`)).sort((a, b) => b.length - a.length)[0];
  return state.opened.filter(({ spec }) => ownerOf(spec.name) === operator);
}

/** Histories and sets are of the slots of the node's first table: they stand beside its values. */
function* rowsOf(node: string, tables: readonly OpenedTable[], lane: number): Generator<StoredRow> {
  const first = tables.find((one) => one.kind === "table");
  if (!first) return;
  const histories = tables.filter((one) => one.kind === "history").map(({ spec, history }) => readHistory(spec, history, node));
  const sets = tables.filter((one) => one.kind === "table").filter(({ spec }) => isSet(spec, first.spec));
  const members = sets.map(({ spec, table }) => readSet(spec, table, node));
  for (const one of tables) {
    if (one.kind === "history" || sets.includes(one)) continue;
    const { spec, table } = one;
    const { name, key } = readTableName(spec.name, node);
    const columns = spec.columns.map((column) => ({ ...column, told: readColumnName(column.name) }));
    for (let slot = 0; slot < table.size; slot++) {
      if (!table.isLive(slot)) continue;
      const lists = one === first ? [...histories, ...members].map(({ name, at }) => [name, at(slot)] as const) : [];
      yield {
        node,
        table: name,
        lane,
        key: keyTexts(table.keyOf(slot), key),
        values: columns.map(({ name, kind, told }) => [told.name, valueText(table, { name, kind, told }, slot)] as const),
        lists,
      };
    }
  }
}

/** Its key is a slot of the first table, and a value. */
const isSet = (spec: StateTableSpec, first: StateTableSpec): boolean =>
  spec !== first && spec.columns.length === 0 && spec.key.length === 2 && spec.key[0] === "number" &&
  first.columns.some(({ name }) => name.endsWith(": values"));

interface ListReader {
  readonly name: string;
  at(slot: number): readonly string[];
}

function readSet(spec: StateTableSpec, table: StateTable, node: string): ListReader {
  const { name, key: [type = null] } = readTableName(spec.name, node);
  const bySlot = new Map<number, string[]>();
  for (let slot = 0; slot < table.size; slot++) {
    if (!table.isLive(slot)) continue;
    const [owner, value] = table.keyOf(slot);
    const texts = bySlot.get(owner as number) ?? [];
    texts.push(partText(value, type));
    bySlot.set(owner as number, texts);
  }
  return { name, at: (slot) => bySlot.get(slot) ?? [] };
}

function readHistory(spec: HistorySpec, history: History, node: string): ListReader {
  const columns = spec.columns.map(({ name, kind }) => ({ name, kind, told: readColumnName(name) }));
  return {
    name: readTableName(spec.name, node).name,
    at(slot) {
      history.look(slot);
      const { page, from, to } = history;
      return Array.from({ length: to - from }, (_, i) => {
        const members = columns.map(({ name, kind, told }) => {
          const at = from + i;
          if (kind === "text") return [told.name, textOf(history.text(name).texts.at(history.text(name).pages[page][at]), told)] as const;
          if (kind === "value") return [told.name, textOf(history.value(name).pages[page][at], told)] as const;
          const { pages, valid } = history.number(name);
          const isThere = kind === "number" || valid[page][at] === 1;
          return [told.name, isThere ? numberText(pages[page][at], told.type) : "null"] as const;
        });
        return objectText(members);
      });
    },
  };
}

/** Tables of windows have a number of their own in front of the key: the window's start, or the session's number. */
function keyTexts(parts: readonly KeyPart[], types: readonly (Type | null)[]): string[] {
  const own = parts.length - types.length;
  return parts.map((part, at) => partText(part, at < own ? null : types[at - own]));
}

const partText = (part: KeyPart, type: Type | null): string =>
  part === null ? "null" : typeof part === "number" ? numberText(part, type) : JSON.stringify(part);

function valueText(
  table: StateTable,
  { name, kind, told }: { readonly name: string; readonly kind: StateTableSpec["columns"][number]["kind"]; readonly told: StoredName },
  slot: number,
): string {
  switch (kind) {
    case "text":
      return textOf(table.text(name).values[slot], told);
    case "value":
      return textOf(table.value(name).values[slot], told);
    case "wide": {
      const { hi, lo } = table.wide(name);
      return wideText(wideToBig(hi[slot], lo[slot]), told.type);
    }
    case "number": {
      const { values, valid } = table.number(name);
      return valid[slot] === 0 ? "null" : numberText(values[slot], told.type);
    }
  }
}

function numberText(value: number, type: Type | null): string {
  if (type === null) return String(value);
  return jsonText({ name: "", type }, type.kind === "bool" ? value === 1 : value, {});
}

function textOf(value: unknown, { type }: StoredName): string {
  if (value === null || value === undefined) return "null";
  return type === null ? JSON.stringify(value) : jsonText({ name: "", type }, fromJson(value, type), {});
}

/** A sum beyond what a number holds exactly is written with all of its digits. */
function wideText(value: bigint, type: Type | null): string {
  const scale = type?.kind === "decimal" ? type.scale : 0;
  if (scale === 0) return String(value);
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const objectText = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;

/** One line of an export, without its end. */
export function rowLine({ node, table, lane, key, values, lists }: StoredRow): string {
  const all = [...values, ...lists.map(([name, items]) => [name, `[${items.join(",")}]`] as const)];
  return `{"node":${JSON.stringify(node)},"table":${JSON.stringify(table)},"lane":${lane},"key":[${key.join(",")}],"values":${
    objectText(all)
  }}`;
}

/** Whether the row is of the key, each part written as it is shown, texts without quotes. */
export function isOfKey({ key }: StoredRow, wanted: readonly string[]): boolean {
  return key.length === wanted.length && key.every((part, at) => plainText(part) === wanted[at] || part === wanted[at]);
}
export const plainText = (json: string): string => json.startsWith('"') ? JSON.parse(json) as string : json;

/** Throws where the plan has no such node, or one without state. */
export function requireNode(plan: PipelinePlan, node: string): void {
  const nodes = nodesWithState(plan);
  if (nodes.includes(node)) return;
  throw new MillraceError("unknown_node", `"${plan.pipeline}" has no node "${node}" that keeps state`, {
    hint: nodes.length === 0 ? "none of its nodes does" : `these do: ${nodes.join(", ")}`,
  });
}
