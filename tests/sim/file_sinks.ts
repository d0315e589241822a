/** The real file sinks over the simulated disk: one sorted CSV file at the end, and a folder of rolled NDJSON files. */
import { createHash } from "node:crypto";
import { FileSink } from "../../src/connectors/files/file_sink.ts";
import { encodingOf } from "../../src/connectors/files/format.ts";
import { LocalPlace } from "../../src/connectors/files/parts/local_place.ts";
import type { Partitioning } from "../../src/connectors/files/parts/partitioning.ts";
import { PartsSink } from "../../src/connectors/files/parts/parts_sink.ts";
import { textFormat } from "../../src/connectors/files/parts/text_format.ts";
import { OneFilePublisher } from "../../src/connectors/files/publisher.ts";
import { sortKey } from "../../src/connectors/files/sort_key.ts";
import type { NumberColumn } from "../../src/data/batch.ts";
import { BOOL, INT } from "../../src/data/types.ts";
import type { SinkNode } from "../../src/engine/contracts.ts";
import type { World } from "../../src/ports/mod.ts";
import type { SimDisk } from "../../src/sim/disk.ts";
import { parseCsv } from "./parse_csv.ts";
import { LEDGER_TYPE } from "./operators.ts";
import type { Setup } from "./setup.ts";

const CSV_PATH = "out/ledger.csv";
const PARTS_FOLDER = "out/ledger";

// Compiled once and reused over all seeds: compiling costs more than a run.
const COLUMNS = LEDGER_TYPE.fields.map((field) => field.name);
const CSV = encodingOf(LEDGER_TYPE, { format: "csv", columns: COLUMNS, lineEnd: "lf", decimals: "number" });
const NDJSON = encodingOf(LEDGER_TYPE, { format: "ndjson", columns: COLUMNS, lineEnd: "lf", decimals: "number" });
/** Folders by a computed value, so that files of several partitions are open at a time. */
const PARTITIONS: Partitioning = [{
  name: "odd",
  value: {
    type: BOOL,
    field: null,
    uses: new Set(["account"]),
    over: ({ columns }) => {
      const account = columns[COLUMNS.indexOf("account")] as NumberColumn;
      return (row) => account.values[row] % 2 === 1;
    },
  },
}];
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
  // A second one whose own syncs cannot cover for those of the first: most of what can be lost is lost between two of them.
  const plain = new FileSink({
    files,
    stateFolder: "state/sinks/ledger_lines",
    encoder: NDJSON.encoder,
    key: null,
    publisher: new OneFilePublisher(files, "out/ledger.ndjson", NDJSON.header),
  });
  const rolled = new PartsSink({
    files,
    stateFolder: "state/sinks/ledger_parts",
    sink: "ledger_parts",
    place: new LocalPlace(files, PARTS_FOLDER),
    format: textFormat(NDJSON, null),
    partitioning: PARTITIONS,
    roll: { bytes: 2_000, everyMicros: setup.rollMicros, filesMax: 2 },
    spareBytes: 500,
  });
  return [{ name: "ledger_csv", inputs, sink: sorted }, { name: "ledger_lines", inputs, sink: plain }, {
    name: "ledger_parts",
    inputs,
    sink: rolled,
  }];
}

/** The rows of the published CSV file, in order, each as values in the order of the columns; null when there is no file. */
export function publishedCsv(disk: SimDisk): string[][] | null {
  const bytes = disk.snapshot().get(CSV_PATH);
  if (bytes === undefined) return null;
  const [header, ...rows] = parseCsv(new TextDecoder().decode(bytes));
  return header?.join() === COLUMNS.join() ? rows : null;
}

/** The rows of all rolled files that the manifest lists; null where files and manifest do not agree. */
export function publishedParts(disk: SimDisk): string[][] | null {
  const rows: string[][] = [];
  const files = [...disk.snapshot()].filter(([path]) => path.startsWith(`${PARTS_FOLDER}/`));
  const shown = new Map(files.filter(([path]) => path.endsWith(".ndjson") && !path.includes("/_")));
  const entries = files.filter(([path]) => path.startsWith(`${PARTS_FOLDER}/_manifest/`) && path.endsWith(".json"));
  if (entries.length !== shown.size) return null;
  for (const [, entry] of entries) {
    const { file, rows: count, bytes: size, sha256 } = JSON.parse(new TextDecoder().decode(entry));
    const bytes = shown.get(`${PARTS_FOLDER}/${file}`);
    if (bytes?.length !== size || createHash("sha256").update(bytes!).digest("hex") !== sha256) return null;
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    if (lines.length !== count) return null;
    for (const line of lines) {
      const row = JSON.parse(line);
      rows.push(COLUMNS.map((column) => column === "amount" || column === "balance" ? row[column].toFixed(2) : String(row[column])));
    }
  }
  return rows;
}
