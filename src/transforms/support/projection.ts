/**
 * Row by row from one record to one record: where, look-ups, lets, set, keep or drop, require. Shared by map, filter, lookup
 * and join. Invariant: a field that is neither set nor renamed is passed on as its column, untouched and not even decoded.
 */
import { scopeOf, type TablePlan } from "../../component/component.ts";
import type { CelTable, GroupSetting, SettingGroup } from "../../component/settings.ts";
import type { Field, RecordType, Type } from "../../data/types.ts";
import type { Binding, Checked, Scope } from "../../expr/contracts.ts";
import { bindLets, type LetPlan, planLets } from "./lets.ts";
import { bindLookups, type LookupPlan, planLookups, tellReads } from "./lookups.ts";
import { type Loop, LoopBuilder } from "./loop_builder.ts";
import { nearestHint } from "./names.ts";
import { narrow, type PlanChecker, rootsOf } from "./plan_checker.ts";
import { planRequirements, requireCode, type Requirement } from "./requirements.ts";
import { assign, newVariable, readVariable } from "./variable.ts";
import { type OutputShape, writeCode } from "./work.ts";

export interface ProjectionSource {
  readonly checker: PlanChecker;
  readonly settings: SettingGroup;
  /** What the transform declares: a stage that it does not have is not asked for. */
  readonly declared: GroupSetting;
  readonly input: RecordType;
  readonly tables: ReadonlyMap<string, TablePlan>;
  /** Variables besides the record's fields: a join's `right`. */
  readonly more?: ReadonlyMap<string, Type>;
}
/** One field of the result. */
interface ResultField {
  readonly field: Field;
  /** The input column that it is; -1 when `value` computes it. */
  readonly input: number;
  readonly value: Checked | null;
}
export interface Projection {
  readonly input: RecordType;
  readonly where: Checked | null;
  readonly lookups: readonly LookupPlan[];
  readonly lets: readonly LetPlan[];
  readonly fields: readonly ResultField[];
  readonly shape: OutputShape;
  readonly requirements: readonly Requirement[];
  /** Every variable that has to be read: fields, lets, look-ups and others. */
  readonly used: ReadonlySet<string>;
}

/** Checks the settings that are there; the checker knows whether the result can be used. */
export function planProjection(source: ProjectionSource): Projection {
  const { checker, settings, input } = source;
  const given = (name: string): boolean => Object.hasOwn(source.declared.fields, name) && settings.has(name);
  let scope = scopeOf(input, checker.context, source.more);
  const where = given("where") ? checker.condition(settings.cel("where"), scope) : null;
  if (where !== null) scope = narrow(scope, where.whenTrue);
  const looked = given("lookup") ? planLookups(settings.celTable("lookup"), scope, source.tables, checker) : { lookups: [], scope };
  const named = given("let") ? planLets(settings.celTable("let"), looked.scope, checker) : { lets: [], scope: looked.scope };
  const all = given("set") ? setFields(input, settings.celTable("set"), named.scope, checker) : passOn(input);
  const fields = keepFields(all, settings, given, checker);
  const shape = { type: { fields: fields.map((f) => f.field) }, inputs: fields.map((f) => f.input) };
  const resultScope = scopeOf(shape.type, checker.context, source.more);
  const requirements = given("require") ? planRequirements(settings.groups("require"), resultScope, checker) : [];
  const direct = [where, ...fields.map((f) => f.value)].filter((checked) => checked !== null).flatMap((checked) => [...rootsOf(checked)]);
  const required = requirements.flatMap(({ that }) => [...rootsOf(that)]).map((name) => inputName(fields, input, name));
  tellReads(looked.lookups, checker);
  const used = resolveUses([...direct, ...required.filter((name) => name !== null)], named.lets, looked.lookups);
  return { input, where, lookups: looked.lookups, lets: named.lets, fields, shape, requirements, used };
}

/** The input variable behind a name of the result; null for a computed one. */
function inputName(fields: readonly ResultField[], input: RecordType, name: string): string | null {
  const field = fields.find((f) => f.field.name === name);
  if (field === undefined) return name;
  return field.input < 0 ? null : input.fields[field.input].name;
}

function passOn(input: RecordType): ResultField[] {
  return input.fields.map((field, index) => ({ field, input: index, value: null }));
}

function setFields(input: RecordType, table: CelTable, scope: Scope, checker: PlanChecker): ResultField[] {
  const fields = passOn(input);
  for (const { path, keySpan, value } of table.entries) {
    const name = path.join(".");
    if (path.length > 1 || name === "...") {
      checker.fault(keySpan, `\`set\` takes plain names, not "${name}"`, "a nested object is made by `emit` of a decide");
      continue;
    }
    const checked = checker.check(value, scope);
    if (checked === null) continue;
    const at = fields.findIndex((f) => f.field.name === name);
    const made = resultField(name, checked, input, at < 0 ? null : fields[at].field);
    if (at < 0) fields.push(made);
    else fields[at] = made;
  }
  return fields;
}

