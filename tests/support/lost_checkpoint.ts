/**
 * What happens to a pipeline whose checkpoint was lost, or brought back from an older copy, whatever its sink is: the start is refused,
 * nothing is written, and each of the choices that it names does what it says.
 */
import assert from "node:assert/strict";
import { choosePipelines, openProject } from "../../src/app/open_project.ts";
import { runProject } from "../../src/app/run_project.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { denoWorld } from "../../src/platform/world.ts";

export const ROWS = 40;
const EPOCH_ROWS = 5;

export interface LosingSink {
  /** A [connections.target], where the sink needs one. `{folder}` stands for a folder of the test's own. */
  readonly connection?: string;
  /** The settings of the sink, which reads `inputs`; likewise. */
  readonly sink: string;
  /** What is there before the first run. */
  readonly beforeFirst?: (folder: string) => Promise<void>;
  /** The ids that readers find, in any order. */
  ids(folder: string): Promise<readonly number[]>;
  /** What the run after --rerun leaves there, where the one before had come to half of the rows. */
  readonly anew: "once" | "half twice" | "refused";
}
interface Ended {
  readonly status: "done" | "stopped" | "refused";
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const quiet = { out: () => {}, err: () => {}, isTerminal: false, colors: false, width: 80 };
const IDS = Array.from({ length: ROWS }, (_, i) => i + 1);
const filled = (text: string, folder: string): string => text.replaceAll("{folder}", folder);
const sorted = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);

class Project {
  private constructor(readonly folder: string, private readonly sink: LosingSink) {}

  static async make(sink: LosingSink): Promise<Project> {
    const folder = await Deno.makeTempDir({ prefix: "millrace-lost-" });
    await Deno.writeTextFile(`${folder}/payments.csv`, "id,amount\n" + IDS.map((id) => `${id},${id}.25\n`).join(""));
    const text = `state = "{folder}/state"
${sink.connection ?? ""}
[epoch]
records_max = ${EPOCH_ROWS}

[sources.payments]
type   = "csv"
path   = "{folder}/payments.csv"
fields = { id = "int", amount = "decimal(2)" }

[sinks.out]
inputs = ["payments"]
${sink.sink}`;
    await Deno.writeTextFile(`${folder}/pay.toml`, filled(text, folder));
    await sink.beforeFirst?.(folder);
    return new Project(folder, sink);
  }

