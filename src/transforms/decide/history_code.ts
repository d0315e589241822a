/**
 * Histories and sets in the loop of a decide. A record is staged in its histories in front of everything that looks at them, and committed
 * as the last act of the row; where the row is refused in between, the next one finds the histories as they were.
 */
import { isNumeric } from "../../data/types.ts";
import type { History, KeptTable } from "../../engine/contracts.ts";
import type { Binding, ColumnList, ColumnMember } from "../../expr/contracts.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { newWork, type Work } from "../support/work.ts";
import type { HistoryPlan, MemberPlan, SetPlan } from "./histories.ts";

/** What the loop of a decide works with. */
export interface DecideWork extends Work {
  readonly histories: readonly History[];
}
export function decideWork(histories: readonly History[], tables: readonly KeptTable[]): DecideWork {
  return { ...newWork(tables), histories };
}

interface HistoryLocals {
  readonly plan: HistoryPlan;
  /** The history. */
  readonly handle: string;
  /** Its place of the record; the places with it, and without what it pushes out; the first one before it. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly before: string;
  readonly page: string;
  readonly columns: readonly MemberLocals[];
}
interface MemberLocals {
  readonly plan: MemberPlan;
  /** The column, and its arrays on the record's page. */
  readonly column: string;
  readonly values: string;
  readonly valid: string | null;
  /** Of texts: what knows their codes. */
  readonly texts: string | null;
  /** The record's own value. */
  readonly own: string;
}
interface SetLocals {
  readonly plan: SetPlan;
  /** The table of its values, and the column that counts them. */
  readonly table: string;
  readonly column: string;
  /** The record's value, and whether it is new. */
  readonly own: string;
  readonly isNew: string;
  /** How many there were, and are. */
  readonly old: string;
  readonly now: string;
}

/** The histories and sets of one decide as code. */
export class HistoryCode {
  readonly #builder: LoopBuilder;
  readonly #slot: string;
  readonly #histories: readonly HistoryLocals[];
  readonly #sets: readonly SetLocals[];

