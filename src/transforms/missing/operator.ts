/**
 * Around the operator of a transform that looks into kept tables: holds records back whose rows are to be waited for, and lets records
 * that went on with null come out again with their rows. Invariant: what the operator inside gets, and in which order, follows from the
 * records, the changes of the tables and recorded time; what waits is in state.
 */
import type { Batch } from "../../data/batch.ts";
import { select } from "../../data/columns.ts";
import type { RecordType } from "../../data/types.ts";
import type { Counted, KeptTable, Operator, OperatorContext, Output } from "../../engine/contracts.ts";
import { keptTableNames, keptTablesOf, type WatchedLookup, watchedLookups } from "../support/lookups.ts";
import type { Loop } from "../support/loop_builder.ts";
import type { Work } from "../support/work.ts";
import { HeldRecords } from "./held_records.ts";
import { type PendingKey, PendingRecords } from "./pending_records.ts";
import { NOT_ASKED, Probe, type ProbeAnswers, type Probed } from "./probe.ts";

/** What an operator around others is made of. */
export interface MissingPlan {
  readonly input: RecordType;
  readonly watched: readonly WatchedLookup[];
  /** All tables that the transform looks into. */
  readonly tables: readonly string[];
  readonly probe: Loop;
  /** The kind of the operator's key; null: none. */
  readonly key: PendingKey;
}

/** null where nothing is to be done about missing rows. */
export function planMissing(probed: Probed, probe: () => Loop, key: PendingKey): (() => MissingPlan) | null {
  const watched = watchedLookups(probed.lookups, probed.used);
  if (watched.length === 0) return null;
  return () => ({ input: probed.input, watched, tables: keptTableNames(probed.lookups), probe: probe(), key });
}

/** An operator and what its loop works with, which a probe's findings are put into. */
export interface ProbedOperator {
  readonly operator: Operator;
  readonly work: Work;
}

export class MissingRowsOperator implements Operator {
  readonly #inner: ProbedOperator;
  /** Computes the newest record of a key once more and changes nothing. */
  readonly #again: Operator;
  readonly #probe: Probe;
  readonly #held: HeldRecords | null;
  readonly #pending: PendingRecords | null;
  /** Bits of the look-ups that are waited for. */
  readonly #waits: number;
  readonly #isKeyed: boolean;
  readonly #rejects = new NotingOutput();
  #isRestored = false;
  #watermarkMicros = -Infinity;

  constructor(inner: ProbedOperator, again: Operator, plan: MissingPlan, context: OperatorContext) {
    const { input, watched, probe, tables, key } = plan;
    const kept = keptTablesOf(tables, context);
    this.#inner = inner;
    this.#again = again;
    this.#isKeyed = key !== null;
    this.#probe = new Probe(probe, watched.length, kept);
    const bitsOf = (kind: "wait" | "emit_again") =>
      watched.reduce((bits, { missing }, i) => missing.kind === kind ? bits | (1 << i) : bits, 0);
    this.#waits = bitsOf("wait");
    const waitMicros = watched.map(({ missing }) => missing.kind === "wait" ? missing.waitMicros : 0);
    const repeats = bitsOf("emit_again");
    this.#held = this.#waits === 0 ? null : new HeldRecords(input, context.state, this.#probe, { waitMicros, isKeyed: key !== null });
    this.#pending = repeats === 0 ? null : new PendingRecords(input, context.state, this.#probe, repeats, key);
    for (const [i, name] of tables.entries()) this.#follow(kept[i], watched.map(({ lookup }) => lookup.table.name === name));
  }

