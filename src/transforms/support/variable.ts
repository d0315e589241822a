/**
 * Variables of a loop for values of a record. A number that may be null is two: V8 makes an object of what is now a number and now null, and
 * asks each time what it is. Invariant: where it is null, `value` is 0.
 */
import { isNumeric, type Type } from "../../data/types.ts";
import type { Bindings, Checked } from "../../expr/contracts.ts";
import type { LoopBuilder } from "./loop_builder.ts";
import type { ReadAs } from "./read_as.ts";

/** Names of the variables: of the value, and of whether it is null (null: `value` says so itself, or it never is). */
export interface Variable {
  readonly value: string;
  readonly isNull: string | null;
}

/** A variable for values of the type. */
export function newVariable(builder: LoopBuilder, hint: string, type: Type): Variable {
  const apart = type.nullable && isNumeric(type) && type.kind !== "bool";
  return { value: builder.local(hint), isNull: apart ? builder.local(`no_${hint}`) : null };
}

/** How it is read. */
export function readVariable({ value, isNull }: Variable): ReadAs {
  return isNull === null ? { code: value } : { code: `(${isNull} ? null : ${value})`, present: value, isNull };
}

/** Statements that set it to what the expression gives, converted to `type`. */
export function assign(builder: LoopBuilder, to: Variable, type: Type, checked: Checked, more?: Bindings): string {
  const { value, isNull } = to;
  const whole = () => builder.emitAs(checked, type, more);
  if (isNull === null) return `${value} = ${whole()};`;
  if (!checked.type.nullable) return `${value} = ${whole()}; ${isNull} = false;`;
  const apart = builder.emitApart(checked, type, more);
  if (apart !== null) return `${isNull} = ${apart.isNull}; ${value} = ${isNull} ? 0 : ${apart.present};`;
  const either = builder.local("either");
  return `${either} = ${whole()}; ${isNull} = ${either} === null; ${value} = ${isNull} ? 0 : ${either};`;
}

/** Statements that set it to what another one of the same type is. */
export function copy(to: Variable, from: Variable): string {
  return to.isNull === null ? `${to.value} = ${from.value};` : `${to.value} = ${from.value}; ${to.isNull} = ${from.isNull};`;
}
