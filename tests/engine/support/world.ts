/** A world of fakes for the engine: time stands still unless slept, the probe may end the "process". */
import type { Clock, ProtocolStep, World } from "../../../src/ports/mod.ts";

/** Thrown by the probe in place of a crash. */
export class Crash extends Error {}

export class TestWorld implements World {
  nowMicros = 1_700_000_000_000_000;
  readonly steps: string[] = [];
  /** Whether to crash at this passing of a protocol step. */
  crashAt: (step: ProtocolStep, passing: number) => boolean = () => false;
  readonly clock: Clock = {
    nowMicros: () => ++this.nowMicros,
    monotonicMs: () => this.nowMicros / 1000,
    sleep: async (ms) => {
      this.nowMicros += ms * 1000;
      await Promise.resolve();
    },
  };
  readonly probe = {
    step: (step: ProtocolStep, detail: string): void => {
      this.steps.push(`${step} ${detail}`);
      if (this.crashAt(step, this.steps.length)) throw new Crash(step);
    },
  };
  readonly log = { event: (): void => {} };
  get random(): never {
    throw new Error("the engine needs no randomness");
  }
  get files(): never {
    throw new Error("the engine needs no files");
  }
  get locks(): never {
    throw new Error("the engine needs no locks");
  }
  get environment(): never {
    throw new Error("the engine needs no environment");
  }
  openKv(): never {
    throw new Error("the engine is given its store");
  }
}
