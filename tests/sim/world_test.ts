/** Processes of the simulated world: determinism, death, freezing, time. */
import assert from "node:assert/strict";
import { Crashed, Deadlock } from "../../src/sim/crashed.ts";
import { type Hazards, NO_HAZARDS } from "../../src/sim/hazards.ts";
import { simWorld } from "../../src/sim/world.ts";
import type { Kv, World } from "../../src/ports/mod.ts";

const ROUGH: Hazards = {
  ...NO_HAZARDS,
  lostAcknowledgement: 100,
  lostRequest: 100,
  lateRequest: 100,
  failedRead: 100,
  orphanApplied: 500,
  lateMicrosMax: 20_000,
  errorsMax: 10,
};

/** Three concurrent writers that touch every port; errors are part of the game. */
async function busy(ports: World, kv: Kv): Promise<string[]> {
  const order: string[] = [];
  const writer = async (name: string): Promise<void> => {
    for (let round = 0; round < 6; round++) {
      try {
        const file = await ports.files.open(`${name}.txt`, "append");
        await file.write(new Uint8Array([round]));
        await file.sync();
        await kv.commit({ checks: [], sets: [{ key: [name], value: new Uint8Array([round]) }], deletes: [] });
        await ports.clock.sleep(ports.random.uint32() % 5);
        order.push(`${name}${round}`);
      } catch (error) {
        order.push(`${name}!${(error as Error).name}`);
      }
      ports.probe.step("batch_processed", name);
    }
  };
  await Promise.all(["a", "b", "c"].map(writer));
  return order;
}

async function runBusy(seed: number): Promise<{ order: string; hash: string }> {
  const world = simWorld(seed, { hazards: ROUGH });
  const { world: ports } = world.boot("one");
  const order = await world.run(ports.openKv("kv").then((kv) => busy(ports, kv)));
  return { order: order.join(" "), hash: world.trace.hash };
}

Deno.test("the same seed gives the same trace, other seeds give other orders", async () => {
  const orders = new Set<string>();
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const first = await runBusy(seed);
    assert.deepEqual(await runBusy(seed), first, `seed ${seed}`);
    orders.add(first.order);
    hashes.add(first.hash);
  }
  assert.equal(hashes.size, 30);
  assert.ok(orders.size > 25, `${orders.size} different orders in 30 seeds`);
});

Deno.test("nothing of a killed process runs on, and its synchronous calls throw", async () => {
  const world = simWorld(3);
  const { process, world: ports } = world.boot("one");
  let wentOn = false;
  const after = async (): Promise<void> => {
    await ports.clock.sleep(10);
    wentOn = true;
  };
  void after();
  process.kill();
  const { world: others } = world.boot("two");
  await world.run(others.clock.sleep(1_000));
  assert.equal(wentOn, false);
  assert.throws(() => ports.clock.nowMicros(), Crashed);
  assert.throws(() => ports.probe.step("fenced", ""), Crashed);
});

Deno.test("a step can kill the process that takes it", async () => {
  const world = simWorld(4);
  const { process, world: ports } = world.boot("one");
  world.hooks = { onStep: (dying) => dying.kill() };
  assert.throws(() => ports.probe.step("intent_written", ""), Crashed);
  assert.equal(process.state, "dead");
  await world.run(world.boot("two").world.clock.sleep(1));
});

Deno.test("a killed process keeps what it wrote; a write under way is cut anywhere", async () => {
  const sizes = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const world = simWorld(seed);
    const { process, world: ports } = world.boot("one");
    const file = await world.run(ports.files.open("f", "append"));
    await world.run(file.write(new Uint8Array(3)));
    void file.write(new Uint8Array(4));
    process.kill();
    sizes.add(world.disk.stat("f")!.size);
  }
  assert.deepEqual([...sizes].sort(), [3, 4, 5, 6, 7]);
});

