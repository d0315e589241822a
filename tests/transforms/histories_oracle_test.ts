/**
 * Histories and sets of a decide against the slow reference, on tens of thousands of keys whose records come out of order: on one, two and four
 * lanes, in batches of any size, killed between and behind checkpoints; and what an epoch gives again must be what it gave before.
 */
import assert from "node:assert/strict";
import type { Operator } from "../../src/engine/contracts.ts";
import type { LaneState } from "../../src/engine/state/store.ts";
import { decide } from "../../src/transforms/decide.ts";
import { Disk } from "../engine/state/disk.ts";
import { randomFrom } from "../expr/oracle/generator.ts";
import { type Act, type Bounds, Histories } from "../oracle/histories.ts";
import type { Plain } from "../support/settings.ts";
import { batchOf, Collected, planOf, type Rows, table } from "./support.ts";

const SEQUENCES = 20_000;
const KEYS_EACH = 400;
const { type } = table("id int | key string | at timestamp | amount decimal(2) | tag string? | n int");

const settingsOf = ({ newest, spanMicros, older, todayMicros, tagsMax }: Bounds): { readonly [name: string]: Plain } => ({
  key: "key",
  state: {
    recent: { type: "history", keep: { count: newest }, fields: { id: "id", at: "at", amount: "amount", tag: "tag" } },
    day: {
      type: "history",
      time: "at",
      keep: { for: spanMicros / 1000, older },
      fields: { id: "id", at: "at", amount: "amount", tag: "tag" },
    },
    tags: { type: "distinct", of: "tag", most: tagsMax, beyond: "saturate" },
  },
  let: { today: `day.filter(e, e.at >= at - duration('${todayMicros}us') && e.at <= at)` },
  emit: {
    id: "id",
    recent: "recent.size()",
    recent_before: "old.recent.size()",
    day: "day.size()",
    total: "today.map(e, e.amount).sum()",
    mean: "recent.map(e, e.amount).avg(2, 'half_up')",
    tags_today: "today.map(e, e.tag != null, e.tag).distinct().size()",
    again: "recent.exists(e, e.id != id && e.tag == tag)",
    before: "old.day.filter(e, e.at <= at).map(e, e.at).max()",
    first_at: "day.first().at",
    last_id: "day.last().id",
    least: "recent.map(e, e.at).min()",
    near: "recent.filter(e, e.at > at - duration('5ms') && e.tag != null).size()",
    tags: "tags.size()",
    known: "tag != null && tag in old.tags",
    quotient: "100 / n",
  },
});

function actsOf(random: () => number): Act[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const times = new Map<string, number>();
  return Array.from({ length: KEYS_EACH * 12 }, (_, id) => {
    const key = `key ${below(KEYS_EACH)}`;
    const time = (times.get(key) ?? 1000) + below(20);
    times.set(key, time);
    return {
      id,
      key,
      at: 1000 * (time - (below(3) === 0 ? below(60) : 0) - (below(50) === 0 ? 500 : 0)),
      amount: BigInt(below(100_000)),
      tag: [null, "a", "b", "c", `tag ${below(8)}`][below(5)],
      n: below(12) === 0 ? 0 : 1 + below(9),
    };
  });
}

/** One lane in one process after the other: what it gave is what it gave until the last checkpoint. */
class KilledLane {
  readonly out: string[] = [];
  readonly #rows: Rows;
  readonly #create: (state: LaneState) => Operator;
  readonly #disk = new Disk();
  #state!: LaneState;
  #operator!: Operator;
  #read = 0;
  /** Rows and lines that checkpoints cover. */
  #covered = { rows: 0, lines: 0 };

  constructor(acts: readonly Act[], create: (state: LaneState) => Operator) {
    this.#rows = { type, rows: acts.map(({ id, key, at, amount, tag, n }) => [id, key, at, Number(amount), tag, n]) };
    this.#create = create;
    this.#start();
  }

