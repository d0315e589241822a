/**
 * A connection in replication mode: makes slots, and receives what a slot sends. Wire grammar of what travels inside COPY messages:
 *
 *   from the server = "w" start-lsn:8 end-lsn:8 time:8 message   a message of the output plugin (pgoutput.ts)
 *                   | "k" sent-lsn:8 time:8 wants-reply:1        everything that commits before sent-lsn was sent
 *   to the server   = "r" written-lsn:8 flushed-lsn:8 applied-lsn:8 time:8 wants-reply:1
 *
 * Invariant: the server forgets what is before the flushed place that it was told, so only what is durable here is told as flushed.
 */
import { Buffer } from "node:buffer";
import { attempt, type Client, type DriverConnection, openClient, type PostgresValue, type SubmittedQuery } from "../driver.ts";
import type { PostgresAddress } from "../postgres_connection.ts";
import { quoted } from "../table_info.ts";
import type { Login } from "../../sql/session.ts";
import { exactLsn, parseLsn, writeLsn } from "./lsn.ts";
import { malformed } from "./pgoutput.ts";

export interface ServerIdentity {
  /** One for every cluster of databases that was ever made. */
  readonly systemId: string;
  readonly timeline: string;
}
export interface MadeSlot {
  /** What commits from here on is sent; what committed before is in the snapshot. */
  readonly point: number;
  /** For SET TRANSACTION SNAPSHOT, until this session is asked something else. */
  readonly snapshot: string;
}
/** Who receives. Called one after the other, never again after the session was destroyed. */
export interface ReplicationReceiver {
  /** Bytes [from, to) are a message of the output plugin, during the call only. */
  message(bytes: Uint8Array, from: number, to: number): void;
  /** Everything that commits before `lsn` was received. */
  sent(lsn: number, wantsReply: boolean): void;
}
export interface Progress {
  readonly written: number;
  /** 0: nothing is durable yet. */
  readonly flushed: number;
  readonly nowMicros: number;
  /** Has the server say at once how far it has sent. */
  readonly wantsReply: boolean;
}

/** Values arrive as in every other session of ours (driver.ts); statements like SET are not for walsenders of all versions. */
const OPTIONS = ["TimeZone=UTC", "DateStyle=ISO,MDY", "IntervalStyle=postgres", "extra_float_digits=1", "bytea_output=hex"];
const [DATA, KEEP_ALIVE, STATUS] = [..."wkr"].map((letter) => letter.charCodeAt(0));
const DATA_HEAD_BYTES = 25;
const KEEP_ALIVE_BYTES = 18;
/** Microseconds from 1970 to 2000, where the server's time begins. */
const EPOCH_2000_MICROS = 946_684_800_000_000;

export class ReplicationSession {
  #alive = true;
  readonly #ended = Promise.withResolvers<void>();

