/**
 * `state.NAME` of a decide: one value per key, or one of histories.ts. Invariant used by the rules: where the first value comes from a look-up by the key
 * alone, and every update gives a value again, the state is null only where that look-up found nothing.
 */
import type { TransformContext } from "../../component/component.ts";
import type { Cel, SettingGroup } from "../../component/settings.ts";
import { isNumeric, type Type, withNull } from "../../data/types.ts";
import type { Checked, ExprSource, Scope } from "../../expr/contracts.ts";
import type { StateColumnKind } from "../../engine/contracts.ts";
import type { LookupPlan } from "../support/lookups.ts";
import { nameFault } from "../support/names.ts";
import { narrow, type PlanChecker, rootsOf } from "../support/plan_checker.ts";
import { parseTypeText } from "../support/type_text.ts";
import { type HistoryPlan, planHistory, planSet, refuseForeign, type SetPlan } from "./histories.ts";

export interface StatePlan {
  readonly name: string;
  readonly type: Type;
  readonly initial: Checked;
  readonly kind: StateColumnKind;
  /** The look-up without which alone this state is null; null when there is none such. */
  readonly presentWith: string | null;
}

/** How a state of this type is stored. */
export function stateKind(type: Type): StateColumnKind {
  return isNumeric(type) ? "number" : type.kind === "string" ? "text" : "value";
}

/** The states of a decide, by what they are. */
export interface PlannedStates {
  readonly values: readonly StatePlan[];
  readonly histories: readonly HistoryPlan[];
  readonly sets: readonly SetPlan[];
}

/** Checks the states; `scope` knows the record and the look-ups. */
export function planStates(
  groups: ReadonlyMap<string, SettingGroup>,
  scope: Scope,
  context: TransformContext,
  checker: PlanChecker,
): PlannedStates {
  const [values, histories, sets]: [StatePlan[], HistoryPlan[], SetPlan[]] = [[], [], []];
  for (const [name, group] of groups) {
    const wrong = nameFault(name) ?? (scope.variables.has(name) ? `"${name}" is already a field or a look-up` : null);
    if (wrong !== null) checker.fault(group.span, wrong, "give the state another name");
    refuseForeign(name, group, checker);
    switch (group.text("type") as "value" | "history" | "distinct") {
      case "value": {
        const value = planValue(name, group, scope, checker);
        if (value !== null && wrong === null) values.push(value);
        break;
      }
      case "history": {
        const history = planHistory(name, group, scope, context, checker);
        if (history !== null && wrong === null) histories.push(history);
        break;
      }
      case "distinct": {
        const set = planSet(name, group, scope, checker);
        if (set !== null && wrong === null) sets.push(set);
        break;
      }
    }
  }
  return { values, histories, sets };
}

function planValue(name: string, group: SettingGroup, scope: Scope, checker: PlanChecker): StatePlan | null {
  const type = group.has("as") ? parseTypeText(group.text("as")) : null;
  if (type === null) {
    const hint = `write a type, for example as = "decimal(2)?"; a list is list<string>`;
    checker.fault(group.at("as"), group.has("as") ? `"${group.text("as")}" is not a type` : `state "${name}" needs a type`, hint);
  }
  if (!group.has("initial")) {
    checker.fault(group.span, `state "${name}" needs its first value`, `initial = "0", or "null" with a type that ends in ?`);
  }
  if (type === null || !group.has("initial")) return null;
  const initial = checker.check(group.cel("initial"), scope, type);
  return initial && { name, type, initial, kind: stateKind(type), presentWith: null };
}

/**
 * Finds for each state the look-up that it stands and falls with. `updates` are all right-hand sides by state, checked here
 * without reporting: an update that may give null breaks the tie.
 */
export function tieStates(
  states: readonly StatePlan[],
  lookups: readonly LookupPlan[],
  keyField: string | null,
  scopes: { readonly initial: Scope; readonly update: Scope },
  updates: ReadonlyMap<string, readonly Cel[]>,
  checker: PlanChecker,
): StatePlan[] {
  const byKey = new Set<string>(keyField === null ? [] : [keyField, "params"]);
  const candidates = lookups.filter(({ name, key, table }) => {
    // A row of a kept table may come after the state began without it, or go.
    if (table.rows === null) return false;
    const fixed = keyField !== null && [...rootsOf(key)].every((root) => byKey.has(root));
    if (fixed) byKey.add(name);
    return fixed;
  });
  const givesValue = (source: ExprSource, scope: Scope, type: Type): boolean => {
    const checked = checker.context.expressions.check(source, scope, () => {}, withNull(type));
    return checked !== null && !checked.type.nullable;
  };
  return states.map((state) => {
    if (!state.type.nullable) return state;
    const tied = candidates.find(({ name }) => {
      if (!rootsOf(state.initial).has(name)) return false;
      if (!givesValue(state.initial.source, narrow(scopes.initial, [name]), state.type)) return false;
      const update = narrow(scopes.update, [name, state.name]);
      return (updates.get(state.name) ?? []).every((cel) => givesValue(cel, update, state.type));
    });
    return tied === undefined ? state : { ...state, presentWith: tied.name };
  });
}

/** `paths` and the states that cannot be null where these are not. */
export function withTied(states: readonly StatePlan[], paths: ReadonlySet<string>): Set<string> {
  const all = new Set(paths);
  for (const { name, presentWith } of states) if (presentWith !== null && paths.has(presentWith)) all.add(name);
  return all;
}
