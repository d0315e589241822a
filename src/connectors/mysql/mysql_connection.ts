/** The connection `mysql`: a database of a MySQL or MariaDB server. */
import type { ConnectionSpec } from "../../component/component.ts";

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
    fields: {
      url: {
        kind: "text",
        optional: true,
        secret: true,
        doc: "mysql://USER:PASSWORD@HOST:PORT/DATABASE; reserved characters percent-encoded.",
      },
      host: { kind: "text", optional: true, doc: "The server's name or address, without a url." },
      port: { kind: "int", optional: true, unit: "port", min: 1, max: 65535, doc: "The server's port, without a url. Default: 3306." },
      user: { kind: "text", optional: true, doc: "Who logs in, without a url." },
      database: { kind: "text", optional: true, doc: "The database, without a url." },
      password: { kind: "text", optional: true, secret: true, doc: "The user's password, without a url." },
      password_file: {
        kind: "text",
        optional: true,
        doc: "A file that holds the password; a line end behind it is not part of it. Read again at every connect.",
      },
      tls: {
        kind: "choice",
        default: "off",
        doc: "Encryption of the connection.",
        choices: {
          off: "none: for a server on the same machine or in a network you trust",
          require: "encrypted, whoever the server is",
          verify: "encrypted, and the server's certificate must name the host and be signed by a known authority",
        },
      },
      ca_file: {
        kind: "text",
        optional: true,
        doc: 'PEM file of the authorities that tls = "verify" accepts. Default: the usual public ones.',
      },
      connect_timeout: { kind: "duration", default: "10s", doc: "How long one attempt to connect may take." },
    },
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
