/** The simulated network and the simulated cluster keep what TCP and Kafka promise, and no more. */
import assert from "node:assert/strict";
import type { Connection } from "../../src/ports/mod.ts";
import { NO_HAZARDS } from "../../src/sim/hazards.ts";
import type { SimServer } from "../../src/sim/net.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { simWorld } from "../../src/sim/world.ts";
import { CONCURRENT_TRANSACTIONS, Coordinator, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED } from "./kafka/coordinator.ts";
import { FieldWriter } from "./kafka/fields.ts";
import {
  DUPLICATE_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  INVALID_TXN_STATE,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  PartitionLog,
} from "./kafka/partition_log.ts";

const ADDRESS = { host: "server", port: 1 };
/** Answers every byte with the next one. */
const counting: SimServer = { accept: (client) => ({ received: (bytes) => client.send(bytes.map((byte) => byte + 1)) }) };

async function readExactly(connection: Connection, count: number): Promise<number[]> {
  const bytes: number[] = [];
  const into = new Uint8Array(3);
  while (bytes.length < count) bytes.push(...into.slice(0, await connection.read(into)));
  return bytes;
}

Deno.test("bytes arrive in order and whole, however they are written and read", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed);
    world.serve(ADDRESS, counting);
    const { net } = world.boot("one").world;
    const talk = async (): Promise<number[]> => {
      const connection = await net!.connect(ADDRESS, 1_000);
      for (let byte = 0; byte < 40; byte += 4) await connection.write(Uint8Array.of(byte, byte + 1, byte + 2, byte + 3));
      return await readExactly(connection, 40);
    };
    assert.deepEqual(await world.run(talk()), Array.from({ length: 40 }, (_, index) => index + 1));
  }
});

Deno.test("a request over a connection that breaks has arrived, never arrives, or arrives later", async () => {
  const fates = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const hazards = { ...NO_HAZARDS, lostAcknowledgement: 300, lostRequest: 300, lateRequest: 300, lateMicrosMax: 50_000, errorsMax: 1 };
    const world = simWorld(seed, { hazards });
    let arrived = 0;
    world.serve(ADDRESS, { accept: (client) => ({ received: (bytes) => (arrived++, client.send(bytes)) }) });
    const { world: ports } = world.boot("one");
    const talk = async (): Promise<"answered" | "broken"> => {
      const connection = await ports.net!.connect(ADDRESS, 1_000);
      await connection.write(Uint8Array.of(1));
      return await connection.read(new Uint8Array(1)).then(() => "answered", () => "broken");
    };
    const outcome = await world.run(talk());
    const atOnce = arrived;
    await world.run(ports.clock.sleep(1_000));
    fates.add(outcome === "answered" ? "answered" : atOnce > 0 ? "arrived" : arrived > 0 ? "later" : "never");
  }
  assert.deepEqual([...fates].sort(), ["answered", "arrived", "later", "never"]);
});

Deno.test("a frozen process hears nothing until it thaws, a closed connection nothing more", async () => {
  const world = simWorld(3);
  world.serve(ADDRESS, counting);
  const one = world.boot("one");
  const watcher = world.boot("watcher");
  const connection = await world.run(one.world.net!.connect(ADDRESS, 1_000));
  await world.run(connection.write(Uint8Array.of(7)));
  const into = new Uint8Array(1);
  let heard = 0;
  const reading = connection.read(into).then((bytes) => heard = bytes);
  one.process.freeze();
  await world.run(watcher.world.clock.sleep(100));
  assert.equal(heard, 0);
  one.process.thaw();
  await world.run(reading);
  assert.deepEqual([heard, into[0]], [1, 8]);
  connection.close();
  await assert.rejects(world.run(connection.read(into)));
  await assert.rejects(world.run(one.world.net!.connect({ host: "nobody", port: 1 }, 1_000)), { code: "unreachable" });
});

/** One batch of records without keys. */
function batchOf({ id, epoch, sequence, values }: { id: bigint; epoch: number; sequence: number; values: readonly string[] }): Uint8Array {
  const into = new FieldWriter().int64(0n).int32(0).int32(0).int8(2).int32(0).int16(16).int32(0).int64(0n).int64(0n);
  into.int64(id).int16(epoch).int32(sequence);
  return into.list(values, (value) => {
    const record = new FieldWriter().int8(0).unsigned(0).unsigned(0).unsigned(1).unsigned(2 * value.length).raw(
      new TextEncoder().encode(value),
    )
      .unsigned(0).done();
    into.unsigned(2 * record.length).raw(record);
  }).done();
}

