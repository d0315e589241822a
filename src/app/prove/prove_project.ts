/**
 * The proof: a project is run undisturbed, twice, and then killed by SIGKILL and started again until it is done, round by round; what
 * stands in its sinks then must be what stands there undisturbed. Invariant: a round is determined by the seed, the number of records and
 * its own number, so a failure can be had again.
 */
import type { Delivered } from "../../component/component.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import type { Guarantee } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { expect, type Expectation, isExact, judge, type SinkVerdict } from "./compare.ts";
import { deathEnvironment, deaths } from "./deaths.ts";
import { EPOCH_RECORDS, ROUND_KILLS_MAX, ROUND_LIVES_MAX } from "./limits.ts";
import type { InputFile } from "./inputs.ts";
import { ScratchRun, type Subject } from "./scratch_run.ts";

export interface ProofOptions {
  readonly subject: Subject;
  /** Rounds go on until so many kills were counted, or so long. */
  readonly until: { readonly kills: number } | { readonly elapsedMs: number };
  readonly signal: AbortSignal;
  /** What is going on, in a line. */
  tell(line: string): void;
}
export interface Unjudged {
  readonly pipeline: string;
  readonly sink: string;
  readonly reason: string;
  /** "unproved": it should have been. */
  readonly weight: "told" | "unproved";
}
export interface Proof {
  readonly isProved: boolean;
  readonly seed: number;
  readonly records: number;
  readonly rounds: number;
  readonly kills: number;
  /** Kills when nothing was unread and no epoch open. */
  readonly killsNotCounted: number;
  /** Kills by protocol step. */
  readonly steps: Readonly<Record<string, number>>;
  readonly inputs: readonly InputFile[];
  /** Summed over the rounds. */
  readonly sinks: readonly SinkVerdict[];
  readonly unjudged: readonly Unjudged[];
  /** What the pipeline said when it failed after a kill, which it did not do undisturbed; "" where it did not. */
  readonly failedRun: string;
  /** "pipeline.sink.column": its values differ between undisturbed runs. */
  readonly columnsLeftOut: readonly string[];
}

/** Everything in one epoch: nothing is ever recovered, and what comes out rests on no checkpoint. */
const ONE_EPOCH = new Map([["epoch.records_max", "10000000"], ["epoch.every", "1h"]]);
const MANY_EPOCHS = new Map([["epoch.records_max", String(EPOCH_RECORDS)]]);
/** How often a step is passed at most before a death at it; halved with every round in which nobody died. */
const REACH = 8;
/** Rounds in a row without a counted kill that say: there is nothing to kill. */
const IDLE_ROUNDS_MAX = 5;

export async function proveProject(world: World, options: ProofOptions): Promise<Proof> {
  const base = `${temporaryFolder(world)}/millrace-prove-${world.random.uint32().toString(16).padStart(8, "0")}`;
  let keep = false;
  const prover = new Prover(world, options, base);
  try {
    return await prover.prove();
  } catch (error) {
    // There is something to look at.
    keep = error instanceof MillraceError && error.code === "prove_failed_run";
    throw error;
  } finally {
    // Also after a failure: at a server nobody would find it again.
    await prover.leaveServers();
    if (!keep) await world.files.remove(base);
  }
}

const temporaryFolder = ({ environment }: World): string => (environment.get("TMPDIR") ?? "/tmp").replace(/(?<=.)\/+$/, "");
const nameOf = (pipeline: string, sink: string): string => `${pipeline}.${sink}`;

class Prover {
  readonly #expectations = new Map<string, Expectation>();
  readonly #unjudged: Unjudged[] = [];
  readonly #verdicts = new Map<string, SinkVerdict>();
  readonly #steps = new Map<string, number>();
  #kills = 0;
  #notCounted = 0;
  #failedRun = "";
  #inputs: readonly InputFile[] = [];
  /** Those that may have something at servers. */
  readonly #runs = new Set<ScratchRun>();

  constructor(private readonly world: World, private readonly options: ProofOptions, private readonly base: string) {}

