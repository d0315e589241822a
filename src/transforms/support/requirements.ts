/** `require`: conditions on a result. A row that breaks one is refused under its code, or stops the run. */
import type { SettingGroup } from "../../component/settings.ts";
import type { Batch } from "../../data/batch.ts";
import { MillraceError } from "../../data/fault.ts";
import type { Bindings, Checked, Scope } from "../../expr/contracts.ts";
import type { LoopBuilder } from "./loop_builder.ts";
import { narrow, type PlanChecker } from "./plan_checker.ts";

export interface Requirement {
  readonly code: string;
  readonly that: Checked;
  readonly otherwise: "reject" | "fail";
}

/** Checks the conditions in order; each knows that the ones before it held. */
export function planRequirements(groups: readonly SettingGroup[], scope: Scope, checker: PlanChecker): Requirement[] {
  const requirements: Requirement[] = [];
  let known = scope;
  for (const group of groups) {
    const code = group.text("code");
    if (code.trim() === "") {
      checker.fault(group.at("code"), "a requirement needs a code", "it becomes the reject reason, for example `negative_total`");
    }
    const that = checker.condition(group.cel("that"), known);
    if (that === null) continue;
    known = narrow(known, that.whenTrue);
    requirements.push({ code, that, otherwise: group.text("else") === "fail" ? "fail" : "reject" });
  }
  return requirements;
}

/** Statements that end the row when a condition does not hold. */
export function requireCode(builder: LoopBuilder, requirements: readonly Requirement[], node: string, bindings?: Bindings): string {
  return requirements.map(({ code, that, otherwise }) => {
    const holds = builder.emit(that, bindings);
    if (otherwise === "reject") return `if (!(${holds})) { out.reject(batch, i, ${JSON.stringify(code)}); continue; }`;
    const fail = builder.unit.constant(failRun, "failRun");
    return `if (!(${holds})) ${fail}(batch, i, ${JSON.stringify(node)}, ${JSON.stringify(code)}, ${JSON.stringify(that.source.text)});`;
  }).join("\n");
}

function failRun(batch: Batch, row: number, node: string, code: string, condition: string): never {
  const { source, partition, position } = batch.meta;
  const place = `row ${position[row]} of ${source}${partition === 0 ? "" : `, partition ${partition}`}`;
  throw new MillraceError("requirement_failed", `${node}: ${code} does not hold for ${place}`, {
    hint: `required: ${condition.trim()}; with else = "reject" such rows go to the rejects and the run goes on`,
  });
}
