/**
 * A Kafka cluster of one broker behind simulated connections: the shipped sink speaks to it in its own bytes. Invariants: the requests of a
 * connection are carried out and answered in their order; what was carried out stays, whoever breaks off or dies.
 */
import type { NetAddress } from "../../../src/ports/mod.ts";
import type { SimClient, SimServer, SimServerEnd } from "../../../src/sim/net.ts";
import type { Scheduler } from "../../../src/sim/scheduler.ts";
import type { SeededRandom } from "../../../src/sim/seeded_random.ts";
import { Coordinator } from "./coordinator.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import { PartitionLog } from "./partition_log.ts";
import { APIS } from "./requests.ts";

const LENGTH_BYTES = 4;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const MESSAGE_TOO_LARGE = 10;
/** What a topic takes in one batch, header included: a few of the simulation's records, or as brokers are set up by default. */
const BATCH_BYTES_MAX = [500, 1_048_588] as const;

export class Broker implements SimServer {
  readonly coordinator: Coordinator;
  readonly #topics = new Map<string, PartitionLog[]>();
  readonly batchBytesMax: number;

  constructor(readonly address: NetAddress, scheduler: Scheduler, random: SeededRandom) {
    this.batchBytesMax = random.pick(BATCH_BYTES_MAX);
    this.coordinator = new Coordinator(scheduler, random, (place, producerId, epoch, fate) => {
      const [topic, partition] = place.split("/");
      this.logOf(topic!, Number(partition))!.endTransaction(producerId, epoch, fate);
    });
  }

  accept(client: SimClient): SimServerEnd {
    let waiting = new Uint8Array(0);
    return {
      received: (bytes) => {
        waiting = joined(waiting, bytes);
        for (let frame = frameOf(waiting); frame !== null; frame = frameOf(waiting)) {
          waiting = waiting.slice(LENGTH_BYTES + frame.length);
          client.send(this.#answer(frame));
        }
      },
    };
  }

  /** 0 where there is no such topic. */
  partitionsOf(topic: string): number {
    return this.#topics.get(topic)?.length ?? 0;
  }

  /** False where it is there already. */
  createTopic(topic: string, partitions: number): boolean {
    if (this.#topics.has(topic)) return false;
    this.#topics.set(topic, Array.from({ length: partitions }, () => new PartitionLog()));
    return true;
  }

  logOf(topic: string, partition: number): PartitionLog | undefined {
    return this.#topics.get(topic)?.[partition];
  }

  append(topic: string, partition: number, batch: Uint8Array): number {
    const log = this.logOf(topic, partition);
    if (log === undefined) return UNKNOWN_TOPIC_OR_PARTITION;
    if (batch.length > this.batchBytesMax) return MESSAGE_TOO_LARGE;
    return log.append(batch, (producerId, epoch) => this.coordinator.isOpen(producerId, epoch, `${topic}/${partition}`));
  }

  /** The values that readers of committed records see, partition after partition. */
  committed(topic: string): string[][] {
    return (this.#topics.get(topic) ?? []).map((log) => log.committed());
  }

  #answer(frame: Uint8Array): Uint8Array {
    const request = new FieldReader(frame);
    const [number, version, correlation] = [request.int16(), request.int16(), request.int32()];
    request.text(); // client id
    const api = APIS.get(number);
    if (api?.version !== version) throw new Error(`the broker does not answer API ${number} of version ${version}`);
    const into = new FieldWriter().int32(correlation);
    if (api.tagged) {
      request.noTags();
      into.noTags();
    }
    api.answer(this, request, into);
    const body = into.done();
    return joined(new FieldWriter().int32(body.length).done(), body);
  }
}

/** The first whole request of what has arrived. */
function frameOf(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < LENGTH_BYTES) return null;
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
  return bytes.length < end ? null : bytes.subarray(LENGTH_BYTES, end);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
