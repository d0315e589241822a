/**
 * Where a server is and who asks: from the connection's settings, without touching the outside. Invariant: `place` and everything
 * that is shown is made of host, port and database alone.
 */
import { isIP } from "node:net";
import type { PlanContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { proofName } from "../proof_setting.ts";
import { DATABASE_NAME_LENGTH_MAX } from "./limits.ts";

export type TlsMode = "off" | "require" | "verify";
/** How the addresses of one kind of server are written. */
export interface AddressForm {
  /** What a URL may begin with; the first is shown. */
  readonly schemes: readonly [string, ...string[]];
  readonly defaultPort: number;
  /** The environment variable that hints name. */
  readonly variable: string;
}
export interface ServerAddress {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** In a proof, which has a database of its own: the configured one. */
  readonly home?: string;
  readonly password: string;
  /** Read at every connect, instead of `password`; "" for none. */
  readonly passwordFile: string;
  readonly tls: TlsMode;
  /** Certificates of who may sign the server's; "" for those of the runtime. */
  readonly caFile: string;
  readonly connectTimeoutMs: number;
}

/** For people: never a user or a password. */
export const placeOf = (address: ServerAddress): string => `${serverOf(address)}/${address.database}`;
export const serverOf = ({ scheme, host, port }: Pick<ServerAddress, "scheme" | "host" | "port">): string => `${scheme}://${host}:${port}`;

/** The configured database: from there a proof makes its own. */
export const homeOf = (address: ServerAddress): ServerAddress => ({ ...address, database: address.home ?? address.database });

/** Null when faults were reported. They show no part of a URL: it may be malformed just where its password is. */
export function planAddress(context: PlanContext, connection: SettingGroup, form: AddressForm): ServerAddress | null {
  const login = connection.has("url") ? fromUrl(context, connection, form) : fromParts(context, connection, form);
  if (!login) return null;
  const tls = connection.text("tls") as TlsMode;
  if (connection.has("ca_file") && tls !== "verify") {
    context.fault(connection.at("ca_file"), `ca_file is not used with tls = "${tls}"`, 'say tls = "verify"');
    return null;
  }
  if (tls === "verify" && isIP(login.host) !== 0) {
    const host = connection.has("url") ? "url" : "host";
    // The driver would look for "localhost" in the certificate.
    context.fault(
      connection.at(host),
      'tls = "verify" needs the server\'s name, not its address',
      'certificates name hosts; or tls = "require"',
    );
    return null;
  }
  return {
    scheme: form.schemes[0],
    ...login,
    ...ownDatabase(context, login.database),
    passwordFile: connection.has("password_file") ? connection.text("password_file") : "",
    tls,
    caFile: connection.has("ca_file") ? connection.text("ca_file") : "",
    connectTimeoutMs: connection.number("connect_timeout"),
  };
}

/** Of a proof; the configured one otherwise. */
export const ownDatabase = (context: PlanContext, database: string): Pick<ServerAddress, "database" | "home"> => ({
  database: proofName(context, database, DATABASE_NAME_LENGTH_MAX),
  home: database,
});

type Login = Pick<ServerAddress, "host" | "port" | "user" | "database" | "password">;
const PARTS = ["host", "port", "user", "database"] as const;
const urlForm = ({ schemes: [scheme] }: AddressForm): string =>
  `${scheme}://USER:PASSWORD@HOST:PORT/DATABASE, with reserved characters as %40 and the like`;

function fromUrl(context: PlanContext, connection: SettingGroup, form: AddressForm): Login | null {
  const both = [...PARTS, "password"].filter((name) => connection.has(name));
  if (both.length > 0) {
    context.fault(connection.at(both[0]), `the connection has both a url and ${both.join(", ")}`, "keep one of them");
    return null;
  }
  const login = parseUrl(connection.text("url"), form);
  if (typeof login === "string") {
    context.fault(connection.at("url"), `the url ${login}`, urlForm(form));
    return null;
  }
  if (login.password !== "" && connection.has("password_file")) {
    context.fault(connection.at("password_file"), "the connection has a password in its url and a password_file", "keep one of them");
    return null;
  }
  return login;
}

/** The login, or what is wrong with the text, without any of it. */
export function parseUrl(text: string, { schemes, defaultPort }: AddressForm): Login | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "cannot be read";
  }
  if (!schemes.includes(url.protocol.slice(0, -1))) return `does not begin with "${schemes[0]}://"`;
  if (url.search !== "" || url.hash !== "") return 'has a part behind "?" or "#"; options are settings of the connection';
  const parts = [url.username, url.password, url.pathname.slice(1), url.hostname].map(decoded);
  if (parts.includes(null)) return 'has a "%" that is no percent-encoding';
  const [user, password, database, host] = parts as string[];
  if (host === "") return "names no host";
  if (user === "") return "names no user";
  if (database === "" || database.includes("/")) return "names no database";
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: url.port === "" ? defaultPort : Number(url.port), user, database, password };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function fromParts(context: PlanContext, connection: SettingGroup, form: AddressForm): Login | null {
  const missing = (["host", "user", "database"] as const).filter((name) => !connection.has(name));
  if (missing.length > 0) {
    context.fault(
      connection.span,
      `the connection has neither a url nor ${missing.join(", ")}`,
      `url = "\${${form.variable}}": ${urlForm(form)}`,
    );
    return null;
  }
  if (connection.has("password") && connection.has("password_file")) {
    context.fault(connection.at("password_file"), "the connection has both a password and a password_file", "keep one of them");
    return null;
  }
  return {
    host: connection.text("host"),
    port: connection.has("port") ? connection.number("port") : form.defaultPort,
    user: connection.text("user"),
    database: connection.text("database"),
    password: connection.has("password") ? connection.text("password") : "",
  };
}
