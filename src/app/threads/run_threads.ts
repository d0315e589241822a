/**
 * A pipeline whose lanes are spread over worker threads. This thread keeps what there is one of: the checkpoint store's handle, the
 * membership among replicas, the sinks' opening and finish. Invariant: it returns when all workers have come to rest, and with the
 * first fault of any of them.
 */
import { assert } from "../../data/fault.ts";
import type { PipelinePlan } from "../../engine/contracts.ts";
import { countLanes, isUntouched, nothingRead, requireKnownRuns } from "../../engine/mod.ts";
import type { EngineOptions, EngineResult, NodeCounters, Progress } from "../../engine/run_contracts.ts";
import type { Thread, Threads } from "../../ports/mod.ts";
import type { Collected } from "../../observe/collector.ts";
import { KvService } from "./kv_over_channel.ts";
import { faultMessage, faultOf, type FromWorker, type ProgressMessage, type StartMessage, type ToWorker } from "./messages.ts";
import { SpreadShare } from "./spread_share.ts";

export interface ThreadedOptions extends EngineOptions {
  readonly threads: Threads;
  readonly workers: number;
  /** What a worker needs to make the plan itself. */
  readonly start: Pick<StartMessage, "project" | "tables" | "show">;
  /** What a worker's lanes did; workers count from 1 here. */
  gathered?(worker: number, collected: Collected): void;
}
type Ended = FromWorker & { readonly kind: "ended" };

/** As the engine's own `runPipeline`; its lanes' operators stay in their threads. */
export async function runInThreads(options: ThreadedOptions): Promise<EngineResult> {
  const { plan, signal, kv, run, replicas, observer } = options;
  const lanes = await countLanes(plan, signal);
  if (lanes === null) return nothingRead(plan);
  const fresh = replicas ? await replicas.mayClear() === "nobody has begun" : await isUntouched(kv, run, lanes);
  try {
    const opening = { pipeline: plan.pipeline, shownAs: plan.shownAs, run, lanes, fresh, epochMs: plan.epoch.everyMs };
    await requireKnownRuns(options, lanes, []);
    await Promise.all(plan.sinks.map(({ sink }) => sink.open(opening)));
    await replicas?.opened();
    observer?.opened?.();
    return combined(await new ThreadedRun(options, lanes).run());
  } catch (error) {
    await Promise.allSettled(plan.sinks.map(({ sink }) => sink.close()));
    throw error;
  }
}

function combined(ends: readonly Ended[]): EngineResult {
  const counters = new Map<string, NodeCounters>();
  for (const end of ends) for (const [name, one] of end.counters) counters.set(name, added(counters.get(name), one));
  return {
    ended: ends.every(({ ended }) => ended),
    counters,
    lanes: [],
    epochs: ends.reduce((sum, { epochs }) => sum + epochs, 0),
  };
}

function added(sum: NodeCounters | undefined, one: NodeCounters): NodeCounters {
  if (!sum) return one;
  const names = Object.keys(one) as (keyof NodeCounters)[];
  return Object.fromEntries(names.map((name) => [name, sum[name] + one[name]])) as unknown as NodeCounters;
}

class ThreadedRun {
  readonly #threads: Thread[] = [];
  readonly #progress: (ProgressMessage | undefined)[] = [];
  readonly #failed = new AbortController();
  readonly #stop: AbortSignal;
  #fault: { readonly error: unknown } | null = null;
  #share: SpreadShare | null = null;