  /** `mine`: by look-up, whether it looks into that table. */
  #follow(table: KeptTable, mine: readonly boolean[]): void {
    table.followers.push((slots) => {
      this.#restore();
      for (const slot of slots) {
        const key = table.state.keyOf(slot)[0] as number | string;
        for (const [lookup, isMine] of mine.entries()) if (isMine) this.#arrived(lookup, key);
      }
    });
  }

  #arrived(lookup: number, key: number | string): void {
    if ((this.#waits & (1 << lookup)) !== 0) this.#held!.arrived(lookup, key);
    else this.#pending!.arrived(lookup, key);
  }

  process(_input: number, batch: Batch, out: Output): void {
    this.#restore();
    const held = this.#held;
    const answers = this.#ask(batch, out);
    if (held === null || held.size === 0 && !this.#someWait(answers, batch.rows)) return this.#run(batch, answers, out);
    held.clock(out.epochTimeMicros);
    const { waiting, free } = this.#divide(batch, answers, held);
    if (waiting.length === 0) return this.#run(batch, answers, out);
    held.hold(select(batch, waiting, waiting.length), answers, waiting, this.#watermarkMicros);
    if (free.length === 0) return;
    const rest = select(batch, free, free.length);
    this.#run(rest, this.#ask(rest, out), out);
  }

  #someWait({ missing }: ProbeAnswers, rows: number): boolean {
    for (let row = 0; row < rows; row++) if (missing[row] > 0 && (missing[row] & this.#waits) !== 0) return true;
    return false;
  }

  /** The keys of all records are asked for only where some record is kept, or is to be. */
  #ask(batch: Batch, out: Output): ProbeAnswers {
    const isEmpty = (this.#held?.size ?? 0) + (this.#pending?.size ?? 0) === 0;
    if (isEmpty || !this.#isKeyed) {
      const answers = this.#probe.ask(batch, out.epochTimeMicros, "own_of_missing");
      if (!this.#isKeyed || !answers.missing.subarray(0, batch.rows).some((bits) => bits > 0)) return answers;
    }
    return this.#probe.ask(batch, out.epochTimeMicros, "own_of_all");
  }

  /** A record waits for its own rows, or behind an older one of its key. */
  #divide(batch: Batch, { missing, own }: ProbeAnswers, held: HeldRecords): { readonly waiting: Int32Array; readonly free: Int32Array } {
    const waiting: number[] = [];
    const free: number[] = [];
    const queued = new Set<unknown>();
    for (let row = 0; row < batch.rows; row++) {
      const asked = missing[row];
      const isBehind = this.#isKeyed && asked !== NOT_ASKED && (queued.has(own[row]) || held.hasQueue(own[row]));
      if (asked !== NOT_ASKED && (isBehind || (asked & this.#waits) !== 0)) {
        waiting.push(row);
        if (this.#isKeyed) queued.add(own[row]);
      } else free.push(row);
    }
    return { waiting: Int32Array.from(waiting), free: Int32Array.from(free) };
  }

  /** Hands records that were just asked about to the operator, and remembers those that are to come out again. */
  #run(batch: Batch, answers: ProbeAnswers, out: Output): void {
    if (this.#pending === null) return this.#compute(batch, answers, out);
    this.#rejects.begin(out, batch.rows);
    this.#compute(batch, answers, this.#rejects);
    const rows: number[] = [];
    for (let row = 0; row < batch.rows; row++) if (answers.missing[row] !== NOT_ASKED && !this.#rejects.refused(row)) rows.push(row);
    this.#pending.note(batch, answers, rows);
  }

  #compute(batch: Batch, { found }: ProbeAnswers, out: Output): void {
    const { operator, work } = this.#inner;
    work.found = found;
    operator.process(0, batch, out);
    work.found = null;
  }

  watermark(micros: number): void {
    this.#watermarkMicros = micros;
  }
  epochBegan(micros: number): void {
    this.#restore();
    this.#held?.clock(micros);
  }
  epochDueMicros(): number {
    return this.#held?.dueAtMicros ?? Infinity;
  }
  heldBackMicros(): number {
    return this.#held?.metMicros ?? Infinity;
  }
  inputEnded(): void {
    this.#restore();
    this.#held?.ended();
  }

  backlog(): number {
    this.#restore();
    return (this.#held?.due ?? 0) + (this.#pending?.due ?? 0);
  }

  /** Records that waited first, then those that come out again. */
  drain(at: number, rowsMax: number, out: Output): number {
    let drained = 0;
    for (const batch of this.#held?.take(rowsMax) ?? []) {
      drained += batch.rows;
      this.#run(batch, this.#probe.askAgain(batch), out);
    }
    if (drained === rowsMax || this.#pending === null) return at + drained;
    for (const batch of this.#pending.take(rowsMax - drained)) {
      drained += batch.rows;
      out.count("again", batch.rows);
      this.#again.process(0, batch, out);
    }
    return at + drained;
  }

  /** What is in memory alone is made from the state when that is there. */
  #restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#held?.restore();
    this.#pending?.restore();
  }
}

/** Hands everything on and notes which rows were refused. */
class NotingOutput implements Output {
  #out: Output | null = null;
  #refused = new Uint8Array(0);
  #count = 0;

  begin(out: Output, rows: number): void {
    this.#out = out;
    if (this.#refused.length < rows) this.#refused = new Uint8Array(rows);
    else if (this.#count > 0) this.#refused.fill(0);
    this.#count = 0;
  }
  refused(row: number): boolean {
    return this.#count > 0 && this.#refused[row] === 1;
  }

  get epochTimeMicros(): number {
    return this.#out!.epochTimeMicros;
  }
  emit(port: string, batch: Batch): void {
    this.#out!.emit(port, batch);
  }
  reject(batch: Batch, row: number, reason: string): void {
    this.#refused[row] = 1;
    this.#count++;
    this.#out!.reject(batch, row, reason);
  }
  count(what: Counted, rows: number): void {
    this.#out!.count(what, rows);
  }
}
