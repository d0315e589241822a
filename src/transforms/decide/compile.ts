/**
 * Compiles a decide into one loop. Invariant: state is read at the start of a row and written as its last act, behind everything
 * that can refuse the row.
 *
 * Locals of a state: `old` (before the record), `mid` (after `before`; what lets and conditions see), `now` (after updates).
 */
import { isNumeric, type Type } from "../../data/types.ts";
import { detach } from "../../data/columns.ts";
import type { Binding } from "../../expr/contracts.ts";
import { typedName } from "../support/keys.ts";
import { bindLets } from "../support/lets.ts";
import { bindLookups } from "../support/lookups.ts";
import type { Loop, LoopBuilder } from "../support/loop_builder.ts";
import type { ReadAs } from "../support/read_as.ts";
import { assign, copy, newVariable, readVariable, type Variable } from "../support/variable.ts";
import { slotsOfRows, writeCode } from "../support/work.ts";
import type { Branch } from "./branches.ts";
import type { Emitted } from "./emission.ts";
import { HistoryCode } from "./history_code.ts";
import { type DecidePlan, isKeyed } from "./plan.ts";
import type { StatePlan } from "./states.ts";

interface StateLocals {
  readonly state: StatePlan;
  /** The column, and variables for its arrays, which an insertion replaces; `valid` is null where the state never is. */
  readonly column: string;
  readonly values: string;
  readonly valid: string | null;
  readonly old: Variable;
  readonly mid: Variable;
  readonly now: Variable;
}
/** Everything that the parts of the loop share while it is written. */
interface Writing {
  readonly plan: DecidePlan;
  readonly builder: LoopBuilder;
  readonly states: readonly StateLocals[];
  /** Local of each name that branches set. */
  readonly sets: ReadonlyMap<string, string>;
  readonly code: string;
  readonly matched: string;
  readonly points: string;
  /** Points by code, as a map; null where nobody reads it. */
  readonly byCode: string | null;
  readonly table: string;
  readonly slot: string;
  readonly key: string;
  readonly sameRow: SameRow | null;
  readonly remembered: HistoryCode;
}
/** Code for the number of a looked-up row and for the slots by that number. */
interface SameRow {
  readonly row: string;
  readonly slots: string;
  /** See LoopBuilder.warm. */
  readonly reads: string[];
}

/** The loop of the plan; its first state table is the decide's. */
export function compileDecide(plan: DecidePlan, builder: LoopBuilder): Loop {
  return compileFor(plan, builder, "new");
}

/**
 * The loop for records that were decided upon before, each the newest of its key: as `compileDecide`, on the states as they are now, of
 * which none changes.
 */
export function compileDecideAgain(plan: DecidePlan, builder: LoopBuilder): Loop {
  const unchanging = (branch: Branch): Branch => ({ ...branch, updates: new Map() });
  const { rules, otherwise, names } = plan.branches;
  const branches = { rules: rules.map(unchanging), otherwise: unchanging(otherwise), names };
  return compileFor({ ...plan, where: null, before: new Map(), afterRules: new Map(), branches }, builder, "decided");
}

