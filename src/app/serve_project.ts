/**
 * `serve`: pipelines of that kind, until the signal comes. A generator directly before a server needs no engine; every other
 * pipeline runs as always, its server being a sink.
 */
import { parseRate, RATE_FORMS } from "../connectors/generate/rate.ts";
import type { FeedPlan, ServeOptions, ServeSummary, ServeWishes } from "../component/serving.ts";
import { MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint, Project, SinkBlueprint } from "../project/contracts.ts";
import type { PipelineOutcome, RunEvents } from "./events.ts";
import { runProject } from "./run_project.ts";
import type { Watch } from "./watch/watch.ts";

export interface ServeProjectOptions {
  readonly world: World;
  readonly signal: AbortSignal;
  readonly events: RunEvents;
  readonly rerun: boolean;
  readonly watch?: Watch;
  readonly listen?: string;
  /** As in the configuration: "100/s", "max". */
  readonly rate?: string;
  /** A line for people. */
  tell(pipeline: string, line: string): void;
}
export interface ServedPipeline extends ServeSummary {
  readonly pipeline: string;
}
export interface ServeOutcome {
  readonly served: readonly ServedPipeline[];
  /** Of pipelines that ran through the engine. */
  readonly outcomes: readonly PipelineOutcome[];
}

/** The first failure stops the others and is thrown. */
export async function serveProject(
  project: Project,
  chosen: readonly PipelineBlueprint[],
  options: ServeProjectOptions,
): Promise<ServeOutcome> {
  const wishes = readWishes(options);
  const direct = chosen.flatMap((blueprint) => directPath(blueprint) ?? []);
  const others = chosen.filter((blueprint) => !direct.some((path) => path.blueprint === blueprint));
  requireOne(wishes, direct, others);
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const failing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      failure.abort();
      throw error;
    }
  };
  const { world, events, rerun, watch } = options;
  const settled = await Promise.allSettled([
    failing(runProject(project, others, { world, signal, events, rerun, watch })),
    ...direct.map(({ blueprint, feed, serve }) =>
      failing(
        serveWatched(blueprint, watch, (began) =>
          serve({
            world,
            feed,
            wishes,
            signal,
            began,
            tell: (line) => options.tell(blueprint.name, line),
          })),
      )
        .then((summary): ServedPipeline => ({ pipeline: blueprint.name, ...summary }))
    ),
  ]);
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  const [outcomes, ...served] = settled.map((result) => (result as PromiseFulfilledResult<unknown>).value);
  return { served: served as ServedPipeline[], outcomes: outcomes as PipelineOutcome[] };
}

async function serveWatched(
  blueprint: PipelineBlueprint,
  watch: Watch | undefined,
  serve: (began: ServeOptions["began"]) => Promise<ServeSummary>,
): Promise<ServeSummary> {
  const watched = watch?.served(blueprint);
  try {
    const summary = await serve((soFar) => watched?.began(soFar));
    watched?.ended("stopped");
    return summary;
  } catch (error) {
    watched?.ended("failed");
    throw error;
  }
}

interface DirectPath {
  readonly blueprint: PipelineBlueprint;
  readonly feed: FeedPlan;
  readonly serve: NonNullable<SinkBlueprint["plan"]["serve"]>;
}

/** What a generator gives is never refused: its schema is not asked again, and sinks for rejects have nothing to do there. */
function directPath(blueprint: PipelineBlueprint): DirectPath | null {
  const { sources, transforms } = blueprint;
  const sinks = blueprint.sinks.filter(({ inputs }) => inputs.some(({ port }) => port !== "rejected"));
  if (sources.length !== 1 || transforms.length > 0 || sinks.length !== 1) return null;
  const { feed } = sources[0].plan;
  const { plan } = sinks[0];
  return feed && plan.serve ? { blueprint, feed, serve: plan.serve.bind(plan) } : null;
}

function readWishes({ listen, rate: text }: ServeProjectOptions): ServeWishes {
  if (text === undefined) return { listen };
  const rate = parseRate(text);
  if (rate === null) throw new MillraceError("usage", `--rate ${text}: not a rate`, { hint: RATE_FORMS });
  return { listen, rate };
}

/** A place and a rate are those of one server. */
function requireOne({ listen, rate }: ServeWishes, direct: readonly DirectPath[], others: readonly PipelineBlueprint[]): void {
  if (listen === undefined && rate === undefined) return;
  if (direct.length === 1 && others.length === 0) return;
  const option = listen !== undefined ? "--listen" : "--rate";
  const names = [...direct.map(({ blueprint }) => blueprint.name), ...others.map(({ name }) => name)].join(", ");
  throw new MillraceError("usage", `${option} is for one generator behind one server; chosen are: ${names}`, {
    hint: "name one pipeline, or change the settings of the others with --set params.NAME=VALUE",
  });
}
