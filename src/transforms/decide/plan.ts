/**
 * Checks a decide in the order in which its stages run: where → lookup → before → let → rules or otherwise → after_rules →
 * emit_when → emit. Each stage knows the names of those before it.
 */
import { scopeOf, type TransformContext } from "../../component/component.ts";
import type { Cel, SettingGroup } from "../../component/settings.ts";
import { INT, listOf, type RecordType, STRING, type Type, withNull } from "../../data/types.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import { refuseChanging } from "../missing/probe.ts";
import { requireKeyKind } from "../support/keys.ts";
import { type LetPlan, planLets } from "../support/lets.ts";
import { type LookupPlan, planLookups, tellReads } from "../support/lookups.ts";
import { forget, narrow, type PlanChecker, rootsOf, withVariables } from "../support/plan_checker.ts";
import { plainField, resolveUses } from "../support/projection.ts";
import type { OutputShape } from "../support/work.ts";
import { type Branches, checkUpdates, type Match, planBranches } from "./branches.ts";
import { type Emitted, type EmittedField, planEmission } from "./emission.ts";
import { type HistoryPlan, type SetPlan, withHistories } from "./histories.ts";
import { type PlannedStates, planStates, type StatePlan, tieStates } from "./states.ts";

export interface DecidePlan {
  readonly input: RecordType;
  readonly match: Match;
  readonly where: Checked | null;
  readonly key: Checked | null;
  /** The field that `key` names; null for another expression or none. */
  readonly keyField: string | null;
  readonly lookups: readonly LookupPlan[];
  readonly states: readonly StatePlan[];
  readonly histories: readonly HistoryPlan[];
  readonly sets: readonly SetPlan[];
  readonly before: ReadonlyMap<string, Checked>;
  readonly lets: readonly LetPlan[];
  readonly branches: Branches;
  readonly afterRules: ReadonlyMap<string, Checked>;
  readonly emitWhen: Checked | null;
  readonly emitted: readonly EmittedField[];
  readonly shape: OutputShape;
  /** Every variable that has to be read. */
  readonly used: ReadonlySet<string>;
}

/** Whether something is remembered by key. */
export function isKeyed({ states, histories, sets }: Pick<DecidePlan, "states" | "histories" | "sets">): boolean {
  return states.length + histories.length + sets.length > 0;
}

/** null when faults were reported. */
export function planDecide(context: TransformContext, checker: PlanChecker): DecidePlan | null {
  const { settings } = context;
  const input = context.inputs[0].type;
  const match = settings.text("match") as Match;
  const opened = openRecord(context, input, checker);
  const { lookups, key } = opened;
  refuseChanging(opened, checker);
  const keyField = key === null ? null : input.fields[plainField(key, input)]?.name ?? null;
  const planned = planStates(settings.has("state") ? settings.map("state") : new Map(), opened.scope, context, checker);
  const { values: loose, histories, sets } = planned;
  if (settings.has("state") && !settings.has("key")) {
    checker.fault(settings.at("state"), "state is kept by key, and there is no `key`", 'say whose state it is: key = "account_id"');
  }
  const stateScope = withStates(opened.scope, planned);
  const before = settings.has("before")
    ? checkUpdates(settings.celTable("before"), stateScope, loose, checker, input)
    : new Map<string, Checked>();
  const named = settings.has("let") ? planLets(settings.celTable("let"), stateScope, checker) : { lets: [], scope: stateScope };
  const states = tieStates(loose, lookups, keyField, { initial: opened.scope, update: named.scope }, allUpdates(settings), checker);
  const branches = planBranches(settings, { match, input, states, scope: named.scope, checker });
  const outcome = outcomeScope(named.scope, match, branches, states);
  const afterRules = settings.has("after_rules")
    ? checkUpdates(settings.celTable("after_rules"), outcome, states, checker, input)
    : new Map<string, Checked>();
  const emitWhen = settings.has("emit_when") ? checker.condition(settings.cel("emit_when"), outcome) : null;
  const emitScope = emitWhen === null ? outcome : narrow(outcome, emitWhen.whenTrue);
  const table = settings.has("emit") ? settings.celTable("emit") : null;
  const emitted = planEmission(table, { input, names: branches.names, scope: emitScope, checker });
  if (checker.failed) return null;
  const shape = {
    type: { fields: emitted.map(({ field }) => field) },
    inputs: emitted.map((e) => e.emitted.kind === "input" ? e.emitted.index : -1),
  };
  const plan = {
    input,
    match,
    where: opened.where,
    key,
    keyField,
    lookups,
    states,
    histories,
    sets,
    before,
    lets: named.lets,
    branches,
    afterRules,
    emitWhen,
    emitted,
    shape,
  };
  tellReads(lookups, checker);
  return { ...plan, used: usesOf(plan) };
}