  constructor(private readonly options: ThreadedOptions, private readonly lanes: number) {
    this.#stop = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  async run(): Promise<readonly Ended[]> {
    const { threads, workers, replicas, plan } = this.options;
    const count = Math.min(workers, this.lanes);
    const source = replicas ? plan.sources.find(({ source, table }) => source.share && !table)?.source : undefined;
    const share = source?.share?.("each");
    try {
      for (let worker = 0; worker < count; worker++) this.#threads.push(threads.start());
      const ends = this.#threads.map((thread, worker) => this.#follow(thread, worker));
      if (share) this.#share = new SpreadShare(share, count, (worker, partitions) => this.#post(worker, { kind: "assigned", partitions }));
      for (let worker = 0; worker < count; worker++) this.#begin(worker, count);
      this.#share?.join((error) => this.#fail(error));
      whenAborted(this.options.signal, () => this.#threads.forEach((_, worker) => this.#post(worker, { kind: "stop" })));
      const ended = await Promise.all(ends);
      if (this.#fault) throw this.#fault.error;
      return ended.filter((end) => end !== null);
    } finally {
      await share?.leave();
      for (const thread of this.#threads) thread.end();
    }
  }

  #begin(worker: number, count: number): void {
    const { start, plan, run, replicas } = this.options;
    const lanes = Array.from({ length: this.lanes }, (_, lane) => lane).filter((lane) => lane % count === worker);
    this.#post(worker, {
      kind: "start",
      ...start,
      pipeline: plan.pipeline,
      hash: plan.hash,
      run,
      lanes: replicas ? "assigned" : lanes,
    });
  }

  /**
   * What a worker came to; null after a fault, its own or another's: then all are ended where they stand, as a crash would, and what
   * they had open is completed at the next start.
   */
  async #follow(thread: Thread, worker: number): Promise<Ended | null> {
    const ended = Promise.withResolvers<Ended | null>();
    whenAborted(this.#failed.signal, () => ended.resolve(null));
    const service = new KvService(this.options.kv);
    thread.receive((message) => this.#heard(worker, message as FromWorker, service, ended));
    try {
      return await Promise.race([ended.promise, thread.died.then((error) => Promise.reject(error))]);
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #heard(worker: number, message: FromWorker, service: KvService, ended: PromiseWithResolvers<Ended | null>): void {
    switch (message.kind) {
      case "kv":
        void service.answer(message.request).then((answer) => this.#post(worker, { kind: "kv", id: message.id, answer }));
        break;
      case "progress":
        this.#progress[worker] = message.progress;
        this.options.observer?.progress?.(joined(this.options.plan, this.#progress));
        break;
      case "gathered":
        this.options.gathered?.(worker + 1, message.collected);
        break;
      case "covered":
        this.#covered(message);
        break;
      case "released":
        this.#share?.released(message.partition);
        break;
      case "ask":
        void this.#tell(worker, message);
        break;
      case "ended":
        ended.resolve(message);
        break;
      case "failed":
        ended.reject(faultOf(message.fault));
        break;
    }
  }

  #covered({ source, partition, position }: FromWorker & { readonly kind: "covered" }): void {
    this.options.plan.sources.find(({ name }) => name === source)?.source.covered?.(partition, position);
  }

  async #tell(worker: number, { id, what }: FromWorker & { readonly kind: "ask" }): Promise<void> {
    const { replicas } = this.options;
    assert(this.#share && replicas, "only replicas ask");
    try {
      await (what === "confirmed" ? this.#share.confirmed(this.#stop) : replicas.requireRun());
      this.#post(worker, { kind: "told", id, fault: null });
    } catch (error) {
      this.#post(worker, { kind: "told", id, fault: faultMessage(error) });
    }
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
    this.#failed.abort();
  }

  #post(worker: number, message: ToWorker): void {
    this.#threads[worker].post(message);
  }
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

/** Positions of all partitions, each from the worker that has it. */
function joined(plan: PipelinePlan, parts: readonly (ProgressMessage | undefined)[]): Progress {
  const positions = new Map(plan.sources.map(({ name }) => [name, [] as string[]]));
  let read = 0;
  let readNow = 0;
  for (const part of parts) {
    if (!part) continue;
    read += part.read;
    readNow += part.readNow;
    for (const [name, of] of part.positions) of.forEach((position, partition) => positions.get(name)![partition] = position);
  }
  return { read, readNow, positions: () => positions };
}
