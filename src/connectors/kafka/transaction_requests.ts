/**
 * The requests of one transactional id. Invariant: only what a broker answered is asked again; a request without an answer throws,
 * because a late copy of it could act on a later transaction of the same producer epoch. What stands in a `begin` is exempt: a late
 * copy of it ends this producer's epoch, which is noticed.
 */
import type { World } from "../../ports/mod.ts";
import { BrokerLinks } from "./broker_links.ts";
import type { Cluster } from "./cluster.ts";
import type { Broker } from "./connection_settings.ts";
import {
  type BrokerConnection,
  type CommittedOffset,
  type ControlApi,
  type ProducerIdentity,
  readPartitionErrors,
  writeOffsets,
} from "./broker_connection.ts";
import { CONCURRENT_TRANSACTIONS, COORDINATOR_MOVED, refusedCode } from "./errors.ts";
import { CONCURRENT_ASKED_MS, CONCURRENT_MAX_MS, CONCURRENT_MIN_MS, RETRY_MIN_MS } from "./limits.ts";
import { type WireReader, WireWriter } from "./wire.ts";

export interface TransactionOptions {
  readonly world: World;
  readonly cluster: Cluster;
  readonly id: string;
  /** The group that holds the markers. */
  readonly group: string;
  readonly timeoutMs: number;
}
type Side = "transaction" | "group";
const ADD_PARTITIONS: ControlApi = { api: 24, version: 2 };
const ADD_OFFSETS: ControlApi = { api: 25, version: 2 };
const END_TRANSACTION: ControlApi = { api: 26, version: 2 };
/** Without a member: nobody joins the group. */
const COMMIT_MARKER: ControlApi = { api: 28, version: 2 };
const DESCRIBE_TRANSACTIONS: ControlApi = { api: 65, version: 0, tagged: "both" };
const OPERATION_NOT_ATTEMPTED = 55;
const TRANSACTIONAL_ID_NOT_FOUND = 105;

export class TransactionRequests {
  readonly #links: Readonly<Record<Side, BrokerLinks<BrokerConnection>>>;
  readonly #coordinators: Partial<Record<Side, Broker>> = {};

  constructor(private readonly options: TransactionOptions) {
    const { cluster } = options;
    const connect = (broker: Broker): Promise<BrokerConnection> => cluster.connect(broker);
    this.#links = { transaction: new BrokerLinks(connect), group: new BrokerLinks(connect) };
  }

