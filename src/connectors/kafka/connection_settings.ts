/** The settings of a `kafka` connection as values: brokers taken apart, SASL checked. */
import type { PlanContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";

export interface Broker {
  readonly host: string;
  readonly port: number;
}
export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
export interface ConnectionSettings {
  readonly brokers: readonly Broker[];
  readonly clientId: string;
  /** "require" encrypts and believes any certificate, "verify" checks it. */
  readonly tls: "off" | "require" | "verify";
  readonly caFile: string | null;
  /** Exactly one of password and passwordFile is given. */
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string | null;
    readonly passwordFile: string | null;
  } | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** In a proof: what transactional ids and groups begin their pipeline's name with. */
  readonly proof?: string;
}

const PORT_DEFAULT = 9092;

/** null when faults were reported. */
export function connectionSettings(connection: SettingGroup, context: PlanContext): ConnectionSettings | null {
  const brokers = readBrokers(connection, context);
  const sasl = connection.has("sasl") ? readSasl(connection.group("sasl"), context) : null;
  if (!brokers || sasl === "fault") return null;
  return {
    brokers,
    clientId: connection.text("client_id"),
    tls: connection.text("tls") as ConnectionSettings["tls"],
    caFile: connection.has("ca_file") ? connection.text("ca_file") : null,
    sasl,
    connectTimeoutMs: connection.number("connect_timeout"),
    requestTimeoutMs: connection.number("request_timeout"),
    proof: context.proof,
  };
}

function readBrokers(connection: SettingGroup, context: PlanContext): Broker[] | null {
  const given = connection.which("brokers") === 0 ? connection.text("brokers").split(",") : connection.texts("brokers");
  const texts = given.map((text) => text.trim()).filter((text) => text !== "");
  const brokers = texts.map(parseBroker);
  const wrong = texts[brokers.indexOf(null)];
  if (brokers.length > 0 && wrong === undefined) return brokers as Broker[];
  const message = brokers.length === 0 ? "no broker is named" : `"${wrong}" is not the address of a broker`;
  context.fault(connection.at("brokers"), message, 'write "host:port", several as "one:9092,two:9092"');
  return null;
}

function parseBroker(text: string): Broker | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? PORT_DEFAULT);
  return match && port > 0 && port < 65_536 ? { host: match[1].replace(/^\[|\]$/g, ""), port } : null;
}

function readSasl(sasl: SettingGroup, context: PlanContext): ConnectionSettings["sasl"] | "fault" {
  if (sasl.has("password") === sasl.has("password_file")) {
    context.fault(sasl.span, "sasl needs a password or a password_file, one of them", 'for example password = "${KAFKA_PASSWORD}"');
    return "fault";
  }
  return {
    mechanism: sasl.text("mechanism") as SaslMechanism,
    username: sasl.text("username"),
    password: sasl.has("password") ? sasl.text("password") : null,
    passwordFile: sasl.has("password_file") ? sasl.text("password_file") : null,
  };
}

/** As it is shown to people. */
export const brokerText = ({ host, port }: Broker): string => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
