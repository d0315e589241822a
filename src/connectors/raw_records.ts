/** `format = "raw"` of topics: records leave as the bytes they were read with, whatever became of their fields in between. */
import type { Encoder, RecordsEncoder } from "../data/codec.ts";
import { recordByRecord } from "../data/encoder_code.ts";
import { MillraceError } from "../data/fault.ts";

const LINE_END = 10;

const encodeRow: Encoder = ({ meta: { raw, source } }, row, into) => {
  if (raw === null) {
    throw new MillraceError("raw_missing", `rows of "${source}" were made here: they have no bytes of their own`, {
      hint: 'write them with format = "json"',
    });
  }
  const { bytes, start, end } = raw;
  const to = end[row];
  into.reserve(to - start[row] + 1);
  const target = into.bytes;
  let at = into.length;
  for (let from = start[row]; from < to; from++) target[at++] = bytes[from];
  target[at++] = LINE_END;
  into.length = at;
};

/** Writes each record as it was read. */
export const encodeRaw: RecordsEncoder = recordByRecord(encodeRow);
