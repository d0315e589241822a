/** The connection `sqlite`: one database file. */
import type { ConnectionSpec } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { BUSY_TIMEOUT } from "../limits.ts";
import type { DatabaseOptions } from "./database.ts";

export const sqliteConnection: ConnectionSpec = {
  role: "connection",
  type: "sqlite",
  summary: "A SQLite database file.",
  notes: "Opened in WAL mode, so that a table can be read by one pipeline while another one writes it.",
  settings: {
    kind: "group",
    doc: "A SQLite database.",
    fields: {
      path: { kind: "text", place: true, doc: "The file; made where it is missing. Relative paths start at the working directory." },
      busy_timeout: { kind: "duration", default: BUSY_TIMEOUT, doc: "How long to wait for another process's transaction." },
    },
  },
  examples: [{ title: "A database beside the outputs", toml: `[connections.serving]\ntype = "sqlite"\npath = "out/serving.sqlite"\n` }],
};

export const databaseOptions = (connection: SettingGroup): DatabaseOptions => ({
  path: connection.text("path"),
  busyTimeoutMs: connection.number("busy_timeout"),
});
