/**
 * The lake as its readers see it: Parquet files read by DuckDB and pyarrow; a stream into a folder and into an object store, killed
 * by SIGKILL again and again while readers look at it over and over.
 */
import assert from "node:assert/strict";
import type { ProtocolStep } from "../../src/ports/probe.ts";
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import { inTemporaryFolder, projectRoot } from "../golden/command_line.ts";
import { installReaders, lackingReaders, readParquet, watchLake } from "./lake/readers.ts";
import { lackingS3, type S3Server, s3Server } from "./s3_server.ts";

const SEED = 20260606;
const ROWS = 3000;
const EPOCH_ROWS = 40;
const KILLS_WANTED = 15;
const LIVES_MAX = 90;
const ROUNDS_MAX = 30;
const STEPS: readonly ProtocolStep[] = [
  "fenced",
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "head_flipped",
  "finishing",
];

/** A test with its readers installed, or one that says by name why there are none. */
async function withReaders(name: string, body: (test: Deno.TestContext) => Promise<void>, lacking: string | null = null): Promise<void> {
  const reason = lacking ?? await lackingReaders();
  if (reason !== null) return Deno.test(`SKIPPED (${reason}): ${name}`, () => {});
  Deno.test(name, async (test) => {
    await installReaders();
    await body(test);
  });
}

interface Ended {
  readonly code: number;
  readonly killed: boolean;
  readonly output: string;
}
function start(folder: string, env: Readonly<Record<string, string>>) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${projectRoot()}/src/main.ts`, "run", "lake.toml", "--quiet"],
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = child.output().then(({ code, signal, stdout, stderr }): Ended => {
    const text = new TextDecoder();
    return { code, killed: signal === "SIGKILL", output: text.decode(stdout) + text.decode(stderr) };
  });
  return { child, ended };
}

const TYPES_TOML = `[sources.made]
type   = "ndjson"
path   = "made.ndjson"
fields = { i = "int", d0 = "decimal(0)?", d2 = "decimal(2)", d15 = "decimal(15)?", x = "double?", b = "bool?", t = "timestamp?", day = "date?", s = "string?", j = "json?", l = "list<int>?", m = "map<string, decimal(2)>?" }

[sinks.lake]
type        = "parquet"
inputs      = ["made"]
path        = "lake"
compression = "\${COMPRESSION}"
`;
const TYPES_ROWS = [
  `{"i":9007199254740991,"d0":-9007199254740991,"d2":90071992547409.91,"d15":9.007199254740991,"x":1.7976931348623157e308,"b":true,"t":"2255-01-01T00:00:00.000001Z","day":"9999-12-31","s":"","j":{"a":[1,"ü"]},"l":[1,-2],"m":{"k":1.50}}`,
  `{"i":-9007199254740991,"d0":9007199254740991,"d2":-90071992547409.91,"d15":-9.007199254740991,"x":-5e-324,"b":false,"t":"1685-01-01T00:00:00.999999Z","day":"0001-01-01","s":"\\ud83d\\ude00 \\"q\\" \\u0000","j":[],"l":[],"m":{}}`,
  `{"i":0,"d0":null,"d2":-0.01,"d15":null,"x":null,"b":null,"t":null,"day":null,"s":null,"j":null,"l":null,"m":null}`,
  `{"i":-1,"d0":0,"d2":0.00,"d15":0.000000000000001,"x":0.1,"b":true,"t":"1970-01-01T00:00:00Z","day":"1970-01-01","s":"plain","j":"text","l":[0],"m":{"":-0.01}}`,
];
/** As Python prints them; the same for both readers. */
const TYPES_READ = [
  [
    9007199254740991,
    "-9007199254740991",
    "90071992547409.91",
    "9.007199254740991",
    "1.7976931348623157e+308",
    true,
    Date.parse("2255-01-01T00:00:00Z") * 1000 + 1,
    "9999-12-31",
    "",
    '{"a":[1,"ü"]}',
    "[1,-2]",
    '{"k":1.50}',
  ],
  [
    -9007199254740991,
    "9007199254740991",
    "-90071992547409.91",
    "-9.007199254740991",
    "-5e-324",
    false,
    Date.parse("1685-01-01T00:00:00.999Z") * 1000 + 999,
    "0001-01-01",
    '😀 "q" \0',
    "[]",
    "[]",
    "{}",
  ],
  [0, null, "-0.01", null, null, null, null, null, null, null, null, null],
  [-1, "0", "0.00", "1E-15", "0.1", true, 0, "1970-01-01", "plain", '"text"', "[0]", '{"":-0.01}'],
];

await withReaders("DuckDB and pyarrow read every type with its extremes and nulls, whatever the compression", async (test) => {
  for (const compression of ["zstd", "snappy", "none"]) {
    await test.step(compression, () =>
      inTemporaryFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/lake.toml`, TYPES_TOML);
        Deno.writeTextFileSync(`${folder}/made.ndjson`, TYPES_ROWS.join("\n") + "\n");
        const { code, output } = await start(folder, { COMPRESSION: compression }).ended;
        assert.equal(code, 0, output);
        const [name] = [...Deno.readDirSync(`${folder}/lake`)].map((entry) => entry.name).filter((each) => each.endsWith(".parquet"));
        const { duckdb, arrow } = await readParquet(`${folder}/lake/${name}`);
        assert.deepEqual(duckdb.rows, TYPES_READ);
        assert.deepEqual(arrow.rows, TYPES_READ);
        const decimals = ["DECIMAL(18,0)", "DECIMAL(18,2)", "DECIMAL(18,15)"];
        assert.deepEqual(duckdb.types.slice(0, 9), [
          "BIGINT",
          ...decimals,
          "DOUBLE",
          "BOOLEAN",
          "TIMESTAMP WITH TIME ZONE",
          "DATE",
          "VARCHAR",
        ]);
        assert.deepEqual(arrow.types.slice(1, 8), [
          "decimal128(18, 0)",
          "decimal128(18, 2)",
          "decimal128(18, 15)",
          "double",
          "bool",
          "timestamp[us, tz=UTC]",
          "date32[day]",
        ]);
      }));
  }
});

