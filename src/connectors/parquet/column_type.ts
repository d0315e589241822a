/** How our types lie in Parquet (apache/parquet-format, LogicalTypes.md): physical type, what it stands for, the numbers of both. */
import type { Field, Type } from "../../data/types.ts";
import type { ThriftWriter } from "./thrift.ts";

/** The form of values in blocks and pages. */
export type ColumnForm = "int64" | "int32" | "double" | "bool" | "text";

export interface ParquetColumn {
  readonly name: string;
  readonly form: ColumnForm;
  readonly isNullable: boolean;
  /** Whether text is JSON made from values. */
  readonly isJson: boolean;
  readonly field: Field;
}

/** Digits of what 64 bits hold for certain. */
const DECIMAL_PRECISION = 18;

export const PHYSICAL: Readonly<Record<ColumnForm, number>> = { bool: 0, int32: 1, int64: 2, double: 5, text: 6 };

export function columnOf(field: Field): ParquetColumn {
  const { kind, nullable } = field.type;
  return { name: field.name, form: formOf(field.type), isNullable: nullable || kind === "null", isJson: isJson(field.type), field };
}

function formOf({ kind }: Type): ColumnForm {
  switch (kind) {
    case "int":
    case "decimal":
    case "timestamp":
    case "duration":
      return "int64";
    case "date":
      return "int32";
    case "double":
    case "bool":
      return kind;
    default:
      return "text";
  }
}

const isJson = ({ kind }: Type): boolean => kind === "json" || kind === "list" || kind === "map" || kind === "struct";

/** One column's SchemaElement. */
export function writeSchemaElement(thrift: ThriftWriter, { name, form, isNullable, field: { type } }: ParquetColumn): void {
  thrift.struct(() => {
    thrift.i32(1, PHYSICAL[form]);
    thrift.i32(3, isNullable ? 1 : 0);
    thrift.text(4, name);
    writeLogicalType(thrift, type);
  });
}

/** The older name of the type, which every reader knows, and the newer. */
function writeLogicalType(thrift: ThriftWriter, type: Type): void {
  const both = (converted: number, logical: number, body: () => void = () => {}): void => {
    thrift.i32(6, converted);
    thrift.field(10, () => thrift.field(logical, body));
  };
  switch (type.kind) {
    case "decimal":
      thrift.i32(6, 5);
      thrift.i32(7, type.scale);
      thrift.i32(8, DECIMAL_PRECISION);
      return thrift.field(10, () =>
        thrift.field(5, () => {
          thrift.i32(1, type.scale);
          thrift.i32(2, DECIMAL_PRECISION);
        }));
    case "timestamp":
      return both(10, 8, () => {
        thrift.bool(1, true);
        thrift.field(2, () => thrift.field(2, () => {}));
      });
    case "date":
      return both(6, 6);
    case "string":
    case "null":
      return both(0, 1);
    case "json":
    case "list":
    case "map":
    case "struct":
      return both(19, 12);
    case "int":
    case "duration":
    case "double":
    case "bool":
      return;
  }
}