function openRecord(
  context: TransformContext,
  input: RecordType,
  checker: PlanChecker,
): { where: Checked | null; key: Checked | null; lookups: readonly LookupPlan[]; scope: Scope } {
  const { settings } = context;
  let scope = scopeOf(input, context);
  const where = settings.has("where") ? checker.condition(settings.cel("where"), scope) : null;
  if (where !== null) scope = narrow(scope, where.whenTrue);
  const key = settings.has("key") ? checker.check(settings.cel("key"), scope) : null;
  if (key !== null) requireKeyKind(key, "the key", checker);
  const looked = settings.has("lookup") ? planLookups(settings.celTable("lookup"), scope, context.tables, checker) : { lookups: [], scope };
  return { where, key, ...looked };
}

function withStates(scope: Scope, { values, histories, sets }: PlannedStates): Scope {
  const all = [...values, ...histories, ...sets];
  if (all.length === 0) return scope;
  const old: Type = { kind: "struct", nullable: false, fields: all.map(({ name, type }) => ({ name, type: withoutRecord(type) })) };
  const known = withVariables(scope, [...values.map(({ name, type }) => [name, type] as const), ["old", old]]);
  return withHistories(known, histories, sets);
}

/** A list of what there was before the record may be empty. */
function withoutRecord(type: Type): Type {
  return type.kind === "list" ? { kind: "list", item: type.item, nullable: type.nullable } : type;
}

/** Behind the rules: what they gave and set is known, and states and fields that changed are no longer what conditions said. */
function outcomeScope(scope: Scope, match: Match, branches: Branches, states: readonly StatePlan[]): Scope {
  const set = branches.names.map(({ name, type }) => [name, type] as const);
  const changed = [...set.map(([name]) => name), ...states.map(({ name }) => name)];
  return withVariables(forget(scope, changed), [...ownNames(match, branches), ...set]);
}

/** In order of the rules. */
const POINTS_BY_CODE: Type = { kind: "map", key: STRING, value: INT, nullable: false };

/** What the rules themselves give: the code that fired, or all of them. */
function ownNames(match: Match, { otherwise }: Branches): [string, Type][] {
  if (match === "all") return [["matched", listOf(STRING)], ["points", INT], ["matched_points", POINTS_BY_CODE]];
  return [["code", otherwise.code === null ? withNull(STRING) : STRING], ["points", INT]];
}

/** The right-hand sides of every update, by state. */
function allUpdates(settings: SettingGroup): Map<string, Cel[]> {
  const updates = new Map<string, Cel[]>();
  const add = (group: SettingGroup, name: string): void => {
    if (!group.has(name)) return;
    for (const { path, value } of group.celTable(name).entries) {
      const state = path.join(".");
      updates.set(state, [...updates.get(state) ?? [], value]);
    }
  };
  add(settings, "before");
  add(settings, "after_rules");
  for (const name of ["matched", "otherwise"]) if (settings.has(name)) add(settings.group(name), "update");
  for (const rule of settings.has("rules") ? settings.groups("rules") : []) add(rule, "update");
  return updates;
}

function usesOf(plan: Omit<DecidePlan, "used">): Set<string> {
  const { branches } = plan;
  const all = [...branches.rules, branches.otherwise];
  const checked = [
    plan.where,
    plan.key,
    plan.emitWhen,
    ...plan.states.map((state) => state.initial),
    ...plan.histories.flatMap(({ members }) => members.map(({ value }) => value)),
    ...plan.sets.map(({ of }) => of),
    ...plan.before.values(),
    ...plan.afterRules.values(),
    ...all.flatMap(({ when, sets, updates }) => [when, ...sets.values(), ...updates.values()]),
  ].filter((c) => c !== null);
  const direct = new Set(checked.flatMap((c) => [...rootsOf(c)]));
  for (const { presentWith } of plan.states) if (presentWith !== null) direct.add(presentWith);
  for (const { name, unset } of branches.names) if (unset === "field") direct.add(name);
  for (const { emitted } of plan.emitted) if (emitted.kind !== "input") addEmitted(emitted, plan.input, direct);
  return resolveUses(direct, plan.lets, plan.lookups);
}

function addEmitted(emitted: Emitted, input: RecordType, into: Set<string>): void {
  if (emitted.kind === "input") into.add(input.fields[emitted.index].name);
  else if (emitted.kind === "value") { for (const root of rootsOf(emitted.checked)) into.add(root); }
  else if (emitted.kind === "object") { for (const member of emitted.members) addEmitted(member.emitted, input, into); }
}