  private constructor(private readonly client: Client, private readonly login: Login) {
    this.#ended.promise.catch(() => {}); // Told to who receives.
    client.on("error", () => this.#alive = false);
    client.on("end", () => this.#alive = false);
  }

  /** Throws as `Session.open`; `postgres_denied` also for users without the right to replicate. */
  static async open(login: Login & { readonly address: PostgresAddress }): Promise<ReplicationSession> {
    const options = { replication: "database", options: OPTIONS.map((option) => `-c ${option}`).join(" ") };
    return await openClient(login, options, (client) => Promise.resolve(new ReplicationSession(client, login)));
  }

  get alive(): boolean {
    return this.#alive;
  }

  async identify(): Promise<ServerIdentity> {
    const [[systemId, timeline]] = await this.#ask("IDENTIFY_SYSTEM");
    return { systemId: String(systemId), timeline: String(timeline) };
  }

  /** "temporary": until this session ends. May wait until transactions that are open have ended. */
  async makeSlot(slot: string, life: "lasting" | "temporary"): Promise<MadeSlot> {
    const kind = life === "temporary" ? "TEMPORARY " : "";
    const [[, point, snapshot]] = await this.#ask(`CREATE_REPLICATION_SLOT ${quoted(slot)} ${kind}LOGICAL pgoutput EXPORT_SNAPSHOT`);
    return { point: parseLsn(String(point)), snapshot: String(snapshot) };
  }

  /** Receives until the connection is lost, destroyed, or the server refuses; then it throws. */
  async receive(slot: string, publication: string, receiver: ReplicationReceiver): Promise<never> {
    const names = `'${quoted(publication).replaceAll("'", "''")}'`;
    // From where the slot is: what was handed out before is told apart by its place.
    const text = `START_REPLICATION SLOT ${quoted(slot)} LOGICAL 0/0 (proto_version '1', publication_names ${names})`;
    return await attempt(this.login, "ask", async () => {
      this.client.query(new Receiving(text, (chunk) => this.#receive(chunk, receiver), this.#ended.reject));
      await this.#ended.promise;
      throw new Error("the server ended the stream of changes");
    });
  }

  /** How far we are. Does not fail: who receives is told. */
  tell({ written, flushed, nowMicros, wantsReply }: Progress): void {
    if (!this.#alive) return;
    const bytes = new Uint8Array(34);
    const view = new DataView(bytes.buffer);
    bytes[0] = STATUS;
    writeLsn(view, 1, written);
    writeLsn(view, 9, flushed);
    writeLsn(view, 17, flushed);
    view.setBigInt64(25, BigInt(nowMicros - EPOCH_2000_MICROS));
    bytes[33] = wantsReply ? 1 : 0;
    this.client.connection.sendCopyFromChunk(Buffer.from(bytes.buffer));
  }

  /** Takes nothing more from the network until `resume`. */
  pause(): void {
    this.client.connection.stream.pause();
  }
  resume(): void {
    this.client.connection.stream.resume();
  }

  /** Lets the server know. */
  async close(): Promise<void> {
    if (this.#alive) await this.client.end().catch(() => {});
    this.destroy();
  }
  destroy(): void {
    this.#alive = false;
    this.client.connection.stream.destroy();
    this.#ended.reject(new Error("the connection was closed"));
  }

  #receive(chunk: Uint8Array, receiver: ReplicationReceiver): void {
    if (!this.#alive) return;
    try {
      if (chunk[0] === DATA && chunk.length >= DATA_HEAD_BYTES) return receiver.message(chunk, DATA_HEAD_BYTES, chunk.length);
      if (chunk[0] !== KEEP_ALIVE || chunk.length < KEEP_ALIVE_BYTES) {
        throw malformed(`a message of ${chunk.length} bytes is neither data nor a sign of life`);
      }
      const view = new DataView(chunk.buffer, chunk.byteOffset);
      receiver.sent(exactLsn(view.getUint32(1), view.getUint32(5)), chunk[17] === 1);
    } catch (error) {
      this.#ended.reject(error);
      this.destroy();
    }
  }

  async #ask(text: string): Promise<PostgresValue[][]> {
    return await attempt(this.login, "ask", async () => (await this.client.query({ text, rowMode: "array" })).rows);
  }
}

/** START_REPLICATION: both sides send COPY messages until one of them is gone. */
class Receiving implements SubmittedQuery {
  constructor(
    private readonly text: string,
    private readonly take: (chunk: Uint8Array) => void,
    private readonly fail: (error: unknown) => void,
  ) {}
  submit(connection: DriverConnection): void {
    connection.query(this.text);
  }
  handleCopyData({ chunk }: { readonly chunk: Uint8Array }): void {
    this.take(chunk);
  }
  handleCommandComplete(): void {}
  handleReadyForQuery(): void {
    this.fail(new Error("the server ended the stream of changes"));
  }
  handleError(error: unknown): void {
    this.fail(error);
  }
}
