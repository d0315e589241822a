/** The requests that a simulated broker answers, by API number, in the one version that is asked for. Layouts: the protocol guide's. */
import type { Producer } from "./coordinator.ts";
import { TRANSACTIONAL_ID_NOT_FOUND, UNSTABLE_OFFSET_COMMIT } from "./coordinator.ts";
import type { Broker } from "./broker.ts";
import { FieldReader, FieldWriter } from "./fields.ts";

export interface Api {
  readonly version: number;
  /** Whether headers have tags. */
  readonly tagged: boolean;
  /** Writes the body of the answer. */
  answer(broker: Broker, request: FieldReader, into: FieldWriter): void;
}
const NODE = 0;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const TOPIC_ALREADY_EXISTS = 36;
const NO_ERROR = 0;
const NO_UUID = new Uint8Array(16);

function produce(broker: Broker, request: FieldReader, into: FieldWriter): void {
  request.text(); // transactional id
  request.int16(); // acknowledgements
  request.int32(); // timeout
  const topics = request.list(() => {
    const topic = request.text()!;
    const partitions = request.list(() => {
      const partition = request.int32();
      return { partition, bytes: request.take(request.int32()) };
    });
    return { topic, partitions };
  });
  into.list(topics, ({ topic, partitions }) => {
    into.text(topic).list(partitions, ({ partition, bytes }) => {
      into.int32(partition).int16(broker.append(topic, partition, bytes)).int64(-1n).int64(-1n).int64(0n).int32(0).text(null);
    });
  }).int32(0);
}

function listOffsets(broker: Broker, request: FieldReader, into: FieldWriter): void {
  request.int32(); // replica
  request.int8(); // isolation
  const topics = request.list(() => {
    const topic = request.text()!;
    const partitions = request.list(() => {
      const partition = request.int32();
      request.int32(); // leader epoch
      return { partition, isEarliest: request.int64() === -2n };
    });
    return { topic, partitions };
  });
  into.int32(0).list(topics, ({ topic, partitions }) => {
    into.text(topic).list(partitions, ({ partition, isEarliest }) => {
      const log = broker.logOf(topic, partition);
      into.int32(partition).int16(log ? NO_ERROR : UNKNOWN_TOPIC_OR_PARTITION).int64(-1n).int64(
        BigInt(isEarliest ? 0 : log?.stableEnd ?? -1),
      )
        .int32(0);
    });
  });
}

function metadata(broker: Broker, request: FieldReader, into: FieldWriter): void {
  const topics = request.compactList(() => {
    request.take(NO_UUID.length);
    const topic = request.compactText();
    request.noTags();
    return topic;
  });
  into.int32(0).compactList(
    [broker.address],
    ({ host, port }) => into.int32(NODE).compactText(host).int32(port).compactText(null).noTags(),
  );
  into.compactText("cluster").int32(NODE).compactList(topics, (topic) => {
    const count = broker.partitionsOf(topic);
    into.int16(count === 0 ? UNKNOWN_TOPIC_OR_PARTITION : NO_ERROR).compactText(topic).raw(NO_UUID).int8(0);
    into.compactList(Array.from({ length: count }, (_, partition) => partition), (partition) => {
      into.int16(NO_ERROR).int32(partition).int32(NODE).int32(0);
      for (const nodes of [[NODE], [NODE], []]) into.compactList(nodes, (node) => into.int32(node));
      into.noTags();
    }).int32(0).noTags();
  }).noTags();
}

function createTopics(broker: Broker, request: FieldReader, into: FieldWriter): void {
  const topics = request.list(() => {
    const [topic, partitions] = [request.text()!, request.int32()];
    request.take(10); // replication, replicas, settings
    return { topic, partitions };
  });
  into.int32(0).list(topics, ({ topic, partitions }) => {
    into.text(topic).int16(broker.createTopic(topic, partitions) ? NO_ERROR : TOPIC_ALREADY_EXISTS).text(null);
  });
}

function findCoordinator({ address }: Broker, _request: FieldReader, into: FieldWriter): void {
  into.int32(0).int16(NO_ERROR).text(null).int32(NODE).text(address.host).int32(address.port);
}

