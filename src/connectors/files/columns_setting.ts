/** The setting `columns` of sinks that write fields of a record. */
import type { SinkContext } from "../../component/component.ts";

/** The fields to write, in their order; null when faults were reported. */
export function chooseColumns(context: SinkContext): readonly string[] | null {
  const { settings, input } = context;
  const known = input.fields.map((field) => field.name);
  if (!settings.has("columns")) return known;
  const columns = settings.texts("columns");
  const wrong = columns.filter((name, i) => !known.includes(name) || columns.indexOf(name) !== i);
  for (const name of new Set(wrong)) {
    const message = known.includes(name) ? `column "${name}" is listed twice` : `there is no field "${name}" to write`;
    context.fault(settings.at("columns"), message, `the rows have: ${known.join(", ")}`);
  }
  return wrong.length > 0 ? null : columns;
}
