/**
 * A source that gives the records again which are to go through once more, in front of what comes next. Invariant: they are input like
 * any other, with a position that the checkpoint remembers: a schedule names them, a replay gives them again, and an epoch that took them
 * has flipped or has not. So they pass through the pipeline's own state, into its own sinks, once.
 *
 *   position := the source's own, while none was taken; else own "~" taken
 */
import { sourceBatch } from "../../connectors/source_batch.ts";
import type { Decoder, Records } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import type { RecordType } from "../../data/types.ts";
import type { PipelinePlan, Polled, PollLimits, Position, Source, SourceNode, SourceReader } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { readerName } from "../build_plan.ts";
import { REDRIVE_BATCH_ROWS_MAX } from "./limits.ts";
import { readRedriven, redriveFolder, type RedrivenRecord } from "./redriven_records.ts";

interface Place {
  readonly own: Position;
  /** Of the records that go through again. */
  readonly taken: number;
}
/** Whose records they are. */
export interface Redecoding {
  readonly name: string;
  readonly type: RecordType;
  readonly decode: Decoder;
}

/** The plan as it reads in this run: the same where nothing was ever redriven in it. */
export async function withRedriven(plan: PipelinePlan, blueprint: PipelineBlueprint, run: string, files: Files): Promise<PipelinePlan> {
  const folder = redriveFolder(blueprint.stateFolder, run);
  const redriven = await files.list(folder);
  if (redriven.length === 0) return plan;
  const sources = plan.sources.map((node): SourceNode => {
    const source = blueprint.sources.find(({ name, intake }) => (intake ? readerName(name) : name) === node.name);
    if (!source || !redriven.includes(source.name)) return node;
    assert(source.plan.redecode, "only records of a source that can decode them again are redriven");
    const decode = source.plan.redecode(source.needed);
    const redecoding = { name: source.name, type: source.schema.type, decode };
    return { ...node, source: redrivenSource(node.source, redecoding, (partition) => readRedriven(files, folder, source.name, partition)) };
  });
  return { ...plan, sources };
}

/** `records` are asked for once per reader. */
export function redrivenSource(
  source: Source,
  redecoding: Redecoding,
  records: (partition: number) => Promise<readonly RedrivenRecord[]>,
): Source {
  return {
    partitions: () => source.partitions(),
    reader: async (partition) => redrivenReader(await source.reader(partition), redecoding, partition, await records(partition)),
    identity: () => source.identity(),
    ...(source.progress ? { progress: (positions) => source.progress!(positions.map((position) => placeOf(position).own)) } : {}),
    ...(source.share ? { share: (spread) => source.share!(spread) } : {}),
    ...(source.covered ? { covered: (partition, position) => source.covered!(partition, placeOf(position).own) } : {}),
  };
}

function redrivenReader(
  reader: SourceReader,
  redecoding: Redecoding,
  partition: number,
  records: readonly RedrivenRecord[],
): SourceReader {
  return {
    start: reader.start,
    async poll(from, limits) {
      const at = placeOf(from);
      const until = limits.until === undefined ? null : placeOf(limits.until);
      const end = until?.taken ?? records.length;
      if (at.taken < end) return redrivenRows(redecoding, partition, records.slice(at.taken, rowsEnd(at, end, limits)), at);
      const polled = await reader.poll(at.own, until === null ? limits : { ...limits, until: until.own });
      return polled.kind === "batch" ? { ...polled, next: positionOf({ own: polled.next, taken: at.taken }) } : polled;
    },
    ...(reader.released ? { released: (position) => reader.released!(placeOf(position).own) } : {}),
    ...(reader.behind ? { behind: (position) => behind(reader, placeOf(position), records.length) } : {}),
    ...(reader.hasCaughtUp ? { hasCaughtUp: (position) => reader.hasCaughtUp!(placeOf(position).own) } : {}),
    ...(reader.stopIntake ? { stopIntake: () => reader.stopIntake!() } : {}),
    close: () => reader.close(),
  };
}

const rowsEnd = ({ taken }: Place, end: number, { rowsMax }: PollLimits): number =>
  Math.min(end, taken + Math.min(rowsMax, REDRIVE_BATCH_ROWS_MAX));

function behind(reader: SourceReader, { own, taken }: Place, records: number): number | null {
  const others = reader.behind!(own);
  return others === null ? null : others + records - taken;
}

/** As if the source had just given them: under their old places. */
function redrivenRows({ name, type, decode }: Redecoding, partition: number, given: readonly RedrivenRecord[], from: Place): Polled {
  const placed = {
    records: recordsOf(given),
    position: Float64Array.from(given, ({ position }) => position),
    origin: Float64Array.from(given, ({ origin }) => origin),
    tooLong: [],
  };
  const next = positionOf({ own: from.own, taken: from.taken + given.length });
  return { kind: "batch", ...sourceBatch({ source: name, partition, type }, placed, decode), read: given.length, next };
}

function recordsOf(given: readonly RedrivenRecord[]): Records {
  const rows = given.length;
  const bytes = new Uint8Array(given.reduce((sum, { raw }) => sum + raw.length + 1, 0));
  const [start, end] = [new Int32Array(rows), new Int32Array(rows)];
  let at = 0;
  given.forEach(({ raw }, row) => {
    start[row] = at;
    bytes.set(raw, at);
    end[row] = at + raw.length;
    bytes[end[row]] = 10;
    at = end[row] + 1;
  });
  return { bytes, start, end, rows };
}

function placeOf(position: Position): Place {
  const mark = position.lastIndexOf("~");
  return mark < 0 ? { own: position, taken: 0 } : { own: position.slice(0, mark), taken: Number(position.slice(mark + 1)) };
}

const positionOf = ({ own, taken }: Place): Position => taken === 0 ? own : `${own}~${taken}`;