function initProducerId({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const { errorCode, producerId, epoch } = coordinator.beginProducer(request.text(), request.int32());
  into.int32(0).int16(errorCode).int64(producerId).int16(epoch);
}

const producerOf = (request: FieldReader): Producer => ({ id: request.text()!, producerId: request.int64(), epoch: request.int16() });

function addPartitions({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const producer = producerOf(request);
  const topics = request.list(() => ({ topic: request.text()!, partitions: request.list(() => request.int32()) }));
  const places = topics.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`));
  const errorCode = coordinator.addPartitions(producer, places);
  into.int32(0).list(topics, ({ topic, partitions }) => {
    into.text(topic).list(partitions, (partition) => into.int32(partition).int16(errorCode));
  });
}

function addOffsets({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  into.int32(0).int16(coordinator.addGroup(producerOf(request), request.text()!));
}

function endTransaction({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  into.int32(0).int16(coordinator.end(producerOf(request), request.int8() === 1 ? "commit" : "abort"));
}

/** Commits of both kinds name offsets alike, and are answered alike. */
function commitAll(request: FieldReader, into: FieldWriter, commit: (partition: string, offset: number, metadata: string) => number): void {
  const topics = request.list(() => {
    const topic = request.text()!;
    const partitions = request.list(() => {
      const [partition, offset] = [request.int32(), Number(request.int64())];
      request.int32(); // leader epoch
      return { partition, errorCode: commit(`${topic}/${partition}`, offset, request.text() ?? "") };
    });
    return { topic, partitions };
  });
  into.int32(0).list(topics, ({ topic, partitions }) => {
    into.text(topic).list(partitions, ({ partition, errorCode }) => into.int32(partition).int16(errorCode));
  });
}

function commitInTransaction({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const [id, group] = [request.text()!, request.text()!];
  const producer: Producer = { id, producerId: request.int64(), epoch: request.int16() };
  commitAll(
    request,
    into,
    (partition, offset, metadata) => coordinator.commitOffsetLater(producer, group, partition, { offset, metadata }),
  );
}

function commitOffsets({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const group = request.text()!;
  request.int32(); // generation
  request.text(); // member
  request.text(); // instance
  commitAll(request, into, (partition, offset, metadata) => {
    coordinator.commitOffset(group, partition, { offset, metadata });
    return NO_ERROR;
  });
}

function fetchOffsets({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const group = request.compactText();
  const topics = request.compactList(() => {
    const topic = request.compactText();
    const partitions = request.compactList(() => request.int32());
    request.noTags();
    return { topic, partitions };
  });
  const isStable = request.int8() === 1;
  into.int32(0).compactList(topics, ({ topic, partitions }) => {
    into.compactText(topic).compactList(partitions, (partition) => {
      const place = `${topic}/${partition}`;
      const found = isStable ? coordinator.offsetOf(group, place) : coordinator.committedOffset(group, place);
      const errorCode = found === "unstable" ? UNSTABLE_OFFSET_COMMIT : NO_ERROR;
      const { offset, metadata } = found === null || found === "unstable" ? { offset: -1, metadata: "" } : found;
      into.int32(partition).int64(BigInt(offset)).int32(0).compactText(metadata).int16(errorCode).noTags();
    }).noTags();
  }).int16(NO_ERROR).noTags();
}

function describeTransactions({ coordinator }: Broker, request: FieldReader, into: FieldWriter): void {
  const ids = request.compactList(() => request.compactText());
  into.int32(0).compactList(ids, (id) => {
    const state = coordinator.state(id);
    into.int16(state === null ? TRANSACTIONAL_ID_NOT_FOUND : NO_ERROR).compactText(id).compactText(state ?? "").int32(0);
    into.int64(0n).int64(0n).int16(0).compactList([], () => {}).noTags();
  }).noTags();
}

function describeConfigs(broker: Broker, request: FieldReader, into: FieldWriter): void {
  const resources = request.list(() => {
    const [type, topic] = [request.int8(), request.text()!];
    request.list(() => request.text()); // names of settings
    return { type, topic };
  });
  into.int32(0).list(resources, ({ type, topic }) => {
    into.int16(NO_ERROR).text(null).int8(type).text(topic).list([String(broker.batchBytesMax)], (value) => {
      into.text("max.message.bytes").text(value).int8(0).int8(0).int8(0).list([], () => {});
    });
  });
}

export const APIS: ReadonlyMap<number, Api> = new Map([
  [0, { version: 8, tagged: false, answer: produce }],
  [2, { version: 5, tagged: false, answer: listOffsets }],
  [3, { version: 12, tagged: true, answer: metadata }],
  [8, { version: 7, tagged: false, answer: commitOffsets }],
  [9, { version: 7, tagged: true, answer: fetchOffsets }],
  [10, { version: 2, tagged: false, answer: findCoordinator }],
  [19, { version: 4, tagged: false, answer: createTopics }],
  [22, { version: 1, tagged: false, answer: initProducerId }],
  [24, { version: 2, tagged: false, answer: addPartitions }],
  [25, { version: 2, tagged: false, answer: addOffsets }],
  [26, { version: 2, tagged: false, answer: endTransaction }],
  [28, { version: 2, tagged: false, answer: commitInTransaction }],
  [32, { version: 1, tagged: false, answer: describeConfigs }],
  [65, { version: 0, tagged: true, answer: describeTransactions }],
]);
