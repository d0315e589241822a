/** Settings that several transforms share, so that a key means the same wherever it stands. */
import type { CelSetting, CelTableSetting, GroupSetting, ListSetting, TextListSetting } from "../../component/settings.ts";

export const INPUTS: TextListSetting = {
  kind: "text_list",
  doc: "Nodes whose rows come in: a source, a transform, or a port of one (`once.duplicates`, `orders.rejected`).",
};
export const WHERE: CelSetting = {
  kind: "cel",
  optional: true,
  doc: "Rows for which this is false end here and are counted as filtered.",
};
/** Of what sends rows to other lanes. */
export const VIA: GroupSetting = {
  kind: "group",
  optional: true,
  doc: "The topic in between.",
  fields: {
    connection: { kind: "text", optional: true, doc: "A connection that has topics. Default: the only one of the pipeline." },
    topic: { kind: "text", optional: true, doc: "The topic's name. Default: PIPELINE.NODE. It is made with `lanes` partitions." },
  },
};
export const LET: CelTableSetting = {
  kind: "cel_table",
  optional: true,
  doc: "Named values, evaluated at most once per record and only where something reads them. They may use each other.",
};
export const LOOKUP: CelTableSetting = {
  kind: "cel_table",
  optional: true,
  doc: 'Rows of reference tables: `name = "TABLE[key]"`. A missing row or a null key gives null.',
};
export const SET: CelTableSetting = {
  kind: "cel_table",
  optional: true,
  doc: "Fields to set. All right-hand sides see the record as it came in; an existing field is replaced in its place, a new one appended.",
};
export const REQUIRE: ListSetting = {
  kind: "list",
  optional: true,
  doc: "Conditions that every result must fulfil.",
  item: {
    kind: "group",
    doc: "One condition.",
    fields: {
      code: { kind: "text", doc: "The reject reason when the condition does not hold." },
      that: { kind: "cel", doc: "The condition; it sees the result." },
      else: {
        kind: "choice",
        default: "reject",
        doc: "What happens when the condition does not hold.",
        choices: { reject: "The row goes to the rejects.", fail: "The run stops." },
      },
    },
  },
};
