/** The `socket` source: lines from a TCP feed that cannot be asked again. They go through a journal, which can. */
import type { SourceContext, SourcePlan, SourceSpec } from "../../../component/component.ts";
import type { DecoderSpec } from "../../../data/codec.ts";
import { assert } from "../../../data/fault.ts";
import { compileJsonDecoder } from "../../../data/json/mod.ts";
import { RECORD_BYTES_MAX } from "../../../data/limits.ts";
import type { Source, SourceReader } from "../../../engine/contracts.ts";
import type { NetAddress, World } from "../../../ports/mod.ts";
import { ADDRESS_FORM, parseAddress } from "../address.ts";
import { Journal, type JournalOptions } from "../journal/journal.ts";
import { JournalReader } from "../journal/journal_reader.ts";
import type { ReconnectSettings } from "./backoff.ts";
import { Receiver } from "./receiver.ts";

const JOURNAL_BYTES_LEAST = 1 << 20;

export const socketSource: SourceSpec = {
  role: "source",
  type: "socket",
  summary: "Reads lines from a TCP server, connecting again for ever.",
  notes:
    `The server cannot be asked again, so what is received goes into a journal first and is durable before the pipeline sees it: a crash
loses nothing that was received. When the journal is full the socket is not read, and the server has to wait or to drop; nothing is
dropped here. A planned stop takes in nothing more and processes what was received. The journal gives back what all epochs are done with. It belongs to this source alone.

A lost connection is made again after \`reconnect.first\`, doubling to \`reconnect.most\`, with jitter. Each gap is logged as \`feed_gap\`
with its start, its end and a guess, from the rate before it, of how many records were missed.

Rejects beside those of the schema: \`too-long\` (the beginning is kept, the rest of that line skipped) and \`truncated_tail\` (a last
line without its end: it is never joined with what a later connection gives). An empty line is rejected as \`json\`.
\`meta.position\` is the record's number since the journal was begun, from 0.`,
  settings: {
    kind: "group",
    doc: "A TCP feed.",
    fields: {
      address: { kind: "text", doc: "HOST:PORT of the server." },
      framing: {
        kind: "group",
        doc: "How the stream is cut into records.",
        fields: {
          type: { kind: "choice", default: "lines", doc: "What ends a record.", choices: { lines: "a line feed" } },
          max: { kind: "size", default: "64KiB", doc: "A longer record is rejected as `too-long`." },
        },
      },
      reconnect: {
        kind: "group",
        doc: "How soon a lost connection is made again.",
        fields: {
          first: { kind: "duration", default: "500ms", doc: "The first wait." },
          most: { kind: "duration", default: "30s", doc: "Waits double up to this." },
          jitter: { kind: "bool", default: true, doc: "Draws each wait from its upper half, so that clients do not come all at once." },
        },
      },
      journal: {
        kind: "group",
        doc: "Where received bytes are kept until they are processed.",
        fields: {
          path: { kind: "text", place: true, optional: true, doc: "A folder. Default: beside the checkpoints." },
          keep: { kind: "duration", default: "1h", doc: "Processed records stay at least so long while there is room." },
          most: { kind: "size", default: "2GiB", doc: "When unprocessed records take so much, the socket is not read." },
        },
      },
    },
  },
  examples: [{
    title: "A feed of JSON lines",
    toml:
      `[sources.feed]\ntype    = "socket"\naddress = "127.0.0.1:9999"\nframing = { type = "lines", max = "64KiB" }\nfields  = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planSocket,
};

interface SocketOptions {
  readonly name: string;
  readonly address: NetAddress;
  readonly lineBytesMax: number;
  readonly reconnect: ReconnectSettings;
  readonly journal: JournalOptions;
  readonly decoding: DecoderSpec;
}

function planSocket(context: SourceContext): SourcePlan | null {
  const { settings, name, type, schema: { numericText, unknownFields }, stateFolder } = context;
  const address = parseAddress(settings.text("address"));
  const lineBytesMax = settings.group("framing").number("max");
  const reconnect = settings.group("reconnect");
  const journal = settings.group("journal");
  const before = { sound: true };
  const fault = (span: Parameters<SourceContext["fault"]>[0], message: string, hint: string): void => {
    context.fault(span, message, hint);
    before.sound = false;
  };
  if (!address || address.port === 0) {
    fault(settings.at("address"), `"${settings.text("address")}" is not the address of a server`, ADDRESS_FORM);
  }
  if (lineBytesMax < 1 || lineBytesMax > RECORD_BYTES_MAX) {
    fault(settings.group("framing").at("max"), "a record may have from 1 byte to 1MiB", 'write for example max = "64KiB"');
  }
  if (reconnect.number("first") < 1 || reconnect.number("most") < reconnect.number("first")) {
    fault(reconnect.at("first"), "waits grow from `first` to `most`", 'write for example { first = "500ms", most = "30s" }');
  }
  if (journal.number("most") < Math.max(JOURNAL_BYTES_LEAST, 16 * lineBytesMax)) {
    fault(journal.at("most"), "the journal is too small", "it needs at least 1MiB, and room for 16 of the longest records");
  }
  if (!before.sound || !address) return null;
  const options = {
    name,
    address,
    lineBytesMax,
    reconnect: { firstMs: reconnect.number("first"), mostMs: reconnect.number("most"), jitter: reconnect.bool("jitter") },
    journal: {
      folder: journal.has("path") ? journal.text("path") : `${stateFolder}/journal/${name}`,
      keepMs: journal.number("keep"),
      bytesMax: journal.number("most"),
    },
  };
  return {
    bounded: false,
    partitionedBy: null,
    partitioned: false,
    keepsArrival: true,
    guaranteeNote: "from its journal on: what is sent while nobody is connected is missed",
    create: (world, needed) => new SocketSource(world, { ...options, decoding: { type, needed, numericText, unknownFields } }),
  };
}

/** What a source holds while somebody reads it. */
interface Session {
  readonly journal: Journal;
  readonly receiver: Receiver;
}

class SocketSource implements Source {
  #session: Session | null = null;
  /** A session that is being ended: the next one waits for it. */
  #ending: Promise<void> = Promise.resolve();

  constructor(private readonly world: World, private readonly options: SocketOptions) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  async reader(): Promise<SourceReader> {
    await this.#ending;
    assert(!this.#session, "a socket is read by one reader at a time");
    const { world, options } = this;
    const journal = await Journal.open(world, options.journal);
    const receiver = new Receiver({ world, source: options.name, ...options }, journal);
    this.#session = { journal, receiver };
    return new JournalReader({
      journal,
      origin: { source: options.name, partition: 0, type: options.decoding.type },
      decoder: compileJsonDecoder(options.decoding),
      receiver,
      close: () => this.#end(),
    });
  }

  identity(): Promise<string> {
    return Promise.resolve("");
  }

  #end(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = null;
    this.#ending = session.receiver.stop().then(() => session.journal.close());
    // Told by the next reader; where there is none, nothing was lost: only what was durable was handed out.
    this.#ending.catch(() => {});
  }
}