Deno.test("a partition keeps a producer's batches in order, each once, and shows them when they are committed", () => {
  const log = new PartitionLog();
  const put = (sequence: number, epoch: number, isOpen: boolean, ...values: string[]) =>
    log.append(batchOf({ id: 5n, epoch, sequence, values }), () => isOpen);
  assert.equal(put(1, 0, true, "early"), OUT_OF_ORDER_SEQUENCE_NUMBER);
  assert.equal(put(0, 0, false, "outside"), INVALID_TXN_STATE);
  assert.equal(put(0, 0, true, "a", "b"), 0);
  assert.equal(put(0, 0, true, "a", "b"), DUPLICATE_SEQUENCE_NUMBER);
  assert.deepEqual([log.committed(), log.stableEnd], [[], 0]);
  log.endTransaction(5n, 0, "committed");
  assert.deepEqual([log.committed(), log.stableEnd], [["a", "b"], 3]);
  assert.equal(put(2, 0, true, "c"), 0);
  log.endTransaction(5n, 1, "aborted");
  assert.equal(put(3, 0, true, "late"), INVALID_PRODUCER_EPOCH);
  assert.deepEqual(log.committed(), ["a", "b"]);
});

Deno.test("a newer producer ends what the older has open, and the older is refused from then on", async () => {
  const world = simWorld(4);
  const fates: string[] = [];
  const coordinator = new Coordinator(world.scheduler, new SeededRandom(4), (partition, _, epoch, fate) => {
    fates.push(`${partition} ${epoch} ${fate}`);
  });
  const { clock } = world.boot("one").world;
  const begin = () => {
    const { errorCode, producerId, epoch } = coordinator.beginProducer("id", 60_000);
    return { errorCode, producer: { id: "id", producerId, epoch } };
  };
  const old = begin().producer;
  assert.equal(coordinator.addPartitions(old, ["t/0"]), 0);
  assert.equal(coordinator.addGroup(old, "g"), 0);
  assert.equal(coordinator.commitOffsetLater(old, "g", "t/0", { offset: 9, metadata: "" }), 0);
  assert.equal(coordinator.offsetOf("g", "t/0"), "unstable");
  assert.equal(begin().errorCode, CONCURRENT_TRANSACTIONS);
  await world.run(clock.sleep(50));
  assert.deepEqual([fates, coordinator.offsetOf("g", "t/0")], [["t/0 1 aborted"], null]);
  const young = begin().producer;
  assert.deepEqual([coordinator.end(old, "commit"), coordinator.addGroup(old, "g")], [PRODUCER_FENCED, PRODUCER_FENCED]);
  assert.equal(coordinator.end({ ...young, producerId: 1n }, "commit"), INVALID_PRODUCER_ID_MAPPING);
  coordinator.addGroup(young, "g");
  coordinator.commitOffsetLater(young, "g", "t/0", { offset: 3, metadata: "m" });
  assert.equal(coordinator.end(young, "commit"), 0);
  assert.equal(coordinator.addGroup(young, "g"), CONCURRENT_TRANSACTIONS);
  assert.deepEqual([coordinator.committedOffset("g", "t/0"), coordinator.state("id")], [null, "PrepareCommit"]);
  await world.run(clock.sleep(50));
  assert.deepEqual([coordinator.committedOffset("g", "t/0"), coordinator.end(young, "commit")], [{ offset: 3, metadata: "m" }, 0]);
  assert.equal(coordinator.state("nobody"), null);
});

Deno.test("a transaction that nobody ends is aborted behind its timeout", async () => {
  const world = simWorld(5);
  const fates: string[] = [];
  const coordinator = new Coordinator(
    world.scheduler,
    new SeededRandom(5),
    (_partition, _id, epoch, fate) => fates.push(`${epoch} ${fate}`),
  );
  const { producerId, epoch } = coordinator.beginProducer("id", 200);
  const producer = { id: "id", producerId, epoch };
  coordinator.addPartitions(producer, ["t/0"]);
  await world.run(world.boot("one").world.clock.sleep(500));
  assert.deepEqual([fates, coordinator.end(producer, "commit")], [["1 aborted"], PRODUCER_FENCED]);
});
