/** `publish = "parts"`: which rows share a file, what the manifest says of them, and what crashes, stops and full disks do to them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { SinkLane } from "../../../src/engine/contracts.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import type { SinkBlueprint } from "../../../src/project/contracts.ts";
import { partitionPath, partitionValues } from "../../../src/connectors/files/parts/partition_path.ts";
import { Killed, Machine, Process } from "../support/memory_world.ts";
import { faultsOf, plan } from "../support/project.ts";
import { batchOf } from "../support/rows.ts";
import { type ModelEpoch, modelFiles, type ModelRoll, rowText } from "./parts_model.ts";

const SEED = 20267;
const SOURCE = `[sources.in]\ntype = "csv"\npath = "in.csv"\nfields = { folder = "string", id = "int", ratio = "double" }\n`;
const sinkToml = (settings: string) => `${SOURCE}[sinks.out]\ninputs = ["in"]\npath = "out"\n${settings}\n`;
const NDJSON = `type = "ndjson"\npublish = "parts"\ncolumns = ["folder", "id"]\n`;

async function blueprintOf(settings: string): Promise<SinkBlueprint> {
  return (await plan(sinkToml(settings))).sinks.find((sink) => sink.name === "out")!;
}
const settingsOf = ({ sizeBytes, everyMicros, filesMax }: ModelRoll) =>
  `${NDJSON}partition_by = ["folder"]\npartitions_max = ${filesMax}\nroll = { size = "${sizeBytes}B", every = "${
    everyMicros / 1000
  }ms" }\n`;

/** One lane through the hands of owners that die; remembers what the engine's head would. */
class Life {
  owner = 0;
  done = 0;
  constructor(readonly machine: Machine, readonly blueprint: SinkBlueprint, readonly epochs: readonly ModelEpoch[], readonly run = "r1") {}

  /** To the end of the input, or to the death of the process. */
  async live(process: Process): Promise<"ended" | "killed"> {
    try {
      const sink = this.blueprint.plan.create(process.world());
      await sink.open({ pipeline: "p", run: this.run, lanes: 1, fresh: this.done === 0 });
      const lane = sink.lane(0);
      const owner = ++this.owner;
      const marker = await lane.fence(owner);
      if ((marker?.epoch ?? 0) > this.done) this.done = marker!.epoch;
      while (this.done < this.epochs.length) await this.#deliver(lane, this.epochs[this.done], owner);
      await sink.finish();
      await sink.close();
      return "ended";
    } catch (error) {
      if (error instanceof Killed) return "killed";
      throw error;
    }
  }

  async #deliver(lane: SinkLane, { epoch, timeMicros, rows, stopping }: ModelEpoch, owner: number): Promise<void> {
    if (rows.length > 0) lane.write(batchOf(this.blueprint.input, rows.map(([folder, id]) => [folder, id, 0])));
    const stamp = { pipeline: "p", run: this.run, lane: 0, epoch, owner, digest: `d${epoch}`, timeMicros };
    await lane.deliver(stopping ? { ...stamp, stopping } : stamp);
    if (stopping) assert.equal(lane.holdsOpen!(), false);
    this.done = epoch;
  }
}

const epochsArbitrary = fc.array(
  fc.record({
    afterMicros: fc.integer({ min: 0, max: 900_000 }),
    rows: fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 99_999 })), { maxLength: 8 }),
    stopping: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  }),
  { minLength: 1, maxLength: 14 },
).map((list) => {
  let timeMicros = 1_700_000_000_000_000;
  return list.map(({ afterMicros, rows, stopping }, i): ModelEpoch => {
    timeMicros += afterMicros;
    return { epoch: i + 1, timeMicros, rows, ...(stopping ? { stopping: true as const } : {}) };
  });
});
const ROLLS: readonly ModelRoll[] = [
  { sizeBytes: 150, everyMicros: 1_000_000, filesMax: 2 },
  { sizeBytes: 60, everyMicros: 600_000_000, filesMax: 3 },
  { sizeBytes: 10_000, everyMicros: 500_000, filesMax: 1 },
];