  /** `slot` holds the key's slot, below 0 for a new key. The tables of sets stand behind the first one, which has the states. */
  constructor(builder: LoopBuilder, slot: string, histories: readonly HistoryPlan[], sets: readonly SetPlan[]) {
    this.#builder = builder;
    this.#slot = slot;
    this.#histories = histories.map((plan, index) => openHistory(builder, plan, index));
    this.#sets = sets.map((plan, index): SetLocals => ({
      plan,
      table: builder.hoist(plan.name, `state[${index + 1}]`),
      column: builder.hoist("count", `state[0].number(${JSON.stringify(plan.count)})`),
      own: builder.local(plan.name),
      isNew: builder.local("isNew"),
      old: builder.local("old"),
      now: builder.local("now"),
    }));
  }

  /** Statements that put the record into its histories and sets, to be seen; a record that finds no room is refused. */
  stage(): string {
    const values = this.#histories.flatMap(({ columns }) => columns.map((member) => this.#ownValue(member)));
    return [
      ...values.filter((line) => line !== ""),
      ...this.#sets.map((set) => this.#enter(set)),
      ...this.#histories.map((history) => this.#stage(history)),
    ].join("\n");
  }

  /** Statements that let all be seen that the key remembers, the record among it. */
  look(): string {
    return [
      ...this.#sets.map((set) => this.#enter(set)),
      ...this.#histories.map(({ handle, at, from, to, before, page, columns }) =>
        [
          `${handle}.look(${this.#slot}); ${at} = -1;`,
          `${page} = ${handle}.page; ${from} = ${handle}.from; ${to} = ${handle}.to; ${before} = ${handle}.before;`,
          ...columns.map(({ column, values }) => `${values} = ${column}.pages[${page}];`),
          ...columns.map(({ column, valid }) => valid === null ? "" : `${valid} = ${column}.valid[${page}];`),
        ].join("\n")
      ),
    ].join("\n");
  }

  /** A text that is just a field's is taken from its bytes when it is kept; whatever is computed may fail, and is so in front. */
  #ownValue({ plan, own, texts }: MemberLocals): string {
    return texts !== null && plan.field >= 0 ? "" : `${own} = ${this.#builder.emit(plan.value)};`;
  }

  #stage({ plan, handle, at, from, to, before, page, columns }: HistoryLocals): string {
    const time = columns.find((column) => column.plan === plan.time);
    const refused = `out.reject(batch, i, ${JSON.stringify(`full:${plan.name}`)}); continue;`;
    return [
      `${at} = ${handle}.stage(${this.#slot}, ${time?.own ?? "0"}); if (${at} < 0) { ${refused} }`,
      `${page} = ${handle}.page; ${from} = ${handle}.from; ${to} = ${handle}.to; ${before} = ${handle}.before;`,
      ...columns.map((column) => this.#fill(column, at, page)),
    ].join("\n");
  }

  #fill({ plan, column, values, valid, texts, own }: MemberLocals, at: string, page: string): string {
    const open = `${values} = ${column}.pages[${page}];`;
    if (texts !== null) {
      const code = plan.field >= 0 ? this.#builder.holdText(plan.value, texts) : `${texts}.hold(${own})`;
      return `${open} ${values}[${at}] = ${code};`;
    }
    const stored = plan.type.kind === "bool" ? `${own} ? 1 : 0` : own;
    if (valid === null) return `${open} ${values}[${at}] = ${stored};`;
    const openValid = `${open} ${valid} = ${column}.valid[${page}];`;
    return `${openValid} if (${own} === null) ${values}[${at}] = ${valid}[${at}] = 0; else { ${values}[${at}] = ${stored}; ${valid}[${at}] = 1; }`;
  }

  #enter({ plan, table, column, own, isNew, old, now }: SetLocals): string {
    const slot = this.#slot;
    const lines = [
      `${own} = ${this.#builder.keyPart(this.#builder.emit(plan.of), plan.of.type)};`,
      `${old} = ${slot} < 0 ? 0 : ${column}.values[${slot}];`,
      `${isNew} = ${own} !== null && (${slot} < 0 || ${table}.find(${slot}, ${own}) < 0);`,
    ];
    const refused = `out.reject(batch, i, ${JSON.stringify(`full:${plan.name}`)}); continue;`;
    const full = plan.beyond === "reject" ? refused : `${isNew} = false;`;
    lines.push(`if (${isNew} && ${old} >= ${plan.most}) { ${full} }`, `${now} = ${isNew} ? ${old} + 1 : ${old};`);
    return lines.join("\n");
  }

  /** What the names of histories and sets stand for: with the record, or without it. */
  bindings(when: "now" | "old"): ReadonlyMap<string, Binding> {
    return new Map([
      ...this.#histories.map((history): [string, Binding] => [history.plan.name, this.#listBinding(history, when)]),
      ...this.#sets.map((set): [string, Binding] => [set.plan.name, this.#setBinding(set, when)]),
    ]);
  }

  #listBinding({ plan, at, from, to, before, columns }: HistoryLocals, when: "now" | "old"): Binding {
    const list: ColumnList = {
      from: when === "now" ? from : before,
      to,
      without: when === "now" ? null : at,
      ascending: plan.time?.name ?? null,
      members: new Map(columns.map((column) => [column.plan.name, this.#member(column, at)])),
    };
    return this.#builder.bindList(plan.name, { columns: list, stages: [] });
  }

  #member({ plan, values, valid, texts }: MemberLocals, at: string): ColumnMember {
    if (isNumeric(plan.type)) return { kind: "number", type: plan.type, values, valid };
    if (texts === null) return { kind: "value", type: plan.type, values };
    const field = plan.field < 0 ? undefined : this.#builder.bindings.get(plan.value.source.text.trim())?.code;
    return { kind: "text", type: plan.type, values, texts, same: field === undefined ? null : { value: field, at } };
  }

  #setBinding({ plan, table, own, old, now }: SetLocals, when: "now" | "old"): Binding {
    const part = (value: string): string => this.#builder.keyPart(value, plan.of.type);
    const kept = (value: string): string => `(${this.#slot} >= 0 && ${table}.find(${this.#slot}, ${part(value)}) >= 0)`;
    return {
      code: "null",
      set: {
        size: when === "now" ? now : old,
        has: (value) => when === "old" ? kept(value) : `(${part(value)} === ${own} || ${kept(value)})`,
      },
    };
  }

  /** Statements that keep the record, once its key has a slot. */
  commit(): string {
    const slot = this.#slot;
    return [
      ...this.#histories.map(({ handle }) => `${handle}.commit(${slot});`),
      ...this.#sets.map(({ table, column, own, isNew, now }) =>
        `if (${isNew}) { ${table}.insert(${slot}, ${own}); ${column}.values[${slot}] = ${now}; ${column}.valid[${slot}] = 1; state[0].touch(${slot}); }`
      ),
    ].join("\n");
  }

  /** Statements behind some rows: what the last one staged and did not keep is forgotten. */
  settle(): string {
    return this.#histories.map(({ handle }) => `${handle}.settle();`).join(" ");
  }
}

function openHistory(builder: LoopBuilder, plan: HistoryPlan, index: number): HistoryLocals {
  const handle = builder.hoist(plan.name, `work.histories[${index}]`);
  const local = (hint: string) => builder.local(`${plan.name}_${hint}`);
  return {
    plan,
    handle,
    at: local("at"),
    from: local("from"),
    to: local("to"),
    before: local("before"),
    page: local("page"),
    columns: plan.members.map((member): MemberLocals => {
      const { name, kind } = member.column;
      const read = kind === "number?" ? "number" : kind;
      const column = builder.hoist(member.name, `${handle}.${read}(${JSON.stringify(name)})`);
      return {
        plan: member,
        column,
        values: local(member.name),
        valid: kind === "number?" ? local(`${member.name}_valid`) : null,
        texts: kind === "text" ? builder.hoist("texts", `${column}.texts`) : null,
        own: local("own"),
      };
    }),
  };
}