  #start(): void {
    this.#state = this.#disk.load();
    this.#operator = this.#create(this.#state);
    this.#state.restored();
    this.#read = this.#covered.rows;
  }

  run(random: () => number): void {
    while (this.#read < this.#rows.rows.length) {
      const to = Math.min(this.#rows.rows.length, this.#read + 1 + Math.floor(random() * 700));
      const collected = new Collected();
      this.#operator.process(0, batchOf(this.#rows, "acts", this.#read, to), collected);
      this.out.push(...collected.ports.get("out") ?? []);
      this.#read = to;
      const fate = random();
      if (fate < 0.4) this.#checkpoint("flips");
      else if (fate < 0.5) this.#checkpoint("is killed");
      else if (fate < 0.6) this.#die();
    }
    this.#checkpoint("flips");
  }

  #checkpoint(then: "flips" | "is killed"): void {
    const epoch = this.#disk.epoch + 1;
    const checkpoint = this.#state.checkpoint(epoch);
    this.#disk.write(checkpoint);
    if (then === "is killed") {
      // Its intent was decided: the next owner does this very epoch before any other.
      this.#die();
      this.#checkpoint("flips");
      return;
    }
    this.#disk.flip(epoch, checkpoint, this.#state.layouts);
    this.#covered = { rows: this.#read, lines: this.out.length };
  }

  /** The next owner does again what no checkpoint covers, and has to give the same. */
  #die(): void {
    const given = this.out.splice(this.#covered.lines);
    const to = this.#read;
    this.#start();
    const collected = new Collected();
    this.#operator.process(0, batchOf(this.#rows, "acts", this.#read, to), collected);
    assert.deepEqual(collected.ports.get("out") ?? [], given);
    this.out.push(...given);
    this.#read = to;
  }
}

Deno.test(`histories agree with the slow reference on ${SEQUENCES} keys, on 1, 2 and 4 lanes, killed`, () => {
  const seed = 20_261_122;
  console.log(`seed ${seed}`);
  const random = randomFrom(seed);
  let failed = 0;
  for (let round = 0; round < SEQUENCES / KEYS_EACH; round++) {
    const bounds: Bounds = {
      newest: [1, 3, 10, 100][round % 4],
      spanMicros: [60_000, 20_000, 0][round % 3],
      older: [0, 0, 1, 3][round % 4],
      todayMicros: [24_000, 60_000, 500_000][round % 3],
      tagsMax: [4, 100][round % 2],
    };
    const acts = actsOf(random);
    const { plan, faults } = planOf(decide, { inputs: [{ type, rows: [] }], settings: settingsOf(bounds) });
    assert.ok(plan !== null, faults.join("\n"));
    const histories = new Histories(bounds);
    const expected = acts.map((act) => histories.judge(act)).filter((line) => line !== null);
    failed += acts.length - expected.length;
    const lanes = [1, 2, 4][round % 3];
    const given = Array.from({ length: lanes }, (_, lane) => {
      const own = acts.filter(({ key }) => Number(key.split(" ")[1]) % lanes === lane);
      const killed = new KilledLane(own, (state) => plan.create({ lane, state }));
      killed.run(random);
      return killed.out;
    }).flat();
    const inOrder = given.toSorted((a, b) => parseInt(a) - parseInt(b));
    if (inOrder.join("\n") !== expected.join("\n")) {
      const at = inOrder.findIndex((line, i) => line !== expected[i]);
      const act = acts[parseInt(expected[at])];
      const told = acts.filter(({ key, id }) => key === act.key && id <= act.id).map(({ id, at, tag, n }) => `${id}: ${at} ${tag} ${n}`);
      assert.equal(inOrder[at], expected[at], `round ${round} ${JSON.stringify(bounds)}\n${told.join("\n")}`);
    }
  }
  console.log(`${failed} records failed and left no trace`);
  assert.ok(failed > 1000);
});
