/** The settings of a connection to a database server, in the same words for all databases. */
import type { Setting } from "../../component/settings.ts";
import { TEST_SETTING } from "../proof_setting.ts";
import type { AddressForm } from "./address.ts";

/** What `planAddress` reads; a connection may add its own. */
export function serverSettings({ schemes: [scheme], defaultPort }: AddressForm) {
  return {
    url: {
      kind: "text",
      optional: true,
      secret: true,
      doc: `${scheme}://USER:PASSWORD@HOST:PORT/DATABASE; reserved characters percent-encoded.`,
    },
    host: { kind: "text", optional: true, doc: "The server's name or address, without a url." },
    port: {
      kind: "int",
      optional: true,
      unit: "port",
      min: 1,
      max: 65535,
      doc: `The server's port, without a url. Default: ${defaultPort}.`,
    },
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
    test: TEST_SETTING,
  } as const satisfies Readonly<Record<string, Setting>>;
}
