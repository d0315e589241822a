/** The connection `mysql`: a database of a MySQL or MariaDB server. */
import type { ConnectionSpec } from "../../component/component.ts";
import type { AddressForm } from "../sql/address.ts";
import { serverSettings } from "../sql/connection_settings.ts";

/** How its addresses are written. */
export const MYSQL_ADDRESS: AddressForm = { schemes: ["mysql", "mariadb"], defaultPort: 3306, variable: "MYSQL_URL" };

export const mysqlConnection: ConnectionSpec = {
  role: "connection",
  type: "mysql",
  summary: "A database of a MySQL 8 or MariaDB 10.11 server, or later.",
  notes:
    `Either \`url\`, or \`host\`, \`user\` and \`database\`. A server that cannot be reached is waited for, with growing pauses and a log event
\`server_unreachable\` for each attempt; a refused login or an unknown database stops at once. How durable a commit is is the server's own
setting: \`innodb_flush_log_at_trx_commit = 1\`, its default, survives a power cut.`,
  settings: {
    kind: "group",
    doc: "A MySQL or MariaDB database.",
    fields: serverSettings(MYSQL_ADDRESS),
  },
  examples: [
    {
      title: "From the environment",
      toml: `[connections.serving]\ntype = "mysql"\nurl  = "\${MYSQL_URL:-mysql://me:secret@127.0.0.1/serving}"\n`,
    },
    {
      title: "A password from a file, an encrypted connection",
      toml:
        `[connections.serving]\ntype          = "mysql"\nhost          = "db.example.org"\nuser          = "millrace"\ndatabase      = "serving"\npassword_file = "/run/secrets/mysql"\ntls           = "verify"\n`,
    },
  ],
};