function compileFor(plan: DecidePlan, builder: LoopBuilder, records: "new" | "decided"): Loop {
  builder.readRecord(plan.input, plan.used);
  bindLookups(builder, plan.lookups, plan.used);
  const writing = open(plan, builder);
  const load = loadStates(writing);
  const { remembered } = writing;
  const staged = !isKeyed(plan) ? "" : records === "new" ? remembered.stage() : remembered.look();
  for (const [name, binding] of writing.remembered.bindings("now")) builder.bindings.set(name, binding);
  const before = beforeCode(writing);
  bindLets(builder, plan.lets, plan.used);
  const rules = plan.match === "all" ? allRules(writing) : oneRule(writing);
  const outcome = outcomeBindings(writing);
  const body = [
    plan.where === null ? "" : `if (!(${builder.emit(plan.where)})) { others[skipped++] = i; continue; }`,
    load,
    staged,
    before,
    ...writing.states.filter(({ now, mid }) => now !== mid).map(({ now, mid }) => copy(now, mid)),
    rules,
    updateCode(writing, plan.afterRules, outcome),
    emitCode(writing, outcome),
    records === "new" ? storeStates(writing) : "",
    plan.emitWhen === null ? "rows[o++] = i;" : "if (emits) rows[o++] = i; else filtered++;",
  ];
  return builder.build("decide", body.filter((line) => line !== "").join("\n"), {
    before: `const rows = work.rows, others = work.others; let o = work.count, skipped = work.otherCount, filtered = 0, emits = true; ${
      arraysOf(writing)
    }`,
    after: `${writing.remembered.settle()} work.count = o; work.otherCount = skipped; work.filtered += filtered;`,
  });
}

function open(plan: DecidePlan, builder: LoopBuilder): Writing {
  const table = isKeyed(plan) ? builder.hoist("table", "state[0]") : "";
  const slot = builder.local("slot");
  const states = plan.states.map((state): StateLocals => {
    const { name, type, kind } = state;
    const column = builder.hoist(name, `${table}.${kind}(${JSON.stringify(typedName(name, type))})`);
    const old = newVariable(builder, `old_${name}`, type);
    return {
      state,
      column,
      values: builder.local(name),
      valid: isNumeric(type) ? builder.local("valid") : null,
      old,
      mid: plan.before.has(name) ? newVariable(builder, `mid_${name}`, type) : old,
      now: newVariable(builder, `now_${name}`, type),
    };
  });
  return {
    plan,
    builder,
    states,
    sets: new Map(plan.branches.names.map(({ name }) => [name, builder.local(name)])),
    code: builder.local("code"),
    matched: builder.local("matched"),
    points: builder.local("points"),
    byCode: plan.match === "all" && plan.used.has("matched_points") ? builder.local("byCode") : null,
    table,
    slot,
    key: builder.local("key"),
    sameRow: rowOfKey(plan, builder),
    remembered: new HistoryCode(builder, slot, plan.histories, plan.sets),
  };
}

/** Statements that take the arrays of the states as they are now. */
function arraysOf({ states }: Writing): string {
  return states.map(({ column, values, valid }) => `${values} = ${column}.values;${valid === null ? "" : ` ${valid} = ${column}.valid;`}`)
    .join(" ");
}

function loadStates({ plan, builder, states, table, slot, key, sameRow, remembered }: Writing): string {
  if (plan.key === null || !isKeyed(plan)) return "";
  const slice = builder.textSlice(plan.key);
  const whole = `${key} = ${builder.keyPart(builder.emit(plan.key), plan.key.type)}`;
  const keys = builder.plainNumbers(plan.key);
  const numbers = states.filter(({ state }) => isNumeric(state.type));
  if (keys !== null) builder.warm(`${table}.find(${keys}[j])`).push(...numbers.map(({ column }) => `w += ${column}.values[at];`));
  const find = slice === null
    ? `${whole}; ${slot} = ${table}.find(${key});`
    : `${slot} = ${slice.bytes} !== null ? ${table}.findText(${slice.bytes}, ${slice.from}, ${slice.to}) : ${table}.find(${whole});`;
  const readBefore = sameRow?.reads.length;
  const initials = states.map(({ old, state }) => assign(builder, old, state.type, state.initial));
  if (sameRow !== null && numbers.length > 0) {
    const known = numbers.map(({ column }) => `w += ${column}.values[s];`).join(" ");
    // What a state begins with is read once for a key, not for each of its records.
    const fresh = sameRow.reads.splice(readBefore!).join(" ");
    sameRow.reads.push(`const s = ${sameRow.slots}[at]; if (s >= 0) { ${known} } else { ${fresh} }`);
  }
  const lines = [
    sameRow === null
      ? find
      : `${slot} = ${sameRow.row} < 0 ? -1 : ${sameRow.slots}[${sameRow.row}]; if (${slot} < 0) { ${find}${knownSlot(sameRow, slot)} }`,
    `if (${slot} < 0) {`,
    ...initials,
    "} else {",
    ...states.map((locals) => loadState(locals, slot)),
    "}",
  ];
  for (const { state, old } of states) {
    // Tied to a look-up: a null beside a found row means that the table is not the one the state was begun with.
    const row = state.presentWith === null ? undefined : builder.bindings.get(state.presentWith)?.isNull;
    if (row !== undefined) {
      lines.push(`if (!${row} && ${isNullCode(old)}) { out.reject(batch, i, ${JSON.stringify(`null:${state.name}`)}); continue; }`);
    }
  }
  const before = states.map(({ state, old }): [string, Binding] => [state.name, readVariable(old)]);
  builder.bindings.set("old", structOf(new Map([...before, ...remembered.bindings("old")])));
  for (const { state, old } of states) builder.bindings.set(state.name, readVariable(old));
  return lines.join("\n");
}

