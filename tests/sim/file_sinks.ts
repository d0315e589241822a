/** The real file sinks over the simulated disk: one sorted CSV file at the end, and a folder of rolled NDJSON files. */
import { FileSink } from "../../src/connectors/files/file_sink.ts";
import { encodingOf } from "../../src/connectors/files/format.ts";
import { OneFilePublisher, PartsPublisher } from "../../src/connectors/files/publisher.ts";
import { sortKey } from "../../src/connectors/files/sort_key.ts";
import { INT } from "../../src/data/types.ts";
import type { SinkNode } from "../../src/engine/contracts.ts";
import type { World } from "../../src/ports/mod.ts";
import type { SimDisk } from "../../src/sim/disk.ts";
import { parseCsv } from "./parse_csv.ts";
import { LEDGER_TYPE } from "./operators.ts";
import { hasLocalSinks, type Setup } from "./setup.ts";

const CSV_PATH = "out/ledger.csv";
const PARTS_FOLDER = "out/ledger";

// Compiled once and reused over all seeds: compiling costs more than a run.
const COLUMNS = LEDGER_TYPE.fields.map((field) => field.name);
const CSV = encodingOf(LEDGER_TYPE, { format: "csv", columns: COLUMNS, lineEnd: "lf", decimals: "number" });
const NDJSON = encodingOf(LEDGER_TYPE, { format: "ndjson", columns: COLUMNS, lineEnd: "lf", decimals: "number" });
const BY_POSITION = sortKey([{ type: INT, field: null, uses: new Set(), over: ({ meta }) => (row) => meta.position[row] }]);

/** The sinks as one process sees them. */
export function fileSinks({ files }: World, setup: Setup): SinkNode[] {
  const inputs = [{ from: "ledger", port: "out" }];
  const sorted = new FileSink({
    files,
    stateFolder: "state/sinks/ledger_csv",
    encoder: CSV.encoder,
    key: BY_POSITION,
    publisher: new OneFilePublisher(files, CSV_PATH, CSV.header),
  });
  const rolled = new FileSink({
    files,
    stateFolder: "state/sinks/ledger_parts",
    encoder: NDJSON.encoder,
    key: null,
    publisher: new PartsPublisher(files, PARTS_FOLDER, NDJSON.extension, NDJSON.header, { epochs: setup.rollEpochs, bytes: 2_000 }),
  });
  const sinks = [{ name: "ledger_csv", inputs, sink: sorted }];
  return hasLocalSinks(setup) ? [...sinks, { name: "ledger_parts", inputs, sink: rolled }] : sinks;
}

/** The rows of the published CSV file, in order, each as values in the order of the columns; null when there is no file. */
export function publishedCsv(disk: SimDisk): string[][] | null {
  const bytes = disk.snapshot().get(CSV_PATH);
  if (bytes === undefined) return null;
  const [header, ...rows] = parseCsv(new TextDecoder().decode(bytes));
  return header?.join() === COLUMNS.join() ? rows : null;
}

/** The rows of all rolled files in the order of their names. */
export function publishedParts(disk: SimDisk): string[][] {
  const rows: string[][] = [];
  for (const [path, bytes] of disk.snapshot()) {
    if (!path.startsWith(`${PARTS_FOLDER}/`) || !path.endsWith(".ndjson")) continue;
    for (const line of new TextDecoder().decode(bytes).split("\n").slice(0, -1)) {
      const row = JSON.parse(line);
      rows.push(COLUMNS.map((column) => column === "amount" || column === "balance" ? row[column].toFixed(2) : String(row[column])));
    }
  }
  return rows;
}
