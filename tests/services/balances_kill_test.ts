/**
 * One process with running balances from topic to topic, killed by SIGKILL at counted steps of the protocol and at random moments, over
 * and over: readers of committed records see each record once, with the right balance.
 */
import assert from "node:assert/strict";
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import type { ProtocolStep } from "../../src/ports/probe.ts";
import { PARTITIONS, testReplicas } from "./replicas.ts";

const SEED = 5;
const RECORDS = 40_000;
const EPOCH_ROWS = 20;
/** How often each step is died at. */
const EACH = 6;
const AT_RANDOM = 8;
/** How soon a process that is to die at a step comes to it. */
const STEP_WITHIN_MS = 60_000;
/** Once for each lane at a start; the others at every epoch. */
const AT_A_START: readonly ProtocolStep[] = ["take_over", "fenced", "loaded"];
const AT_EPOCHS: readonly ProtocolStep[] = [
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "state_written",
  "head_flipped",
];

interface Death {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** After so long behind its first sign of life, where no step is named. */
  readonly afterMs: number;
}

function deaths(): readonly Death[] {
  const sequence = new SeededSequence(SEED, "deaths");
  const at = (step: ProtocolStep, countMax: number): Death => {
    return { name: step, env: { MILLRACE_KILL_AT: `${step}:${sequence.between(1, countMax)}` }, afterMs: Infinity };
  };
  const all = Array.from({ length: EACH }, () => [
    ...AT_A_START.map((step) => at(step, PARTITIONS)),
    ...AT_EPOCHS.map((step) => at(step, 12)),
  ]).flat();
  const random = Array.from({ length: AT_RANDOM }, () => ({ name: "any moment", env: {}, afterMs: sequence.between(50, 900) }));
  // Starts and epochs, planned and random deaths mixed.
  return [...all, ...random].map((death) => ({ death, place: sequence.between(0, 1 << 30) })).sort((a, b) => a.place - b.place)
    .map(({ death }) => death);
}

await testReplicas(
  `running balances, killed ${EACH * 9 + AT_RANDOM} times: each record once, each balance right`,
  ["kafka"],
  async (replicas, _servers, test) => {
    for (let sent = 0; sent < RECORDS; sent += 1_000) await replicas.send(1_000);
    const histogram = new Map<string, number>();
    for (const { name, env, afterMs } of deaths()) {
      const life = replicas.start("one", { EPOCH_ROWS: String(EPOCH_ROWS), ...env });
      // Who has nothing left to do never comes to its step: that is told, not waited for.
      const timer = setTimeout(() => life.signal(afterMs <= STEP_WITHIN_MS ? "SIGKILL" : "SIGTERM"), Math.min(afterMs, STEP_WITHIN_MS));
      const { signal } = await life.ended;
      clearTimeout(timer);
      assert.equal(signal, "SIGKILL", life.said());
      histogram.set(name, (histogram.get(name) ?? 0) + 1);
    }
    // Offsets count the ends of transactions too: so there was unread input at every one of these deaths.
    assert.ok(await replicas.out() < RECORDS, `${await replicas.out()} of ${RECORDS} were read before the last death`);
    const last = replicas.start("one");
    await replicas.verify();
    last.signal("SIGTERM");
    assert.equal((await last.ended).code, 0, last.said());
    const shown = [...histogram].toSorted().map(([name, count]) => `${name} ${count}`).join(", ");
    // As the name of a step, since a quiet test run drops what tests print.
    await test.step(`seed ${SEED}: ${shown}`, () => {
      for (const step of [...AT_A_START, ...AT_EPOCHS]) assert.ok(histogram.get(step)! >= 3);
    });
  },
);