  async prove(): Promise<Proof> {
    const { world, options: { until, subject, tell } } = this;
    const startMs = world.clock.monotonicMs();
    const left = (): number => {
      if ("kills" in until) return until.kills - this.#kills;
      return world.clock.monotonicMs() - startMs < until.elapsedMs ? Infinity : 0;
    };
    tell("two undisturbed runs");
    await this.#learn();
    let rounds = 0;
    let idle = 0;
    while (left() > 0 && this.#isExact()) {
      const before = this.#kills;
      await this.#round(rounds++, Math.min(ROUND_KILLS_MAX, left()), Math.max(1, REACH >> idle));
      idle = this.#kills === before ? idle + 1 : 0;
      if (idle === IDLE_ROUNDS_MAX) {
        throw new MillraceError("prove_idle", "the pipeline is done before it can be killed", { hint: "take more records: --records" });
      }
      tell(
        `round ${rounds}: ${this.#kills} kills so far, ${
          this.#isExact() ? "all sinks as they should be" : "a sink is not as it should be"
        }`,
      );
    }
    const sinks = [...this.#verdicts.values()];
    const columnsLeftOut = [...this.#expectations].flatMap(([name, { leftOut }]) => leftOut.map((column) => `${name}.${column}`));
    return {
      isProved: this.#isExact() && sinks.length > 0 && this.#unjudged.every(({ weight }) => weight === "told"),
      seed: subject.seed,
      records: subject.records,
      rounds,
      kills: this.#kills,
      killsNotCounted: this.#notCounted,
      steps: Object.fromEntries([...this.#steps].toSorted(([a], [b]) => a < b ? -1 : 1)),
      inputs: this.#inputs,
      sinks,
      unjudged: this.#unjudged,
      failedRun: this.#failedRun,
      columnsLeftOut,
    };
  }

  /** Removes what failed runs left at servers; what cannot be removed now is told. */
  async leaveServers(): Promise<void> {
    for (const run of this.#runs) {
      try {
        await run.removePlaces();
      } catch (error) {
        this.options.tell(`not removed: ${(error as Error).message}`);
      }
    }
  }

  #isExact(): boolean {
    return this.#failedRun === "" && this.#verdicts.values().every(isExact);
  }

  /** What undisturbed runs deliver: one with a single epoch, and one with as many as the killed runs have. */
  async #learn(): Promise<void> {
    const runs = [this.#undisturbed("one-epoch", ONE_EPOCH), this.#undisturbed("many-epochs", MANY_EPOCHS)];
    // Both have ended before one's failure is told: no process outlives the command.
    await Promise.allSettled(runs);
    const [first, second] = await Promise.all(runs);
    for (const [name, { pipeline, sink, guarantee, delivered }] of first) {
      if (guarantee !== "exactly-once") {
        this.#unjudged.push({ pipeline, sink, reason: `it promises ${guarantee} only`, weight: "told" });
        continue;
      }
      const other = second.get(name)?.delivered;
      if (!delivered || !other) {
        this.#unjudged.push({ pipeline, sink, reason: "what it showed cannot be read back", weight: "told" });
        continue;
      }
      const expectation = expect(delivered, other);
      if (expectation.problem === "") this.#expectations.set(name, expectation);
      else this.#unjudged.push({ pipeline, sink, reason: expectation.problem, weight: "unproved" });
    }
  }

  async #undisturbed(name: string, settings: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, SinkRows>> {
    const run = await this.#prepare(name, settings);
    this.#inputs = run.inputs;
    const end = await run.live({}, this.options.signal);
    if (end === "killed") throw killedFromOutside();
    const rows = await this.#deliveredBy(run);
    await this.#remove(run);
    return rows;
  }

  async #round(round: number, killsMax: number, reach: number): Promise<void> {
    const run = await this.#prepare(`round-${round}`, MANY_EPOCHS);
    const sequence = deaths(this.options.subject.seed, round, reach);
    let kills = 0;
    let end: LifeEnd = "killed";
    for (let life = 0; kills < killsMax && life < ROUND_LIVES_MAX; life++) {
      const death = sequence.next().value;
      end = await this.#live(run, deathEnvironment(death));
      if (end !== "killed") break;
      this.#steps.set(death.step, (this.#steps.get(death.step) ?? 0) + 1);
      if (death.isCounted) kills++;
      else this.#notCounted++;
    }
    this.#kills += kills;
    if (end === "killed") end = await this.#live(run, {});
    if (end === "killed") throw killedFromOutside();
    if (end === "failed") return await this.#remove(run);
    for (const [name, { pipeline, sink, delivered }] of await this.#deliveredBy(run)) {
      const expectation = this.#expectations.get(name);
      if (!expectation) continue;
      assert(delivered, "a sink that was read back before can be read back");
      this.#verdicts.set(name, added(this.#verdicts.get(name), judge({ pipeline, sink }, expectation, delivered)));
    }
    await this.#remove(run);
  }

  async #prepare(name: string, settings: ReadonlyMap<string, string>): Promise<ScratchRun> {
    const run = await ScratchRun.prepare(this.world, this.options.subject, `${this.base}/${name}`, settings);
    this.#runs.add(run);
    await run.makePlaces();
    return run;
  }

  async #remove(run: ScratchRun): Promise<void> {
    await run.remove();
    this.#runs.delete(run);
  }

  /** A run that fails behind a kill, and does not undisturbed, is a finding as much as a lost row. */
  async #live(run: ScratchRun, environment: Readonly<Record<string, string>>): Promise<LifeEnd> {
    try {
      return await run.live(environment, this.options.signal);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== "prove_failed_run") throw error;
      this.#failedRun = error.message;
      return "failed";
    }
  }

  async #deliveredBy(run: ScratchRun): Promise<ReadonlyMap<string, SinkRows>> {
    const found = new Map<string, SinkRows>();
    for (const { name: pipeline, sinks } of run.pipelines) {
      for (const { name: sink, plan } of sinks) {
        const { guarantee } = plan;
        found.set(nameOf(pipeline, sink), { pipeline, sink, guarantee, delivered: await plan.delivered?.(this.world) ?? null });
      }
    }
    return found;
  }
}

type LifeEnd = "killed" | "done" | "failed";
interface SinkRows {
  readonly pipeline: string;
  readonly sink: string;
  readonly guarantee: Guarantee;
  /** null: it cannot be told. */
  readonly delivered: Delivered | null;
}

function killedFromOutside(): MillraceError {
  return new MillraceError("prove_killed", "a run that was not to be killed was killed", {
    hint: "by the system for want of memory, or by another program? take fewer records: --records",
  });
}

function added(before: SinkVerdict | undefined, now: SinkVerdict): SinkVerdict {
  if (!before) return now;
  return {
    pipeline: now.pipeline,
    sink: now.sink,
    expected: before.expected + now.expected,
    found: before.found + now.found,
    lost: before.lost + now.lost,
    doubled: before.doubled + now.doubled,
    unexpected: before.unexpected + now.unexpected,
    reordered: before.reordered + now.reordered,
    examples: [...before.examples, ...now.examples],
  };
}