/** What the manifest lists, by folder and first epoch, each entry checked against its file. */
function manifestOf(machine: Machine): unknown[] {
  const entries = machine.paths("out/_manifest/").filter((path) => path.endsWith(".json"));
  const files = machine.paths("out/").filter((path) => path.endsWith(".ndjson") && !path.includes("/_"));
  assert.deepEqual(entries, files.map((path) => `out/_manifest/${path.slice(4)}.json`).sort());
  return entries.map((path) => {
    const entry = JSON.parse(machine.text(path)!);
    const bytes = machine.files.get(`out/${entry.file}`)!;
    assert.equal(entry.bytes, bytes.length);
    assert.equal(entry.sha256, createHash("sha256").update(bytes).digest("hex"));
    const { folder } = entry.partition;
    const ids = [...machine.text(`out/${entry.file}`)!.matchAll(/"id":(\d+)/g)].map((match) => Number(match[1]));
    assert.equal(machine.text(`out/${entry.file}`), ids.map((id) => rowText(folder, id)).join(""));
    assert.equal(entry.rows, ids.length);
    return { folder, firstEpoch: entry.first_epoch, lastEpoch: entry.last_epoch, ids };
  });
}
const inOrder = (files: ReturnType<typeof modelFiles>) =>
  files.toSorted((a, b) => a.folder < b.folder ? -1 : a.folder > b.folder ? 1 : a.firstEpoch - b.firstEpoch);

Deno.test("files and manifest are those of the model, however often the process dies, wherever", async () => {
  const blueprints = await Promise.all(ROLLS.map((roll) => blueprintOf(settingsOf(roll))));
  let deaths = 0;
  await fc.assert(
    fc.asyncProperty(
      epochsArbitrary,
      fc.nat(ROLLS.length - 1),
      fc.array(fc.integer({ min: 2, max: 120 }), { maxLength: 6 }),
      async (epochs, which, killAts) => {
        const life = new Life(new Machine(), blueprints[which], epochs);
        // Half steps: the last change was made in part.
        for (const killAt of killAts) {
          const process = new Process(life.machine, killAt / 2);
          if (await life.live(process) === "killed") deaths++;
          process.kill();
        }
        assert.equal(await life.live(new Process(life.machine)), "ended");
        assert.deepEqual(manifestOf(life.machine), inOrder(modelFiles(epochs, ROLLS[which])));
        assert.deepEqual(life.machine.paths("out/_drafts/").filter((path) => !/\.\d+\.tmp$/.test(path)), []);
      },
    ),
    { seed: SEED, numRuns: 250 },
  );
  assert.ok(deaths > 300, `${deaths} deaths`);
});

Deno.test("what a stop has shown stays as it is, though the process dies right behind it, before its last note is durable", async () => {
  const [roll] = ROLLS;
  const epochs: ModelEpoch[] = [
    { epoch: 1, timeMicros: 0, rows: [["a", 1], ["b", 2]] },
    { epoch: 2, timeMicros: 1, rows: [], stopping: true },
    { epoch: 3, timeMicros: 2, rows: [["a", 3]] },
  ];
  const blueprint = await blueprintOf(settingsOf(roll));
  for (let killAt = 1; killAt < 90; killAt += 0.5) {
    const life = new Life(new Machine(), blueprint, epochs);
    const process = new Process(life.machine, killAt);
    await life.live(process);
    process.kill();
    assert.equal(await life.live(new Process(life.machine)), "ended");
    assert.deepEqual(manifestOf(life.machine), inOrder(modelFiles(epochs, roll)), `killed at ${killAt}`);
  }
});

Deno.test("the end shows what lanes in other threads left open, and does so again after dying in it", async () => {
  const blueprint = await blueprintOf(settingsOf({ sizeBytes: 10_000, everyMicros: 600_000_000, filesMax: 5 }));
  for (let killAt = 1; killAt < 60; killAt += 0.5) {
    const machine = new Machine();
    const opened = async (process: Process, fresh: boolean) => {
      const sink = blueprint.plan.create(process.world());
      await sink.open({ pipeline: "p", run: "r1", lanes: 2, fresh });
      return sink;
    };
    const worker = await opened(new Process(machine), true);
    for (const number of [0, 1]) {
      const lane = worker.lane(number);
      await lane.fence(3);
      lane.write(batchOf(blueprint.input, [["a", number, 0]]));
      await lane.deliver({ pipeline: "p", run: "r1", lane: number, epoch: 1, owner: 3, digest: "d", timeMicros: 0 });
    }
    await worker.close();
    const dying = new Process(machine, killAt);
    await opened(dying, false).then((sink) => sink.finish()).catch((error) => assert.ok(error instanceof Killed));
    dying.kill();
    const last = await opened(new Process(machine), false);
    await last.finish();
    await last.finish();
    await last.close();
    const wished = [0, 1].map((id) => ({ folder: "a", firstEpoch: 1, lastEpoch: 1, ids: [id] }));
    assert.deepEqual(manifestOf(machine), wished, `killed at ${killAt}`);
    const next = await opened(new Process(machine), false);
    assert.deepEqual(await next.lane(1).fence(4), { epoch: 1, digest: "d" });
    await next.close();
  }
});

