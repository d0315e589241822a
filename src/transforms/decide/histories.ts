/**
 * `state.NAME` of a decide that is more than one value: a history of records, and a set of different values. Invariant: a record
 * is in them before anything judges it, and stays only if it succeeds.
 */
import type { TransformContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { isNumeric, type RecordType, type Type, typeText } from "../../data/types.ts";
import type { HistoryColumnKind, HistoryKeep, HistorySpec, StateTableSpec } from "../../engine/contracts.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import { keyKind, requireKeyKind, typedName } from "../support/keys.ts";
import { type PlanChecker, withVariables } from "../support/plan_checker.ts";
import { plainField } from "../support/projection.ts";

/** Records per key of a history by time, and values of a set, unless `most` says otherwise. */
export const MOST_PER_KEY = 100_000;

export interface MemberPlan {
  readonly name: string;
  readonly type: Type;
  readonly value: Checked;
  readonly column: { readonly name: string; readonly kind: HistoryColumnKind };
  /** The field of the input that it is; -1 for another value. */
  readonly field: number;
}
export interface HistoryPlan {
  readonly name: string;
  readonly type: Type;
  readonly members: readonly MemberPlan[];
  /** The member in whose order the records lie; null: in order of arrival. */
  readonly time: MemberPlan | null;
  readonly spec: HistorySpec;
}
export interface SetPlan {
  readonly name: string;
  readonly type: Type;
  readonly of: Checked;
  readonly most: number;
  readonly beyond: "reject" | "saturate";
  /** The column that counts its values, in the table of the states. */
  readonly count: string;
  /** Its values, by the slot of the key in that table. */
  readonly spec: StateTableSpec;
}
/** What a state of this type is described by, besides its type. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  value: ["as", "initial"],
  history: ["time", "keep", "fields", "most"],
  distinct: ["of", "most", "beyond"],
};

/** Reports settings that say nothing about a state of this type. */
export function refuseForeign(name: string, group: SettingGroup, checker: PlanChecker): void {
  const type = group.text("type");
  const own = SETTINGS[type];
  for (const setting of new Set(Object.values(SETTINGS).flat())) {
    if (own.includes(setting) || !group.has(setting) || setting === "beyond" && group.text(setting) === "reject") continue;
    const owners = Object.keys(SETTINGS).filter((other) => SETTINGS[other].includes(setting)).join('" or "');
    checker.fault(group.at(setting), `state "${name}": \`${setting}\` says nothing of a ${type}`, `it belongs to type = "${owners}"`);
  }
}

/** Checks a history; `scope` knows the record and the look-ups. */
export function planHistory(
  name: string,
  group: SettingGroup,
  scope: Scope,
  context: TransformContext,
  checker: PlanChecker,
): HistoryPlan | null {
  const members = group.has("fields") ? planMembers(name, group, scope, context.inputs[0].type, checker) : null;
  if (!group.has("fields")) {
    checker.fault(
      group.span,
      `history "${name}" keeps nothing`,
      `say what of each record: fields = { at = "created_at", amount = "amount" }`,
    );
  }
  if (!group.has("keep")) {
    const hint = 'keep = { count = 100 }, the newest by arrival; or time = "at" and keep = { for = "24h" }';
    checker.fault(group.span, `history "${name}" needs a bound`, hint);
    return null;
  }
  const time = members && planTime(name, group, members, checker);
  const keep = planKeep(name, group, time ?? null, context.inputs[0].latenessMicros, checker);
  if (members === null || keep === null || time === undefined) return null;
  const type: Type = {
    kind: "list",
    nullable: false,
    filled: true,
    item: { kind: "struct", nullable: false, fields: members.map((member) => ({ name: member.name, type: member.type })) },
  };
  const spec: HistorySpec = { name, columns: members.map(({ column }) => column), keep, version: 1 };
  return { name, type, members, time, spec };
}

function planMembers(
  name: string,
  group: SettingGroup,
  scope: Scope,
  input: RecordType,
  checker: PlanChecker,
): readonly MemberPlan[] | null {
  const members: MemberPlan[] = [];
  const { entries } = group.celTable("fields");
  for (const { path, keySpan, value } of entries) {
    const member = path.join(".");
    if (!/^[A-Za-z_]\w*$/.test(member)) {
      checker.fault(keySpan, `"${member}" is not the name of a member`, "letters, digits and _ only, no digit first");
      continue;
    }
    const checked = checker.check(value, scope);
    if (checked === null) continue;
    const kind = columnKind(checked.type);
    if (kind === null) {
      checker.fault(
        value.span,
        `history "${name}" cannot keep a ${typeText(checked.type)}`,
        "keep numbers, texts, times, lists or structs of these",
      );
      continue;
    }
    const column = { name: typedName(member, checked.type), kind };
    members.push({ name: member, type: checked.type, value: checked, column, field: plainField(checked, input) });
  }
  return members.length === entries.length && members.length > 0 ? members : null;
}

/** How a member is kept; null where it cannot be. */
function columnKind(type: Type): HistoryColumnKind | null {
  if (isNumeric(type)) return type.nullable ? "number?" : "number";
  if (type.kind === "string") return "text";
  return isPlainJson(type) ? "value" : null;
}
function isPlainJson(type: Type): boolean {
  switch (type.kind) {
    case "map":
    case "null":
      return false;
    case "list":
      return isPlainJson(type.item);
    case "struct":
      return type.fields.every((field) => isPlainJson(field.type));
    default:
      return true;
  }
}

/** The member named by `time`; null when there is no such setting, undefined when it was wrong. */
function planTime(name: string, group: SettingGroup, members: readonly MemberPlan[], checker: PlanChecker): MemberPlan | null | undefined {
  if (!group.has("time")) return null;
  const wished = group.text("time");
  const member = members.find((one) => one.name === wished);
  if (member?.type.kind === "timestamp" && !member.type.nullable) return member;
  const why = member === undefined ? `history "${name}" has no member "${wished}"` : `"${wished}" is ${typeText(member.type)}`;
  checker.fault(group.at("time"), why, "the member that orders a history is a timestamp that is always there");
  return undefined;
}

function planKeep(
  name: string,
  group: SettingGroup,
  time: MemberPlan | null,
  latenessMicros: number,
  checker: PlanChecker,
): HistoryKeep | null {
  const keep = group.group("keep");
  if (keep.has("count") === keep.has("for")) {
    checker.fault(keep.span, `\`keep\` of "${name}" says either a \`count\` of records or \`for\` how long`, 'keep = { for = "24h" }');
    return null;
  }
  if (keep.has("count")) {
    const useless = ["older"].find((setting) => keep.has(setting) && keep.number(setting) > 0);
    if (useless !== undefined) checker.fault(keep.at(useless), `\`${useless}\` goes with \`for\``, "a count says how many are kept");
    if (group.has("time")) {
      checker.fault(group.at("time"), `history "${name}" keeps the newest by arrival`, "`time` goes with keep = { for = ... }");
    }
    if (group.has("most")) checker.fault(group.at("most"), "`count` says how many are kept already", "leave `most` out");
    return { kind: "count", records: keep.number("count") };
  }
  if (!group.has("time")) {
    checker.fault(keep.at("for"), `history "${name}" does not know the time of its records`, 'name the member that holds it: time = "at"');
    return null;
  }
  if (time === null) return null;
  return {
    kind: "span",
    column: time.column.name,
    micros: keep.number("for") * 1000 + latenessMicros,
    older: keep.number("older"),
    recordsMax: group.has("most") ? group.number("most") : MOST_PER_KEY,
  };
}

/** Checks a set of different values. */
export function planSet(name: string, group: SettingGroup, scope: Scope, checker: PlanChecker): SetPlan | null {
  if (!group.has("of")) {
    checker.fault(group.span, `set "${name}" needs the value that it collects`, 'of = "customer_id"');
    return null;
  }
  const of = checker.check(group.cel("of"), scope);
  if (of === null || requireKeyKind(of, `a value of set "${name}"`, checker) === null) return null;
  const item: Type = { ...of.type, nullable: false };
  return {
    name,
    type: { kind: "list", item, nullable: false },
    of,
    most: group.has("most") ? group.number("most") : MOST_PER_KEY,
    beyond: group.text("beyond") as SetPlan["beyond"],
    count: `${name}: values`,
    spec: { name: typedName(name, item), key: ["number", keyKind(item)!], columns: [], version: 1 },
  };
}

/** `scope` with the histories and sets, whose names there stand for the record included. */
export function withHistories(scope: Scope, histories: readonly HistoryPlan[], sets: readonly SetPlan[]): Scope {
  if (histories.length === 0 && sets.length === 0) return scope;
  const known = withVariables(scope, [...histories, ...sets].map(({ name, type }) => [name, type] as const));
  return { ...known, sets: new Set(sets.flatMap(({ name }) => [name, `old.${name}`])) };
}
