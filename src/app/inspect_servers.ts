/** `check --connect`: what the servers say about what a project reads and writes. Changes nothing; each server is waited for briefly. */
import type { Finding } from "../component/component.ts";
import { MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";
import { openCheckpoint } from "./checkpoint_store.ts";
import { RunRecords } from "./run_record.ts";

export interface NodeFinding extends Finding {
  readonly pipeline: string;
  /** "source", "table", "sink", or "state" for the shared checkpoint store, whose name is its address. */
  readonly role: string;
  readonly node: string;
}

const ANSWER_WITHIN_MS = 5_000;
/** What a source may yet get from a pipeline that was not run so far. */
const NOT_THERE_YET: ReadonlySet<string> = new Set(["table_missing", "topic_missing"]);

/** Findings of all nodes that have a server, in the order of the project. A server that does not answer is a finding too. */
export async function inspectServers(project: Project, world: World): Promise<NodeFinding[]> {
  const found: NodeFinding[] = [];
  for (const blueprint of project.pipelines) {
    for (const { role, name, inspect } of nodesOf(blueprint)) {
      // One after the other: a check must not be a load on a server.
      for (const finding of await answerOf(inspect, world)) found.push({ ...finding, pipeline: blueprint.name, role, node: name });
    }
  }
  return found;
}

type Inspect = (world: World) => Promise<readonly Finding[]>;

function nodesOf(blueprint: PipelineBlueprint): { role: string; name: string; inspect: Inspect }[] {
  const { sources, tables, changelogs, sinks, shared } = blueprint;
  const nodes = [
    ...(shared ? [{ role: "state", name: shared.url, inspect: (world: World) => inspectStore(blueprint, world) }] : []),
    ...sources.map(({ name, plan }) => ({ role: "source", name, inspect: plan.inspect?.bind(plan) })),
    ...[...tables, ...changelogs].map(({ name, plan }) => ({ role: "table", name, inspect: plan.inspect?.bind(plan) })),
    ...sinks.map(({ name, plan }) => ({ role: "sink", name, inspect: plan.inspect?.bind(plan) })),
  ];
  return nodes.flatMap(({ role, name, inspect }) => inspect ? [{ role, name, inspect }] : []);
}

/** Asks the shared checkpoint store for the pipeline's run. */
async function inspectStore(blueprint: PipelineBlueprint, world: World): Promise<readonly Finding[]> {
  const kv = await openCheckpoint(blueprint, world);
  try {
    const { current } = await RunRecords.open(kv);
    return [{ level: "fine", text: current ? `keeps run ${current.run}` : "answers; the pipeline was not run yet" }];
  } finally {
    kv.close();
  }
}

async function answerOf(inspect: Inspect, world: World): Promise<readonly Finding[]> {
  const enough = new AbortController();
  const asked = inspect(world);
  try {
    const answer = await Promise.race([asked, world.clock.sleep(ANSWER_WITHIN_MS, enough.signal)]);
    if (answer) return answer;
    asked.catch(() => {}); // It may still fail, when nobody waits for it any more.
    return [{
      level: "fault",
      text: `the server did not answer within ${ANSWER_WITHIN_MS / 1000} s`,
      hint: "is it running, and reachable?",
    }];
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const level = NOT_THERE_YET.has(error.code) ? "weak" : "fault";
    return [{ level, text: error.message, ...(error.hint ? { hint: error.hint } : {}) }];
  } finally {
    enough.abort();
  }
}
