/**
 * A stateful pipeline into one sink, killed by SIGKILL over and over and started again, round by round; after each round independent
 * readers say what stands in the sink. Invariant: a kill counts only where an epoch was open or input unread, which is looked at when it
 * has happened, never reckoned.
 */
import assert from "node:assert/strict";
import { makeTopic, sendWithKafkajs } from "../services/foreign_client.ts";
import { AFTER_THE_LAST_EPOCH, type Death, deaths, killEnvironment, nameOf } from "../services/deaths.ts";
import { kafkaBroker } from "../services/mod.ts";
import { startMillrace } from "../services/processes.ts";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { added, csvOf, expectedRows, judge, messagesOf, NOTHING, PARTITIONS, type Verdict } from "./ledger.ts";
import { freshName, type Place, type Target } from "./target.ts";

const EPOCH_ROWS = 10;
const ROUND_KILLS_MAX = 25;
/** For each kill of a round: about as many as are read before it, so that there is input left. */
const PAYMENTS_A_KILL = 240;
const LIVES_MAX = 80;
/** A life from outside has to come to work first. */
const OUTSIDE_MORE_MS = 250;
/** Where an epoch is open for sure, whatever was read. */
const OPEN_EPOCH = new Set(["batch_processed", "epoch_closed", "intent_written", "sink_delivered", "state_written"]);
const MESSAGES_AT_ONCE = 2000;

export interface Figures {
  readonly sink: string;
  readonly seed: number;
  readonly rounds: number;
  /** Counted ones. */
  readonly kills: number;
  /** Deaths by protocol step, those that were not counted under a name of their own. */
  readonly histogram: ReadonlyMap<string, number>;
  /** By sink of the project, summed over the rounds. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly seconds: number;
}
export interface Wish {
  readonly kills: number;
  readonly seed: number;
  tell(line: string): void;
}

export async function killOverAndOver(target: Target, { kills, seed, tell }: Wish): Promise<Figures> {
  const startedMs = performance.now();
  const next = deaths(seed);
  const histogram = new Map<string, number>();
  const verdicts = new Map<string, Verdict>();
  let counted = 0;
  let rounds = 0;
  for (let idle = 0; counted < kills; rounds++) {
    const before = counted;
    await inTemporaryFolder(async (folder) => {
      const killsMax = Math.min(ROUND_KILLS_MAX, kills - counted);
      const round = await Round.begin(target, folder, histogram, Math.max(2, killsMax) * PAYMENTS_A_KILL);
      try {
        counted += await round.live(next, killsMax);
        for (const [sink, verdict] of await round.verdicts()) verdicts.set(sink, added(verdicts.get(sink) ?? NOTHING, verdict));
      } finally {
        await round.remove();
      }
    });
    tell(`${target.name}: ${counted} of ${kills} kills, ${Math.round((performance.now() - startedMs) / 1000)} s`);
    idle = counted === before ? idle + 1 : 0;
    assert.ok(idle < 3, `${target.name}: three rounds without a counted kill`);
  }
  return { sink: target.name, seed, rounds, kills: counted, histogram, verdicts, seconds: (performance.now() - startedMs) / 1000 };
}

class Round {
  private constructor(
    private readonly target: Target,
    private readonly folder: string,
    private readonly place: Place,
    private readonly histogram: Map<string, number>,
    private readonly payments: number,
  ) {}

  /** Writes the project, and the input into a topic. */
  static async begin(target: Target, folder: string, histogram: Map<string, number>, payments: number): Promise<Round> {
    const place = await target.place(folder);
    const round = new Round(target, folder, place, histogram, payments);
    const { connection, topic } = target.name === "kafka" ? await sendToKafka(payments) : await round.#produce();
    await Deno.writeTextFile(`${folder}/store.toml`, project(connection, topic, place.toml));
    return round;
  }

