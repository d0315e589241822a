/** What every sink with `publish = "parts"` is told in the same words: where, when files are closed, how they are partitioned. */
import type { Delivered, ProofPlace, SinkContext, SinkPlan } from "../../../component/component.ts";
import type { Setting } from "../../../component/settings.ts";
import { typeText } from "../../../data/types.ts";
import type { World } from "../../../ports/mod.ts";
import { JOURNAL_SPARE_BYTES } from "../../limits.ts";
import { compileRowExpression } from "../../row_expressions.ts";
import { inspectStore } from "../../s3/inspect.ts";
import { proofPrefix, readShownTexts } from "../../s3/proof.ts";
import { S3Place } from "../../s3/s3_place.ts";
import { s3Target } from "../../s3/s3_settings.ts";
import { textsBelow } from "../delivered_text.ts";
import type { PartPlace, RowFormat } from "./contracts.ts";
import { LocalPlace } from "./local_place.ts";
import type { Roll } from "./open_files.ts";
import { isPartitionable, type Partitioning } from "./partitioning.ts";
import { PartsSink } from "./parts_sink.ts";

const FILES_OPEN_MAX = 10_000;

export const PARTS_SETTINGS: Readonly<Record<string, Setting>> = {
  roll: {
    kind: "group",
    doc: "parts: when a file is closed and shown, whichever comes first; at the latest when the input ends or the pipeline is stopped.",
    fields: {
      size: { kind: "size", default: "64MiB", doc: "Before it grows beyond this; a file has at least one epoch's rows." },
      every: { kind: "duration", default: "1m", doc: "So long after its first epoch, by the epochs' recorded times." },
    },
  },
  partition_by: {
    kind: "cel_table",
    names: true,
    optional: true,
    doc: 'parts: folders NAME=VALUE, for example { date = "date(at)" }. Strings, numbers, dates, times and booleans.',
  },
  partitions_max: {
    kind: "int",
    unit: "files",
    min: 1,
    max: FILES_OPEN_MAX,
    default: 100,
    doc: "parts: a lane has at most so many files open; when another is begun, the one begun first is closed and shown.",
  },
};

export const PARTS_NOTES =
  `With \`publish = "parts"\` rows become visible in files that are whole when they appear. Until then they lie in a
journal in the state folder, synced with their epoch, so a crash loses and repeats nothing: the next start goes on with the open files. A
planned stop and the end of the input show what is open. Which rows share a file follows from the epochs and their recorded times alone. Files are named
\`PIPELINE.SINK.RUN.LANE-EPOCH\`, after the first epoch in them; a rerun removes those of earlier runs, and no others.

\`_manifest/FILE.json\` appears behind each file and never changes: \`file\`, \`rows\`, \`bytes\`, \`sha256\`, \`partition\` (name to text or null),
\`pipeline\`, \`sink\`, \`run\`, \`lane\`, \`first_epoch\`, \`last_epoch\`, \`first_time\`, \`last_time\`. What stands there is exactly what was delivered,
each row once. Names that begin with \`_\` are skipped by readers of partitioned folders; \`_drafts\` holds files on their way.

Partition values are escaped as in URLs; null and the empty text are \`__HIVE_DEFAULT_PARTITION__\`. The columns stay in the files too.
A path \`s3://BUCKET/PREFIX\` writes to an object store: through the connection of type \`s3\` that the sink names, or else the one that the
variables \`AWS_ACCESS_KEY_ID\`, \`AWS_SECRET_ACCESS_KEY\`, \`AWS_REGION\` and \`AWS_ENDPOINT_URL\` describe.`;

export interface PartsFormat {
  /** Fields that the format writes. */
  readonly columns: readonly string[];
  /** Further fields that are read. */
  readonly uses?: ReadonlySet<string>;
  make(): RowFormat;
  /** What stands in files of it, where they are texts. */
  readBack?(texts: readonly string[]): Delivered;
}

/** The plan of a parts sink; null when faults were reported. */
export function planParts(context: SinkContext, path: string, format: PartsFormat): SinkPlan | null {
  const { settings, name, stateFolder } = context;
  const partitioning = settings.has("partition_by") ? readPartitioning(context) : [];
  const place = placeOf(context, path);
  if (!partitioning || !place) return null;
  const { readBack } = format;
  const partitionUses = partitioning.flatMap(({ value }) => [...value.uses]);
  return {
    guarantee: "exactly-once",
    guaranteeNote: "rows are kept with their epoch until their file is shown, under a name that the epoch gives",
    threads: "any",
    needs: new Set([...format.columns, ...(format.uses ?? []), ...partitionUses]),
    place: path,
    ...(place.inspect ? { inspect: place.inspect, proof: place.proof } : {}),
    ...(readBack ? { delivered: async (world: World) => readBack(await place.shownTexts(world)) } : {}),
    create(world) {
      const folder = `${stateFolder}/sinks/${name}`;
      return new PartsSink({
        files: world.files,
        stateFolder: folder,
        sink: name,
        place: place.make(world, folder),
        format: format.make(),
        partitioning,
        roll: readRoll(context),
        spareBytes: JOURNAL_SPARE_BYTES,
      });
    },
  };
}

function readRoll({ settings }: SinkContext): Roll {
  const roll = settings.group("roll");
  return { bytes: roll.number("size"), everyMicros: roll.number("every") * 1000, filesMax: settings.number("partitions_max") };
}

function readPartitioning(context: SinkContext): Partitioning | null {
  const levels: { name: string; value: NonNullable<ReturnType<typeof compileRowExpression>> }[] = [];
  let failed = false;
  for (const { path, keySpan, value: cel } of context.settings.celTable("partition_by").entries) {
    const name = path.join(".");
    const value = compileRowExpression(cel, context.input, context);
    if (value && !isPartitionable(value.type)) {
      context.fault(
        cel.span,
        `folders cannot be named after a ${typeText(value.type)}`,
        "use text, whole numbers, dates, times or booleans",
      );
    } else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      context.fault(keySpan, `"${name}" cannot name folders`, "letters, digits and _, beginning with a letter");
    } else if (value) {
      levels.push({ name, value });
      continue;
    }
    failed = true;
  }
  return failed ? null : levels;
}

interface PlannedPlace {
  make(world: World, stateFolder: string): PartPlace;
  /** Of all files that readers see, in the order of their names. */
  shownTexts(world: World): Promise<readonly string[]>;
  readonly inspect?: NonNullable<SinkPlan["inspect"]>;
  readonly proof?: ProofPlace;
}

function placeOf(context: SinkContext, path: string): PlannedPlace | null {
  if (!path.startsWith("s3://")) {
    return { make: ({ files }) => new LocalPlace(files, path), shownTexts: ({ files }) => textsBelow(files, path) };
  }
  const target = s3Target(context, path);
  return target && {
    make: (world, stateFolder) => new S3Place(world, target, `${stateFolder}/drafts`),
    shownTexts: (world) => readShownTexts(target, world),
    inspect: (world) => inspectStore(world, target),
    proof: proofPrefix(context, target),
  };
}
