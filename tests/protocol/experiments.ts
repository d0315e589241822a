/**
 * The experiments with what each must find: the first draft, the repaired protocol with one rule undone, and the repaired one.
 * A clean search states how many states it saw, because one that saw fewer proves less. `gate` marks those that every change
 * of the code runs; all others are for `check.ts`.
 */
import { type Bounds, FIRST_DRAFT, type Model, REPAIRED, type Rules, type SinkKind, SMALL } from "./rules.ts";

/** What a search must find: a fault with the length of its shortest trace, or no fault in so many states. */
export type Expected =
  | { readonly fault: string; readonly steps: number }
  | { readonly states: number; readonly search: "all" | "cut_short" };

/** A named search. */
export interface Experiment {
  readonly name: string;
  readonly model: Model;
  readonly expected: Expected;
  readonly runs: "gate" | "on_demand";
}

interface Change {
  readonly rules?: Partial<Rules>;
  readonly bounds?: Partial<Bounds>;
  readonly fencedOwners?: Model["fencedOwners"];
  readonly runs?: Experiment["runs"];
}

const experiment = (base: Rules, name: string, sinks: readonly SinkKind[], expected: Expected, change: Change): Experiment => ({
  name,
  model: {
    sinks,
    rules: { ...base, ...change.rules },
    bounds: { ...SMALL, ...change.bounds },
    fencedOwners: change.fencedOwners ?? "same_bytes",
  },
  expected,
  runs: change.runs ?? "on_demand",
});
const draft = (name: string, sinks: readonly SinkKind[], expected: Expected, change: Change = {}): Experiment =>
  experiment(FIRST_DRAFT, `first draft: ${name}`, sinks, expected, change);
/** Without explicit crashes: an owner frozen for ever is one already. */
const without = (rule: string, sinks: readonly SinkKind[], rules: Partial<Rules>, expected: Expected, change: Change = {}): Experiment =>
  experiment(REPAIRED, `without: ${rule}`, sinks, expected, { ...change, bounds: { crashes: 0, ...change.bounds }, rules });
const repaired = (name: string, sinks: readonly SinkKind[], expected: Expected, change: Change = {}): Experiment =>
  experiment(REPAIRED, `repaired: ${name}`, sinks, expected, change);
const fault = (text: string, steps: number): Expected => ({ fault: text, steps });
const clean = (states: number): Expected => ({ states, search: "all" });

const STATE_LOST = "state at head is missing";
const DOUBLED = "an epoch is doubled, missing, torn or out of order";
const TWO_CONTENTS = "epoch 1 was delivered with two contents";
const TORN = 'files holds "…", state and the other sinks say "1"';
const wide: Partial<Bounds> = { epochs: 3, owners: 3, crashes: 0 };
const twoLanes: Partial<Bounds> = { lanes: 2, epochs: 1, takeOvers: 2, takeOversOfOthers: 2, crashes: 0, timeouts: 0 };
const gate = { runs: "gate" } as const;

const DRAFTS: readonly Experiment[] = [
  draft("SQL alone", ["sql"], fault(STATE_LOST, 11), gate),
  draft("SQL + Kafka", ["sql", "kafka"], fault(STATE_LOST, 16)),
  draft("SQL + ClickHouse", ["sql", "clickhouse"], fault(STATE_LOST, 12), gate),
  draft("Kafka + files", ["kafka", "files"], fault(TWO_CONTENTS, 19)),
];