const STREAM_TOML = `[epoch]
records_max = ${EPOCH_ROWS}

[connections.store]
type              = "s3"
endpoint          = "\${LAKE_ENDPOINT:-http://127.0.0.1:1}"
access_key_id     = "\${LAKE_KEY:-none}"
secret_access_key = "\${LAKE_SECRET:-none}"

[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", kind = "string", amount = "decimal(2)", day = "date" }

[sinks.lake]
type           = "parquet"
inputs         = ["payments"]
connection     = "store"
path           = "\${LAKE}"
partition_by   = { day = "day", kind = "kind" }
partitions_max = 5
roll           = { size = "3KiB", every = "400ms" }
`;
const KINDS = ["buy", "sell/2", "a=b", ""];
function paymentsCsv(): string {
  const rows = Array.from({ length: ROWS }, (_, i) => `${i + 1},${KINDS[i % KINDS.length]},${i}.05,2025-01-0${1 + Math.floor(i / 1000)}`);
  return `id,kind,amount,day\n${rows.join("\n")}\n`;
}
const ALL_IDS = Array.from({ length: ROWS }, (_, i) => i + 1);

/** How each life ends: at a named step, or from outside at any moment. */
function* deaths(
  seed: number,
): Generator<{ readonly name: string; readonly env: Record<string, string>; readonly afterMs?: number }, never> {
  const sequence = new SeededSequence(seed, "deaths");
  for (let life = 0;; life++) {
    const step = STEPS[life % STEPS.length];
    if (life % 3 === 2) yield { name: "any moment", env: {}, afterMs: sequence.between(250, 900) };
    else {yield {
        name: step,
        env: { MILLRACE_KILL_AT: `${step}:${step === "fenced" || step === "finishing" ? 1 : sequence.between(1, 12)}` },
      };}
  }
}

/** Rounds of lives until enough were killed while there was something to lose; the lake is watched all the time. */
async function killOverAndOver(
  test: Deno.TestContext,
  seed: number,
  places: (folder: string) => Promise<{ readonly path: string; readonly env: Readonly<Record<string, string>> }>,
): Promise<void> {
  const kills = new Map<string, number>();
  const next = deaths(seed);
  let counted = 0;
  let looks = 0;
  for (let round = 0; counted < KILLS_WANTED; round++) {
    assert.ok(round < ROUNDS_MAX, `only ${counted} kills hit in ${ROUNDS_MAX} rounds`);
    await inTemporaryFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/lake.toml`, STREAM_TOML);
      Deno.writeTextFileSync(`${folder}/payments.csv`, paymentsCsv());
      const { path, env } = await places(folder);
      const watch = watchLake(path.startsWith("s3://") ? path : `${folder}/${path}`, env);
      for (let life = 0;; life++) {
        assert.ok(life < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
        const death = next.next().value;
        const { child, ended } = start(folder, { LAKE: path, ...env, ...death.env });
        const timer = death.afterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), death.afterMs);
        const { code, killed, output } = await ended;
        clearTimeout(timer);
        if (!killed) {
          assert.equal(code, 0, `life ${life}: ${output}`);
          break;
        }
        // A life that was killed before it was done left something unread or a file open, since the next one went on.
        counted++;
        kills.set(death.name, (kills.get(death.name) ?? 0) + 1);
      }
      const seen = await watch.end();
      looks += seen.looks;
      assert.deepEqual(seen.ids, ALL_IDS);
    });
  }
  const shown = [...kills].toSorted().map(([name, count]) => `${name} ${count}`).join(", ");
  // As the name of a step, since a quiet test run drops what tests print.
  await test.step(`${counted} kills (seed ${seed}), ${looks} looks: ${shown}`, () => assert.ok(looks > counted));
}

await withReaders("a stream into a folder, killed: readable at all times, no row twice, none missing", async (test) => {
  await killOverAndOver(test, SEED, () => Promise.resolve({ path: "lake", env: {} }));
});

await withReaders("a stream into an object store, killed: readable at all times, no row twice, none missing", async (test) => {
  const store = await runningStore();
  await killOverAndOver(test, SEED + 1, async () => ({
    path: `s3://${await store.bucket()}`,
    env: { LAKE_ENDPOINT: store.endpoint, LAKE_KEY: store.accessKey, LAKE_SECRET: store.secretKey },
  }));
}, await lackingS3());

async function runningStore(): Promise<S3Server> {
  const store = await s3Server();
  if ("skipped" in store) throw new Error(store.skipped);
  return store;
}
