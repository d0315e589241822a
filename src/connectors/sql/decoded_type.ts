/** The form in which a server's rows reach the decoder. */
import type { Field, RecordType } from "../../data/types.ts";

/** How a server writes the times of one column. */
export interface TimeForm {
  readonly format: string;
  readonly zone: string;
}

/**
 * The type by which the rows' JSON is read: times of time columns have the server's form, whatever the field's own is. `timeForm` is
 * asked for timestamps alone and gives null where the column holds something else.
 */
export function decodedType<Column extends { readonly type: string }>(
  { fields }: RecordType,
  columnOf: (field: Field) => Column | undefined,
  timeForm: (field: Field, column: Column) => TimeForm | null,
): RecordType {
  return {
    fields: fields.map((field) => {
      const column = columnOf(field);
      if (!column) return field;
      if (field.type.kind === "date" && column.type === "date") return { ...field, format: "yyyy-MM-dd" };
      return field.type.kind === "timestamp" ? { ...field, ...timeForm(field, column) } : field;
    }),
  };
}