  /** Lives and deaths until enough were counted, two deaths while results are published, and a last life; gives the counted deaths. */
  async live(next: Generator<Death, never>, killsMax: number): Promise<number> {
    let counted = 0;
    let isOver = false;
    for (let life = 0; !isOver && counted < killsMax; life++) {
      assert.ok(life < LIVES_MAX, `${this.target.name}: ${LIVES_MAX} lives, and only ${counted} counted`);
      const death = next.next().value;
      if (death.kind === "step" && AFTER_THE_LAST_EPOCH.has(death.step)) continue;
      isOver = !(await this.#life(death));
      if (isOver) break;
      const isCounted = await this.#hitSomething(death);
      if (isCounted) counted++;
      this.#note(isCounted ? nameOf(death) : `(not counted: ${nameOf(death)})`);
    }
    for (const step of AFTER_THE_LAST_EPOCH) {
      if (!isOver && await this.#life({ kind: "step", step, count: 1 })) this.#note(`(not counted: ${step})`);
      else isOver = true;
    }
    if (!isOver) assert.equal(await this.#life(null), false, "the last life ends by itself");
    return counted;
  }

  async verdicts(): Promise<ReadonlyMap<string, Verdict>> {
    const found = new Map<string, Verdict>();
    for (const { sink, content, rows } of this.place.shelves) found.set(sink, judge(expectedRows(this.payments, content), await rows()));
    return found;
  }

  remove(): Promise<void> {
    return this.place.remove();
  }

  /** Whether it was killed; else it has done its work. */
  async #life(death: Death | null): Promise<boolean> {
    const env = { ...this.place.env, ...(death ? killEnvironment(death) : {}) };
    const running = startMillrace(this.#words("store"), this.#run([`epoch.records_max=${EPOCH_ROWS}`], env));
    const timer = death?.kind === "outside" ? setTimeout(running.kill, OUTSIDE_MORE_MS + death.afterMs) : undefined;
    const { code, killed, stderr } = await running.ended;
    clearTimeout(timer);
    if (!killed) assert.equal(code, 0, `${this.target.name}: ${stderr}`);
    return killed;
  }

  async #hitSomething(death: Death): Promise<boolean> {
    if (death.kind === "step" && OPEN_EPOCH.has(death.step)) return true;
    return await this.place.visible() < this.payments - this.target.heldBackMax;
  }

  async #produce(): Promise<Input> {
    const { folder } = this;
    const connection = `type = "log"\npath = "${folder}/log"\n`;
    await Deno.writeTextFile(`${folder}/payments-in.csv`, csvOf(this.payments));
    await Deno.writeTextFile(`${folder}/produce.toml`, producer(folder, connection));
    const { code, stderr } = await startMillrace(this.#words("produce"), this.#run()).ended;
    assert.equal(code, 0, stderr);
    return { connection, topic: "payments" };
  }

  #words(pipeline: string): string[] {
    return ["run", `${this.folder}/${pipeline}.toml`, "--quiet", "--set", `state=${this.folder}/state`];
  }

  #run(set: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    return { input: this.folder, output: this.folder, set, env };
  }

  #note(name: string): void {
    this.histogram.set(name, (this.histogram.get(name) ?? 0) + 1);
  }
}

interface Input {
  /** Settings of the connection that the topic is read through. */
  readonly connection: string;
  readonly topic: string;
}

async function sendToKafka(payments: number): Promise<Input> {
  const broker = await kafkaBroker();
  if ("skipped" in broker) throw new Error(broker.skipped);
  const topic = freshName();
  await makeTopic(broker.brokers, topic, PARTITIONS);
  for (let from = 0; from < payments; from += MESSAGES_AT_ONCE) {
    await sendWithKafkajs(broker.brokers, topic, messagesOf(from, Math.min(payments, from + MESSAGES_AT_ONCE)));
  }
  return { connection: `type = "kafka"\nbrokers = "${broker.brokers}"\n`, topic };
}

const FIELDS = `{ id = "int", account = "int", amount = "decimal(2)" }`;

const producer = (folder: string, connection: string): string =>
  `[connections.bus]
${connection}
[sources.file]
type   = "csv"
path   = "${folder}/payments-in.csv"
fields = ${FIELDS}

[sinks.topic]
connection = "bus"
inputs     = ["file"]
topic      = "payments"
key        = "account"
create     = { partitions = ${PARTITIONS} }
`;

interface More {
  /** In front of everything. */
  readonly head: string;
  /** Further settings of the source. */
  readonly source: string;
}
const BOUNDED: More = { head: "", source: 'until      = "end"\n' };

/** Running balances of what stands in a topic. */
export const project = (connection: string, topic: string, sinks: string, more: More = BOUNDED): string =>
  `${more.head}[connections.bus]
${connection}
[sources.payments]
connection = "bus"
topic      = "${topic}"
fields     = ${FIELDS}
key        = "account"
${more.source}
[transforms.balances]
type        = "decide"
inputs      = ["payments"]
key         = "account"
after_rules = { balance = "balance + amount", count = "count + 1" }
emit        = { id = "id", account = "account", amount = "amount", balance = "balance", count = "count" }

[transforms.balances.state]
balance = { as = "decimal(2)", initial = "0.00" }
count   = { as = "int", initial = "0" }

${sinks}`;
