/**
 * What every exactly-once sink promises (DESIGN.md, "What a sink needs"), one suite over all of them: however often a process is
 * killed, whichever owner is late, what people see is what one undisturbed run gives.
 */
import assert from "node:assert/strict";
import type { EpochStamp, Sink, SinkLane } from "../../src/engine/contracts.ts";
import { Killed, Process } from "./support/memory_world.ts";
import { SINK_CASES, type SinkCase, type Stage } from "./support/sink_cases.ts";

const LANES = 2;
const EPOCHS = 8;

/** What the engine's heads say, one per lane: it survives every kill. */
class Heads {
  readonly epoch = [0, 0];
  /** The newest epoch with rows, which a sink's marker must tell. */
  readonly delivered = [0, 0];
  owner = 0;
  /** Whose turn it is. Also after a kill the same order of lanes: a table or a topic shows the order of delivery. */
  next(): number {
    return this.epoch[0] <= this.epoch[1] ? 0 : 1;
  }
  get fresh(): boolean {
    return this.epoch.every((epoch) => epoch === 0);
  }
}

const stampOf = (lane: number, epoch: number, owner: number): EpochStamp => ({
  pipeline: "p",
  run: "r1",
  lane,
  epoch,
  owner,
  digest: `${lane}/${epoch}`,
  timeMicros: epoch * 1_000_000,
});
const openAs = (sink: Sink, fresh: boolean) => sink.open({ pipeline: "p", run: "r1", lanes: LANES, fresh });

/** One life of a process: recover, go on to the end, publish. `pause` may end it anywhere between two calls. */
async function live(stage: Stage, process: Process, heads: Heads, pause: () => void): Promise<void> {
  const sink = stage.sink(process);
  await openAs(sink, heads.fresh);
  const owner = ++heads.owner;
  const lanes: SinkLane[] = [];
  for (let lane = 0; lane < LANES; lane++) {
    lanes.push(sink.lane(lane));
    const marker = await lanes[lane].fence(owner);
    pause();
    const ahead = marker !== null && marker.epoch === heads.epoch[lane] + 1;
    if (ahead) heads.delivered[lane] = heads.epoch[lane] = marker.epoch;
    assert.equal(marker?.epoch ?? 0, heads.delivered[lane], "the marker tells the newest epoch with rows");
    if (marker) assert.equal(marker.digest, `${lane}/${marker.epoch}`);
  }
  for (let lane = heads.next(); heads.epoch[lane] < EPOCHS; lane = heads.next()) await step(stage, lanes[lane], lane, heads, owner, pause);
  await sink.finish();
  pause();
  await sink.finish();
  await sink.close();
}

async function step(stage: Stage, lane: SinkLane, number: number, heads: Heads, owner: number, pause: () => void): Promise<void> {
  const epoch = heads.epoch[number] + 1;
  const batch = stage.batch(number, epoch);
  if (batch) lane.write(batch);
  assert.equal(lane.bytesHeld() > 0, batch !== null);
  pause();
  await lane.deliver(stampOf(number, epoch, owner));
  assert.equal(lane.bytesHeld(), 0);
  pause();
  if (batch) heads.delivered[number] = epoch;
  heads.epoch[number] = epoch;
}

const noPause = () => {};

/** What an undisturbed run shows, and how many changes of files it made. */
async function undisturbed({ stage: make }: SinkCase): Promise<{ shown: string[]; steps: number; pauses: number }> {
  const stage = await make();
  const process = new Process(stage.machine);
  let pauses = 0;
  await live(stage, process, new Heads(), () => void pauses++);
  const shown = await stage.read();
  await stage.dispose();
  assert.ok(shown && shown.length > 10);
  return { shown, steps: process.steps, pauses };
}

async function livesUntilDone(stage: Stage, heads: Heads, process: Process, pause: () => void): Promise<number> {
  for (let lives = 1;; lives++) {
    try {
      await live(stage, process, heads, pause);
      return lives;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      process.kill();
      process = new Process(stage.machine);
      pause = noPause;
    }
  }
}

