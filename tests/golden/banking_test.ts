/** config/banking with the binary alone: an embedded log, SQLite and files; what is stored is what was made. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { inTemporaryFolder, projectRoot } from "./command_line.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
async function millrace(output: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${projectRoot()}/src/main.ts`, ...words],
    cwd: projectRoot(),
    env: { BANKING_OUTPUT: output, NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
async function done(output: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await millrace(output, words, env);
  assert.equal(code, 0, stderr);
  return stdout;
}
const SAME = [
  "--set",
  "params.seed=7",
  "--set",
  "params.start=2026-02-21T12:34:56Z",
  "--set",
  "params.rate=max",
  "--set",
  "params.count=300",
];
const HEADER = "transaction_id,timestamp,user_id,merchant,category,amount,currency,location,status";

Deno.test("B-3: seed, start and rate decide every byte of the topic, and any number of partitions stores the same rows", async () => {
  const stored = async (partitions: number): Promise<readonly unknown[]> =>
    await inTemporaryFolder(async (output) => {
      const words = ["run", "config/banking", "produce", "store", "--quiet", ...SAME, "--set", "params.until=end"];
      await done(output, [...words, "--set", `params.partitions=${partitions}`]);
      using database = new DatabaseSync(`${output}/bank.sqlite`);
      return database.prepare("SELECT transaction_id, timestamp, user_id, amount FROM raw_transactions ORDER BY transaction_id").all();
    });
  const one = await stored(1);
  assert.equal(one.length, 300);
  assert.deepEqual(await stored(1), one);
  assert.deepEqual(await stored(3), one);
});

Deno.test("B-19: the payments as CSV, with nine columns, a header and quotes only where needed, and from a file without any topic", async () => {
  await inTemporaryFolder(async (output) => {
    await done(output, ["produce", "-c", "config/banking", "--quiet", ...SAME]);
    await done(output, ["batch", "export", "-c", "config/banking", "--quiet"]);
    const text = Deno.readTextFileSync(`${output}/raw_transactions.csv`);
    const [header, ...lines] = text.trimEnd().split("\n");
    assert.equal(header, HEADER);
    assert.equal(lines.length, 300);
    const form = /^[0-9a-f-]{36},2026-02-21T12:34:56(\.\d+)?Z,\d{4},[A-Z][a-z]+,[A-Z][a-z]+,\d+\.\d\d,GBP,[A-Z][a-z]+,[a-z]+$/;
    for (const line of lines) assert.match(line, form);
    const odd =
      '{"transaction_id":"x","timestamp":"2026-02-21T12:34:56","user_id":1,"merchant":"M, \\"N\\"","category":"","amount":1,"currency":"GBP","location":"L","status":"s"}\n';
    await Deno.writeTextFile(`${output}/payments.ndjson`, odd + "garbage\n");
    const fields = HEADER.split(",").map((name) =>
      `${name} = ${
        name === "amount"
          ? '"decimal(2)"'
          : name === "user_id"
          ? '"int"'
          : name === "timestamp"
          ? '{ type = "timestamp", zone = "UTC" }'
          : '"string"'
      }`
    );
    const project = `[sources.payments]\ntype = "ndjson"\npath = "${output}/payments.ndjson"\nfields = { ${fields.join(", ")} }\n
[sinks.file]\ntype = "csv"\ninputs = ["payments"]\npath = "${output}/from-file.csv"\npublish = "one_file"\n`;
    await Deno.writeTextFile(`${output}/project.toml`, project);
    await done(output, ["run", `${output}/project.toml`, "--quiet", "--set", `state=${output}/state`]);
    assert.equal(
      Deno.readTextFileSync(`${output}/from-file.csv`),
      `${HEADER}\nx,2026-02-21T12:34:56Z,1,"M, ""N""",,1.00,GBP,L,s\n`,
    );
  });
});

Deno.test("B-20: what was read is what was stored, repeated and rejected", async () => {
  await inTemporaryFolder(async (output) => {
    await done(output, ["produce", "-c", "config/banking", "--quiet", ...SAME]);
    await done(output, ["produce", "-c", "config/banking", "--quiet", "--rerun", ...SAME]);
    const said = await done(output, ["stream", "-c", "config/banking", "--quiet", "--json", "--set", "params.until=end"]);
    const [{ records, rejected, counters }] = JSON.parse(said);
    using database = new DatabaseSync(`${output}/bank.sqlite`);
    const { stored } = database.prepare("SELECT count(*) AS stored FROM raw_transactions").get() as { stored: number };
    assert.equal(records, stored + counters.once.duplicates + rejected);
    assert.equal(stored, 300);
  });
});

Deno.test("an endless producer and stream stop at SIGINT within seconds, and the next start goes on", async () => {
  await inTemporaryFolder(async (output) => {
    const stored = (): number => {
      try {
        using database = new DatabaseSync(`${output}/bank.sqlite`, { readOnly: true });
        return Number(database.prepare("SELECT count(*) AS n FROM raw_transactions").get()!.n);
      } catch {
        return 0; // Not there yet, or being written.
      }
    };
    const run = async (signal: Deno.Signal) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          `${projectRoot()}/src/main.ts`,
          "run",
          "config/banking",
          "produce",
          "store",
          "--quiet",
          "--set",
          "params.rate=200/s",
        ],
        cwd: projectRoot(),
        env: { BANKING_OUTPUT: output, NO_COLOR: "1" },
        stdout: "null",
        stderr: "null",
      }).spawn();
      const wished = stored() + 100;
      while (stored() < wished) await new Promise((resolve) => setTimeout(resolve, 200));
      const asked = performance.now();
      child.kill(signal);
      const { code } = await child.status;
      assert.ok(performance.now() - asked < 10_000);
      return code;
    };
    assert.equal(await run("SIGTERM"), 0);
    assert.equal(await run("SIGINT"), 130);
    using database = new DatabaseSync(`${output}/bank.sqlite`);
    const row = database.prepare(
      "SELECT count(*) AS count, max(source_offset) AS last, count(DISTINCT transaction_id) AS ids FROM raw_transactions",
    ).get();
    const { count, last, ids } = row as { count: number; last: number; ids: number };
    assert.ok(count >= 200, `${count} are stored`);
    assert.deepEqual([ids, last], [count, count - 1], "no gap and no repeat over the restart");
  });
});