const ONE_RULE_UNDONE: readonly Experiment[] = [
  without(
    "the take-over writing head",
    ["sql", "kafka"],
    { takeOver: "reads", kafka: "generation_stable" },
    fault(STATE_LOST, 17),
    gate,
  ),
  without("the intent inside head", ["sql", "kafka"], { intent: "own_key" }, fault(TWO_CONTENTS, 22)),
  without("the intent inside head, but read after the take-over", ["sql"], { intent: "own_key_read_after" }, clean(33_336)),
  without("checks on state writes", ["sql"], { state: "unchecked" }, fault(STATE_LOST, 14), gate),
  without("checks on state writes, folding", ["sql"], { state: "unchecked" }, fault(STATE_LOST, 14), { bounds: { folding: "on" } }),
  without("the owner in the SQL row", ["sql"], { sql: "epoch" }, clean(29_886)),
  without("the owner in the SQL row, fenced owners silent", ["sql"], { sql: "epoch" }, fault("a fenced owner still delivered: sql", 11), {
    ...gate,
    fencedOwners: "silent",
  }),
  without("Kafka fence: markers outside a group", ["kafka"], { kafka: "no_group" }, fault(DOUBLED, 21)),
  without("Kafka fence: newest generation", ["kafka"], { kafka: "newest_generation" }, fault(DOUBLED, 21), gate),
  without("Kafka fence: generation, plain read of the marker", ["kafka"], { kafka: "generation" }, fault(DOUBLED, 21)),
  without("Kafka fence: only the last owner's id", ["kafka"], { kafka: "last_owner_id" }, fault(DOUBLED, 24), {
    bounds: { owners: 3, epochs: 1 },
  }),
  without("Kafka fence: own id renewed after the take-over", ["kafka"], { kafka: "owner_ids_late" }, fault(DOUBLED, 29), {
    bounds: { epochs: 1 },
  }),
  without("recovery after a lost EndTxn answer", ["kafka"], { endTransaction: "resend" }, fault(DOUBLED, 29)),
  without(
    "all lanes dropped with the producer that they share",
    ["kafka"],
    { sharedProducer: "drops_its_lanes" },
    fault("kafka holds [1,1]", 30),
    { ...gate, bounds: { ...twoLanes, takeOversOfOthers: 1 } },
  ),
  without("a replacing table", ["clickhouse"], { clickhouse: "token" }, fault(DOUBLED, 14), gate),
  without("a replacing table, no zombie, one restart", ["clickhouse"], { clickhouse: "token" }, fault(DOUBLED, 15), {
    ...gate,
    bounds: { owners: 1, takeOvers: 2, epochs: 1 },
  }),
  without("temporary names of one's own", ["files"], { filesTemporary: "shared" }, fault(TORN, 18), gate),
  without("never removing files", ["files"], { filesRemoval: "past_head" }, fault(TORN, 16), gate),
  without(
    "one manifest entry per epoch",
    ["files"],
    { filesManifest: "one_file" },
    fault("files holds [1] but head says 2 epochs were delivered", 25),
    { bounds: { epochs: 3 } },
  ),
  without("the plan in the intent", ["sql", "clickhouse"], { plan: "ignored" }, fault(DOUBLED, 14), {
    bounds: { plans: "changed_and_back", owners: 3, epochs: 1 },
  }),
];

const refusing: Partial<Bounds> = { refusals: "any", crashes: 0 };
/** Targets that refuse rows, docs/decisions/dead-letters.md. */
const REFUSED: readonly Experiment[] = [
  without("the refused rows recorded with the marker", ["sql"], { refused: "forgotten" }, fault("were refused, and are no rejects", 17), {
    ...gate,
    bounds: { ...refusing, epochs: 1 },
  }),
  without("refused rows kept until the flip behind them", ["sql"], { refusedKept: "until_intent" }, fault(STATE_LOST, 16), {
    ...gate,
    bounds: refusing,
  }),
  repaired("SQL that refuses rows, one epoch", ["sql"], clean(18_690), {
    ...gate,
    fencedOwners: "silent",
    bounds: { ...refusing, epochs: 1 },
  }),
  repaired("SQL that refuses rows, two epochs", ["sql"], clean(121_611), { fencedOwners: "silent", bounds: refusing }),
  repaired("SQL that refuses rows + ClickHouse, two epochs", ["sql", "clickhouse"], clean(3_933), {
    ...gate,
    bounds: { ...refusing, takeOvers: 2, timeouts: 0 },
  }),
  repaired("SQL that refuses rows, one owner that starts again", ["sql"], clean(1_115), {
    ...gate,
    fencedOwners: "silent",
    bounds: { ...refusing, owners: 1, takeOvers: 2 },
  }),
];

const fromCopy: Partial<Bounds> = { crashes: 0, takeOvers: 2, timeouts: 0, restore: "owners_ended" };
/** A checkpoint that is brought back from a copy. */
const RESTORED: readonly Experiment[] = [
  without("the markers compared, an old checkpoint", ["sql"], { markers: "not_compared" }, fault("state and the other sinks say", 22), {
    ...gate,
    bounds: fromCopy,
  }),
  without("all owners ended before an old checkpoint is brought back", ["sql"], {}, fault(STATE_LOST, 13), {
    ...gate,
    bounds: { ...fromCopy, restore: "owners_go_on" },
  }),
  repaired("an old checkpoint, SQL", ["sql"], clean(5_720), { ...gate, bounds: fromCopy }),
];

/** The broker and another sink over two epochs: two take-overs, and three. */
const twoEpochs = (other: SinkKind, counts: Readonly<Record<2 | 3, number>>): readonly Experiment[] =>
  ([2, 3] as const).map((takeOvers) =>
    repaired(`${other} + kafka, lane_id, two epochs, ${takeOvers} take-overs`, [other, "kafka"], clean(counts[takeOvers]), {
      ...(takeOvers === 2 ? gate : {}),
      bounds: { crashes: 0, takeOvers, timeouts: 0 },
      rules: { kafka: "lane_id" },
    })
  );
const OVER_TWO_EPOCHS: readonly Experiment[] = [
  ...twoEpochs("sql", { 2: 5_773, 3: 158_406 }),
  ...twoEpochs("clickhouse", { 2: 3_780, 3: 78_440 }),
  ...twoEpochs("files", { 2: 6_182, 3: 96_940 }),
];

