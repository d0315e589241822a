/**
 * Rows as change data capture writes them: the row after the change with "__deleted" behind its columns, decimals and JSON as text, dates
 * as days since 1970. Invariant: the change decoder reads the same values and the same deletes back.
 */
import { putInteger, writeText } from "../bytes.ts";
import type { Encoder } from "../codec.ts";
import { compileEncoder, type EncoderForm } from "../encoder_code.ts";
import { timeTextOf } from "../field_text.ts";
import type { TimeText } from "../time_text.ts";
import type { RecordType } from "../types.ts";
import { type JsonOptions, jsonText } from "../value_text.ts";
import { DELETED, isDays } from "./change_rows.ts";
import { jsonForm } from "./encoder.ts";

const KEPT = `"false"}\n`;
const GONE = `"true"}\n`;
/** Types whose values are columns of JSON. */
const HELD_IN_TEXT: ReadonlySet<string> = new Set(["struct", "list", "map", "json"]);
const CHANGES = { changes: { deletes: "pass", key: null } } as const;

/** Compiles an encoder of all fields of `type`; one of the name `__deleted` is left to the encoder. */
export function compileChangeEncoder(type: RecordType, options: JsonOptions = {}): Encoder {
  const { form, indexes } = jsonForm(type, { decimals: "string", ...options });
  const own = indexes.filter((index) => type.fields[index].name !== DELETED);
  const changes: EncoderForm = {
    ...form,
    end: `${own.length === 0 ? "{" : ","}"${DELETED}":${KEPT}`,
    quoteOf: (field) => isDays(field, CHANGES) ? "" : form.quoteOf(field),
    timeText: (field) => isDays(field, CHANGES) ? { ...timeTextOf(field)!, write: putDays } : form.timeText(field),
    valueText: (field, value) => {
      const text = jsonText(field, value, options);
      return HELD_IN_TEXT.has(field.type.kind) ? JSON.stringify(text) : text;
    },
  };
  const encode = compileEncoder(type, own, changes);
  return (batch, row, into) => {
    encode(batch, row, into);
    if (!batch.meta.deleted || batch.meta.deleted[row] === 0) return;
    into.length -= KEPT.length;
    writeText(into, GONE);
  };
}

const putDays: TimeText["write"] = (days, bytes, at) => putInteger(bytes, at, days);