Deno.test("a frozen process neither asks nor hears until it thaws, and the others go on", async () => {
  const world = simWorld(5);
  const one = world.boot("one");
  const two = world.boot("two");
  const order: string[] = [];
  const sleeper = async (): Promise<void> => {
    await one.world.clock.sleep(10);
    order.push("one woke");
    await one.world.files.makeFolder("by-one");
    order.push("one made a folder");
  };
  const done = sleeper();
  one.process.freeze();
  await world.run(two.world.clock.sleep(100));
  order.push("two woke");
  assert.equal(world.disk.stat("by-one"), null);
  one.process.thaw();
  await world.run(done);
  assert.deepEqual(order, ["two woke", "one woke", "one made a folder"]);
});

Deno.test("a commit of a dead process may still happen, within a bound", async () => {
  let applied = 0;
  for (let seed = 0; seed < 100; seed++) {
    const world = simWorld(seed, { hazards: { ...NO_HAZARDS, orphanApplied: 500, lateMicrosMax: 10_000 } });
    const { process, world: ports } = world.boot("one");
    const kv = await world.run(ports.openKv("kv"));
    void kv.commit({ checks: [], sets: [{ key: ["a"], value: new Uint8Array(1) }], deletes: [] });
    await null;
    process.kill();
    await world.run(world.boot("two").world.clock.sleep(15));
    if (world.kvStore("kv").get(["a"]) !== null) applied++;
  }
  assert.ok(applied > 25 && applied < 75, `${applied} of 100`);
});

Deno.test("a lock has one owner, and the owner's death frees it", async () => {
  const world = simWorld(6);
  const one = world.boot("one");
  const two = world.boot("two");
  const lock = await world.run(one.world.locks.acquire("l"));
  assert.equal(await world.run(two.world.locks.acquire("l")), null);
  lock!.release();
  const second = await world.run(two.world.locks.acquire("l"));
  assert.ok(second !== null);
  assert.equal(await world.run(one.world.locks.acquire("l")), null);
  two.process.kill();
  assert.ok(await world.run(one.world.locks.acquire("l")) !== null);
});

Deno.test("virtual time passes only in sleeps and calls, and an aborted sleep ends at once", async () => {
  const world = simWorld(7);
  const { world: ports } = world.boot("one");
  const begin = ports.clock.nowMicros();
  await world.run(ports.clock.sleep(3_600_000));
  assert.equal(ports.clock.nowMicros() - begin, 3_600_000_000);
  const abort = new AbortController();
  const sleep = ports.clock.sleep(1_000, abort.signal);
  abort.abort();
  await world.run(sleep);
  assert.equal(ports.clock.nowMicros() - begin, 3_600_000_000);
});

Deno.test("waiting for something outside of the simulated world is a deadlock, as is running for ever", async () => {
  const world = simWorld(8, { eventsMax: 100 });
  await assert.rejects(world.run(new Promise(() => {})), Deadlock);
  const { world: ports } = world.boot("one");
  const forever = async (): Promise<void> => {
    while (true) await ports.clock.sleep(1);
  };
  await assert.rejects(world.run(forever()), Deadlock);
});

Deno.test("a full disk takes nothing more, in the middle of a write too, and keeps what it has", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed);
    const { files } = world.boot("one").world;
    const fill = async (): Promise<number> => {
      await files.makeFolder("f");
      const handle = await files.open("f/a", "append");
      await handle.write(new Uint8Array(10));
      world.disk.isFull = true;
      await assert.rejects(handle.write(new Uint8Array(10)), { code: "ENOSPC" });
      await assert.rejects(files.open("f/b", "write"), { code: "ENOSPC" });
      await assert.rejects(files.makeFolder("f/g/h"), { code: "ENOSPC" });
      await files.rename("f/a", "f/c");
      world.disk.isFull = false;
      await (await files.open("f/b", "write")).write(new Uint8Array(1));
      return (await files.stat("f/c"))!.size;
    };
    const size = await world.run(fill());
    assert.ok(size >= 10 && size < 20, `${size}`);
  }
});

Deno.test("wall clocks jump, and time goes on as before", async () => {
  const world = simWorld(1);
  const { clock } = world.boot("one").world;
  const [wall, monotonic] = [clock.nowMicros(), clock.monotonicMs()];
  world.jumpClock(-5_000_000);
  await world.run(clock.sleep(1_000));
  assert.deepEqual([clock.nowMicros() - wall, clock.monotonicMs() - monotonic], [-4_000_000, 1_000]);
});
