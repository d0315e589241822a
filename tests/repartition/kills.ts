/** Lives and deaths of a project whose rows change lanes, until it is done; the deaths go through both of its stages. */
import assert from "node:assert/strict";
import { AFTER_THE_LAST_EPOCH, deaths, histogramText, killEnvironment, nameOf } from "../services/deaths.ts";
import { paymentsProject } from "./payments.ts";

const LIVES_MAX = 60;
const ROUNDS_MAX = 20;
const ROWS = 600;

export interface Killing {
  readonly seed: number;
  readonly wanted: number;
  /** Settings of the connection, and a name for the topics of a round. */
  bus(round: number): { readonly bus: string; readonly name: string };
  inFolder(body: (folder: string) => Promise<void>): Promise<void>;
}

/** Kills until as many deaths as wanted met unread input or an open epoch; verifies every round. Gives the histogram. */
export async function killUntilDone({ seed, wanted, bus, inFolder }: Killing): Promise<string> {
  const histogram = new Map<string, number>();
  const next = deaths(seed);
  let counted = 0;
  for (let round = 0; counted < wanted; round++) {
    assert.ok(round < ROUNDS_MAX, `only ${counted} kills hit in ${ROUNDS_MAX} rounds`);
    await inFolder(async (folder) => {
      const { name, ...where } = bus(round);
      const project = await paymentsProject(folder, { ...where, name, rows: ROWS, seed: seed + round });
      const produced = await project.run(["run", ".", `produce_${name}`]);
      assert.equal(produced.code, 0, produced.stderr);
      for (let life = 0;; life++) {
        assert.ok(life < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
        const death = next.next().value;
        if (death.kind === "outside") continue; // A process of so few rows is gone by then.
        const ended = await project.run(["run", ".", name, "--quiet"], { EPOCH_ROWS: "20", ...killEnvironment(death) });
        if (!ended.killed) {
          assert.equal(ended.code, 0, `life ${life}: ${ended.stderr}`);
          break;
        }
        if (death.kind === "step" && AFTER_THE_LAST_EPOCH.has(death.step)) continue;
        counted++;
        histogram.set(nameOf(death), (histogram.get(nameOf(death)) ?? 0) + 1);
      }
      await project.verify();
    });
  }
  return `${counted} kills: ${histogramText(histogram)}`;
}
