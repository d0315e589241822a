/** Every component of the binary, by role and TOML name. Adding a component adds it to its room's list, nothing else. */
import type { ConnectionSpec, SinkSpec, SourceSpec, TransformSpec } from "../component/component.ts";
import { connections, sinks, sources } from "../connectors/mod.ts";
import { transforms } from "../transforms/mod.ts";

export interface Registry {
  readonly transforms: ReadonlyMap<string, TransformSpec>;
  readonly sources: ReadonlyMap<string, SourceSpec>;
  readonly sinks: ReadonlyMap<string, SinkSpec>;
  readonly connections: ReadonlyMap<string, ConnectionSpec>;
}

function byType<S extends { readonly type: string }>(specs: readonly S[]): ReadonlyMap<string, S> {
  const map = new Map(specs.map((spec) => [spec.type, spec]));
  if (map.size !== specs.length) throw new Error(`two components share a name: ${specs.map((s) => s.type).join(", ")}`);
  return map;
}

export const registry: Registry = {
  transforms: byType(transforms),
  sources: byType(sources),
  sinks: byType(sinks),
  connections: byType(connections),
};
