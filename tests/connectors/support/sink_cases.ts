/** Every exactly-once sink with a way to read what it shows, for the suites that hold for all of them. */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { denoFiles } from "../../../src/platform/files.ts";
import type { Batch } from "../../../src/data/batch.ts";
import type { Sink } from "../../../src/engine/contracts.ts";
import type { World } from "../../../src/ports/mod.ts";
import type { SinkBlueprint } from "../../../src/project/contracts.ts";
import { Machine, Process } from "./memory_world.ts";
import { plan } from "./project.ts";
import { batchOf, readAll } from "./rows.ts";

export interface Stage {
  readonly machine: Machine;
  /** The sink as one process sees it. */
  sink(process: Process): Sink;
  /** What people see, one entry per row; null before anything is shown. */
  read(): Promise<string[] | null>;
  /** The rows of one epoch of one lane. */
  batch(lane: number, epoch: number): Batch | null;
  dispose(): Promise<void>;
}
export interface SinkCase {
  readonly name: string;
  /** Whether its changes of files go through the Files port, so that a test can stop it between any two. */
  readonly storage: "files" | "sqlite";
  stage(): Promise<Stage>;
}

const HEAD = `[sources.in]
type = "csv"
path = "x"
fields = { id = "int", amount = "decimal(2)", name = "string?" }
[sinks.out]
inputs = ["in"]
`;

/** Ids rise within a lane and jump between epochs, so that epochs and lanes overlap; every third epoch of a lane is empty. */
export function rowsOf(lane: number, epoch: number): unknown[][] {
  if ((epoch + lane) % 3 === 0) return [];
  return Array.from({ length: 4 }, (_, i) => {
    const id = lane * 7 + ((epoch * 5 + i * 11) % 40);
    return [id, id * 25 - 100, id % 4 === 0 ? null : `n${id},"${epoch}"`];
  });
}

function batchFor({ input }: SinkBlueprint, lane: number, epoch: number): Batch | null {
  const rows = rowsOf(lane, epoch);
  return rows.length === 0 ? null : batchOf(input, rows, 100 * epoch + lane);
}

function fileCase(name: string, settings: string, read: (machine: Machine) => string[] | null): SinkCase {
  const planned = once(async () => (await plan(HEAD + settings)).sinks.find((sink) => sink.name === "out")!);
  return {
    name,
    storage: "files",
    async stage() {
      const blueprint = await planned();
      const machine = new Machine();
      return {
        machine,
        sink: (process) => blueprint.plan.create(process.world()),
        read: () => Promise.resolve(read(machine)),
        batch: (lane, epoch) => batchFor(blueprint, lane, epoch),
        dispose: () => Promise.resolve(),
      };
    },
  };
}

const linesOf = (text: string | null): string[] | null => text === null ? null : text.split("\n");

/** What readers of a lake see: its files and its manifest. Names carry the run, which is not part of what is shown. */
function shownFiles(machine: Machine): string[] {
  const withoutRun = (text: string) => text.replaceAll(/p\.out\.r\d\./g, "p.out.").replace(/"run":"r\d"/, "");
  return machine.paths("out/").filter((path) => !path.endsWith(".tmp")).flatMap((path) => {
    // The sums are those of the same bytes, and say which.
    if (path.endsWith(".parquet")) return [withoutRun(path), createHash("sha256").update(machine.files.get(path)!).digest("hex")];
    return [withoutRun(path), ...withoutRun(machine.text(path)!).split("\n")];
  });
}

const logPlans = once(async () => {
  const topic = `[connections.bus]\ntype = "log"\npath = "log"\n`;
  const blueprint = (await plan(`${topic}${HEAD}connection = "bus"\ntopic = "t"\nkey = "id"\ncreate = { partitions = 2 }\n`)).sinks
    .find((sink) => sink.name === "out")!;
  const source = (await plan(
    `${topic}[sources.in]\nconnection = "bus"\ntopic = "t"\nfields = { id = "int", amount = "decimal(2)", name = "string?" }\n[sinks.out]\ntype = "console"\ninputs = ["in"]\n`,
  )).sources[0];
  return { blueprint, source };
});

