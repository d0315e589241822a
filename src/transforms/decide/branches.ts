/**
 * Rules, `matched` and `otherwise`: what a record that takes a branch sets and updates. Invariant: with `first` and `last` every
 * branch sets the same names, so that a name always has a value of one type.
 */
import type { CelTable, SettingGroup } from "../../component/settings.ts";
import { type RecordType, STRING, type Type, typeText, withNull } from "../../data/types.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import { commonType } from "../../expr/conversions.ts";
import { nameFault, nearestHint } from "../support/names.ts";
import { forget, narrow, type PlanChecker, rootsOf, withVariables } from "../support/plan_checker.ts";
import { type StatePlan, withTied } from "./states.ts";

export type Match = "first" | "all" | "last";

/** What one branch does. A rule without its own `set` or `update` has those of `matched`. */
export interface Branch {
  readonly code: string | null;
  /** null for `otherwise`. */
  readonly when: Checked | null;
  readonly points: number;
  readonly sets: ReadonlyMap<string, Checked>;
  readonly updates: ReadonlyMap<string, Checked>;
}
/** A name that branches set. `unset`: what it is where no branch sets it. */
export interface SetName {
  readonly name: string;
  readonly type: Type;
  readonly unset: "field" | "null" | "never";
}
export interface Branches {
  readonly rules: readonly Branch[];
  readonly otherwise: Branch;
  readonly names: readonly SetName[];
}
interface Surroundings {
  readonly match: Match;
  readonly input: RecordType;
  readonly states: readonly StatePlan[];
  /** Knows record, look-ups, states and lets. */
  readonly scope: Scope;
  readonly checker: PlanChecker;
}

/** Checks all branches. */
export function planBranches(settings: SettingGroup, around: Surroundings): Branches {
  const { match, states, scope } = around;
  const matched = settings.has("matched") ? settings.group("matched") : null;
  let failed: ReadonlySet<string> = new Set();
  const rules: Branch[] = [];
  const codes = new Set<string>();
  for (const group of settings.has("rules") ? settings.groups("rules") : []) {
    const code = group.text("code");
    if (codes.has(code)) {
      around.checker.fault(group.at("code"), `two rules have the code "${code}"`, "a code names one rule: reports count by it");
    }
    codes.add(code);
    // Only with `first` does a rule know that those before it failed.
    const known = match === "first" ? narrow(scope, withTied(states, failed)) : scope;
    const when = around.checker.condition(group.cel("when"), known);
    if (when === null) continue;
    const inside = behindCondition(narrow(known, withTied(states, when.whenTrue)), match, states);
    rules.push(planBranch(group, matched, code, when, inside, behindCondition(scope, match, states), around));
    failed = new Set([...failed, ...when.whenFalse]);
  }
  const otherwise = planOtherwise(settings, narrow(scope, withTied(states, failed)), around);
  return { rules, otherwise, names: unifySets(rules, otherwise, settings, around) };
}

/** With `all` a rule sees states that rules before it may have changed since its condition looked at them. */
function behindCondition(scope: Scope, match: Match, states: readonly StatePlan[]): Scope {
  if (match !== "all") return scope;
  const changed = forget(scope, states.map(({ name }) => name));
  return narrow(changed, withTied(states, changed.narrowed ?? new Set()));
}

function planBranch(
  group: SettingGroup,
  matched: SettingGroup | null,
  code: string,
  when: Checked,
  inside: Scope,
  outside: Scope,
  around: Surroundings,
): Branch {
  const part = (name: "set" | "update"): { table: CelTable; scope: Scope } | null => {
    if (group.has(name)) return { table: group.celTable(name), scope: inside };
    return matched?.has(name) ? { table: matched.celTable(name), scope: outside } : null;
  };
  const [set, update] = [part("set"), part("update")];
  return {
    code,
    when,
    points: group.has("points") ? group.number("points") : 0,
    sets: set === null ? new Map() : checkSets(set.table, withCode(set.scope), around),
    updates: update === null ? new Map() : checkUpdates(update.table, withCode(update.scope), around.states, around.checker, around.input),
  };
}