/**
 * Where a row is looked up by the very text that is the state's key, the text is looked for once, not twice. Numbers are found as fast as
 * this would be.
 */
function rowOfKey(plan: DecidePlan, builder: LoopBuilder): SameRow | null {
  if (plan.key === null || !isKeyed(plan) || builder.textSlice(plan.key) === null) return null;
  const name = plan.key.source.text.trim();
  const lookup = plan.lookups.find(({ key, keyType }) => keyType.kind === "string" && key.source.text.trim() === name);
  const looked = lookup && builder.looked.get(lookup.name);
  if (!looked) return null;
  const slots = builder.hoist(
    "slots",
    `${builder.unit.constant(slotsOfRows, "slotsOfRows")}(work, ${looked.rows}.size)`,
  );
  return { row: looked.row, slots, reads: looked.reads };
}

function structOf(fields: ReadonlyMap<string, Binding>): Binding {
  return {
    get code() {
      return `({${[...fields].map(([name, { code }]) => `${JSON.stringify(name)}: ${code}`).join(", ")}})`;
    },
    fields,
  };
}

function loadState({ state: { type }, values, valid, old }: StateLocals, slot: string): string {
  const stored = type.kind === "bool" ? `(${values}[${slot}] === 1)` : `${values}[${slot}]`;
  if (valid === null || !type.nullable) return `${old.value} = ${stored};`;
  const isNull = `${valid}[${slot}] === 0`;
  // Where there is none, the value is 0.
  return old.isNull === null ? `${old.value} = ${isNull} ? null : ${stored};` : `${old.isNull} = ${isNull}; ${old.value} = ${stored};`;
}

const isNullCode = ({ value, isNull }: Variable): string => isNull ?? `${value} === null`;

function beforeCode({ plan, builder, states }: Writing): string {
  const lines = states.flatMap(({ state, mid }) => {
    const checked = plan.before.get(state.name);
    return checked === undefined ? [] : [assign(builder, mid, state.type, checked)];
  });
  for (const { state, mid } of states) builder.bindings.set(state.name, readVariable(mid));
  return lines.join("\n");
}

/** first and last: one chain, in which the wanted rule is found first. */
function oneRule(writing: Writing): string {
  const { plan, builder } = writing;
  const { rules, otherwise } = plan.branches;
  const tried = plan.match === "last" ? rules.toReversed() : rules;
  const chain = tried.map((rule) => `if (${builder.emit(rule.when!)}) {\n${takeBranch(writing, rule)}\n} else `);
  return `${chain.join("")}{\n${takeBranch(writing, otherwise)}\n}`;
}

