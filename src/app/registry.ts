/** The components of the binary, by role and TOML name: all of them, or those that a project needs. */
import { type ConnectorRoom, type Connectors, rooms } from "../connectors/mod.ts";
import type { Registry } from "../project/registry.ts";
import { transforms } from "../transforms/mod.ts";

export type { Registry };

/** Reports, checks and rejects need it whatever a project names. */
const ALWAYS = "ndjson";

/** Every transform, and the connectors of the rooms where one of `types` is at home, or all. */
export async function loadRegistry(types: ReadonlySet<string> | "all"): Promise<Registry> {
  const wanted = types === "all" ? rooms : rooms.filter((room) => room.types.some((type) => type === ALWAYS || types.has(type)));
  const loaded = await Promise.all(wanted.map(loadOnce));
  return {
    transforms: byType(transforms),
    sources: byType(loaded.flatMap(({ sources = [] }) => sources)),
    sinks: byType(loaded.flatMap(({ sinks = [] }) => sinks)),
    connections: byType(loaded.flatMap(({ connections = [] }) => connections)),
  };
}

/** What was asked for before is there at once, without a turn of the event loop: the simulated world has none for modules. */
const LOADED = new Map<ConnectorRoom, Promise<Connectors>>();
function loadOnce(room: ConnectorRoom): Promise<Connectors> {
  const known = LOADED.get(room);
  if (known) return known;
  const loading = room.load();
  LOADED.set(room, loading);
  return loading;
}

function byType<S extends { readonly type: string }>(specs: readonly S[]): ReadonlyMap<string, S> {
  const map = new Map(specs.map((spec) => [spec.type, spec]));
  if (map.size !== specs.length) throw new Error(`two components share a name: ${specs.map((s) => s.type).join(", ")}`);
  return map;
}
