/** `check --connect`: what the servers say about what a project reads and writes. Changes nothing; each server is waited for briefly. */
import type { Finding } from "../component/component.ts";
import { MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";

export interface NodeFinding extends Finding {
  readonly pipeline: string;
  /** "source", "table" or "sink". */
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

function nodesOf({ sources, tables, sinks }: PipelineBlueprint): { role: string; name: string; inspect: Inspect }[] {
  const nodes = [
    ...sources.map(({ name, plan }) => ({ role: "source", name, inspect: plan.inspect?.bind(plan) })),
    ...tables.map(({ name, plan }) => ({ role: "table", name, inspect: plan.inspect?.bind(plan) })),
    ...sinks.map(({ name, plan }) => ({ role: "sink", name, inspect: plan.inspect?.bind(plan) })),
  ];
  return nodes.flatMap(({ role, name, inspect }) => inspect ? [{ role, name, inspect }] : []);
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
