/**
 * The `generate` source: endless made-up records, paced. A position is "seed:start:number", so what was drawn and when it began
 * are part of the checkpoint: a resumed run goes on with the very same stream.
 */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { Setting } from "../../component/settings.ts";
import type { FeedPlan } from "../../component/serving.ts";
import type { DecoderSpec } from "../../data/codec.ts";
import { timestampText } from "../../data/time.ts";
import type { Position, Source, SourceReader } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { formatPlace, GeneratedReader, parsePlace } from "./generated_reader.ts";
import { parseRate, RATE_FORMS } from "./rate.ts";
import { recordGenerators } from "./record_generators.ts";
import { offsetMicros, type RecordGenerator, type SequenceOptions } from "./record_sequence.ts";

const SEED_MOST = 2 ** 48;
/** Streams of one seed are this far apart. */
const STREAM_STEP = 0x9e3779b1;

/** Those of single kinds of records. */
const OWN_SETTINGS: Readonly<Record<string, Setting>> = Object.assign(
  {},
  ...[...recordGenerators.values()].map(({ settings }) => settings),
);

export const generateSource: SourceSpec = {
  role: "source",
  type: "generate",
  summary: "Makes records from a seed, paced by a rate.",
  notes:
    `Record n leaves at start + n intervals, however late the one before was: pacing does not drift. The records depend on profile, seed,
start and rate alone, not on when they are made. Drawn seeds and starts are kept in the checkpoint, so a resumed run goes on with the
same stream, and paces it from then on. With the rate \`max\` records are a microsecond apart. \`meta.position\` counts from 0.

\`fintech\` keeps its original's pace: after each transaction it sleeps 1/(rate × U) seconds, U uniform between 0.2 and 2, so that about 0.78
times \`rate\` leave; with the rate \`max\` its times are those of rate 10. Its records are changes of rows (JSON in text, \`__deleted\`): a
sink of format \`raw\` or \`debezium\` makes the topics of change data capture of them. Deletes are rows that are marked as such.

${[...recordGenerators].map(([name, { summary, profiles }]) => `- \`${name}\`: ${summary} ${profileNotes(profiles)}`).join("\n")}`,
  settings: {
    kind: "group",
    doc: "Made-up records.",
    fields: {
      what: {
        kind: "choice",
        doc: "Which kind of record.",
        choices: Object.fromEntries([...recordGenerators].map(([name, { summary }]) => [name, summary])),
      },
      profile: { kind: "text", optional: true, doc: "A variant of that kind. Default: its first one." },
      seed: {
        kind: "either",
        doc: "The same seed gives the same records. Default, or `random`: drawn at the first start.",
        optional: true,
        of: [
          { kind: "int", unit: "number", min: 0, max: SEED_MOST, doc: "The seed." },
          { kind: "text", doc: "`random`, or a whole number that comes from elsewhere." },
        ],
      },
      start: {
        kind: "text",
        default: "now",
        doc: "When the first record happens, for example 2025-09-04T23:11:55Z; `now` is the first start.",
      },
      rate: { kind: "text", default: "1/s", doc: "How many records per second: `1/s`, `0.1/s`, `30/m`, or `max`." },
      count: { kind: "int", unit: "records", min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, doc: "Ends after so many records." },
      ...OWN_SETTINGS,
    },
  },
  examples: [{
    title: "A thousand orders, always the same",
    toml: `[sources.orders]
