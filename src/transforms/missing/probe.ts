/**
 * Asks of each record which of its rows are not in the tables that something is to be done about: a loop of its own, run before the
 * operator's. Invariant: it changes nothing and refuses nothing; what cannot be evaluated is left to the operator to refuse.
 */
import type { Batch } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";
import type { RecordType } from "../../data/types.ts";
import type { KeptTable, KeyPart, Output } from "../../engine/contracts.ts";
import type { Checked } from "../../expr/contracts.ts";
import { bindLookups, type LookupPlan, missingOf, watchedLookups } from "../support/lookups.ts";
import type { Loop, LoopBuilder } from "../support/loop_builder.ts";
import { type PlanChecker, rootsOf } from "../support/plan_checker.ts";
import { resolveUses } from "../support/projection.ts";
import { newWork, type Work } from "../support/work.ts";

/** What the loop of a node reads before its look-ups. */
export interface Probed {
  readonly input: RecordType;
  /** Records for which it is false are none of the operator's. */
  readonly where: Checked | null;
  /** Records of one key keep their order; null: each is by itself. */
  readonly key: Checked | null;
  readonly lookups: readonly LookupPlan[];
  /** What the node reads: a look-up that it does not need is not missed. */
  readonly used: ReadonlySet<string>;
}
/** By row of the batch. */
export interface ProbeAnswers {
  /** Bits of the look-ups that found nothing; NOT_ASKED where `where` is false. */
  missing: Int32Array;
  /** By look-up: the slot that was found, below 0 for none; -2 where nobody looked. */
  readonly found: Int32Array[];
  /** By look-up: the key that found nothing. */
  readonly keys: (number | string)[][];
  /** The operator's key, of rows with missing bits and where it was asked of all. */
  own: KeyPart[];
  /** Whether the key is asked of all rows. */
  ownOfAll: boolean;
  /** Whether the rows are the operator's, as `where` said when they came. */
  known: boolean;
}
export const NOT_ASKED = -1;
/** Bits of a small integer. */
const LOOKUPS_MAX = 30;

/** Reports what cannot be waited for: a row whose key may change meanwhile, with another row or with time. */
export function refuseChanging({ lookups, key }: Pick<Probed, "lookups" | "key">, checker: PlanChecker): void {
  const kept = new Set<string>();
  const waits = lookups.filter((lookup) => missingOf(lookup).kind !== "null");
  for (const changing of [...waits.map((lookup) => lookup.key), ...waits.length > 0 && key !== null ? [key] : []]) {
    if (![...changing.uses].some((path) => path === "meta" || path === "meta.*" || path === "meta.epoch_time")) continue;
    checker.fault(changing.source.span, "a key that changes with time cannot be waited by", "use a time that the record brings");
  }
  for (const lookup of lookups) {
    const { name, table, key } = lookup;
    const through = [...rootsOf(key)].find((root) => kept.has(root));
    if (through !== undefined && missingOf(lookup).kind !== "null") {
      checker.fault(
        key.source.span,
        `a row of "${table.name}" cannot be waited for: its key is known only with the row of "${through}", which may come later too`,
        'say missing = "null" for that table, or look its row up in a transform behind this one',
      );
    }
    // A snapshot's row stays what it is, but which one it is may follow from a row that does not.
    if (table.rows === null || through !== undefined) kept.add(name);
  }
}

/** The loop; `lookups` are those of the node, so that tables stand in the same places. */
export function compileProbe({ input, where, key, lookups, used }: Probed, builder: LoopBuilder): Loop {
  const watched = watchedLookups(lookups, used);
  assert(watched.length <= LOOKUPS_MAX, `a node has at most ${LOOKUPS_MAX} look-ups of kept tables`);
  const direct = [where, key].flatMap((checked) => checked === null ? [] : [...rootsOf(checked)]);
  const read = resolveUses([...direct, ...watched.map(({ lookup }) => lookup.name)], [], lookups);
  builder.readRecord(input, read);
  const rowOf = bindLookups(builder, lookups, read);
  const lines = [
    where === null ? "" : `if (!known && !(${builder.emit(where)})) { missing[i] = ${NOT_ASKED}; continue; }`,
    "mask = 0;",
    ...watched.map(({ lookup }, bit) => {
      const local = builder.local("key");
      const code = builder.keyPart(builder.emitAs(lookup.key, lookup.keyType), lookup.keyType);
      return `if ((found[${bit}][i] = ${rowOf.get(lookup.name)}) < 0) { ${local} = ${code}; if (${local} !== null) { mask |= ${
        1 << bit
      }; keys[${bit}][i] = ${local}; } }`;
    }),
    key === null ? "" : `if (mask !== 0 || ownOfAll) own[i] = ${builder.keyPart(builder.emit(key), key.type)};`,
    "missing[i] = mask;",
  ];
  return builder.build("missing", lines.filter((line) => line !== "").join("\n"), {
    before: "const { missing, found, keys, own, ownOfAll, known } = work.probe; let mask = 0;",
  });
}

/** A lane's probe. The answers are used again for the next batch. */
export class Probe {
  readonly answers: ProbeAnswers;
  readonly #loop: Loop;
  readonly #work: Work;

  constructor(loop: Loop, lookups: number, tables: readonly KeptTable[]) {
    this.#loop = loop;
    const each = Array.from({ length: lookups }, (_, bit) => bit);
    this.answers = {
      missing: new Int32Array(0),
      found: each.map(() => new Int32Array(0)),
      keys: each.map(() => []),
      own: [],
      ownOfAll: false,
      known: false,
    };
    this.#work = { ...newWork(tables), probe: this.answers };
  }

  /** Of records that come in, at this epoch's time. `own`: whether the operator's key is wanted of all, or of those with missing rows. */
  ask(batch: Batch, epochTimeMicros: number, own: "own_of_all" | "own_of_missing"): ProbeAnswers {
    return this.#ask(batch, epochTimeMicros, own === "own_of_all", false);
  }

  /** Of records that were let in before. */
  askAgain(batch: Batch): ProbeAnswers {
    return this.#ask(batch, 0, true, true);
  }

  #ask(batch: Batch, epochTimeMicros: number, ownOfAll: boolean, known: boolean): ProbeAnswers {
    const { answers } = this;
    if (answers.missing.length < batch.rows) {
      answers.missing = new Int32Array(batch.rows);
      for (const bit of answers.found.keys()) answers.found[bit] = new Int32Array(batch.rows);
    }
    answers.missing.fill(0, 0, batch.rows);
    for (const found of answers.found) found.fill(-2, 0, batch.rows);
    answers.ownOfAll = ownOfAll;
    answers.known = known;
    this.#loop(batch, { ...QUIET, epochTimeMicros }, this.#work, []);
    return answers;
  }
}

/** What cannot be evaluated is missing nothing: the operator refuses it. */
const QUIET: Output = { epochTimeMicros: 0, emit() {}, reject() {}, count() {} };
