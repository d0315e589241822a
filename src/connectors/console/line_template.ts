/** "{id}: {amount}" as code over the columns of a batch. */
import type { SinkContext } from "../../component/component.ts";
import type { Batch } from "../../data/batch.ts";
import { cell } from "../../data/columns.ts";
import { jsonText } from "../../data/json/mod.ts";
import type { RecordType } from "../../data/types.ts";

/** What one row prints, without its line end. */
export interface LineTemplate {
  line(batch: Batch, row: number): string;
  /** Fields that are read. */
  readonly uses: ReadonlySet<string>;
}

/** The template in setting `line`; null when faults were reported. `{{` is a brace. */
export function compileLine(context: SinkContext): LineTemplate | null {
  const { settings, input } = context;
  const text = settings.text("line");
  const parts: (string | number)[] = [];
  let sound = true;
  let end = 0;
  for (const match of text.matchAll(/\{\{|\{([^{}]*)\}/g)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) parts.push("{");
    else {
      const index = input.fields.findIndex((field) => field.name === name);
      if (index < 0) {
        const known = input.fields.map((f) => f.name).join(", ");
        context.fault(settings.at("line"), `there is no field "${name}" to print`, `the rows have: ${known}`);
        sound = false;
      }
      parts.push(index);
    }
  }
  parts.push(text.slice(end));
  if (!sound) return null;
  const uses = new Set(parts.filter((part) => typeof part === "number").map((index) => input.fields[index].name));
  return { line: (batch, row) => parts.map((part) => typeof part === "string" ? part : plainText(input, batch, row, part)).join(""), uses };
}

/** Text as it is, everything else as in JSON, nothing for null. */
export function plainText({ fields }: RecordType, batch: Batch, row: number, index: number): string {
  const field = fields[index];
  const value = cell(batch.columns[index]!, field.type, row);
  if (value === null) return "";
  const json = jsonText(field, value, {});
  return json.startsWith('"') ? JSON.parse(json) : json;
}
