/** What cannot be proved as it is. Servers hold what is not ours to empty; an input without end has no last row to compare. */
import type { ProofPlace } from "../../component/component.ts";
import { MillraceError } from "../../data/fault.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";

/** As much of a source's or sink's plan as a proof asks about. */
interface Node {
  readonly name: string;
  readonly type?: string;
  readonly plan: { readonly inspect?: unknown; readonly proof?: ProofPlace };
}

/** A pipeline and its stages, which have nodes of their own. */
export const withStages = (pipelines: readonly PipelineBlueprint[]): PipelineBlueprint[] =>
  pipelines.flatMap((one) => [one, ...one.stages]);

/** Throws for the first that is found; nothing was started then. */
export function refuseWhatCannotBeProved(pipelines: readonly PipelineBlueprint[], path: string): void {
  if (pipelines.length === 0) throw new MillraceError("usage", `${path} has no pipeline that can be proved`, { hint: "feeds are not" });
  const written = new Set(withStages(pipelines).flatMap(({ sinks }) => sinks.map(({ plan }) => plan.place)));
  for (const pipeline of withStages(pipelines)) {
    refuseServers(pipeline);
    refuseUnwritten(pipeline, written);
    if (!pipeline.bounded) {
      throw new MillraceError("prove_unbounded", `the input of the pipeline "${pipeline.name}" does not end`, {
        hint: 'let it end for the proof, for example by --set params.NAME=end where a source says until = "${params.NAME}"',
      });
    }
  }
}

function refuseServers({ name, shared, sources, tables, changelogs, sinks }: PipelineBlueprint): void {
  if (shared !== null) throw refused(`the pipeline "${name}" keeps its checkpoints on a server`, "leave [state] url out for the proof");
  const nodes: readonly Node[] = [...sources, ...tables, ...changelogs, ...sinks];
  for (const { name: node, type, plan: { inspect, proof } } of nodes) {
    if (proof === undefined && (inspect !== undefined || type === "socket")) {
      const why = type === "socket" ? "what was sent to a socket cannot be sent again" : "a proof can have no place of its own there";
      throw refused(`the pipeline "${name}" has "${node}" on a server, and ${why}`, "choose an embedded variant of it");
    }
    if (proof === undefined || proof.isTest) continue;
    const { connection } = proof;
    const where = connection === "" ? "at the store that the environment names" : `on the server of the connection "${connection}"`;
    const mark = connection === "" ? "name a connection with test = true" : `test = true in [connections.${connection}]`;
    throw refused(
      `the pipeline "${name}" has "${node}" ${where}, which is not marked for tests`,
      `${mark} lets a proof make places of its own there and remove them; or choose the connection's embedded variant`,
    );
  }
}

/** What other programs write is not made up, and not read: it is not the same twice. */
function refuseUnwritten({ name, sources, tables, changelogs }: PipelineBlueprint, written: ReadonlySet<string>): void {
  for (const { name: node, plan } of [...sources, ...tables, ...changelogs]) {
    const read = plan.proof?.reads ?? plan.place;
    if (read === undefined || written.has(read)) continue;
    const what = read.includes(", table ") ? "a table" : "a topic";
    throw new MillraceError("prove_input", `the pipeline "${name}" reads "${node}", ${what} that no pipeline of the project writes`, {
      hint: "add one that writes it, for example of kind produce with a file as its source: a proof makes missing files",
    });
  }
}

const refused = (message: string, hint: string): MillraceError => new MillraceError("prove_server", message, { hint });