  get #checkpoint(): string {
    return `${this.folder}/state/pay/checkpoint.kv`;
  }

  ids(): Promise<readonly number[]> {
    return this.sink.ids(this.folder);
  }

  /** Runs to the end, or until so many epochs more are complete. */
  async run({ epochs = Infinity, rerun = false }: { readonly epochs?: number; readonly rerun?: boolean } = {}): Promise<Ended> {
    const stop = new AbortController();
    const plain = denoWorld({ terminal: quiet, log: { level: "error", format: "text" } });
    let flips = 0;
    const step = (name: string): void => {
      if (name === "head_flipped" && ++flips >= epochs) stop.abort();
    };
    const world = { ...plain, probe: { ...plain.probe, step } };
    const events = { started() {}, progress() {}, finished() {}, notice() {} };
    try {
      const project = await openProject(world, { path: `${this.folder}/pay.toml`, overrides: new Map() });
      const [outcome] = await runProject(project, choosePipelines(project, []), { world, signal: stop.signal, rerun, events });
      return { status: outcome.status === "stopped" ? "stopped" : "done", code: "", message: "", hint: "" };
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      return { status: "refused", code: error.code, message: error.message, hint: error.hint ?? "" };
    }
  }

  async lose(): Promise<void> {
    for (const end of ["", "-wal", "-shm"]) await Deno.remove(this.#checkpoint + end).catch(() => {});
  }
  async copyTo(name: string): Promise<void> {
    await Deno.mkdir(`${this.folder}/${name}`);
    for (const end of ["", "-wal", "-shm"]) await Deno.copyFile(this.#checkpoint + end, `${this.folder}/${name}/kv${end}`).catch(() => {});
  }
  async bringBack(name: string): Promise<void> {
    await this.lose();
    for (const end of ["", "-wal", "-shm"]) await Deno.copyFile(`${this.folder}/${name}/kv${end}`, this.#checkpoint + end).catch(() => {});
  }

  remove(): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

async function withProject(sink: LosingSink, body: (project: Project) => Promise<void>): Promise<void> {
  const project = await Project.make(sink);
  try {
    await body(project);
  } finally {
    await project.remove();
  }
}

async function refused(project: Project, code: string): Promise<void> {
  const before = await project.ids();
  const start = await project.run();
  assert.equal(start.code, code, `${start.status}: ${start.message}`);
  assert.match(start.message, /^sink "out" holds .*Nothing was written$/);
  assert.match(start.hint, /^\(1\) bring back the state folder .* or \(2\) start over with --rerun/);
  assert.deepEqual(await project.ids(), before, "nothing was written");
}

/** Begun anew: what the error said would become of the earlier rows is what becomes of them. */
async function startsOver(project: Project, { anew }: LosingSink, half: readonly number[]): Promise<void> {
  const { hint } = await project.run();
  const again = await project.run({ rerun: true });
  if (anew === "refused") {
    assert.match(hint, /refuses that as long as the earlier run's rows are there/);
    assert.equal(again.code, "rerun_append");
    return assert.deepEqual(await project.ids(), half);
  }
  assert.deepEqual([again.status, again.code], ["done", ""], again.message);
  assert.match(hint, anew === "once" ? /is replaced by the new run's|are written over/ : /its readers meet the records twice/);
  assert.deepEqual(sorted(await project.ids()), sorted(anew === "once" ? IDS : [...IDS, ...half]));
}

/** `sink` is asked for each of several projects: what stands at a server is to be another place each time. */
export async function checkpointIsLost(sink: () => LosingSink | Promise<LosingSink>): Promise<void> {
  const told = await sink();
  await withProject(told, async (project) => {
    assert.equal((await project.run({ epochs: 4 })).status, "stopped");
    const half = await project.ids();
    await project.copyTo("backup");
    await project.lose();
    await refused(project, "checkpoint_lost");
    // The refused start left a checkpoint of its own, which knows no more than none.
    await refused(project, "checkpoint_lost");
    await project.bringBack("backup");
    assert.equal((await project.run()).status, "done");
    assert.deepEqual(sorted(await project.ids()), IDS, `behind ${half.length} rows`);
  });
  const lostAgain = await sink();
  await withProject(lostAgain, async (project) => {
    await project.run({ epochs: 4 });
    const half = await project.ids();
    await project.lose();
    await startsOver(project, lostAgain, half);
    if (lostAgain.anew !== "refused") assert.equal((await project.run()).status, "done", "the new run is the checkpoint's own");
  });
}

export async function checkpointIsOld(sink: () => LosingSink | Promise<LosingSink>): Promise<void> {
  const told = await sink();
  await withProject(told, async (project) => {
    await project.run({ epochs: 2 });
    await project.copyTo("old");
    await project.run({ epochs: 2 });
    await project.copyTo("newest");
    const half = await project.ids();
    await project.bringBack("old");
    await refused(project, "marker_mismatch");
    await project.bringBack("newest");
    assert.equal((await project.run()).status, "done");
    assert.deepEqual(sorted(await project.ids()), IDS, `behind ${half.length} rows`);
  });
  const rerun = await sink();
  await withProject(rerun, async (project) => {
    await project.run({ epochs: 2 });
    await project.copyTo("old");
    await project.run({ epochs: 2 });
    const half = await project.ids();
    await project.bringBack("old");
    await startsOver(project, rerun, half);
    if (rerun.anew === "refused") return;
    // An even older copy, of the run before the one that the sink now holds.
    await project.bringBack("old");
    const older = await project.run();
    assert.equal(older.status, "refused", "a copy of an earlier run");
    assert.ok(["marker_mismatch", "checkpoint_lost", "topic_lost"].includes(older.code), older.code);
  });
}
