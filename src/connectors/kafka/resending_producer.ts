/**
 * At least once: an epoch's batches under an idempotent producer's identity. What is tried again within one life is there once, in
 * order; but there is no marker, so an epoch that was sent and not recorded in the head is sent once more by the next owner, and an
 * older owner's last request may still arrive.
 */
import { assert } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { BatchSender } from "./batch_sender.ts";
import type { PreparedBatch } from "./batch_writer.ts";
import type { EpochProducer, ProducerOptions } from "./epoch_producer.ts";
import { Patience } from "./patience.ts";

export class ResendingProducer implements EpochProducer {
  readonly guarantee = "at-least-once";
  readonly sendsEarly = false;
  #isReady = false;
  readonly #sender: BatchSender;

  constructor(private readonly options: ProducerOptions) {
    this.#sender = new BatchSender({ ...options, transactionalId: null });
  }

  async fence(): Promise<Marker | null> {
    this.#isReady = false;
    this.#sender.begin(await new Patience(this.options).until(() => this.options.cluster.producerIdentity()));
    this.#isReady = true;
    return null;
  }

  push(partition: number, batch: PreparedBatch): void {
    this.#sender.push(partition, batch);
  }

  get bytesWaiting(): number {
    return this.#sender.bytesWaiting;
  }

  holds(): boolean {
    return false;
  }

  async commit(_stamp: EpochStamp): Promise<void> {
    assert(this.#isReady, "a lane is fenced before it delivers");
    // Until all is well: the broker may hold sequence numbers that were not acknowledged, and the next attempt needs a new identity.
    this.#isReady = false;
    await this.#sender.settle();
    this.#isReady = true;
  }

  discard(): void {
    // Batches are pushed by the delivery only, and what was delivered stays.
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#sender.close();
  }
}
