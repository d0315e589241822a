/**
 * `client`: looks at a feed as any reader would, checks each record against a schema, and says what it saw. It reads no faster
 * than its caller takes the lines, and changes nothing anywhere.
 */
import { assert, MillraceError } from "../data/fault.ts";
import { compileJsonDecoder } from "../data/json/mod.ts";
import type { Decoder } from "../data/codec.ts";
import { countingFrom, makeMeta } from "../data/columns.ts";
import { createStateStore } from "../engine/mod.ts";
import type { Operator } from "../engine/contracts.ts";
import { ADDRESS_FORM, parseAddress } from "../connectors/socket/address.ts";
import { type Cut, LineCutter } from "../connectors/socket/source/line_cutter.ts";
import type { Connection, World } from "../ports/mod.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";

const CONNECT_WITHIN_MS = 5_000;
const LINE_BYTES_MAX = 64 << 10;
const FAULTS_SHOWN_MAX = 20;
const LF = 10;

export interface ProbeOptions {
  readonly world: World;
  /** HOST:PORT */
  readonly address: string;
  /** null: only that each line is a JSON object. */
  readonly project: Project | null;
  /** Where the project has several. */
  readonly schema?: string;
  readonly count?: number;
  readonly seconds?: number;
  readonly signal: AbortSignal;
  /** Whole lines as they came, line ends included. */
  lines(bytes: Uint8Array): void;
}
export interface ProbeReport {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
  /** From the connection to the first record. */
  readonly firstAfterMs: number | null;
  readonly recordsPerSecond: number;
  /** The longest time without a record between two. */
  readonly longestPauseMs: number;
  /** Reason to how often. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first of them: which record, why, and its beginning. */
  readonly examples: readonly { readonly record: number; readonly reason: string; readonly text: string }[];
  /** What records were checked against. */
  readonly schema: string;
  readonly ended: "count" | "seconds" | "feed" | "signal";
}

/** Throws MillraceError "unreachable". */
export async function probeFeed(options: ProbeOptions): Promise<ProbeReport> {
  const { world, signal } = options;
  const address = parseAddress(options.address);
  if (!address) throw new MillraceError("usage", `${options.address}: not an address`, { hint: ADDRESS_FORM });
  const checker = new RecordChecker(options.project, options.schema);
  assert(world.net, "a client has a network");
  const connection = await world.net.connect(address, CONNECT_WITHIN_MS);
  const watch = new Watch(options, checker);
  const over = new AbortController();
  const stop = (ended: ProbeReport["ended"]) => (): void => {
    if (watch.ended !== null || over.signal.aborted) return;
    watch.ended = ended;
    connection.close();
  };
  const stopBySignal = stop("signal");
  signal.addEventListener("abort", stopBySignal);
  if (options.seconds !== undefined) void world.clock.sleep(options.seconds * 1000, over.signal).then(stop("seconds"));
  try {
    await receive(connection, watch);
  } finally {
    over.abort();
    signal.removeEventListener("abort", stopBySignal);
    connection.close();
  }
  return watch.report();
}

async function receive(connection: Connection, watch: Watch): Promise<void> {
  const cutter = new LineCutter(LINE_BYTES_MAX);
  while (watch.ended === null) {
    let count: number;
    try {
      count = await connection.read(cutter.room);
    } catch (error) {
      if (watch.ended === null) watch.fault("connection_lost", error instanceof Error ? error.message : String(error));
      break;
    }
    if (count === 0) break;
    watch.take(cutter.take(count));
  }
  const tail = cutter.tail();
  // Where this side ended it, half a line is nobody's fault.
  if (tail && watch.ended === null) watch.take([tail]);
  watch.ended ??= "feed";
}

/** Counts what comes. */
class Watch {
  ended: ProbeReport["ended"] | null = null;
  readonly #startedMs: number;
  #records = 0;
  #bytes = 0;
  #firstMs: number | null = null;
  #lastMs: number | null = null;
  #longestPauseMs = 0;
  readonly #faults = new Map<string, number>();
  readonly #examples: { record: number; reason: string; text: string }[] = [];

  constructor(private readonly options: ProbeOptions, private readonly checker: RecordChecker) {
    this.#startedMs = options.world.clock.monotonicMs();
  }

