/** What the project asks of the list of components, which is handed in: it knows none of them by name but two. */
import type {
  ConnectionSpec,
  PlanContext,
  SchemaPlan,
  SinkSpec,
  SourceSpec,
  TransformPlan,
  TransformSpec,
} from "../component/component.ts";

/** All components by their TOML names. `aggregate` and the sink `ndjson` serve reports, checks and rejects. */
export interface Registry {
  readonly transforms: ReadonlyMap<string, TransformSpec>;
  readonly sources: ReadonlyMap<string, SourceSpec>;
  readonly sinks: ReadonlyMap<string, SinkSpec>;
  readonly connections: ReadonlyMap<string, ConnectionSpec>;
}
/** Plans a schema's `unique` and `require`; null when it has neither or when faults were reported. */
export type PlanIntake = (schema: SchemaPlan, context: PlanContext) => TransformPlan | null;
