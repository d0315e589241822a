/** What a pipeline is made of, as the page draws it. Plain data. */
import type { Panel } from "./panel.ts";

export interface NodeShape {
  readonly name: string;
  readonly role: "source" | "transform" | "sink";
  /** The component's type, for example "aggregate". */
  readonly type: string;
  /** The engine's node that rows come into, and the one they leave: two for a source that checks what it has read. */
  readonly comesTo: string;
  readonly leaves: string;
}
export interface EdgeShape {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  /** Where the rows that passed are counted; null where rows are looked up and none passes. */
  readonly counted: { readonly node: string; readonly port: string } | null;
}
/** A sink's rows as they are shown. */
export interface RowsShape {
  /** As the engine calls it. */
  readonly sink: string;
  readonly columns: readonly string[];
  /** Columns that name a record. */
  readonly ids: readonly string[];
}
export interface PipelineShape {
  readonly name: string;
  readonly kind: string;
  readonly nodes: readonly NodeShape[];
  readonly edges: readonly EdgeShape[];
  readonly panels: readonly Panel[];
  readonly rows: readonly RowsShape[];
  readonly epochEveryMs: number;
}