  take(cuts: readonly Cut[]): void {
    const nowMs = this.options.world.clock.monotonicMs();
    for (const cut of cuts) {
      if (this.ended !== null) return;
      if (cut.kind === "lines") this.#takeLines(cut);
      else this.fault(cut.kind === "too_long" ? "too-long" : "truncated_tail", textOf(cut.body));
    }
    if (cuts.length === 0) return;
    this.#firstMs ??= nowMs;
    if (this.#lastMs !== null) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  #takeLines({ records, body }: Cut): void {
    const { count = Infinity, lines } = this.options;
    const wanted = Math.min(records, count - this.#records);
    const start = new Int32Array(wanted);
    const end = new Int32Array(wanted);
    let at = 0;
    for (let row = 0; row < wanted; row++) {
      start[row] = at;
      end[row] = body.indexOf(LF, at);
      at = end[row] + 1;
    }
    const bytes = body.subarray(0, at);
    lines(bytes);
    for (const { row, reason } of this.checker.check({ bytes, start, end, rows: wanted })) {
      this.fault(reason, textOf(bytes.subarray(start[row], end[row])), this.#records + row + 1);
    }
    this.#records += wanted;
    this.#bytes += at;
    if (this.#records >= count) this.ended = "count";
  }

  fault(reason: string, text: string, record = this.#records + 1): void {
    this.#faults.set(reason, (this.#faults.get(reason) ?? 0) + 1);
    if (this.#examples.length < FAULTS_SHOWN_MAX) this.#examples.push({ record, reason, text: text.slice(0, 200) });
  }

  report(): ProbeReport {
    const nowMs = this.options.world.clock.monotonicMs();
    const spanSeconds = this.#firstMs === null ? 0 : (this.#lastMs! - this.#firstMs) / 1000;
    return {
      records: this.#records,
      bytes: this.#bytes,
      seconds: (nowMs - this.#startedMs) / 1000,
      firstAfterMs: this.#firstMs === null ? null : this.#firstMs - this.#startedMs,
      recordsPerSecond: spanSeconds > 0 ? (this.#records - 1) / spanSeconds : 0,
      longestPauseMs: this.#longestPauseMs,
      faults: Object.fromEntries(this.#faults),
      examples: this.#examples,
      schema: this.checker.name,
      ended: this.ended ?? "feed",
    };
  }
}

/** Checks records as the source of a pipeline would: decoding, then `require` and `unique`. */
class RecordChecker {
  readonly name: string;
  readonly #decode: Decoder;
  readonly #intake: Operator | null;
  readonly #source: Pick<PipelineBlueprint["sources"][number], "schema" | "name"> | null;

  constructor(project: Project | null, wished: string | undefined) {
    const source = project && chooseSource(project, wished);
    this.#source = source;
    this.name = source ? `schema "${source.schema.name}"` : "one JSON object per line";
    const type = source?.schema.type ?? { fields: [] };
    this.#decode = compileJsonDecoder({
      type,
      needed: new Set(type.fields.map((field) => field.name)),
      numericText: source?.schema.numericText ?? "reject",
      unknownFields: source?.schema.unknownFields ?? "ignore",
    });
    this.#intake = source?.intake?.create({ lane: 0, state: createStateStore() }) ?? null;
  }

  check(records: Parameters<Decoder>[0]): { row: number; reason: string }[] {
    const { columns, bad } = this.#decode(records);
    const refused = [...bad];
    if (this.#intake && this.#source) {
      const isBad = new Set(bad.map(({ row }) => row));
      const meta = makeMeta(this.#source.name, 0, countingFrom(0, records.rows));
      const batch = { rows: records.rows, type: this.#source.schema.type, columns, meta };
      this.#intake.process(0, batch, {
        emit() {},
        count() {},
        reject: (_, row, reason) => void (isBad.has(row) || refused.push({ row, reason })),
        epochTimeMicros: 0,
      });
    }
    return refused.sort((a, b) => a.row - b.row);
  }
}

/** The source of a schema: of a socket or a generator first, since a feed is what is looked at. */
function chooseSource(project: Project, wished: string | undefined): PipelineBlueprint["sources"][number] {
  const sources = project.pipelines.flatMap((pipeline) => pipeline.sources);
  const named = [...new Map(sources.map((source) => [source.schema.name, source])).values()];
  const found = wished === undefined ? (named.length === 1 ? named[0] : undefined) : named.find(({ schema }) => schema.name === wished);
  if (found) return found;
  const known = named.map(({ schema }) => schema.name).join(", ");
  const message = wished === undefined ? `${project.folder} has several schemas` : `${project.folder} has no source of schema "${wished}"`;
  throw new MillraceError("usage", message, { hint: `choose one with --schema: ${known}` });
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
