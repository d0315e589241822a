/** The shape of rejected records when they travel to a sink: the `rejected` port of every node has this type. */
import type { RecordType } from "../data/types.ts";
import { INT, STRING, TIMESTAMP, withNull } from "../data/types.ts";

export const REJECT_TYPE: RecordType = {
  fields: [
    { name: "pipeline", type: STRING },
    { name: "source", type: STRING },
    { name: "partition", type: INT },
    { name: "position", type: INT },
    { name: "origin", type: INT },
    { name: "step", type: STRING },
    { name: "reason", type: STRING },
    /** The record's bytes when they are valid UTF-8, else null. */
    { name: "raw", type: withNull(STRING) },
    /** The record's bytes in base64 when they are not valid UTF-8, else null. */
    { name: "raw_base64", type: withNull(STRING) },
  ],
};

/** When the record came in. It differs between runs over the same input, so it is written only where a sink names it. */
export const RECEIVED_AT = "received_at";
/** What refused the record, in its own words; null where the reason says all. Written only where a sink names it. */
export const MESSAGE = "message";
/** Rejected records with what only sinks get that name it. Begins as REJECT_TYPE does. */
export const FULL_REJECT_TYPE: RecordType = {
  fields: [...REJECT_TYPE.fields, { name: RECEIVED_AT, type: TIMESTAMP }, { name: MESSAGE, type: withNull(STRING) }],
};