type   = "generate"
what   = "trades"
seed   = 7
start  = "2025-09-04T23:11:55Z"
rate   = "100/s"
count  = 1000
fields = { transaction_id = "string", symbol = "string", total_amount = "decimal(2)" }
`,
  }],
  plan: planGenerate,
};

function profileNotes(profiles: RecordGenerator["profiles"]): string {
  return `Profiles: ${Object.entries(profiles).map(([name, doc]) => `\`${name}\` (${doc})`).join(", ")}.`;
}

function planGenerate(context: SourceContext): SourcePlan | null {
  const options = readOptions(context);
  if (!options) return null;
  const { name, type, settings, schema: { numericText, unknownFields } } = context;
  const { generator } = options;
  const decoding: Omit<DecoderSpec, "needed"> = generator.changes
    ? { type, numericText: "accept", unknownFields, changes: { deletes: "pass", key: "id" } }
    : { type, numericText, unknownFields };
  return {
    bounded: options.count !== null || generator.ends?.(settings) === true,
    partitionedBy: null,
    partitioned: false,
    keepsArrival: true,
    feed: feedOf(options),
    create: (world, needed) => new GenerateSource(world, name, options, { ...decoding, needed }),
  };
}

export interface GenerateOptions {
  readonly what: string;
  readonly generator: RecordGenerator;
  readonly profile: string;
  /** null: drawn. */
  readonly seed: number | null;
  /** null: now. */
  readonly startMicros: number | null;
  readonly rate: number;
  /** null: as many as there are. */
  readonly count: number | null;
  readonly making: SequenceOptions;
}

function readOptions(context: SourceContext): GenerateOptions | null {
  const { settings } = context;
  const what = settings.text("what");
  const generator = recordGenerators.get(what)!;
  const profile = settings.has("profile") ? settings.text("profile") : Object.keys(generator.profiles)[0];
  const rate = parseRate(settings.text("rate"));
  const start = settings.text("start") === "now" ? null : timestampText().parse(settings.text("start"));
  const seed = readSeed(context);
  let sound = true;
  const fault = (setting: string, message: string, hint: string): void => {
    context.fault(settings.at(setting), message, hint);
    sound = false;
  };
  if (!Object.hasOwn(generator.profiles, profile)) {
    fault("profile", `${what} has no profile "${profile}"`, `it has: ${Object.keys(generator.profiles).join(", ")}`);
  }
  if (rate === null) fault("rate", `"${settings.text("rate")}" is not a rate`, RATE_FORMS);
  if (start !== null && !Number.isSafeInteger(start)) {
    fault("start", `"${settings.text("start")}" is not a timestamp`, "write for example 2025-09-04T23:11:55Z, or now");
  }
  if (Number.isNaN(seed)) fault("seed", `"${settings.text("seed")}" is not a seed`, `a whole number from 0 to ${SEED_MOST}, or random`);
  for (const name of Object.keys(OWN_SETTINGS)) {
    if (settings.has(name) && generator.settings?.[name] === undefined) fault(name, `${what} has no setting "${name}"`, "leave it out");
  }
  const own = generator.check?.(settings) ?? null;
  if (own !== null) fault(own.setting, own.message, own.hint);
  if (!sound || rate === null) return null;
  const count = settings.has("count") ? settings.number("count") : null;
  return { what, generator, profile, seed, startMicros: start, rate, count, making: { rate, settings } };
}

/** null: to be drawn; NaN where it is none. */
function readSeed({ settings }: SourceContext): number | null {
  if (!settings.has("seed")) return null;
  if (settings.which("seed") === 0) return settings.number("seed");
  const text = settings.text("seed");
  if (text === "random") return null;
  return /^\d{1,15}$/.test(text) && Number(text) <= SEED_MOST ? Number(text) : NaN;
}

function feedOf({ what, generator, profile, seed, startMicros, rate, making }: GenerateOptions): FeedPlan {
  return {
    rate,
    describe: (used) => `${what}, seed ${used}`,
    seed: (world) => seed ?? world.random.uint32(),
    startMicros: (nowMicros) => startMicros ?? nowMicros,
    open: (from) => {
      const sequence = generator.sequence(profile, from.seed + from.stream * STREAM_STEP, { ...making, rate: from.rate });
      return { write: (number, into) => sequence.write(number, from.startMicros + offsetMicros(sequence, number, from.rate), into) };
    },
  };
}

class GenerateSource implements Source {
  constructor(
    private readonly world: World,
    private readonly name: string,
    private readonly options: GenerateOptions,
    private readonly decoding: DecoderSpec,
  ) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  reader(): Promise<SourceReader> {
    const { world, options } = this;
    const seed = options.seed ?? world.random.uint32();
    const startMicros = options.startMicros ?? world.clock.nowMicros();
    const origin = { source: this.name, partition: 0, type: this.decoding.type };
    const start = formatPlace({ seed, startMicros, number: 0 });
    return Promise.resolve(new GeneratedReader({ start, options, decoding: this.decoding, origin, clock: world.clock }));
  }

  identity(): Promise<string> {
    const { what, profile, seed, startMicros, rate, count } = this.options;
    return Promise.resolve([what, profile, seed ?? "drawn", startMicros ?? "drawn", rate, count ?? "endless"].join(":"));
  }

  progress(positions: readonly Position[]): number {
    const { count } = this.options;
    return count === null || positions.length === 0 ? 0 : parsePlace(positions[0]).number / count;
  }
}
