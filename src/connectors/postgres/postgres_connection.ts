/** The connection `postgres`: a schema of a PostgreSQL database. */
import type { ConnectionSpec, PlanContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { type AddressForm, planAddress, type ServerAddress } from "../sql/address.ts";
import { serverSettings } from "../sql/connection_settings.ts";

/** How its addresses are written. */
export const POSTGRES_ADDRESS: AddressForm = { schemes: ["postgres", "postgresql"], defaultPort: 5432, variable: "POSTGRES_URL" };

/** Where tables are, and who asks. */
export interface PostgresAddress extends ServerAddress {
  readonly schema: string;
  /** Files of statements that every start runs first. */
  readonly setup: readonly string[];
}

/** Null when faults were reported. */
export function planPostgres(context: PlanContext, connection: SettingGroup): PostgresAddress | null {
  const address = planAddress(context, connection, POSTGRES_ADDRESS);
  return address && {
    ...address,
    schema: connection.text("schema"),
    setup: connection.has("setup") ? connection.texts("setup") : [],
  };
}

export const postgresConnection: ConnectionSpec = {
  role: "connection",
  type: "postgres",
  summary: "A database of a PostgreSQL server, version 12 or later.",
  notes:
    `Either \`url\`, or \`host\`, \`user\` and \`database\`. A server that cannot be reached is waited for, with growing pauses and a log event
\`server_unreachable\` for each attempt; a refused login or an unknown database stops at once. Passwords are proved by SCRAM-SHA-256, MD5 or
in clear, as the server asks: use TLS outside of a trusted network.

A commit waits until it is on disk: a session that is set to \`synchronous_commit = off\` is set to \`on\`. Sessions hold settings, so a
pooler in between must pool sessions, not transactions or statements.

\`setup\` names files of statements that every start runs, in order and all in one transaction, before a source or sink looks at its table:
tables, types, views, rights. They are run again and again, so each must be one that may be: CREATE ... IF NOT EXISTS, CREATE OR REPLACE.`,
  settings: {
    kind: "group",
    doc: "A PostgreSQL database.",
    fields: {
      ...serverSettings(POSTGRES_ADDRESS),
      schema: { kind: "text", default: "public", doc: "The schema in which tables are looked for and made; no other is looked at." },
      setup: { kind: "text_list", optional: true, doc: "Files of statements that every start runs first." },
    },
  },
  examples: [
    {
      title: "From the environment",
      toml: `[connections.bank]\ntype = "postgres"\nurl  = "\${POSTGRES_URL:-postgres://me:secret@127.0.0.1/bank}"\n`,
    },
    {
      title: "A password from a file, an encrypted connection, a schema and tables of its own",
      toml:
        `[connections.bank]\ntype          = "postgres"\nhost          = "db.example.org"\nuser          = "millrace"\ndatabase      = "bank"\nschema        = "raw"\nsetup         = ["database/tables.sql"]\npassword_file = "/run/secrets/postgres"\ntls           = "verify"\n`,
    },
  ],
};