const logCase: SinkCase = {
  name: "log",
  storage: "files",
  async stage() {
    const { blueprint, source } = await logPlans();
    const machine = new Machine();
    return {
      machine,
      sink: (process) => blueprint.plan.create(process.world()),
      async read() {
        if (!machine.files.has("log/t/topic.json")) return null;
        const opened = source.plan.create(new Process(machine).world(), new Set(["id", "amount", "name"]));
        const rows: string[] = [];
        for (let partition = 0; partition < await opened.partitions(); partition++) {
          const reader = await opened.reader(partition);
          const read = await readAll(reader, reader.start, () => ({ rowsMax: 100, bytesMax: 1 << 20 }));
          rows.push(...read.rows.map((row) => `${partition} ${row}`), `${partition} ${read.last}`);
          reader.close();
        }
        return rows;
      },
      batch: (lane, epoch) => batchFor(blueprint, lane, epoch),
      dispose: () => Promise.resolve(),
    };
  },
};

function sqliteCase(settings: string): SinkCase {
  const planned = once(async () => {
    const folder = await Deno.makeTempDir();
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    const path = `${folder}/d.sqlite`;
    const connection = `[connections.db]\ntype = "sqlite"\npath = "${path}"\n`;
    const blueprint = (await plan(`${connection}${HEAD}connection = "db"\ntable = "t"\ncreate = true\n${settings}\n`)).sinks
      .find((sink) => sink.name === "out")!;
    return { path, blueprint };
  });
  return {
    name: `sqlite, ${settings.replaceAll("\n", ", ") || 'mode = "append"'}`,
    storage: "sqlite",
    async stage() {
      const { path, blueprint } = await planned();
      for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
      return {
        machine: new Machine(),
        sink: (process) => blueprint.plan.create({ ...process.world(), files: denoFiles } as World),
        read() {
          const database = new DatabaseSync(path);
          const rows = database.prepare("SELECT id, amount, name FROM t ORDER BY rowid").all().map((row) =>
            JSON.stringify(Object.values(row))
          );
          database.close();
          return Promise.resolve(rows);
        },
        batch: (lane, epoch) => batchFor(blueprint, lane, epoch),
        dispose: () => Promise.resolve(),
      };
    },
  };
}

/** Planning costs more than a whole run of the small epochs here. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => made ??= make();
}

export const SINK_CASES: readonly SinkCase[] = [
  fileCase("csv, one file", `type = "csv"\npath = "out/a.csv"\n`, (machine) => linesOf(machine.text("out/a.csv"))),
  fileCase(
    "csv, one file in order",
    `type = "csv"\npath = "out/a.csv"\norder_by = ["name", "id"]\nline_end = "crlf"\ncolumns = ["name", "id"]\n`,
    (machine) => linesOf(machine.text("out/a.csv")),
  ),
  fileCase(
    "ndjson, one file by position",
    `type = "ndjson"\npath = "out"\norder_by = ["meta.position"]\n`,
    (machine) => linesOf(machine.text("out/p.ndjson")),
  ),
  fileCase("ndjson, parts", `type = "ndjson"\npath = "out"\npublish = "parts"\nroll = { every = "3s" }\n`, shownFiles),
  fileCase(
    "csv, parts in order, by size",
    `type = "csv"\npath = "out"\npublish = "parts"\nroll = { size = "200B", every = "1h" }\norder_by = ["id"]\n`,
    shownFiles,
  ),
  fileCase(
    "ndjson, parts of partitions",
    `type = "ndjson"\npath = "out"\npublish = "parts"\nroll = { every = "4s" }\npartitions_max = 3\npartition_by = { half = "id > 20", name = "name" }\n`,
    shownFiles,
  ),
  fileCase(
    "parquet, parts",
    `type = "parquet"\npath = "out"\nroll = { size = "600B", every = "4s" }\npartition_by = { half = "id > 20" }\n`,
    shownFiles,
  ),
  logCase,
  sqliteCase(""),
  sqliteCase(`mode = "upsert"\nkey = ["id"]`),
  sqliteCase(`mode = "ignore"\nkey = ["id"]`),
  sqliteCase(`mode = "replace"`),
];
