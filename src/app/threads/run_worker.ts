/**
 * One worker thread: makes the plan itself from the project's files and runs the lanes it is given. Invariant: nothing that there is one
 * of in a pipeline is done here; the checkpoint store is asked through the main thread.
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { PartitionShare, PipelinePlan, ShareListener } from "../../engine/contracts.ts";
import { runPipeline as runEngine } from "../../engine/mod.ts";
import type { EngineObserver, Progress, Replicas } from "../../engine/run_contracts.ts";
import type { Channel, Clock, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { Collector } from "../../observe/collector.ts";
import { GATHER_EVERY_MS } from "../../observe/limits.ts";
import { buildPlan } from "../build_plan.ts";
import { findRunnable, openProject } from "../open_project.ts";
import { snapshotFiles, snapshotKeys } from "../table_snapshots.ts";
import { withRedriven } from "../redrive/redriven_source.ts";
import { reloadTables } from "../tables.ts";
import { collectorOptions } from "../watch/shape.ts";
import { KvClient } from "./kv_over_channel.ts";
import { PROGRESS_EVERY_MS } from "./limits.ts";
import { seldom } from "./seldom.ts";
import { type FaultMessage, faultMessage, faultOf, type FromWorker, type StartMessage, type ToWorker } from "./messages.ts";

/** Serves the thread that started this one; says "ended" or "failed" last. */
export function serveMainThread(channel: Channel, world: World): void {
  const worker = new Worker(channel, world);
  channel.receive((message) => worker.heard(message as ToWorker));
}

class Worker {
  readonly #stop = new AbortController();
  readonly #kv: KvClient;
  readonly #questions: Questions;
  readonly #share: AssignedShare;

  constructor(private readonly channel: Channel, private readonly world: World) {
    this.#kv = new KvClient((id, request) => this.#post({ kind: "kv", id, request }));
    this.#questions = new Questions((message) => this.#post(message));
    this.#share = new AssignedShare(this.#questions, (message) => this.#post(message));
  }

  heard(message: ToWorker): void {
    switch (message.kind) {
      case "start":
        void this.#run(message);
        break;
      case "assigned":
        this.#share.assigned(message.partitions);
        break;
      case "told":
        this.#questions.told(message.id, message.fault);
        break;
      case "kv":
        this.#kv.answered(message.id, message.answer);
        break;
      case "stop":
        this.#stop.abort();
        break;
    }
  }

  async #run(start: StartMessage): Promise<void> {
    try {
      const world = { ...this.world, stopping: this.#stop.signal };
      const blueprint = await this.#blueprint(start, world);
      const snapshots = blueprint.shared ? snapshotKeys(this.#kv) : snapshotFiles(blueprint.stateFolder, world.files);
      await reloadTables(blueprint, start.run, start.tables, snapshots);
      const plan = await withRedriven(buildPlan(blueprint, world), blueprint, start.run, world.files);
      const collector = start.show && new Collector(collectorOptions(blueprint, start.show));
      const gathering = new AbortController();
      if (collector) void this.#tell(collector, world.clock, gathering.signal);
      const result = await runEngine({
        world,
        plan,
        kv: this.#kv,
        run: start.run,
        signal: this.#stop.signal,
        observer: { ...this.#observer(world.clock), spectator: collector },
        ...(start.lanes === "assigned" ? { replicas: this.#replicas() } : { part: { lanes: start.lanes } }),
      });
      gathering.abort();
      if (collector) this.#post({ kind: "gathered", collected: collector.collect() });
      await finished(plan, result.ended ? "ended" : "stopped");
      const { ended, counters, epochs } = result;
      this.#post({ kind: "ended", ended, counters, epochs });
    } catch (error) {
      this.#post({ kind: "failed", fault: faultMessage(error) });
    }
  }

  /** What the lanes did, for those who watch, as long as they run. */
  async #tell(collector: Collector, clock: Clock, signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(GATHER_EVERY_MS, signal);
      if (signal.aborted) return;
      this.#post({ kind: "gathered", collected: collector.collect() });
    }
  }

  async #blueprint({ project, pipeline, hash }: StartMessage, world: World): Promise<PipelineBlueprint> {
    const blueprint = findRunnable(await openProject(world, project), pipeline);
    if (blueprint.hash === hash) return blueprint;
    throw new MillraceError("plan_changed", `the files of pipeline "${pipeline}" were changed while it was being started`, {
      hint: "start it again",
    });
  }

  /** What replicas agree upon is the main thread's affair. */
  #replicas(): Replicas {
    return {
      share: this.#share,
      mayClear: () => Promise.resolve("others have begun"),
      opened: () => Promise.resolve(),
      requireRun: () => this.#questions.ask("require_run"),
    };
  }

  #observer(clock: Clock): EngineObserver {
    return {
      progress: seldom(clock, PROGRESS_EVERY_MS, (progress: Progress) => {
        this.#post({ kind: "progress", progress: { ...progress, positions: progress.positions() } });
      }),
      covered: (source, partition, position) => this.#post({ kind: "covered", source, partition, position }),
    };
  }

  #post(message: FromWorker): void {
    this.channel.post(message);
  }
}

/** What was delivered is seen by readers before the main thread tells them that all of it is there. */
async function finished(plan: PipelinePlan, how: "ended" | "stopped"): Promise<void> {
  try {
    if (how === "ended") { for (const { sink } of plan.sinks) await sink.settle?.(); }
  } finally {
    await Promise.allSettled(plan.sinks.map(({ sink }) => sink.close()));
  }
}

/** What only the main thread can tell. */
export class Questions {
  #asked = 0;
  readonly #open = new Map<number, PromiseWithResolvers<void>>();
  constructor(private readonly post: (message: FromWorker) => void) {}

  async ask(what: "confirmed" | "require_run"): Promise<void> {
    const id = this.#asked++;
    const answer = Promise.withResolvers<void>();
    this.#open.set(id, answer);
    this.post({ kind: "ask", id, what });
    await answer.promise;
  }

  told(id: number, fault: FaultMessage | null): void {
    const answer = this.#open.get(id);
    assert(answer, "an answer is to a question");
    this.#open.delete(id);
    if (fault) answer.reject(faultOf(fault));
    else answer.resolve();
  }
}

/** This worker's part of what the main thread was assigned. */
export class AssignedShare implements PartitionShare {
  #told: ShareListener | null = null;
  #partitions: readonly number[] | null = null;
  constructor(private readonly questions: Questions, private readonly post: (message: FromWorker) => void) {}

  /** The main thread says so. */
  assigned(partitions: readonly number[]): void {
    // What is taken away before the plan was even made has been let go of already.
    const unseen = this.#told ? [] : (this.#partitions ?? []).filter((partition) => !partitions.includes(partition));
    this.#partitions = partitions;
    this.#told?.assigned(partitions);
    for (const partition of unseen) this.post({ kind: "released", partition });
  }

  join(told: ShareListener): void {
    assert(this.#told === null, "a share is joined once");
    this.#told = told;
    // It may have come while the plan was made.
    if (this.#partitions !== null) queueMicrotask(() => told.assigned(this.#partitions!));
  }

  released(partition: number): void {
    this.post({ kind: "released", partition });
  }

  async confirmed(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const stop = (): void => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    if (!signal.aborted) await Promise.race([this.questions.ask("confirmed"), stopped.promise]);
    signal.removeEventListener("abort", stop);
  }

  leave(): Promise<void> {
    return Promise.resolve();
  }
}
