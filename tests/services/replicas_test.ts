/** Replicas that come, go, die, freeze and lose their servers: readers of committed records see each record once, with the right balance. */
import assert from "node:assert/strict";
import { SESSION_TIMEOUT_MS, testReplicas } from "./replicas.ts";

const SERVERS = ["kafka", "denokv"] as const;
const ALL = /partitions_assigned.*partitions="0,1,2,3"/;
const TWO = /partitions_assigned.*partitions="\d,\d"/;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

await testReplicas(
  "a replica that joins late takes half of the partitions over, and gives them back when it is stopped",
  SERVERS,
  async (replicas) => {
    const one = replicas.start("one");
    await one.says(ALL);
    const feed = replicas.feed();
    await replicas.waitForOut(300);
    const two = replicas.start("two");
    await two.says(TWO);
    await replicas.waitForOut(await replicas.out() + 500);
    const before = one.said().length;
    two.signal("SIGTERM");
    assert.equal((await two.ended).code, 0, two.said());
    await one.says(ALL, before);
    await replicas.waitForOut(await replicas.out() + 300);
    await feed.stop();
    await replicas.verify();
    one.signal("SIGTERM");
    assert.equal((await one.ended).code, 0, one.said());
    const offsets = await replicas.groupOffsets();
    assert.equal(offsets.reduce((sum, offset) => sum + offset, 0), replicas.sent(), "the group's offsets are where the run stopped");
  },
);

await testReplicas("three replicas start at once: one makes the run, all join it; two are killed", SERVERS, async (replicas) => {
  const [one, two, three] = ["one", "two", "three"].map((name) => replicas.start(name));
  const feed = replicas.feed();
  await replicas.waitForOut(500);
  one.signal("SIGKILL");
  await replicas.waitForOut(await replicas.out() + 700);
  three.signal("SIGKILL");
  await two.says(ALL);
  await replicas.waitForOut(await replicas.out() + 300);
  await feed.stop();
  await replicas.verify();
  two.signal("SIGTERM");
  assert.equal((await two.ended).code, 0, two.said());
});

await testReplicas(
  "a replica frozen past its session timeout writes nothing when it thaws, and takes part again",
  SERVERS,
  async (replicas) => {
    const frozen = replicas.start("frozen");
    await frozen.says(ALL);
    const healthy = replicas.start("healthy");
    const feed = replicas.feed();
    await healthy.says(TWO);
    await replicas.waitForOut(500);
    for (let round = 0; round < 3; round++) {
      const before = healthy.said().length;
      frozen.signal("SIGSTOP");
      await healthy.says(ALL, before);
      await replicas.waitForOut(await replicas.out() + 400);
      const since = frozen.said().length;
      frozen.signal("SIGCONT");
      await frozen.says(TWO, since);
      await replicas.waitForOut(await replicas.out() + 200);
    }
    await feed.stop();
    await replicas.verify();
    for (const replica of [frozen, healthy]) {
      replica.signal("SIGTERM");
      assert.equal((await replica.ended).code, 0, replica.said());
    }
  },
);

await testReplicas("a member of its own comes back within its session timeout and finds its partitions", SERVERS, async (replicas) => {
  const one = replicas.start("one", { MEMBER: "one", SESSION: "20s" });
  const two = replicas.start("two", { MEMBER: "two", SESSION: "20s" });
  const feed = replicas.feed();
  await Promise.all([one.says(TWO), two.says(TWO)]);
  await replicas.waitForOut(300);
  const before = two.said().length;
  one.signal("SIGKILL");
  await one.ended;
  const again = replicas.start("one", { MEMBER: "one", SESSION: "20s" });
  await again.says(TWO);
  await replicas.waitForOut(await replicas.out() + 300);
  assert.doesNotMatch(two.said().slice(before), ALL, "nobody took them meanwhile");
  const twin = replicas.start("twin", { MEMBER: "one", SESSION: "20s" });
  assert.equal((await again.ended).code, 3, "of two processes that run as one member the older one stops");
  assert.match(again.said(), /FENCED_INSTANCE_ID/);
  await twin.says(TWO);
  await feed.stop();
  await replicas.verify();
});

await testReplicas("the broker stops and starts under two replicas", SERVERS, async (replicas, servers) => {
  const [one, two] = ["one", "two"].map((name) => replicas.start(name));
  await Promise.all([one.says(TWO), two.says(TWO)]);
  await replicas.send(2_000);
  await replicas.waitForOut(200);
  await servers.kafka.stop();
  await pause(SESSION_TIMEOUT_MS);
  await servers.kafka.start();
  await replicas.send(500);
  await replicas.verify();
  for (const replica of [one, two]) {
    replica.signal("SIGTERM");
    assert.equal((await replica.ended).code, 0, replica.said());
  }
});

await testReplicas(
  "the checkpoint store is killed and started again under two replicas, and is down when a third one starts",
  SERVERS,
  async (replicas, servers) => {
    const [one, two] = ["one", "two"].map((name) => replicas.start(name));
    await Promise.all([one.says(TWO), two.says(TWO)]);
    const feed = replicas.feed();
    await replicas.waitForOut(300);
    for (const downMs of [100, 1_000, 4_000]) {
      await servers.denokv.kill();
      const third = downMs > SESSION_TIMEOUT_MS ? replicas.start("three") : null;
      if (third) await third.says(/kv_unanswered/);
      await pause(downMs);
      await servers.denokv.start();
      await replicas.waitForOut(await replicas.out() + 400);
    }
    await feed.stop();
    await replicas.verify();
    for (const replica of [one, two]) {
      replica.signal("SIGTERM");
      assert.equal((await replica.ended).code, 0, replica.said());
    }
  },
);
