/** Who reads what in a consumer group, and how members tell one another. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { assignPartitions, type GroupMember } from "../../../src/connectors/kafka/assign_partitions.ts";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../../src/connectors/kafka/group_protocol.ts";

const member = (id: string, owned: readonly number[] = [], generation = 1): GroupMember => ({ id, owned, generation });
const shares = (members: readonly GroupMember[], partitions: number, spread: "each" | "whole" = "each") =>
  Object.fromEntries(assignPartitions(members, partitions, spread));

Deno.test("a first member gets everything, members that start together equal parts", () => {
  assert.deepEqual(shares([member("a")], 4), { a: [0, 1, 2, 3] });
  assert.deepEqual(shares([member("a"), member("b"), member("c")], 4), { a: [0, 1], b: [2], c: [3] });
  assert.deepEqual(shares([member("a"), member("b")], 1), { a: [0], b: [] });
});

Deno.test("what a newcomer is to get is first let go of, and given in the next round", () => {
  assert.deepEqual(shares([member("a", [0, 1, 2, 3]), member("b")], 4), { a: [0, 1], b: [] });
  assert.deepEqual(shares([member("a", [0, 1], 2), member("b", [], 2)], 4), { a: [0, 1], b: [2, 3] });
});

Deno.test("what a dead member had is given at once, and those that stay keep theirs", () => {
  assert.deepEqual(shares([member("a", [0]), member("b", [2])], 4), { a: [0, 1], b: [2, 3] });
});

Deno.test("of two claims the newer one holds; equal ones are both given up", () => {
  assert.deepEqual(shares([member("back", [0, 1, 2, 3], 4), member("b", [0, 1, 2, 3], 7)], 4), { b: [0, 1], back: [] });
  assert.deepEqual(shares([member("a", [0], 3), member("b", [0], 3)], 2), { a: [0], b: [1] });
});

Deno.test("a whole topic has one reader, who keeps it while he lives", () => {
  assert.deepEqual(shares([member("b", [0, 1]), member("a")], 2, "whole"), { b: [0, 1], a: [] });
  assert.deepEqual(shares([member("b"), member("a")], 2, "whole"), { a: [0, 1], b: [] });
});

Deno.test("whatever is claimed: nobody has two claims on one partition, and rounds without changes settle evenly with few moves", () => {
  const claims = fc.array(fc.tuple(fc.array(fc.nat(11)), fc.nat(3)), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(claims, fc.integer({ min: 1, max: 12 }), (given, partitions) => {
    let members = given.map(([owned, generation], i) => member(`m${i}`, [...new Set(owned)], generation));
    for (let round = 5;; round++) {
      const result = assignPartitions(members, partitions, "each");
      const all = [...result.values()].flat();
      assert.equal(new Set(all).size, all.length, "each partition once");
      const next = members.map(({ id }) => member(id, result.get(id), round));
      const isSettled = next.every(({ owned }, i) => JSON.stringify(owned) === JSON.stringify(members[i].owned));
      members = next;
      if (isSettled) break;
      assert.ok(round < 9, "it settles");
    }
    const counts = members.map(({ owned }) => owned.length);
    assert.equal(counts.reduce((sum, count) => sum + count, 0), partitions);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
  }));
});

Deno.test("no round takes a partition from one that keeps within its share", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(11)), fc.integer({ min: 1, max: 5 }), (owned, others) => {
    const members = [member("a", owned), ...Array.from({ length: others }, (_, i) => member(`x${i}`))];
    const kept = assignPartitions(members, 12, "each").get("a")!;
    const share = Math.ceil(12 / members.length);
    assert.ok(owned.toSorted((x, y) => x - y).slice(0, share).every((partition) => kept.includes(partition)));
  }));
});

Deno.test("subscriptions and assignments are read as they were written; other topics are passed over", () => {
  const partitions = fc.uniqueArray(fc.nat(100_000), { maxLength: 50 });
  fc.assert(fc.property(partitions, fc.integer({ min: -1, max: 1 << 30 }), (owned, generation) => {
    const bytes = encodeSubscription("töpic", { owned, generation });
    assert.deepEqual(decodeSubscription(bytes, "töpic"), { owned, generation });
    assert.deepEqual(decodeSubscription(bytes, "other"), { owned: [], generation });
    assert.deepEqual(decodeAssignment(encodeAssignment("töpic", owned), "töpic"), owned);
  }));
  assert.deepEqual(decodeAssignment(new Uint8Array(), "t"), []);
});

Deno.test("a subscription of Kafka's own consumer, as its first version writes it, owns nothing", () => {
  const bytes = Uint8Array.fromHex("0000" + "00000001" + "0001" + "74" + "ffffffff");
  assert.deepEqual(decodeSubscription(bytes, "t"), { owned: [], generation: -1 });
});

Deno.test("what is no protocol of members is a fault of its own, not a wrong assignment", () => {
  for (const hex of ["00", "0002000000ff", "00020000000100ff74"]) {
    assert.throws(() => decodeSubscription(Uint8Array.fromHex(hex), "t"), { code: "group_shared" });
  }
});