/** A field's result from an expression; one that is just a field's name is that column. */
function resultField(name: string, checked: Checked, input: RecordType, replaced: Field | null): ResultField {
  const same = plainField(checked, input);
  if (same >= 0) return { field: { ...input.fields[same], name, type: checked.type }, input: same, value: null };
  return { field: computedField(name, checked.type, replaced), input: -1, value: checked };
}

/** The index of the field that the expression merely names, else -1. */
export function plainField(checked: Checked, input: RecordType): number {
  const text = checked.source.text.trim();
  return input.fields.findIndex((field) => field.name === text);
}

/** A computed field: its text form and its mask are those of the field it replaces, a list of allowed values is not. */
export function computedField(name: string, type: Type, replaced: Field | null): Field {
  const sameForm = replaced !== null && replaced.type.kind === type.kind;
  return {
    name,
    type,
    ...(sameForm && replaced.format !== undefined ? { format: replaced.format } : {}),
    ...(sameForm && replaced.zone !== undefined ? { zone: replaced.zone } : {}),
    ...(replaced?.tag !== undefined ? { tag: replaced.tag } : {}),
  };
}

function keepFields(
  fields: readonly ResultField[],
  settings: SettingGroup,
  given: (name: string) => boolean,
  checker: PlanChecker,
): readonly ResultField[] {
  if (given("keep") && given("drop")) {
    checker.fault(settings.at("drop"), "`keep` and `drop` exclude each other", "`keep` alone says which fields the result has");
  }
  const known = (setting: string): ResultField[] =>
    settings.texts(setting).flatMap((name) => {
      const field = fields.find((f) => f.field.name === name);
      if (field === undefined) {
        checker.fault(
          settings.at(setting),
          `\`${setting}\`: there is no field "${name}"`,
          nearestHint(name, fields.map((f) => f.field.name)),
        );
      }
      return field ? [field] : [];
    });
  if (given("keep")) return known("keep");
  if (!given("drop")) return fields;
  const dropped = new Set(known("drop"));
  return fields.filter((field) => !dropped.has(field));
}

/** All variables behind `direct`: what lets and look-ups read is read too. */
export function resolveUses(direct: Iterable<string>, lets: readonly LetPlan[], lookups: readonly LookupPlan[]): Set<string> {
  const used = new Set(direct);
  const add = (checked: Checked): void => {
    for (const root of rootsOf(checked)) used.add(root);
  };
  for (const { name, checked } of lets.toReversed()) if (used.has(name)) add(checked);
  for (const { name, key } of lookups.toReversed()) if (used.has(name)) add(key);
  return used;
}

/** Fields of the input that are read, given the fields of the result that are needed. */
export function fieldsNeeded(projection: Projection, outputs: ReadonlySet<string>): Set<string> {
  const needed = new Set(projection.input.fields.map((f) => f.name).filter((name) => projection.used.has(name)));
  for (const { field, input } of projection.fields) {
    if (input >= 0 && outputs.has(field.name)) needed.add(projection.input.fields[input].name);
  }
  return needed;
}

/** Compiles the loop. `prelude` is asked, once the record can be read, for statements that begin each row. */
export function compileProjection(projection: Projection, node: string, builder: LoopBuilder, prelude = (): string => ""): Loop {
  const { where, fields, used } = projection;
  builder.readRecord(projection.input, used);
  bindLookups(builder, projection.lookups, used);
  bindLets(builder, projection.lets, used);
  const first = prelude();
  const values: string[] = [];
  const writes: string[] = [];
  const result = new Map<string, Binding>();
  let made = 0;
  for (const { field, input, value } of fields) {
    if (value === null) {
      const same = builder.bindings.get(projection.input.fields[input].name);
      if (same !== undefined) result.set(field.name, same);
      continue;
    }
    const local = newVariable(builder, field.name, field.type);
    values.push(assign(builder, local, field.type, value));
    writes.push(writeCode(builder, made++, field.type, readVariable(local)));
    result.set(field.name, readVariable(local));
  }
  const body = [
    first,
    where === null ? "" : `if (!(${builder.emit(where)})) { filtered++; continue; }`,
    ...values,
    requireCode(builder, projection.requirements, node, result),
    ...writes,
    "rows[o++] = i;",
  ];
  return builder.build("projection", body.filter((line) => line !== "").join("\n"), {
    before: "let o = work.count, filtered = 0; const rows = work.rows;",
    after: "work.count = o; work.filtered += filtered;",
  });
}
