/** Lanes on worker threads: the same rows as in one thread, bounded and endless, alone and in replicas. */
import assert from "node:assert/strict";
import { testReplicas } from "./replicas.ts";

const ALL = /partitions_assigned.*partitions="0,1,2,3"/;
const TWO = /partitions_assigned.*partitions="\d,\d"/;

await testReplicas("a bounded run on three threads ends, is counted and is done", ["kafka"], async (replicas) => {
  await replicas.send(3_000);
  const bounded = { UNTIL: "end", WORKERS: "3" };
  const run = replicas.start("bounded", bounded);
  const { code, stdout } = await run.ended;
  assert.equal(code, 0, run.said());
  const [outcome] = JSON.parse(stdout);
  assert.deepEqual([outcome.status, outcome.records, outcome.rejected], ["done", 3_000, 0]);
  assert.deepEqual([outcome.counters["sink:out"].in, outcome.counters.balances.out], [3_000, 3_000]);
  await replicas.verify();
});

await testReplicas("an endless run on two threads is killed, goes on with three, and is stopped", ["kafka"], async (replicas) => {
  const feed = replicas.feed();
  const killed = replicas.start("one", { WORKERS: "2" });
  await replicas.waitForOut(400);
  killed.signal("SIGKILL");
  await killed.ended;
  const again = replicas.start("one", { WORKERS: "3" });
  await replicas.waitForOut(await replicas.out() + 400);
  await feed.stop();
  await replicas.verify();
  again.signal("SIGTERM");
  assert.equal((await again.ended).code, 0, again.said());
});

await testReplicas("killed in the middle of an epoch on two threads, a run is completed by the next start", ["kafka"], async (replicas) => {
  await replicas.send(1_000);
  const killed = replicas.start("one", { UNTIL: "end", WORKERS: "2", MILLRACE_KILL_AT: "intent_written:2" });
  assert.equal((await killed.ended).signal, "SIGKILL");
  const again = replicas.start("one", { UNTIL: "end", WORKERS: "2" });
  assert.equal((await again.ended).code, 0, again.said());
  await replicas.verify();
});

await testReplicas("replicas of two threads each share the partitions", ["kafka", "denokv"], async (replicas) => {
  const one = replicas.start("one", { WORKERS: "2" });
  await one.says(ALL);
  const feed = replicas.feed();
  const two = replicas.start("two", { WORKERS: "2" });
  await two.says(TWO);
  await replicas.waitForOut(500);
  two.signal("SIGSTOP");
  const before = one.said().length;
  await one.says(ALL, before);
  await replicas.waitForOut(await replicas.out() + 300);
  const since = two.said().length;
  two.signal("SIGCONT");
  await two.says(TWO, since);
  await replicas.waitForOut(await replicas.out() + 300);
  one.signal("SIGTERM");
  assert.equal((await one.ended).code, 0, one.said());
  await two.says(ALL, since);
  await feed.stop();
  await replicas.verify();
  two.signal("SIGTERM");
  assert.equal((await two.ended).code, 0, two.said());
  const offsets = await replicas.groupOffsets();
  assert.equal(offsets.reduce((sum, offset) => sum + offset, 0), replicas.sent());
});