for (const sinkCase of SINK_CASES) {
  const { name, storage } = sinkCase;

  if (storage === "files") {
    Deno.test(`${name}: killed before, in and behind every change of a file`, async () => {
      const { shown, steps } = await undisturbed(sinkCase);
      for (let killAt = 1; killAt <= steps; killAt += 0.5) {
        const stage = await sinkCase.stage();
        const lives = await livesUntilDone(stage, new Heads(), new Process(stage.machine, killAt), noPause);
        assert.equal(lives, 2, `killed at ${killAt}`);
        assert.deepEqual(await stage.read(), shown, `killed at ${killAt}`);
      }
    });

    Deno.test(`${name}: killed again while recovering`, async () => {
      const { shown, steps } = await undisturbed(sinkCase);
      for (let killAt = 2; killAt <= steps; killAt += 5) {
        for (let again = 1; again < 12; again += 1.5) {
          const stage = await sinkCase.stage();
          const heads = new Heads();
          const first = new Process(stage.machine, killAt);
          await live(stage, first, heads, noPause).catch((error) => assert.ok(error instanceof Killed));
          await livesUntilDone(stage, heads, new Process(stage.machine, again), noPause);
          assert.deepEqual(await stage.read(), shown, `killed at ${killAt}, then at ${again}`);
        }
      }
    });
  }

  Deno.test(`${name}: killed between any two calls of the protocol`, async () => {
    const { shown, pauses } = await undisturbed(sinkCase);
    for (let at = 0; at < pauses; at++) {
      const stage = await sinkCase.stage();
      let left = at;
      const lives = await livesUntilDone(stage, new Heads(), new Process(stage.machine), () => {
        if (left-- === 0) throw new Killed();
      });
      assert.equal(lives, 2);
      assert.deepEqual(await stage.read(), shown, `killed at call ${at}`);
      await stage.dispose();
    }
  });

  Deno.test(`${name}: an older owner that comes back late changes nothing`, async () => {
    const { shown } = await undisturbed(sinkCase);
    for (const lateAt of ["after the fence", "after the delivery", "after the end"]) {
      const stage = await sinkCase.stage();
      const heads = new Heads();
      const old = new Process(stage.machine);
      const oldSink = stage.sink(old);
      await openAs(oldSink, true);
      const oldLanes = [oldSink.lane(0), oldSink.lane(1)];
      heads.owner = 1;
      for (const lane of oldLanes) assert.equal(await lane.fence(1), null);
      for (let epoch = 1; epoch <= 2; epoch++) {
        for (let lane = 0; lane < LANES; lane++) await step(stage, oldLanes[lane], lane, heads, 1, noPause);
      }
      for (let lane = 0; lane < LANES; lane++) {
        const batch = stage.batch(lane, 3);
        if (batch) oldLanes[lane].write(batch);
      }
      const late = async () => {
        for (let lane = 0; lane < LANES; lane++) {
          // Either it is refused or it repeats what its successor has; both are right, the content decides.
          await oldLanes[lane].deliver(stampOf(lane, 3, 1)).catch((error) =>
            assert.match(error.code ?? error.message, /fenced|ENOENT|no such table/)
          );
        }
      };
      old.loseLocks();
      let calls = 0;
      const point = { "after the fence": 2, "after the delivery": 5, "after the end": Infinity }[lateAt];
      const due: Promise<void>[] = [];
      await live(stage, new Process(stage.machine), heads, () => {
        if (++calls === point) due.push(late());
      });
      if (lateAt === "after the end") await late();
      await Promise.all(due);
      assert.deepEqual(await stage.read(), shown, lateAt);
      await stage.dispose();
    }
  });

  Deno.test(`${name}: the same epoch twice is there once, and dropped rows never`, async () => {
    const { shown } = await undisturbed(sinkCase);
    const stage = await sinkCase.stage();
    const heads = new Heads();
    const sink = stage.sink(new Process(stage.machine));
    await openAs(sink, true);
    const lanes = [sink.lane(0), sink.lane(1)];
    for (const lane of lanes) await lane.fence(1);
    heads.owner = 1;
    for (let lane = 0; lane < LANES; lane++) {
      const other = stage.batch(lane, 5) ?? stage.batch(lane, 4)!;
      lanes[lane].write(other);
      lanes[lane].discard();
      assert.equal(lanes[lane].bytesHeld(), 0);
    }
    while (heads.epoch.some((epoch) => epoch < EPOCHS)) {
      for (let lane = 0; lane < LANES; lane++) {
        await step(stage, lanes[lane], lane, heads, 1, noPause);
        const batch = stage.batch(lane, heads.epoch[lane]);
        if (!batch) continue;
        lanes[lane].write(batch);
        await lanes[lane].deliver(stampOf(lane, heads.epoch[lane], 1));
      }
    }
    await sink.finish();
    await sink.close();
    assert.deepEqual(await stage.read(), shown);
    await stage.dispose();
  });

  Deno.test(`${name}: a new run replaces what the earlier one left`, async () => {
    const { shown } = await undisturbed(sinkCase);
    const stage = await sinkCase.stage();
    await live(stage, new Process(stage.machine), new Heads(), noPause);
    const sink = stage.sink(new Process(stage.machine));
    await sink.open({ pipeline: "p", run: "r2", lanes: LANES, fresh: true });
    const heads = new Heads();
    const lanes = [sink.lane(0), sink.lane(1)];
    for (const lane of lanes) assert.equal(await lane.fence(1), null, "a new run knows no marker");
    while (heads.epoch.some((epoch) => epoch < EPOCHS)) {
      for (let lane = 0; lane < LANES; lane++) await step(stage, lanes[lane], lane, heads, 1, noPause);
    }
    await sink.finish();
    await sink.close();
    assert.deepEqual(await stage.read(), shown);
    await stage.dispose();
  });
}
