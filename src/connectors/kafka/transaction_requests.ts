/**
 * The requests of one transactional id. Invariant: only what a broker answered is asked again; a request without an answer throws,
 * because a late copy of it could act on a later transaction of the same producer epoch. What stands in a `begin` is exempt: a late
 * copy of it ends this producer's epoch, which is noticed.
 */
import type { World } from "../../ports/mod.ts";
import { BrokerLinks } from "./broker_links.ts";
import type { Cluster } from "./cluster.ts";
import type { Broker } from "./connection_settings.ts";
import type { BrokerConnection, CommittedOffset, ProducerIdentity } from "./driver.ts";
import { CONCURRENT_TRANSACTIONS, COORDINATOR_MOVED, refusedCode } from "./errors.ts";
import { CONCURRENT_ASKED_MS, CONCURRENT_MAX_MS, CONCURRENT_MIN_MS, RETRY_MIN_MS } from "./limits.ts";

export interface TransactionOptions {
  readonly world: World;
  readonly cluster: Cluster;
  readonly id: string;
  /** The group that holds the markers. */
  readonly group: string;
  readonly timeoutMs: number;
}
type Side = "transaction" | "group";
const OPERATION_NOT_ATTEMPTED = 55;
const TRANSACTIONAL_ID_NOT_FOUND = 105;
/** NO_GENERATION: of a group that nobody joins. */
const OUTSIDE_OF_GENERATIONS = -1;

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
      const answer = await connection.control((library) => library.initProducerIdV4.api, id, timeoutMs, -1n, -1);
      identity = { id: answer.producerId, epoch: answer.producerEpoch };
      return answer.errorCode;
    });
    return identity;
  }

  async addPartitions(
    { id: producerId, epoch: producerEpoch }: ProducerIdentity,
    topic: string,
    partitions: readonly number[],
  ): Promise<void> {
    const { id: transactionalId } = this.options;
    const asked = [{
      transactionalId,
      producerId,
      producerEpoch,
      verifyOnly: false,
      topics: [{ name: topic, partitions: [...partitions] }],
    }];
    await this.#ask("transaction", `a transaction on topic "${topic}"`, async (connection) => {
      const { errorCode, resultsByTransaction } = await connection.control((library) => library.addPartitionsToTxnV3.api, asked);
      const results = resultsByTransaction.flatMap(({ topicResults }) => topicResults.flatMap((one) => one.resultsByPartition));
      // OPERATION_NOT_ATTEMPTED stands for the others where one is refused.
      const codes = [errorCode, ...results.map((one) => one.partitionErrorCode)].filter((code) => code !== 0);
      return codes.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? codes[0] ?? 0;
    });
  }

  async addMarkers({ id: producerId, epoch }: ProducerIdentity): Promise<void> {
    const { id, group } = this.options;
    await this.#ask("transaction", `a transaction on group "${group}"`, async (connection) => {
      return (await connection.control((library) => library.addOffsetsToTxnV3.api, id, producerId, epoch, group)).errorCode;
    });
  }

  async commitMarker({ id: producerId, epoch }: ProducerIdentity, topic: string, marker: CommittedOffset): Promise<void> {
    const { id, group } = this.options;
    const partition = {
      partitionIndex: marker.partition,
      committedOffset: BigInt(marker.offset),
      committedLeaderEpoch: -1,
      committedMetadata: marker.metadata,
    };
    const topics = [{ name: topic, partitions: [partition] }];
    await this.#ask("group", `a marker in group "${group}"`, async (connection) => {
      const { topics: answers } = await connection.control(
        (library) => library.txnOffsetCommitV3.api,
        ...[id, group, producerId, epoch, OUTSIDE_OF_GENERATIONS, "", null, topics] as const,
      );
      return answers.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0;
    });
  }

  /** After a throw nobody knows whether it is committed: only a new `begin` settles it. */
  async end({ id: producerId, epoch }: ProducerIdentity, how: "commit" | "abort"): Promise<void> {
    const { id } = this.options;
    const end = async (connection: BrokerConnection) =>
      (await connection.control((library) => library.endTxnV3.api, id, producerId, epoch, how === "commit")).errorCode;
    // Behind "not available" the coordinator may have written it down all the same.
    await this.#ask("transaction", `the end of a transaction of "${id}"`, end, "asked once");
  }

  /** Returns when what was ended is seen by readers: an end is answered before the partitions know of it. */
  async settled(): Promise<void> {
    const { id } = this.options;
    await this.#ask("transaction", `the state of transactional id "${id}"`, async (connection) => {
      const { transactionStates: [state] } = await connection.control((library) => library.describeTransactionsV0.api, [id]);
      if (state.errorCode === TRANSACTIONAL_ID_NOT_FOUND) return 0; // Forgotten long after its last transaction.
      return state.errorCode === 0 && state.transactionState.startsWith("Prepare") ? CONCURRENT_TRANSACTIONS : state.errorCode;
    });
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