  /** Ends what older producers of this id have open, and makes them powerless. Returns when that is settled. */
  async begin(): Promise<ProducerIdentity> {
    const { id, timeoutMs } = this.options;
    let identity: ProducerIdentity = { id: -1n, epoch: -1 };
    await this.#ask("transaction", `transactional id "${id}"`, async (connection) => {
      const answer = await connection.initProducer(id, timeoutMs);
      identity = answer.identity;
      return answer.errorCode;
    });
    return identity;
  }

  async addPartitions(identity: ProducerIdentity, topic: string, partitions: readonly number[]): Promise<void> {
    await this.#ask("transaction", `a transaction on topic "${topic}"`, async (connection) => {
      const fields = this.#fields(identity);
      fields.array([topic], (name) => fields.string(name).array(partitions, (partition) => fields.int32(partition)));
      // OPERATION_NOT_ATTEMPTED stands for the others where one is refused.
      const codes = (await connection.ask(ADD_PARTITIONS, fields, readPartitionErrors)).filter((code) => code !== 0);
      return codes.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? codes[0] ?? 0;
    });
  }

  async addMarkers(identity: ProducerIdentity): Promise<void> {
    const { group } = this.options;
    await this.#ask("transaction", `a transaction on group "${group}"`, (connection) => {
      return connection.ask(ADD_OFFSETS, this.#fields(identity).string(group), readError);
    });
  }

  async commitMarker({ id: producerId, epoch }: ProducerIdentity, topic: string, marker: CommittedOffset): Promise<void> {
    const { id, group } = this.options;
    await this.#ask("group", `a marker in group "${group}"`, async (connection) => {
      const fields = new WireWriter().string(id).string(group).bigInt64(producerId).int16(epoch);
      writeOffsets(fields, topic, [marker]);
      const codes = await connection.ask(COMMIT_MARKER, fields, readPartitionErrors);
      return codes.find((code) => code !== 0) ?? 0;
    });
  }

  /** After a throw nobody knows whether it is committed: only a new `begin` settles it. */
  async end(identity: ProducerIdentity, how: "commit" | "abort"): Promise<void> {
    const { id } = this.options;
    const end = (connection: BrokerConnection) =>
      connection.ask(END_TRANSACTION, this.#fields(identity).boolean(how === "commit"), readError);
    // Behind "not available" the coordinator may have written it down all the same.
    await this.#ask("transaction", `the end of a transaction of "${id}"`, end, "asked once");
  }

  /** Returns when what was ended is seen by readers: an end is answered before the partitions know of it. */
  async settled(): Promise<void> {
    const { id } = this.options;
    await this.#ask("transaction", `the state of transactional id "${id}"`, async (connection) => {
      const fields = new WireWriter();
      fields.compactArray([id], (each) => fields.compactString(each)).noTags();
      const { errorCode, state } = await connection.ask(DESCRIBE_TRANSACTIONS, fields, readState);
      if (errorCode === TRANSACTIONAL_ID_NOT_FOUND) return 0; // Forgotten long after its last transaction.
      return errorCode === 0 && state.startsWith("Prepare") ? CONCURRENT_TRANSACTIONS : errorCode;
    });
  }

  #fields({ id, epoch }: ProducerIdentity): WireWriter {
    return new WireWriter().string(this.options.id).bigInt64(id).int16(epoch);
  }

  close(): void {
    for (const links of Object.values(this.#links)) links.close();
  }

  /** Asks until the answer is neither "the transaction before is still being ended" nor, unless asked once, "I am not the one to ask". */
  async #ask(side: Side, what: string, request: (connection: BrokerConnection) => Promise<number>, how = "asked again"): Promise<void> {
    const { clock, stopping } = this.options.world;
    const sinceMs = clock.monotonicMs();
    for (let waitMs = CONCURRENT_MIN_MS;; waitMs = Math.min(CONCURRENT_MAX_MS, waitMs * 2)) {
      const errorCode = await request(await this.#links[side].to(await this.#coordinator(side)));
      if (errorCode === 0) return;
      const isMoved = COORDINATOR_MOVED.has(errorCode);
      if (isMoved) delete this.#coordinators[side];
      const isPassing = errorCode === CONCURRENT_TRANSACTIONS || isMoved && how === "asked again";
      if (!isPassing || clock.monotonicMs() - sinceMs > CONCURRENT_ASKED_MS) throw refusedCode(errorCode, what);
      await clock.sleep(isMoved ? RETRY_MIN_MS : waitMs, stopping);
    }
  }

  async #coordinator(side: Side): Promise<Broker> {
    const { cluster, id, group } = this.options;
    return this.#coordinators[side] ??= await cluster.coordinator(side, side === "group" ? group : id);
  }
}

/** An answer of nothing but an error code. */
function readError(answer: WireReader): number {
  answer.int32();
  return answer.int16();
}

function readState(answer: WireReader): { readonly errorCode: number; readonly state: string } {
  answer.int32();
  const [first] = answer.compactArray(() => {
    const errorCode = answer.int16();
    answer.compactString();
    const state = answer.compactString();
    answer.skip(4 + 8 + 8 + 2);
    answer.compactArray(() => {
      answer.compactString();
      answer.compactArray(() => answer.int32());
      answer.tags();
    });
    answer.tags();
    return { errorCode, state };
  });
  return first;
}