type BrokerCounts = Readonly<Record<"twoEpochs" | "threeOwners" | "crash", number>>;
/** Each way of fencing a broker's transactions that holds. */
function brokerFence(kafka: Rules["kafka"], counts: BrokerCounts): Experiment[] {
  const one = (name: string, states: number, bounds: Partial<Bounds>) =>
    repaired(`Kafka, ${kafka}, ${name}`, ["kafka"], clean(states), {
      fencedOwners: kafka === "owner_ids" ? "silent" : "same_bytes",
      bounds,
      rules: { kafka },
    });
  return [
    one("two epochs", counts.twoEpochs, { crashes: 0 }),
    one("three owners", counts.threeOwners, { epochs: 1, owners: 3, crashes: 0 }),
    one("a crash", counts.crash, { epochs: 1, takeOvers: 4 }),
  ];
}
const pair = (sinks: readonly SinkKind[], states: number): Experiment =>
  repaired(sinks.join(" + "), sinks, clean(states), { bounds: { crashes: 0, epochs: sinks.includes("kafka") ? 1 : 2 } });
/** The pairs with the fence that the Kafka sink has. */
const laneIdPair = (sinks: readonly SinkKind[], states: number): Experiment =>
  repaired(`${sinks.join(" + ")}, lane_id`, sinks, clean(states), { bounds: { crashes: 0, epochs: 1 }, rules: { kafka: "lane_id" } });

const HOLDING: readonly Experiment[] = [
  repaired("SQL, one epoch", ["sql"], clean(13_939), { ...gate, fencedOwners: "silent", bounds: { epochs: 1 } }),
  repaired("ClickHouse, one epoch", ["clickhouse"], clean(9_645), { ...gate, bounds: { epochs: 1 } }),
  repaired("files, one epoch", ["files"], clean(11_741), { ...gate, bounds: { epochs: 1 } }),
  repaired("Kafka, lane_id, one epoch", ["kafka"], clean(41_419), {
    ...gate,
    bounds: { epochs: 1, crashes: 0 },
    rules: { kafka: "lane_id" },
  }),
  repaired("SQL, fenced owners silent", ["sql"], clean(368_454), { fencedOwners: "silent", bounds: { ...wide, timeouts: 2 } }),
  repaired("SQL, folding", ["sql"], clean(501_903), { fencedOwners: "silent", bounds: { ...wide, owners: 2, folding: "on" } }),
  ...brokerFence("owner_ids", { twoEpochs: 254_180, threeOwners: 257_737, crash: 1_381_024 }),
  ...brokerFence("lane_id", { twoEpochs: 136_268, threeOwners: 107_842, crash: 558_411 }),
  ...brokerFence("generation_stable", { twoEpochs: 446_682, threeOwners: 389_019, crash: 2_983_718 }),
  repaired("ClickHouse", ["clickhouse"], clean(149_172), { bounds: wide }),
  repaired("files", ["files"], clean(182_325), { bounds: wide }),
  pair(["sql", "kafka"], 751_727),
  pair(["sql", "clickhouse"], 108_148),
  pair(["sql", "files"], 131_718),
  pair(["kafka", "clickhouse"], 345_963),
  pair(["kafka", "files"], 396_217),
  pair(["clickhouse", "files"], 81_826),
  laneIdPair(["sql", "kafka"], 310_355),
  laneIdPair(["clickhouse", "kafka"], 174_210),
  laneIdPair(["files", "kafka"], 223_522),
  repaired("SQL, a changed plan", ["sql"], clean(98_171), {
    fencedOwners: "silent",
    bounds: { plans: "changed_and_back", owners: 3, timeouts: 0, crashes: 0 },
  }),
  repaired("two lanes in one Kafka transaction, one of them taken over once", ["kafka"], clean(34_567), {
    ...gate,
    bounds: { ...twoLanes, takeOversOfOthers: 1 },
  }),
  repaired("two lanes in one Kafka transaction, generations, one of them taken over once", ["kafka"], clean(144_287), {
    bounds: { ...twoLanes, takeOversOfOthers: 1 },
    rules: { kafka: "generation_stable" },
  }),
  repaired("two lanes in one Kafka transaction", ["kafka"], { states: 450_001, search: "cut_short" }, { bounds: twoLanes }),
  repaired("two lanes in one Kafka transaction, generations", ["kafka"], { states: 450_001, search: "cut_short" }, {
    bounds: twoLanes,
    rules: { kafka: "generation_stable" },
  }),
];

/** All of them, the cheap ones first. */
export const EXPERIMENTS: readonly Experiment[] = [...DRAFTS, ...ONE_RULE_UNDONE, ...REFUSED, ...RESTORED, ...OVER_TWO_EPOCHS, ...HOLDING];
