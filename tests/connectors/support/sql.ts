/** What the tests of the connectors to database servers share: components from TOML, a log that is kept, epochs of one lane. */
import type { Batch } from "../../../src/data/batch.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import type { EpochStamp, Sink, SourceReader } from "../../../src/engine/contracts.ts";
import { denoClock } from "../../../src/platform/clock.ts";
import { denoFiles } from "../../../src/platform/files.ts";
import type { World } from "../../../src/ports/mod.ts";
import { Machine, Process } from "./memory_world.ts";
import { plan } from "./project.ts";
import { batchOf } from "./rows.ts";

/** Real time and files; what is logged is kept. */
export function realWorld(stopping?: AbortSignal): { world: World; logged: string[] } {
  const logged: string[] = [];
  const log = { event: (level: string, name: string, fields: object) => void logged.push(`${level} ${name} ${JSON.stringify(fields)}`) };
  return { world: { ...new Process(new Machine()).world(), clock: denoClock, files: denoFiles, log, stopping }, logged };
}

export const FIELDS = `fields = { id = "int", amount = "decimal(2)", name = "string?" }`;

/** A pipeline "p" that reads table "t" and writes table "t"; the sink's settings come last. The url says which database. */
export function toml(url: string, { fields = FIELDS, source = "", sink = "", connection = "" } = {}): string {
  const table = (text: string) => text.includes("table =") ? "" : 'table = "t"';
  return `[connections.db]
type = "${url.startsWith("postgres") ? "postgres" : "mysql"}"
url = ${JSON.stringify(url)}
${connection}
[sources.in]
connection = "db"
${table(source)}
${fields}
${source}
[sinks.out]
connection = "db"
inputs = ["in"]
${table(sink)}
${sink}
`;
}

export interface SinkOptions {
  readonly fields?: string;
  readonly sink?: string;
  readonly connection?: string;
  readonly world?: World;
}
/** The sink of `toml`, with a way to make its batches. */
export async function sinkOf(
  url: string,
  { fields, sink: settings, connection, world = realWorld().world }: SinkOptions,
): Promise<{ sink: Sink; batch: (rows: readonly (readonly unknown[])[]) => Batch }> {
  const blueprint = (await plan(toml(url, { fields, sink: settings, connection }))).sinks.find((each) => each.name === "out")!;
  return { sink: blueprint.plan.create(world), batch: (rows) => batchOf(blueprint.input, rows) };
}

/** A reader of table "t". */
export async function readerOf(
  url: string,
  options: { fields?: string; source?: string },
  world = realWorld().world,
): Promise<SourceReader> {
  const [{ plan: source, schema }] = (await plan(toml(url, options))).sources;
  return await source.create(world, new Set(schema.type.fields.map((field) => field.name))).reader(0);
}

export const run = (id: string, fresh: boolean, lanes = 1) => ({ pipeline: "p", run: id, lanes, fresh });
export const stamp = (runId: string, epoch: number, owner = 1, lane = 0): EpochStamp => ({
  pipeline: "p",
  run: runId,
  lane,
  epoch,
  owner,
  digest: `${lane}/${epoch}`,
  timeMicros: epoch,
});

/** Everything in one epoch of a run of its own. */
export async function load(url: string, options: SinkOptions, rows: readonly (readonly unknown[])[], runId = "r"): Promise<void> {
  const { sink, batch } = await sinkOf(url, options);
  try {
    await sink.open(run(runId, true));
    const lane = sink.lane(0);
    await lane.fence(1);
    lane.write(batch(rows));
    await lane.deliver(stamp(runId, 1));
    await sink.finish();
  } finally {
    await sink.close();
  }
}

/** The code of what was thrown; "none" when nothing was. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error) => error instanceof MillraceError ? error.code : String(error));
/** What was thrown. */
export async function thrownBy(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const POLL_MS = 20;
/** Waits until it is so; fails after a while. */
export async function until(done: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
