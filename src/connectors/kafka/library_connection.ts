/**
 * Connections to brokers that want TLS or a login, by the library @platformatic/kafka: it is loaded when the first of them is wanted.
 * Invariant: a connection on which a request failed without an answer is closed and used no more, because the library does not
 * resynchronise a stream after a timeout.
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import type { MillraceError } from "../../data/fault.ts";
import { readWhole } from "../../ports/durable.ts";
import type { World } from "../../ports/mod.ts";
import type { Broker, ConnectionSettings } from "./connection_settings.ts";
import type { DataConnection } from "./data_connection.ts";
import { missingFile, unreachable } from "./errors.ts";

type Library = typeof import("@platformatic/kafka");

/** Opens connections; the password's and the certificate's files were read once. */
export class LibraryConnector {
  private constructor(
    private readonly library: Library,
    private readonly settings: ConnectionSettings,
    private readonly secrets: Secrets,
  ) {}

  static async load(settings: ConnectionSettings, world: World): Promise<LibraryConnector> {
    return new LibraryConnector(await import("@platformatic/kafka"), settings, await readSecrets(settings, world));
  }

  async connect(broker: Broker): Promise<DataConnection> {
    const { clientId, connectTimeoutMs, requestTimeoutMs, tls, sasl } = this.settings;
    const { password, ca } = this.secrets;
    const connection = new this.library.Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls === "off" ? {} : { tls: { rejectUnauthorized: tls === "verify", ...(ca === null ? {} : { ca }) } }),
      ...(tls === "off" || isIP(broker.host) ? {} : { tlsServerName: true }),
      ...(sasl === null ? {} : { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: password! } }),
    });
    connection.on("error", () => {}); // Told by the request that it fails.
    try {
      await connection.connect(broker.host, broker.port);
    } catch (error) {
      connection.close(() => {});
      throw unreachable(error, broker);
    }
    return new LibraryConnection(this.library, connection, broker);
  }
}

class LibraryConnection implements DataConnection {
  constructor(
    private readonly library: Library,
    private readonly connection: InstanceType<Library["Connection"]>,
    private readonly broker: Broker,
  ) {}

  get isOpen(): boolean {
    return this.connection.isConnected();
  }

  close(): void {
    this.connection.close(() => {});
  }

  request(api: number, version: number, pieces: readonly Uint8Array[]): Promise<Uint8Array> {
    const { Writer } = this.library;
    const payload = () => Writer.create().append(pieces.length === 1 ? asBuffer(pieces[0]) : Buffer.concat(pieces));
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, response?: Uint8Array) => error ? reject(this.#lost(error)) : resolve(response!);
      this.connection.send(api, version, payload, (...[, , , reader]) => reader.buffer.slice(reader.position), false, false, done);
    });
  }

  #lost(error: unknown): MillraceError {
    this.close();
    return unreachable(error, this.broker);
  }
}

interface Secrets {
  readonly password: string | null;
  readonly ca: string | null;
}

async function readSecrets({ sasl, caFile }: ConnectionSettings, world: World): Promise<Secrets> {
  const password = sasl === null
    ? null
    : sasl.password ?? (await readText(sasl.passwordFile!, "password_file", world)).replace(/\r?\n$/, "");
  return { password, ca: caFile === null ? null : await readText(caFile, "ca_file", world) };
}

async function readText(path: string, setting: string, { files }: World): Promise<string> {
  const bytes = await readWhole(files, path);
  if (!bytes) throw missingFile(path, setting);
  return new TextDecoder().decode(bytes);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
