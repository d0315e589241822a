/**
 * The checkpoint store that a pipeline's state lies in: a file of its own, or its part of a store that several processes share.
 * Invariant: pipelines, and projects of different prefixes, never see one another's keys.
 */
import { MillraceError } from "../data/fault.ts";
import { readWhole } from "../ports/durable.ts";
import type { Kv, KvEntry, KvKey, World } from "../ports/mod.ts";
import type { PipelineBlueprint, SharedState } from "../project/contracts.ts";

/** Where a pipeline's own file lies. */
export const kvPath = ({ stateFolder }: Pick<PipelineBlueprint, "stateFolder">): string => `${stateFolder}/checkpoint.kv`;

/** What its owner holds for as long as it runs. */
export const lockPath = ({ stateFolder }: Pick<PipelineBlueprint, "stateFolder">): string => `${stateFolder}/owner.lock`;

/** Whether a checkpoint may be there; without asking a server. */
export async function mayHaveCheckpoint(blueprint: PipelineBlueprint, world: World): Promise<boolean> {
  return blueprint.shared !== null || await world.files.stat(kvPath(blueprint)) !== null;
}

/** Opened for the time of a command; a shared store's server is not asked yet. */
export async function openCheckpoint(blueprint: PipelineBlueprint, world: World): Promise<Kv> {
  const { shared } = blueprint;
  if (!shared) return await world.openKv(kvPath(blueprint));
  if (!world.connectKv) throw new MillraceError("no_network", "a shared checkpoint store cannot be reached from here");
  const kv = world.connectKv({ url: shared.url, token: await readToken(shared, world) });
  return under([shared.prefix, blueprint.name], kv);
}

async function readToken({ token, tokenFile }: SharedState, { files }: World): Promise<string> {
  if (tokenFile === null) return token;
  const bytes = await readWhole(files, tokenFile);
  if (bytes) return new TextDecoder().decode(bytes).trim();
  throw new MillraceError("input_missing", `there is no file ${tokenFile}`, { hint: "it is named as token_file of [state]" });
}

/** The part of a store whose keys begin with `prefix`, as a store of its own. */
export function under(prefix: KvKey, kv: Kv): Kv {
  const placed = <T extends { readonly key: KvKey }>(item: T): T => ({ ...item, key: [...prefix, ...item.key] });
  const bare = (entry: KvEntry): KvEntry => ({ ...entry, key: entry.key.slice(prefix.length) });
  return {
    async get(key) {
      const entry = await kv.get([...prefix, ...key]);
      return entry && bare(entry);
    },
    async *list(within) {
      for await (const entry of kv.list([...prefix, ...within])) yield bare(entry);
    },
    commit: ({ checks, sets, deletes }) =>
      kv.commit({ checks: checks.map(placed), sets: sets.map(placed), deletes: deletes.map((key) => [...prefix, ...key]) }),
    close: () => kv.close(),
  };
}
