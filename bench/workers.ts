/**
 * What worker threads bring and cost: running balances from topic to topic, exactly once, as a user runs them, with 1 and 2 workers in
 * turns. Prints for each run: records per second of its whole life (start and stop included) and CPU time of the process per record.
 * Run: `deno run -A bench/workers.ts [RECORDS] [ROUNDS]`; the tests' own broker is started.
 */
import { makeTopic, newTopic, withClient } from "../tests/connectors/kafka/support/kafka_world.ts";
import { inTemporaryFolder, projectRoot } from "../tests/golden/command_line.ts";
import { kafkaBroker } from "../tests/services/mod.ts";

const records = Number(Deno.args[0] ?? 1_000_000);
const rounds = Number(Deno.args[1] ?? 3);
const PARTITIONS = 4;
const CHUNK = 10_000;

const project = (brokers: string, input: string): string =>
  `workers = "\${WORKERS}"
[connections.bus]
type    = "kafka"
brokers = "${brokers}"
[sources.payments]
connection = "bus"
topic      = "${input}"
fields     = { id = "int", account = "int", amount = "decimal(2)", place = "string" }
key        = "account"
[transforms.balances]
type        = "decide"
inputs      = ["payments"]
key         = "account"
after_rules = { balance = "balance + amount" }
emit        = { "..." = true, balance = "balance" }
[transforms.balances.state]
balance = { as = "decimal(2)", initial = "0.00" }
[sinks.out]
connection = "bus"
inputs     = ["balances"]
topic      = "\${OUT}"
key        = "account"
create     = { partitions = ${PARTITIONS} }
[sinks.refused]
connection = "bus"
inputs     = ["*.rejected"]
topic      = "refused"
create     = { partitions = 1 }
`;

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function runOnce(folder: string, workers: number): Promise<Run> {
  const state = `${folder}/state-${crypto.randomUUID()}`;
  const command = ["run", "-A", "--no-check", `${projectRoot()}/src/main.ts`, "run", "balances.toml", "-q", "--set", `state=${state}`];
  const started = performance.now();
  // The shell's own measure of what its child spent, in seconds.
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", 'TIMEFORMAT="%U %S"; time "$@" >&2', "bash", Deno.execPath(), ...command],
    cwd: folder,
    env: { WORKERS: String(workers), OUT: newTopic("balances"), NO_COLOR: "1" },
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(said);
  const [user, system] = said.trimEnd().split("\n").at(-1)!.split(" ").map(Number);
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: user + system };
}

const broker = await kafkaBroker();
if ("skipped" in broker) throw new Error(broker.skipped);
const { brokers } = broker;
await inTemporaryFolder(async (folder) => {
  const input = newTopic("payments");
  await withClient(brokers, async (client) => {
    await makeTopic(client, input, PARTITIONS);
    for (let sent = 0; sent < records; sent += CHUNK) {
      const messages = Array.from({ length: Math.min(CHUNK, records - sent) }, (_, i) => {
        const id = sent + i;
        const account = id * 7919 % 10_000;
        const value = `{"id":${id},"account":${account},"amount":${id % 1000}.25,"place":"${id % 900} Main Street, Springfield"}`;
        return { partition: account % PARTITIONS, key: String(account), value };
      });
      await client.producer.send({ topic: input, acks: -1, messages });
    }
  });
  await Deno.writeTextFile(`${folder}/balances.toml`, project(brokers, input));
  const found = new Map<number, Run[]>([[1, []], [2, []]]);
  for (let round = 0; round < rounds; round++) {
    for (const workers of round % 2 === 0 ? [1, 2] : [2, 1]) {
      const run = await runOnce(folder, workers);
      found.get(workers)!.push(run);
      const rate = Math.round(records / run.seconds);
      console.log(
        `${workers} worker${workers === 1 ? " " : "s"} ${rate} records/s, ${
          (run.cpuSeconds / records * 1e6).toFixed(2)
        } µs of CPU per record`,
      );
    }
  }
  const middle = (workers: number, of: (run: Run) => number): number => {
    const sorted = found.get(workers)!.map(of).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  };
  const ratio = (of: (run: Run) => number): string => (middle(2, of) / middle(1, of)).toFixed(2);
  console.log(`2 workers against 1, medians: time ${ratio((run) => run.seconds)}, CPU ${ratio((run) => run.cpuSeconds)}`);
});
