/**
 * At least once: an epoch's batches under an idempotent producer's identity. What is tried again within one life is there once, in
 * order; but there is no marker, so an epoch that was sent and not recorded in the head is sent once more by the next owner, and an
 * older owner's last request may still arrive.
 */
import { assert } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { BatchSender } from "./batch_sender.ts";
import type { ProducerIdentity } from "./driver.ts";
import type { EpochBatches, EpochProducer, ProducerOptions } from "./epoch_producer.ts";
import { Patience } from "./patience.ts";

export class ResendingProducer implements EpochProducer {
  readonly guarantee = "at-least-once";
  #identity: ProducerIdentity | null = null;
  readonly #sender: BatchSender;

  constructor(private readonly options: ProducerOptions) {
    this.#sender = new BatchSender(options, null);
  }

  async fence(): Promise<Marker | null> {
    this.#identity = await new Patience(this.options).until(() => this.options.cluster.producerIdentity());
    this.#sender.begin(this.#identity);
    return null;
  }

  async commit(_stamp: EpochStamp, batches: EpochBatches): Promise<void> {
    assert(this.#identity, "a lane is fenced before it delivers");
    const identity = this.#identity;
    // Until all is well: the broker may hold sequence numbers that were not acknowledged, and the next attempt needs a new identity.
    this.#identity = null;
    await this.#sender.send(batches);
    this.#identity = identity;
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#sender.close();
  }
}
