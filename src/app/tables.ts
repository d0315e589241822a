/**
 * Reference tables: read once at a run's first start and kept beside the checkpoint, so that every later look-up, after a
 * crash too, sees the same rows even when the table at its source has changed.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Batch, Rejected } from "../data/batch.ts";
import { assert, MillraceError } from "../data/fault.ts";
import { rowJson } from "../data/json/mod.ts";
import { BATCH_BYTES_MAX, BATCH_ROWS_MAX } from "../data/limits.ts";
import type { Polled, Source } from "../engine/contracts.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint, TableBlueprint } from "../project/contracts.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot_form.ts";
import { keepFile, type Snapshots } from "./table_snapshots.ts";

/** Rows of a table that were refused; they are kept whole in the file at `path`. */
export interface TableRejects {
  readonly table: string;
  readonly rejected: number;
  readonly path: string;
}

/** Reads every table from its source, keeps the snapshots, fills the look-ups. Returns the digests for the run record. */
export async function snapshotTables(
  blueprint: PipelineBlueprint,
  run: string,
  snapshots: Snapshots,
  world: World,
): Promise<{ digests: Record<string, string>; rejects: TableRejects[] }> {
  const digests: Record<string, string> = {};
  const rejects: TableRejects[] = [];
  for (const table of blueprint.tables) {
    const rejected = await readInto(table, table.plan.create(world, table.needed));
    if (rejected.length > 0) {
      const path = `${blueprint.stateFolder}/tables/${run}/${table.name}.rejects.ndjson`;
      await keepFile(path, encodeRejects(rejected), world.files);
      rejects.push({ table: table.name, rejected: rejected.length, path });
    }
    const bytes = encodeSnapshot(table.schema.type, table.needed, [table.rows.batch(table.name, table.needed)]);
    const digest = sha256(bytes);
    await snapshots.keep({ run, table: table.name, digest }, bytes);
    digests[table.name] = digest;
  }
  return { digests, rejects };
}

/** Fills the look-ups from the snapshots that an earlier start of this run kept. */
export async function reloadTables(
  blueprint: PipelineBlueprint,
  run: string,
  digests: Readonly<Record<string, string>>,
  snapshots: Snapshots,
): Promise<void> {
  for (const table of blueprint.tables) {
    const name = { run, table: table.name, digest: digests[table.name] };
    const bytes = await snapshots.read(name);
    if (!bytes || sha256(bytes) !== name.digest) {
      throw new MillraceError("table_snapshot", `the kept snapshot of table "${table.name}" is not the one this run began with`, {
        hint: `${snapshots.place(name)} was changed or damaged; start over with --rerun`,
      });
    }
    const { duplicates } = table.rows.load(table.schema.type, [decodeSnapshot(table.name, table.schema.type, table.needed, bytes)]);
    assert(duplicates.length === 0, "a snapshot holds each key once");
  }
}

/**
 * Reads a table to its end, a batch at a time. Later rows of a key are refused where the schema says the key is unique, else they stop
 * the run: a look-up must not depend on the order of rows. Returns what was refused, while decoding too.
 */
async function readInto(table: TableBlueprint, source: Source): Promise<Rejected[]> {
  const loading = table.rows.begin(table.schema.type);
  const rejected: Rejected[] = [];
  const duplicates: Rejected[] = [];
  const isUnique = table.schema.unique.includes(table.key);
  const places: number[] = [];
  let seen = 0;
  for await (const polled of batchesOf(source)) {
    rejected.push(...polled.rejected.map((one) => ({ ...one, raw: one.raw.slice() })));
    for (const row of loading.add(polled.batch)) {
      if (isUnique) duplicates.push(duplicateAt(table, polled.batch, row));
      else places.push(seen + row + 1);
    }
    seen += polled.batch.rows;
  }
  loading.finish();
  if (places.length === 0) return [...rejected, ...duplicates];
  const shown = places.slice(0, 5).join(", ");
  throw new MillraceError("table_duplicate", `table "${table.name}" holds more than one row for the same ${table.key} (rows ${shown})`, {
    hint: `make ${table.key} unique at its source, or say unique = ["${table.key}"] in its schema to reject the later rows`,
  });
}

function duplicateAt(table: TableBlueprint, batch: Batch, row: number): Rejected {
  const { partition, position, origin, raw } = batch.meta;
  return {
    source: table.name,
    partition,
    position: position[row],
    origin: origin[row],
    step: table.name,
    reason: `duplicate:${table.key}`,
    raw: raw ? raw.bytes.slice(raw.start[row], raw.end[row]) : new TextEncoder().encode(rowJson(batch, row)),
  };
}

async function* batchesOf(source: Source): AsyncIterable<Polled & { readonly kind: "batch" }> {
  const partitions = await source.partitions();
  for (let partition = 0; partition < partitions; partition++) {
    const reader = await source.reader(partition);
    try {
      let position = reader.start;
      for (;;) {
        const polled = await reader.poll(position, { rowsMax: BATCH_ROWS_MAX, bytesMax: BATCH_BYTES_MAX });
        if (polled.kind !== "batch") break; // A table is what is there now: idle is its end.
        position = polled.next;
        yield polled;
      }
    } finally {
      reader.close();
    }
  }
}

function encodeRejects(rejected: readonly Rejected[]): Uint8Array {
  const lines = rejected.map(({ raw, ...rest }) => JSON.stringify({ ...rest, raw_base64: Buffer.from(raw).toString("base64") }) + "\n");
  return new TextEncoder().encode(lines.join(""));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
