/** Asks running pipelines what they do, as `top` does: through a control socket of a project, or a dashboard's address. */
import { MillraceError } from "../../data/fault.ts";
import { CONTROL_SOCKET_AFTER_MS } from "../../observe/limits.ts";
import type { TopSnapshot } from "../../observe/snapshot.ts";
import { readWhole } from "../../ports/durable.ts";
import type { HttpPlace, World } from "../../ports/mod.ts";
import type { Project } from "../../project/contracts.ts";
import { controlSockets, TOKEN_VARIABLE } from "./open_watch.ts";

export type { TopSnapshot } from "../../observe/snapshot.ts";

const ANSWER_TIMEOUT_MS = 2_000;
/** Moments that rates are shown of. */
const RATES_KEPT = 120;

/** A running process. */
export interface TopSource {
  readonly place: HttpPlace;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a pipeline did between two answers. */
export interface TopRates {
  /** Records per second into a node. */
  readonly nodes: ReadonlyMap<string, number>;
  readonly read: number;
  readonly written: number;
  /** Of the newest moments, the oldest first. */
  readonly reads: readonly number[];
}
export interface TopView {
  readonly snapshot: TopSnapshot;
  readonly rates: ReadonlyMap<string, TopRates>;
}

/** The processes that run pipelines of a project; throws "not_running" where there is none. */
export async function runningProcesses(project: Project, world: World): Promise<readonly TopSource[]> {
  const folders = new Set(project.pipelines.flatMap((one) => [one, ...one.stages]).map(({ stateFolder }) => stateFolder));
  const sources: TopSource[] = [];
  for (const folder of folders) {
    for (const place of await controlSockets(folder, world)) {
      const source = { place, headers: {} };
      if (await answers(source, world)) sources.push(source);
    }
  }
  if (sources.length > 0) return sources;
  throw new MillraceError("not_running", `no pipeline of ${project.folder} runs on this machine`, {
    hint: `start one (it answers ${CONTROL_SOCKET_AFTER_MS / 1000} seconds after its start), or name a dashboard: millrace top HOST:PORT`,
  });
}

/** The process behind a dashboard. */
export async function remoteProcess(place: HttpPlace, tokenFile: string | undefined, world: World): Promise<TopSource> {
  const stored = tokenFile === undefined ? null : await readWhole(world.files, tokenFile);
  const token = stored ? new TextDecoder().decode(stored).trim() : world.environment.get(TOKEN_VARIABLE)?.trim() ?? "";
  return { place, headers: token === "" ? {} : { authorization: `Bearer ${token}` } };
}

async function answers(source: TopSource, world: World): Promise<boolean> {
  try {
    await askTop(source, world);
    return true;
  } catch {
    return false; // A killed process left its socket.
  }
}

/** Throws a MillraceError where nobody answers, or not to us. */
export async function askTop({ place, headers }: TopSource, { http }: World): Promise<TopSnapshot> {
  if (!http) throw new MillraceError("unreachable", "there is no network here");
  const { status, body } = await http.get(place, "/api/top", headers, ANSWER_TIMEOUT_MS);
  if (status === 200) return JSON.parse(body) as TopSnapshot;
  const refused = status === 401 || status === 403;
  throw new MillraceError("refused", `the dashboard answers with ${status}`, {
    hint: refused ? `it asks for a token: --token-file FILE, or ${TOKEN_VARIABLE}` : "is that a millrace dashboard?",
  });
}

/** Makes rates out of one answer after another. */
export class TopFollower {
  #before: TopSnapshot | null = null;
  readonly #reads = new Map<string, number[]>();

  follow(snapshot: TopSnapshot): TopView {
    const before = this.#before;
    this.#before = snapshot;
    const seconds = before === null ? 0 : (snapshot.atMs - before.atMs) / 1000;
    const perSecond = (now: number, then: number | undefined): number =>
      seconds > 0 && then !== undefined ? Math.max(0, now - then) / seconds : 0;
    const rates = new Map(snapshot.pipelines.map(({ name, nodes, moment }) => {
      const earlier = before?.pipelines.find((one) => one.name === name);
      const reads = this.#reads.get(name) ?? [];
      this.#reads.set(name, reads);
      const read = perSecond(moment.read, earlier?.moment.read);
      if (earlier) reads.push(read);
      if (reads.length > RATES_KEPT) reads.shift();
      return [name, {
        nodes: new Map(Object.entries(nodes).map(([node, counts]) => [node, perSecond(counts.in, earlier?.nodes[node]?.in)])),
        read,
        written: perSecond(moment.written, earlier?.moment.written),
        reads: [...reads],
      }];
    }));
    return { snapshot, rates };
  }
}