Deno.test("a lane says when it wants an epoch: when the oldest of its open files is due", async () => {
  const blueprint = await blueprintOf(settingsOf({ sizeBytes: 1000, everyMicros: 500_000, filesMax: 5 }));
  const machine = new Machine();
  const sink = blueprint.plan.create(new Process(machine).world());
  await sink.open({ pipeline: "p", run: "r1", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  await lane.fence(1);
  const deliver = async (epoch: number, timeMicros: number, folder?: string) => {
    if (folder) lane.write(batchOf(blueprint.input, [[folder, epoch, 0]]));
    await lane.deliver({ pipeline: "p", run: "r1", lane: 0, epoch, owner: 1, digest: "d", timeMicros });
  };
  assert.equal(lane.dueMicros!(), null);
  await deliver(1, 1_000_000, "a");
  await deliver(2, 1_400_000, "b");
  assert.equal(lane.dueMicros!(), 1_500_000);
  await deliver(3, 1_500_000);
  assert.equal(lane.dueMicros!(), 1_900_000);
  assert.deepEqual(machine.paths("out/folder=").length, 1);
  await deliver(4, 1_900_000);
  assert.equal(lane.dueMicros!(), null);
  await sink.close();
});

Deno.test("a rerun takes away the files of its own sink's earlier runs, and nobody else's", async () => {
  const blueprint = await blueprintOf(settingsOf(ROLLS[0]));
  const epochs: ModelEpoch[] = [{ epoch: 1, timeMicros: 0, rows: [["a", 1]] }];
  const machine = new Machine();
  const others = [
    "out/folder=a/p.out-2.r1.00000-000000000001.ndjson",
    "out/folder=a/q.out.r1.00000-000000000001.ndjson",
    "out/notes.ndjson",
  ];
  for (const path of others) machine.put(path, "");
  await new Life(machine, blueprint, epochs).live(new Process(machine));
  await new Life(machine, blueprint, epochs, "r2").live(new Process(machine));
  assert.deepEqual(machine.paths("out/").filter((path) => !path.includes("_manifest")), [
    "out/folder=a/p.out-2.r1.00000-000000000001.ndjson",
    "out/folder=a/p.out.r2.00000-000000000001.ndjson",
    "out/folder=a/q.out.r1.00000-000000000001.ndjson",
    "out/notes.ndjson",
  ]);
  assert.deepEqual(machine.paths("out/_manifest"), ["out/_manifest/folder=a/p.out.r2.00000-000000000001.ndjson.json"]);
  assert.deepEqual(machine.paths(".millrace").map((path) => path.replace(/lane-.*/, "")), [".millrace/p/sinks/out/r2/"]);
});

Deno.test("rows that were shown leave the journal: it stays small however long the stream is", async () => {
  const blueprint = await blueprintOf(`${NDJSON}roll = { size = "300KiB", every = "1h" }\n`);
  const rows = Array.from({ length: 3000 }, (_, i) => ["a", i] as const);
  const epochs = Array.from({ length: 100 }, (_, i): ModelEpoch => ({ epoch: i + 1, timeMicros: i, rows }));
  const machine = new Machine();
  let mostBytes = 0;
  const process = new Process(machine);
  const world = process.world();
  const look = () => {
    for (const path of machine.paths(".millrace")) mostBytes = Math.max(mostBytes, machine.files.get(path)!.length);
  };
  const watched = {
    ...blueprint,
    plan: {
      ...blueprint.plan,
      create: () =>
        blueprint.plan.create({
          ...world,
          files: {
            ...world.files,
            rename: (from: string, to: string) => {
              look();
              return world.files.rename(from, to);
            },
          },
        }),
    },
  };
  assert.equal(await new Life(machine, watched, epochs).live(process), "ended");
  const shownBytes = machine.paths("out/a").concat(machine.paths("out/p.")).reduce((sum, path) => sum + machine.files.get(path)!.length, 0);
  assert.ok(shownBytes > 7_000_000 && mostBytes < 5_500_000, `${shownBytes} bytes shown, the journal had ${mostBytes}`);
});

Deno.test("a full disk stops the sink, and once there is room the files are those of an undisturbed run", async () => {
  const [roll] = ROLLS;
  const blueprint = await blueprintOf(settingsOf(roll));
  const epochs = Array.from(
    { length: 8 },
    (_, i): ModelEpoch => ({ epoch: i + 1, timeMicros: i * 300_000, rows: [["a", i], ["b", 10 + i]] }),
  );
  for (let roomBytes = 0; roomBytes < 4000; roomBytes += 37) {
    const machine = new Machine();
    const life = new Life(
      machine,
      { ...blueprint, plan: { ...blueprint.plan, create: () => smallDisk(machine, blueprint, roomBytes) } },
      epochs,
    );
    const failed = await life.live(new Process(machine)).then(() => false, (error) => {
      assert.equal(error.code, "ENOSPC");
      return true;
    });
    const after = new Life(machine, blueprint, epochs);
    after.owner = life.owner;
    after.done = life.done;
    assert.equal(await after.live(new Process(machine)), "ended");
    assert.deepEqual(manifestOf(machine), inOrder(modelFiles(epochs, roll)), `room for ${roomBytes} bytes`);
    if (roomBytes < 500) assert.ok(failed, `${roomBytes} bytes are too few`);
  }
});

/** The sink in a process whose disk takes `roomBytes` more bytes, and part of the write that meets its end. */
function smallDisk(machine: Machine, { plan }: SinkBlueprint, roomBytes: number) {
  const world = new Process(machine).world();
  let left = roomBytes;
  return plan.create({
    ...world,
    files: {
      ...world.files,
      open: async (path, mode) => {
        const handle = await world.files.open(path, mode);
        return {
          ...handle,
          write: async (bytes: Uint8Array) => {
            const fitting = bytes.subarray(0, Math.max(0, left));
            left -= bytes.length;
            await handle.write(fitting);
            if (fitting.length < bytes.length) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
          },
        };
      },
    },
  });
}

Deno.test("a manifest entry that says other rows stops the sink instead of being replaced", async () => {
  const blueprint = await blueprintOf(settingsOf(ROLLS[0]));
  const epochs: ModelEpoch[] = [{ epoch: 1, timeMicros: 0, rows: [["a", 1], ["a", 2]] }];
  const machine = new Machine();
  const file = "folder=a/p.out.r1.00000-000000000001.ndjson";
  machine.put(`out/_manifest/${file}.json`, JSON.stringify({ file, rows: 1, first_epoch: 1, last_epoch: 1 }));
  const failing = new Life(machine, blueprint, epochs).live(new Process(machine));
  await assert.rejects(failing, (error: unknown) => error instanceof MillraceError && error.code === "manifest_conflict");
});

Deno.test("a journal that does not begin as one is told of, with what to do", async () => {
  const blueprint = await blueprintOf(settingsOf(ROLLS[0]));
  const machine = new Machine();
  machine.put(".millrace/p/sinks/out/r1/lane-00000-000000000001-000000.journal", "something else");
  const life = new Life(machine, blueprint, []);
  life.done = 1;
  await assert.rejects(
    life.live(new Process(machine)),
    (error: unknown) => error instanceof MillraceError && error.code === "part_damaged",
  );
});

Deno.test("names of folders lead back to their values, one folder a level, whatever the text", () => {
  const text = fc.option(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", ".", "..", "a/b", "x=y", "50%", "~", "*", " ", "ü", "€".repeat(60), "ab%".repeat(60)),
    ),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (texts) => {
      const names = texts.map((_, i) => `n${i}`);
      const path = partitionPath(names, texts);
      assert.match(path, /^(?:n\d=[\w.%~-]+)(?:\/n\d=[\w.%~-]+)*$/);
      assert.ok(path.split("/").every((step) => step.length < 200));
      const values = Object.values(partitionValues(path));
      for (const [i, value] of values.entries()) {
        if (path.split("/")[i].includes("~")) assert.ok(texts[i]!.length > 40, "only long texts are cut");
        else assert.equal(value, texts[i] === "" ? null : texts[i]?.toWellFormed() ?? null);
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
  assert.notEqual(partitionPath(["n"], ["x".repeat(500)]), partitionPath(["n"], ["x".repeat(501)]), "cut texts are told apart");
});

Deno.test("settings that do not go together are faults with a hint", async () => {
  const faults = async (settings: string) => await faultsOf(sinkToml(settings));
  assert.match(await faults(`type = "csv"\npublish = "one_file"\npartition_by = ["id"]`), /one file has no partitions/);
  assert.match(await faults(`${NDJSON}partition_by = { r = "ratio" }`), /folders cannot be named after a double/);
  assert.match(await faults(`${NDJSON}partition_by = { "a b" = "id" }`), /"a b" cannot name folders/);
  assert.match(await faults(`type = "parquet"\npublish = "one_file"`), /publish/);
  const toS3 = (settings: string) => `${SOURCE}[sinks.out]\ninputs = ["in"]\n${settings}\n`;
  assert.match(await faultsOf(toS3(`type = "csv"\npublish = "one_file"\npath = "s3://bucket/x"`)), /an object store takes parts only/);
  assert.match(await faultsOf(toS3(`type = "parquet"\npath = "s3://B/x"`)), /"s3:\/\/B\/x" names no bucket/);
  const store = `[connections.store]\ntype = "s3"\naccess_key_id = "k"\n`;
  assert.match(
    await faultsOf(store + toS3(`type = "parquet"\nconnection = "store"\npath = "s3://bucket"`)),
    /needs a secret_access_key or/,
  );
});