function takeBranch(writing: Writing, branch: Branch): string {
  const { code, points } = writing;
  const own = new Map([["code", { code: JSON.stringify(branch.code) }]]);
  return [
    `${code} = ${JSON.stringify(branch.code)}; ${points} = ${branch.points};`,
    ...setCode(writing, branch, own),
    ...writing.states.flatMap(({ state, now }) => {
      const checked = branch.updates.get(state.name);
      return checked === undefined ? [] : [assign(writing.builder, now, state.type, checked, own)];
    }),
  ].join("\n");
}

function setCode({ plan, builder, sets }: Writing, branch: Branch, own: ReadonlyMap<string, Binding>): string[] {
  return plan.branches.names.map(({ name, type }) => {
    const checked = branch.sets.get(name);
    if (checked !== undefined) return `${sets.get(name)} = ${builder.emitAs(checked, type, own)};`;
    return plan.match === "all" ? "" : unsetCode(plan, builder, sets, name);
  });
}

/** What a name is where no branch sets it: the field of that name, else null. */
function unsetCode(plan: DecidePlan, builder: LoopBuilder, sets: ReadonlyMap<string, string>, name: string): string {
  const { type, unset } = plan.branches.names.find((set) => set.name === name)!;
  if (unset === "never") return "";
  const field = plan.input.fields.find((f) => f.name === name);
  const code = unset === "field" ? builder.convert(builder.bindings.get(name)!.code, field!.type, type) : "null";
  return `${sets.get(name)} = ${code};`;
}

/** all: every condition sees the record as it came; what fires takes effect one after the other. */
function allRules(writing: Writing): string {
  const { plan, builder, sets, matched, points, byCode } = writing;
  const { rules, otherwise, names } = plan.branches;
  const fired = rules.map(() => builder.local("fired"));
  const conditions = rules.map((rule, index) => `${fired[index]} = ${builder.emit(rule.when!)};`);
  const effects = rules.map((rule, index) => {
    const own = new Map([["code", { code: JSON.stringify(rule.code) }], ...nowBindings(writing)]);
    return [
      `if (${fired[index]}) {`,
      `${matched}.push(${JSON.stringify(rule.code)}); ${points} += ${rule.points};`,
      byCode === null ? "" : `${byCode}.set(${JSON.stringify(rule.code)}, ${rule.points});`,
      ...setCode(writing, rule, own),
      updateCode(writing, rule.updates, own),
      "}",
    ].join("\n");
  });
  const own = new Map([["code", { code: JSON.stringify(otherwise.code) }]]);
  return [
    ...conditions,
    `${matched} = []; ${points} = 0;${byCode === null ? "" : ` ${byCode} = new Map();`}`,
    ...names.map(({ name }) => unsetCode(plan, builder, sets, name)),
    ...effects,
    `if (${matched}.length === 0) {`,
    ...setCode(writing, otherwise, own),
    updateCode(writing, otherwise.updates, own),
    "}",
  ].join("\n");
}

function nowBindings({ states }: Writing): [string, Binding][] {
  return states.map(({ state, now }) => [state.name, readVariable(now)]);
}

/** Simultaneous: all right-hand sides first, then the assignments. */
function updateCode({ builder, states }: Writing, updates: DecidePlan["before"], bindings: ReadonlyMap<string, Binding>): string {
  const changed = states.filter(({ state }) => updates.has(state.name)).map((entry) => ({
    ...entry,
    next: newVariable(builder, "next", entry.state.type),
  }));
  return [
    ...changed.map(({ state, next }) => assign(builder, next, state.type, updates.get(state.name)!, bindings)),
    ...changed.map(({ now, next }) => copy(now, next)),
  ].join(" ");
}

/** The names that the stages behind the rules see. */
function outcomeBindings(writing: Writing): Map<string, Binding> {
  const { plan, sets, code, matched, points, byCode } = writing;
  const own: [string, Binding][] = plan.match === "all" ? [["matched", { code: matched }]] : [["code", { code }]];
  if (byCode !== null) own.push(["matched_points", { code: byCode }]);
  return new Map<string, Binding>([
    ...nowBindings(writing),
    ...own,
    ["points", { code: points }],
    ...[...sets].map(([name, local]): [string, Binding] => [name, { code: local }]),
  ]);
}

