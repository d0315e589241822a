/** The connection `clickhouse`: a database of a ClickHouse server, over HTTP. */
import type { ConnectionSpec, PlanContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { TEST_SETTING } from "../proof_setting.ts";
import { ownDatabase, type ServerAddress } from "../sql/address.ts";
import type { RequestOptions } from "./driver.ts";

/** Where a server is, who asks, how, and what is run there first. */
export interface ClickhouseConnection {
  readonly address: ServerAddress;
  readonly request: RequestOptions;
  /** Files of statements. */
  readonly setup: readonly string[];
}

export const clickhouseConnection: ConnectionSpec = {
  role: "connection",
  type: "clickhouse",
  summary: "A database of a ClickHouse server.",
  notes:
    `Spoken to over HTTP. Database, user and password stand in the \`url\` or in settings of their own. A server that cannot be reached, or
that takes nothing at the moment (too many parts, memory, a lost keeper), is waited for with growing pauses; a refused login stops at once.

\`setup\` names files of statements, separated by semicolons at the ends of lines, that every start runs in order before the sink looks at
its table: tables, views, dictionaries. They are run again and again, so each must be one that may be: CREATE ... IF NOT EXISTS, CREATE OR
REPLACE VIEW. The database is made where it is missing.`,
  settings: {
    kind: "group",
    doc: "A ClickHouse database.",
    fields: {
      url: {
        kind: "text",
        secret: true,
        doc: "http://HOST:8123 or https://USER:PASSWORD@HOST:8443/DATABASE; reserved characters percent-encoded.",
      },
      database: { kind: "text", optional: true, doc: "The database, where the url names none. Default: default." },
      user: { kind: "text", optional: true, doc: "Who logs in, where the url names nobody. Default: default." },
      password: { kind: "text", optional: true, secret: true, doc: "The user's password, where the url has none." },
      password_file: {
        kind: "text",
        optional: true,
        doc: "A file that holds the password; a line end behind it is not part of it. Read again at every connect.",
      },
      ca_file: {
        kind: "text",
        optional: true,
        doc: "PEM file of the authorities that may sign the server's certificate. Default: the usual public ones.",
      },
      request_timeout: {
        kind: "duration",
        default: "2m",
        operational: true,
        doc: "How long one request may take. An insert that is given up is sent again, which doubles nothing.",
      },
      compression: {
        kind: "choice",
        default: "none",
        operational: true,
        doc: "Of the rows on their way.",
        choices: { none: "for a server near by", gzip: "a third of the bytes for several times the work: for a thin line" },
      },
      setup: { kind: "text_list", optional: true, doc: "Files of statements that every start runs first." },
      test: TEST_SETTING,
    },
  },
  examples: [
    {
      title: "From the environment",
      toml:
        `[connections.warehouse]\ntype     = "clickhouse"\nurl      = "\${CLICKHOUSE_URL:-http://127.0.0.1:8123}"\ndatabase = "analytics"\n`,
    },
    {
      title: "A password from a file, tables and views of one's own",
      toml:
        `[connections.warehouse]\ntype          = "clickhouse"\nurl           = "https://warehouse.example.org:8443"\ndatabase      = "analytics"\nuser          = "millrace"\npassword_file = "/run/secrets/clickhouse"\nsetup         = ["warehouse/tables.sql", "warehouse/views.sql"]\n`,
    },
  ],
};

const SCHEMES: Readonly<Record<string, number>> = { http: 8123, https: 8443 };
const FORM = "http://HOST:8123, or https://USER:PASSWORD@HOST:8443/DATABASE, with reserved characters as %40 and the like";
type Login = Pick<ServerAddress, "scheme" | "host" | "port" | "user" | "database" | "password">;

/** Null when faults were reported. They show no part of the url: it may be malformed just where its password is. */
export function planClickhouse(context: PlanContext, connection: SettingGroup): ClickhouseConnection | null {
  const found = parseUrl(connection.text("url"));
  if (typeof found === "string") {
    context.fault(connection.at("url"), `the url ${found}`, FORM);
    return null;
  }
  const both = (["database", "user", "password"] as const).find((name) => found[name] !== "" && connection.has(name));
  const passwords = [found.password !== "", connection.has("password"), connection.has("password_file")].filter(Boolean).length;
  if (both !== undefined || passwords > 1) {
    const name = both ?? "password_file";
    context.fault(connection.at(name), `the connection has ${both ? `${both} twice` : "two passwords"}`, "keep one of them");
    return null;
  }
  if (connection.has("ca_file") && found.scheme !== "https") {
    context.fault(connection.at("ca_file"), "ca_file is not used over http", "write https:// in the url");
    return null;
  }
  const textOf = (name: "database" | "user" | "password", otherwise: string) =>
    found[name] !== "" ? found[name] : connection.has(name) ? connection.text(name) : otherwise;
  const timeoutMs = connection.number("request_timeout");
  return {
    address: {
      ...found,
      ...ownDatabase(context, textOf("database", "default")),
      user: textOf("user", "default"),
      password: textOf("password", ""),
      passwordFile: connection.has("password_file") ? connection.text("password_file") : "",
      tls: found.scheme === "https" ? "verify" : "off",
      caFile: connection.has("ca_file") ? connection.text("ca_file") : "",
      connectTimeoutMs: timeoutMs,
    },
    request: { timeoutMs, compression: connection.text("compression") as RequestOptions["compression"] },
    setup: connection.has("setup") ? connection.texts("setup") : [],
  };
}

/** The login, or what is wrong with the text, without any of it. */
export function parseUrl(text: string): Login | string {
  let url: URL;
  let parts: string[];
  try {
    url = new URL(text);
  } catch {
    return "cannot be read";
  }
  const scheme = url.protocol.slice(0, -1);
  if (!(scheme in SCHEMES)) return 'does not begin with "http://" or "https://"';
  if (url.search !== "" || url.hash !== "") return 'has a part behind "?" or "#"; options are settings of the connection';
  try {
    parts = [url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
  } catch {
    return 'has a "%" that is no percent-encoding';
  }
  const [user, password, database] = parts;
  if (database.includes("/")) return "names no database: there is a second slash behind the host";
  return { scheme, host: url.hostname, port: url.port === "" ? SCHEMES[scheme] : Number(url.port), user, database, password };
}
