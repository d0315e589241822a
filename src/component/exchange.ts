/**
 * How a pipeline's rows go from one of its stages to the next: through a topic of a connection, written by the lanes of the one stage
 * and read by the lanes of the other. A connection that has topics says how (ConnectionSpec.exchange); the project plans both ends at
 * once and no file names them.
 */
import type { Span } from "../data/fault.ts";
import type { RecordType } from "../data/types.ts";
import type { PlanContext, SinkPlan, SourcePlan } from "./component.ts";
import type { Cel } from "./settings.ts";

export interface ExchangeContext extends PlanContext {
  /** The place of the node that wants it. */
  readonly wished: Span;
  /** The pipeline that reads. */
  readonly reader: string;
  readonly topic: string;
  /** Partitions of the topic, where it has to be made. */
  readonly lanes: number;
  /** Of the rows, at both ends. */
  readonly type: RecordType;
  /** Fields that somebody behind it reads; the others stay behind. */
  readonly carried: ReadonlySet<string>;
  /** Rows of one key go to one lane: an expression, or fields that together are it; null: no two need to meet. */
  readonly key: Cel | readonly string[] | null;
  /** Whether rows have event time. */
  readonly timed: boolean;
  readonly bounded: boolean;
}
export interface ExchangePlan {
  readonly sink: SinkPlan;
  readonly source: SourcePlan;
  /** Its topics are files of this machine. */
  readonly local?: true;
}
