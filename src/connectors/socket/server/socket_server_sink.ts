/** The `socket_server` sink: records for whoever connects, as lines over TCP. At-least-once: nobody acknowledges anything. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../../component/component.ts";
import { compileJsonEncoder } from "../../../data/json/mod.ts";
import type { NetAddress } from "../../../ports/mod.ts";
import { ADDRESS_FORM, formatAddress, parseAddress } from "../address.ts";
import type { SlowPolicy } from "./client.ts";
import { PublishingSink } from "./publishing_sink.ts";
import { serveFeed } from "./serve_feed.ts";

export interface ServerSettings {
  readonly name: string;
  readonly listen: NetAddress;
  readonly resume: NetAddress | null;
  readonly mode: "per_client" | "broadcast";
  readonly slow: SlowPolicy;
  readonly behindMax: number;
  readonly clientsMax: number;
}

export const socketServerSink: SinkSpec = {
  role: "sink",
  type: "socket_server",
  summary: "Lets any number of clients read records over TCP, one JSON object per line.",
  notes:
    `A client only connects and reads; what it sends is dropped. It gets whole records and its first one at once. Clients come, go, stall and
break without any effect on the others.

Directly behind a \`generate\` source and run by \`millrace serve\`, records are made as they are read: there is no checkpoint, every
client has a place of its own in the stream, and memory does not depend on how far it is behind. Behind anything else the rows of each
epoch go to all clients (\`broadcast\`), the newest \`behind_max\` of them being held.

**Resume.** Records are numbered from 0. With \`resume_listen\` there is a second port, where a client first sends one line,
\`resume NUMBER\` (for \`per_client\`: \`resume NUMBER sequence NUMBER\`, sequences being numbered in order of connection), and gets the
records from that number on. A generated stream can be resumed anywhere; a published one as far back as it is held, else the connection
is closed.`,
  settings: {
    kind: "group",
    doc: "A TCP server.",
    fields: {
      listen: { kind: "text", default: "127.0.0.1:9999", doc: "HOST:PORT; port 0 takes any free one and says which." },
      resume_listen: { kind: "text", optional: true, doc: "HOST:PORT for clients that say where they want to go on." },
      mode: {
        kind: "choice",
        default: "broadcast",
        doc: "What clients see.",
        choices: { broadcast: "one sequence, the same bytes for all", per_client: "each client a sequence of its own" },
      },
      slow_client: {
        kind: "choice",
        default: "block",
        doc: "What happens to a client that is more than `behind_max` records behind.",
        choices: {
          block: "it goes on where it was; rows of epochs wait for it",
          drop_oldest: "it misses the oldest of them; counted",
          disconnect: "its connection is closed; counted",
        },
      },
      behind_max: { kind: "int", unit: "records", min: 1, max: 10_000_000, default: 10_000, doc: "How far a client may fall behind." },
      clients_max: { kind: "int", unit: "clients", min: 1, max: 100_000, default: 4096, doc: "Further clients are turned away." },
    },
  },
  examples: [{
    title: "The newest payments for whoever wants them",
    toml:
      `[sinks.feed]\ntype        = "socket_server"\ninputs      = ["payments"]\nlisten      = "127.0.0.1:9999"\nslow_client = "drop_oldest"\n`,
  }],
  plan: planServer,
};

function planServer(context: SinkContext): SinkPlan | null {
  const { settings, input, name } = context;
  const listen = address(context, "listen");
  const resume = settings.has("resume_listen") ? address(context, "resume_listen") : null;
  if (!listen || (settings.has("resume_listen") && !resume)) return null;
  const server: ServerSettings = {
    name,
    listen,
    resume,
    mode: settings.text("mode") as ServerSettings["mode"],
    slow: settings.text("slow_client") as SlowPolicy,
    behindMax: settings.number("behind_max"),
    clientsMax: settings.number("clients_max"),
  };
  return {
    guarantee: "at-least-once",
    guaranteeNote: "clients acknowledge nothing",
    guaranteeHint: `a topic beside "${name}" holds each record once`,
    needs: new Set(input.fields.map((field) => field.name)),
    threads: "one",
    place: formatAddress(listen),
    serve: (options) => serveFeed(server, options),
    create: (world) => new PublishingSink(world, server, compileJsonEncoder(input, { decimals: "number" })),
  };
}

function address({ settings, fault }: SinkContext, name: string): NetAddress | null {
  const parsed = parseAddress(settings.text(name));
  if (!parsed) fault(settings.at(name), `"${settings.text(name)}" is not an address`, ADDRESS_FORM);
  return parsed;
}
