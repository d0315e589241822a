/** The connection `log`: the embedded topic log in a folder, the broker of a machine with nothing installed. */
import { planLogExchange } from "./log_exchange.ts";
import type { ConnectionSpec } from "../../component/component.ts";

export const logConnection: ConnectionSpec = {
  role: "connection",
  type: "log",
  summary: "The embedded log: topics as files in a folder.",
  notes: "Any number of processes read a topic while one writes it. Records are on disk before they are seen.",
  exchange: planLogExchange,
  settings: {
    kind: "group",
    doc: "The embedded log.",
    fields: { path: { kind: "text", place: true, doc: "The folder of the topics. Relative paths start at the working directory." } },
  },
  examples: [{ title: "A log beside the outputs", toml: `[connections.bus]\ntype = "log"\npath = "out/log"\n` }],
};