function planOtherwise(settings: SettingGroup, scope: Scope, around: Surroundings): Branch {
  const group = settings.has("otherwise") ? settings.group("otherwise") : null;
  const code = group?.has("code") ? group.text("code") : null;
  const known = code === null ? scope : withCode(scope);
  return {
    code,
    when: null,
    points: 0,
    sets: group?.has("set") ? checkSets(group.celTable("set"), known, around) : new Map(),
    updates: group?.has("update") ? checkUpdates(group.celTable("update"), known, around.states, around.checker, around.input) : new Map(),
  };
}

function withCode(scope: Scope): Scope {
  return withVariables(scope, [["code", STRING]]);
}

function checkSets(table: CelTable, scope: Scope, { input, checker }: Surroundings): Map<string, Checked> {
  const sets = new Map<string, Checked>();
  for (const { path, keySpan, value } of table.entries) {
    const name = path.join(".");
    const isField = input.fields.some((field) => field.name === name);
    const wrong = isField
      ? null
      : nameFault(name) ?? (scope.variables.has(name) ? `"${name}" is already a state, a let or a look-up` : null);
    if (wrong !== null) checker.fault(keySpan, wrong, "`set` gives values to new names or to fields; a state changes in `update`");
    const checked = checkOwn(checker.check(value, scope), input, ["code"], checker);
    if (checked !== null && wrong === null) sets.set(name, checked);
  }
  return sets;
}

/** Checks right-hand sides of an `update` table against their states. */
export function checkUpdates(
  table: CelTable,
  scope: Scope,
  states: readonly StatePlan[],
  checker: PlanChecker,
  input: RecordType,
): Map<string, Checked> {
  const updates = new Map<string, Checked>();
  for (const { path, keySpan, value } of table.entries) {
    const name = path.join(".");
    const state = states.find((s) => s.name === name);
    if (state === undefined) {
      const hint = scope.variables.get(name)?.kind === "list" && !input.fields.some((field) => field.name === name)
        ? "records enter a history, and values a set, by themselves"
        : states.length === 0
        ? `declare it: [transforms.${checker.context.name}.state.${name}]`
        : nearestHint(name, states.map((s) => s.name));
      checker.fault(keySpan, `there is no state "${name}" to update`, hint);
      continue;
    }
    const checked = checkOwn(checker.check(value, scope, state.type), input, ["code", "matched", "points"], checker);
    if (checked !== null) updates.set(name, checked);
  }
  return updates;
}

/** A variable of ours that is also a field is ambiguous as soon as it is read. */
export function checkOwn(checked: Checked | null, input: RecordType, own: readonly string[], checker: PlanChecker): Checked | null {
  if (checked === null) return null;
  const roots = rootsOf(checked);
  for (const name of own) {
    if (!roots.has(name) || !input.fields.some((field) => field.name === name)) continue;
    checker.fault(
      checked.source.span,
      `"${name}" is both a field of the record and what the rules gave`,
      "rename the field in a map before",
    );
    return null;
  }
  return checked;
}

function unifySets(rules: readonly Branch[], otherwise: Branch, settings: SettingGroup, around: Surroundings): SetName[] {
  const { match, input, checker } = around;
  const branches = [...rules, otherwise];
  const names = new Set(branches.flatMap(({ sets }) => [...sets.keys()]));
  const unified: SetName[] = [];
  for (const name of names) {
    const field = input.fields.find((f) => f.name === name);
    const without = branches.filter(({ sets }) => !sets.has(name));
    const types = branches.flatMap(({ sets }) => sets.get(name)?.type ?? []);
    const unset = without.length === 0 ? "never" : field !== undefined ? "field" : "null";
    if (unset === "null" && match !== "all") {
      const where = without[0] === otherwise ? "`otherwise`" : `rule "${without[0].code}"`;
      checker.fault(
        settings.at(without[0] === otherwise && settings.has("otherwise") ? "otherwise" : "rules"),
        `${where} does not set \`${name}\`, which other branches set`,
        `every branch sets the same names: add ${name} to its \`set\`, "null" where there is no value`,
      );
      continue;
    }
    const all = [...types, ...(unset === "field" ? [field!.type] : [])];
    const common = all.reduce((sofar: Type | null, type) => sofar && commonType(sofar, type), all[0]);
    if (common === null) {
      const listed = [...new Set(types.map(typeText))].join(", ");
      checker.fault(
        settings.at("rules"),
        `\`${name}\` gets values of different types: ${listed}`,
        "all branches give one type; int and decimal go together",
      );
      continue;
    }
    unified.push({ name, unset, type: unset === "null" ? withNull(common) : common });
  }
  return unified;
}
