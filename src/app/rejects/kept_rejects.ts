/**
 * Rejects as the project's own sinks keep them: the state folder's, files, the embedded log, SQLite. Invariant: read without what wrote
 * them and without changing anything; a sink that cannot be read back is named, never passed over.
 */
import { Buffer } from "node:buffer";
import type { RecordType } from "../../data/types.ts";
import type { World } from "../../ports/mod.ts";
import type { PipelineBlueprint, SinkBlueprint } from "../../project/contracts.ts";
import { shownRecord, taggedNames } from "../../observe/shown.ts";
import { runnablesOf } from "../state/stored_lanes.ts";

export interface KeptReject {
  readonly pipeline: string;
  /** The sink that keeps it. */
  readonly sink: string;
  readonly source: string;
  readonly partition: number;
  readonly position: number;
  readonly origin: number;
  /** The node that refused it. */
  readonly step: string;
  readonly reason: string;
  /** What a sink's target said, where the sink keeps that. */
  readonly message: string | null;
  /** The record; null where the sink does not keep it. */
  readonly raw: Uint8Array | null;
}
export interface KeptRejects {
  /** In the order in which they are kept. */
  readonly rejects: readonly KeptReject[];
  /** Sinks whose rejects are to be looked up where they lie. */
  readonly elsewhere: readonly { readonly sink: string; readonly type: string; readonly place: string }[];
}

/** The shipped sinks' ways to write a text. */
type TextForm = "plain" | "sql" | "json";
const FORMS: Readonly<Record<string, TextForm>> = { csv: "plain", sqlite: "sql" };

/** All rejects of the pipeline that can be seen now; files that are still open show theirs when they are closed. */
export async function readRejects(blueprint: PipelineBlueprint, world: World): Promise<KeptRejects> {
  const rejects: KeptReject[] = [];
  const elsewhere: KeptRejects["elsewhere"][number][] = [];
  for (const stage of runnablesOf(blueprint)) {
    for (const sink of stage.sinks.filter(({ inputs }) => inputs.some(({ port }) => port === "rejected"))) {
      if (sink.plan.delivered) rejects.push(...await readSink(blueprint.name, sink, world));
      else elsewhere.push({ sink: sink.name, type: sink.type, place: sink.plan.place });
    }
  }
  return { rejects, elsewhere };
}

async function readSink(pipeline: string, { name, type, plan }: SinkBlueprint, world: World): Promise<KeptReject[]> {
  const { columns, rows } = await plan.delivered!(world);
  const form = FORMS[type] ?? "json";
  const at = new Map(columns.map((column, index) => [column, index]));
  if (!at.has("reason")) return [];
  return rows.map((row) => {
    const text = (column: string): string | null => {
      const index = at.get(column);
      return index === undefined ? null : textOf(row[index], form);
    };
    const number = (column: string): number => Number(text(column) ?? NaN);
    const raw = text("raw");
    const base64 = text("raw_base64");
    return {
      pipeline,
      sink: name,
      source: text("source") ?? "",
      partition: number("partition"),
      position: number("position"),
      origin: number("origin"),
      step: text("step") ?? "",
      reason: text("reason") ?? "",
      message: text("message"),
      raw: raw !== null ? new TextEncoder().encode(raw) : base64 !== null ? new Uint8Array(Buffer.from(base64, "base64")) : null,
    };
  });
}

/** A text or number as it was before it was written; null for none. */
function textOf(written: string, form: TextForm): string | null {
  switch (form) {
    case "plain":
      return written === "" ? null : written;
    case "sql":
      if (written === "NULL") return null;
      return written.startsWith("'") ? written.slice(1, -1).replaceAll("''", "'") : written;
    case "json":
      if (written === "" || written === "null") return null;
      return written.startsWith('"') ? JSON.parse(written) as string : written;
  }
}

/** A reject whose record may be seen by whoever looks on. */
export type ShownReject = Omit<KeptReject, "raw"> & { readonly raw: string | null };

/** Hides the fields that nobody may see: those of the reject's source, or of all where that is not there any more. */
export function rejectShower(blueprint: PipelineBlueprint): (reject: KeptReject) => ShownReject {
  const types = new Map<string, RecordType>();
  for (const stage of runnablesOf(blueprint)) {
    for (const { name, schema } of [...stage.sources, ...stage.changelogs]) types.set(name, schema.type);
  }
  const all = new Set([...types.values()].flatMap((type) => [...taggedNames(type)]));
  return (reject) => {
    const type = types.get(reject.source);
    return { ...reject, raw: reject.raw && shownRecord(reject.raw, type ? taggedNames(type) : all) };
  };
}

/** Rejects of one reason, source and step. */
export interface RejectCount {
  readonly pipeline: string;
  readonly reason: string;
  readonly source: string;
  readonly step: string;
  readonly records: number;
  /** The last of them. */
  readonly newest: { readonly partition: number; readonly position: number };
}

/** The most frequent first. */
export function countRejects(rejects: readonly KeptReject[]): RejectCount[] {
  const groups = Map.groupBy(rejects, ({ reason, source, step }) => JSON.stringify([reason, source, step]));
  const counts = [...groups.values()].map((group): RejectCount => {
    const { pipeline, reason, source, step, partition, position } = group.at(-1)!;
    return { pipeline, reason, source, step, records: group.length, newest: { partition, position } };
  });
  return counts.sort((a, b) => b.records - a.records || (a.reason < b.reason ? -1 : 1));
}
