/** How values are read by generated loops: code for a value, and where it may be null, for the two apart. */
import type { Binding, ListBinding } from "../../expr/contracts.ts";
import type { Type } from "../../data/types.ts";

/** Code for a value; where it may be null and that is told apart from it, V8 need not make an object of a number. */
export type ReadAs = Pick<Binding, "code" | "present" | "isNull">;

/** How entry `row` of a number column is read: bools as booleans, null where it is not valid. `valid` names an array or null. */
export function readNumber(values: string, valid: string | null, row: string, type: Type): ReadAs {
  const value = type.kind === "bool" ? `(${values}[${row}] === 1)` : `${values}[${row}]`;
  if (valid === null) return { code: value };
  const isNull = `(${valid} !== null && ${valid}[${row}] === 0)`;
  return { code: `(${isNull} ? null : ${value})`, present: value, isNull };
}

/** How what belongs to a row is read, of which there is none where `row` gives a number below 0; `slot` is that number, once it was asked for. */
export function readOfRow({ row, slot }: { row: string; slot: string }, type: Type, read: (at: string) => ReadAs): ReadAs {
  const { code, isNull } = read(slot);
  const there = read(row);
  return {
    code: `(${row} < 0 ? null : ${code})`,
    present: there.present ?? there.code,
    isNull: isNull !== undefined ? `(${row} < 0 || ${isNull})` : type.nullable ? undefined : `(${row} < 0)`,
  };
}

/** A binding whose code is made when it is first asked for: what nobody reads is not even hoisted. */
export function lazyBinding(make: () => ReadAs, list?: ListBinding): Binding {
  let made: ReadAs | null = null;
  return {
    get code() {
      return (made ??= make()).code;
    },
    get present() {
      return (made ??= make()).present;
    },
    get isNull() {
      return (made ??= make()).isNull;
    },
    ...(list === undefined ? {} : { list }),
  };
}
