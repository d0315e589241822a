/** Compiled expressions against the slow evaluator, on generated expressions and inputs. */
import assert from "node:assert/strict";
import type { Type } from "../../src/data/types.ts";
import { EvaluationError } from "../../src/expr/contracts.ts";
import { compileToFunction } from "../../src/expr/evaluate.ts";
import { Generator, randomFrom, VARIABLES } from "./oracle/generator.ts";
import { type Exact, Oracle, OracleError, type Value } from "./oracle/evaluator.ts";
import { check, faultText, scopeOf, typeOf } from "./support.ts";

const SEED = 20_260_103;
const EXPRESSIONS = 5_000;
const INPUTS_EACH = 20;
const scope = scopeOf(VARIABLES);
const types = new Map(Object.entries(VARIABLES).map(([name, text]) => [name, typeOf(text)]));
const scales = new Map([...[...types].map(([name, type]) => [name, scaleOf(type)] as const), ["x", 0] as const, ["e", 2] as const]);

function scaleOf(type: Type): number | null {
  return type.kind === "list" ? scaleOf(type.item) : type.kind === "decimal" ? type.scale : type.kind === "int" ? 0 : null;
}
function toOracle(value: unknown, type: Type): Value {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value) && type.kind === "list") return value.map((item) => toOracle(item, type.item));
  return { units: BigInt(value as number), scale: scaleOf(type) ?? 0, isInt: type.kind === "int" };
}
/** An outcome as text: numbers as exact fractions, so that scales do not matter. */
function outcomeText(value: Value): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(outcomeText).join()}]`;
  const { units, scale } = value as Exact;
  return (units * 10n ** BigInt(20 - scale)).toString();
}

Deno.test("compiled expressions agree with the slow evaluator on 100,000 expressions with inputs", () => {
  console.log(`seed ${SEED}`);
  const generator = new Generator(randomFrom(SEED));
  let compared = 0;
  let failed = 0;
  for (let made = 0; made < EXPRESSIONS;) {
    const text = generator.expression(1 + made % 4);
    const { checked, faults } = check(text, scope);
    if (checked === null) {
      const known = faults.every((fault) => /decimals, at most 15 fit|int \/ int drops|nest at most/.test(fault.message));
      assert.ok(known, `${text}\n${faults.map(faultText).join("\n")}`);
      continue;
    }
    made++;
    const compiled = compileToFunction(checked);
    const oracle = new Oracle(text, scales);
    for (let i = 0; i < INPUTS_EACH; i++) {
      const values = generator.values();
      const context = () => `${text}\n${JSON.stringify(values)}`;
      const ours = outcomeOf(
        () => outcomeText(toOracle(compiled(new Map(Object.entries(values))), checked.type)),
        EvaluationError,
        context,
      );
      const theirs = outcomeOf(
        () =>
          outcomeText(oracle.evaluate(new Map(Object.entries(values).map(([name, value]) => [name, toOracle(value, types.get(name)!)])))),
        OracleError,
        context,
      );
      if (ours !== theirs) assert.equal(ours, theirs, context());
      if (ours === "fails") {
        assert.ok(checked.canFail, `a failure that canFail denies: ${context()}`);
        failed++;
      }
      compared++;
    }
  }
  console.log(`${compared} compared, ${failed} of them failing on both sides`);
  assert.equal(compared, EXPRESSIONS * INPUTS_EACH);
  assert.ok(failed > 0.05 * compared && failed < 0.6 * compared, "failures and values both have to occur");
});

function outcomeOf(run: () => string, failure: new (...args: never[]) => Error, context: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof failure) return "fails";
    throw new Error(context(), { cause: error });
  }
}
