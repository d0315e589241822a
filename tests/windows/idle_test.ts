/** A partition that falls silent: waited for as long as `idle` says by the clock, and then not, until it has something again. */
import assert from "node:assert/strict";
import { buildGraph } from "../../src/app/build_plan.ts";
import { columnOf, makeMeta } from "../../src/data/columns.ts";
import type { PipelinePlan, Polled, Source } from "../../src/engine/contracts.ts";
import { runPipeline } from "../../src/engine/mod.ts";
import type { Clock } from "../../src/ports/mod.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { simWorld } from "../../src/sim/world.ts";
import { blueprintOf } from "./support.ts";

const S = 1_000_000;
const TOML = (late: string, time = 'field = "at"'): string => `
[sources.s]
type   = "ndjson"
path   = "s"
fields = { at = "timestamp", n = "int" }
time   = { ${time}, idle = "200ms", late = "${late}" }
[transforms.w]
type      = "aggregate"
inputs    = ["s"]
window    = { type = "tumbling", size = "5s" }
aggregate = { rows = "count()", total = "sum(n)" }
[sinks.out]
type   = "console"
inputs = ["w"]
[sinks.late]
type   = "console"
inputs = ["${late === "record" ? "s.late" : "w.late"}"]
`;

/** A row, and from which time of the clock on it is there. */
interface Timed {
  readonly fromMs: number;
  readonly at: number;
  readonly n: number;
}

/** Gives each row when its time has come; never ends. */
function timedSource(
  partitions: readonly (readonly Timed[])[],
  { schema: { type } }: PipelineBlueprint["sources"][number],
  clock: Clock,
): Source {
  return {
    partitions: () => Promise.resolve(partitions.length),
    identity: () => Promise.resolve(""),
    reader: (partition) =>
      Promise.resolve({
        start: "0",
        close: () => {},
        poll(from): Promise<Polled> {
          const row = partitions[partition][Number(from)];
          if (row === undefined || clock.monotonicMs() < row.fromMs) return Promise.resolve({ kind: "idle", retryAfterMs: 10 });
          const columns = [columnOf(type.fields[0].type, [row.at]), columnOf(type.fields[1].type, [row.n])];
          const batch = { rows: 1, type, columns, meta: makeMeta("s", partition, Float64Array.of(Number(from))) };
          return Promise.resolve({ kind: "batch", batch, rejected: [], read: 1, next: String(Number(from) + 1) });
        },
      }),
  };
}

interface Outcome {
  /** Start of the window in seconds, rows, total, and the clock when the row was delivered. */
  readonly windows: readonly string[];
  readonly late: readonly number[];
  readonly deliveredMs: readonly number[];
}

async function run(
  late: "window" | "record",
  partitions: readonly (readonly Timed[])[],
  forMs: number,
  time?: string,
): Promise<Outcome> {
  const blueprint = await blueprintOf(TOML(late, time));
  const [table, lateTable] = [new SimSqlTable(), new SimSqlTable()];
  const deliveredMs: number[] = [];
  const world = simWorld(7);
  const booted = world.boot("p");
  const { clock } = booted.world;
  const { operators, times } = buildGraph(blueprint);
  const inputsOf = (name: string) => blueprint.sinks.find((sink) => sink.name === name)!.inputs;
  const startedMs = clock.monotonicMs();
  const shifted = partitions.map((rows) => rows.map((row) => ({ ...row, fromMs: row.fromMs + startedMs })));
  const plan: PipelinePlan = {
    pipeline: "idle",
    hash: "h",
    sources: [{ name: "s", type: blueprint.sources[0].schema.type, source: timedSource(shifted, blueprint.sources[0], clock), rank: 0 }],
    operators,
    times,
    sinks: [
      { name: "windows", inputs: inputsOf("out"), sink: simSqlSink(booted.process, "windows", table) },
      { name: "late", inputs: inputsOf("late"), sink: simSqlSink(booted.process, "late", lateTable) },
    ],
    epoch: { everyMs: 10, recordsMax: 100, bytesMax: 1 << 20 },
    lanesByPartition: false,
  };
  const abort = new AbortController();
  const watch = async (): Promise<void> => {
    while (clock.monotonicMs() < startedMs + forMs) {
      while (deliveredMs.length < table.rows.length) deliveredMs.push(clock.monotonicMs() - startedMs);
      await clock.sleep(5);
    }
    abort.abort();
  };
  const kv = await world.run(booted.world.openKv("kv"));
  await world.run(Promise.all([watch(), runPipeline({ world: booted.world, plan, kv, run: "r", signal: abort.signal })]));
  return {
    windows: table.rows.map(({ values: [start, , rows, total] }) => `${Number(start) / S}: ${rows} ${total}`),
    late: lateTable.rows.map(({ values }) => values[1] as number),
    deliveredMs,
  };
}

const row = (fromMs: number, at: number, n: number): Timed => ({ fromMs, at: at * S, n });

Deno.test("a silent partition holds windows back for `idle`, then they close without it", async () => {
  const { windows, deliveredMs } = await run("window", [[row(0, 1, 1), row(0, 12, 2)], []], 1000);
  assert.deepEqual(windows, ["0: 1 1"]);
  assert.ok(deliveredMs[0] >= 200 && deliveredMs[0] < 400, `${deliveredMs[0]} ms`);
});

Deno.test("a partition with records is waited for, however slowly they come", async () => {
  const slow = Array.from({ length: 8 }, (_, i) => row(i * 150, 1, 1));
  const { windows } = await run("window", [[row(0, 12, 2)], slow], 1100);
  assert.deepEqual(windows, []);
});

Deno.test("what a partition brings when it comes back is late where the others went on", async () => {
  const partitions = [[row(0, 1, 1), row(0, 12, 2), row(700, 20, 3)], [row(600, 3, 10), row(650, 11, 20)]];
  const judged = await run("window", partitions, 1500);
  assert.deepEqual(judged, { ...judged, windows: ["0: 1 1", "10: 2 22"], late: [10] });
  const own = await run("record", partitions, 1500);
  assert.deepEqual(own, { ...own, windows: ["0: 1 1", "10: 1 2"], late: [10, 20] });
});

Deno.test("where all partitions are silent nothing closes by itself", async () => {
  const { windows } = await run("window", [[row(0, 1, 1)], [row(0, 4, 2)]], 1500);
  assert.deepEqual(windows, []);
});

Deno.test("a window by the clock leaves at its end though nothing comes, once, and none follows it", async () => {
  const startMs = 1_000; // Some window border of the simulated clock lies within five seconds of any start.
  const { windows, deliveredMs } = await run("window", [[row(startMs, 0, 1), row(startMs + 1, 0, 2)]], 17_000, 'clock = "arrival"');
  assert.equal(windows.length, 1);
  assert.match(windows[0], /: 2 3$/);
  const endMs = (Number(windows[0].split(":")[0]) + 5) * 1000;
  assert.ok(deliveredMs[0] > startMs && deliveredMs[0] < startMs + 5_100, `delivered after ${deliveredMs[0]} ms, window end ${endMs}`);
});