/** Writes the computed columns at row `o`: until `o` moves on they count for nothing. */
function emitCode({ plan, builder, sets }: Writing, outcome: ReadonlyMap<string, Binding>): string {
  const valueOf = (emitted: Emitted): string => {
    switch (emitted.kind) {
      case "input":
        return builder.bindings.get(plan.input.fields[emitted.index].name)!.code;
      case "set":
        return sets.get(emitted.name)!;
      case "value":
        return builder.emit(emitted.checked, outcome);
      case "object":
        return `({${emitted.members.map((m) => `${JSON.stringify(m.name)}: ${valueOf(m.emitted)}`).join(", ")}})`;
    }
  };
  const made = plan.emitted.filter(({ emitted }) => emitted.kind !== "input");
  const readOf = (emitted: Emitted, type: Type): ReadAs => {
    const apart = emitted.kind === "value" ? builder.emitApart(emitted.checked, type, outcome) : null;
    return apart === null ? { code: valueOf(emitted) } : { code: valueOf(emitted), ...apart };
  };
  const writes = made.map(({ field, emitted }, index) => writeCode(builder, index, field.type, readOf(emitted, field.type)));
  if (plan.emitWhen === null) return writes.join("\n");
  return `emits = ${builder.emit(plan.emitWhen, outcome)};\nif (emits) {\n${writes.join("\n")}\n}`;
}

/** Writes what changed; a new key writes all. */
function storeStates(writing: Writing): string {
  const { plan, builder, states, table, slot, key, sameRow, remembered } = writing;
  if (plan.key === null || !isKeyed(plan)) return "";
  const isNew = builder.local("isNew");
  const slice = builder.textSlice(plan.key);
  const insert = slice === null
    ? `${table}.insert(${key})`
    : `${slice.bytes} !== null ? ${table}.insertText(${slice.bytes}, ${slice.from}, ${slice.to}) : ${table}.insert(${key})`;
  const known = sameRow === null ? "" : knownSlot(sameRow, slot);
  const lines = [`${isNew} = ${slot} < 0; if (${isNew}) { ${slot} = ${insert};${known} ${arraysOf(writing)} }`];
  for (const locals of states) {
    lines.push(`if (${isNew} || ${differs(locals)}) { ${storeState(builder, locals, slot)} ${table}.touch(${slot}); }`);
  }
  lines.push(remembered.commit());
  return lines.join("\n");
}

/** Statement that keeps a slot that was found or made beside the row of the same key. */
const knownSlot = ({ row, slots }: SameRow, slot: string): string => ` if (${row} >= 0) ${slots}[${row}] = ${slot};`;

const differs = ({ now, old }: StateLocals): string =>
  now.isNull === null ? `${now.value} !== ${old.value}` : `${now.isNull} !== ${old.isNull} || ${now.value} !== ${old.value}`;

/** The same stores for null: V8 throws compiled code away at the first row for which it comes to a store that it has not seen. */
function storeState(builder: LoopBuilder, { state: { type }, values, valid, now }: StateLocals, slot: string): string {
  const { value } = now;
  if (type.kind === "string") {
    const kept = `${builder.unit.constant(detach, "detach")}(${value})`;
    return `${values}[${slot}] = ${type.nullable ? `${value} === null ? null : ${kept}` : kept};`;
  }
  if (valid === null) return `${values}[${slot}] = ${value};`;
  const there = type.nullable ? `${isNullCode(now)} ? 0 : 1` : "1";
  return `${values}[${slot}] = ${type.kind === "bool" ? `${value} ? 1 : 0` : value}; ${valid}[${slot}] = ${there};`;
}
