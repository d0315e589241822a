/** What [tables.X] may say where its source gives changes: one group for all such sources; the project reads it, the engine does the rest. */
import { parseDuration } from "../data/duration.ts";
import type { GroupSetting } from "./settings.ts";

/** What a record does whose row is not in the table: go on with null, wait for it, or go on with null and come out again with it. */
export type MissingRow =
  | { readonly kind: "null" }
  | { readonly kind: "wait"; readonly waitMicros: number }
  | { readonly kind: "emit_again" };

export const CHANGELOG_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "Of a table that is kept from changes.",
  fields: {
    missing: {
      kind: "text",
      default: "null",
      doc:
        "What a record does whose row is not there: `null`, `wait 10s` (held so long for it), `emit_again` (goes on with null, and comes out again with the row).",
    },
    ready: {
      kind: "choice",
      default: "caught_up",
      doc: "When the first record looks into the table, at every start.",
      choices: {
        caught_up: "When all that was there at the start has been read.",
        at_once: "As the two come.",
      },
    },
  },
};

/** null where the text says none of them. */
export function parseMissing(text: string): MissingRow | null {
  if (text === "null" || text === "emit_again") return { kind: text };
  const wait = /^wait\s+(\S+)$/.exec(text);
  const waitMicros = wait ? parseDuration(wait[1]) : NaN;
  return Number.isFinite(waitMicros) && waitMicros > 0 ? { kind: "wait", waitMicros } : null;
}
