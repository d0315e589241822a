/**
 * Virtual time and the order of events. Invariant: exactly one event runs at a time, in the order of its virtual time; between two
 * events the code under test runs on, as far as it can, in the runtime's microtasks. No timer and no thread takes part, so
 * a run depends on nothing but its seed and its code.
 */
import { Deadlock } from "./crashed.ts";

interface Event {
  readonly micros: number;
  readonly sequence: number;
  readonly run: () => void;
}

/**
 * Turns of the microtask queue between two events. Long chains of awaits may need more; what they call then simply comes
 * after the next event, as on a busy machine.
 */
const TURNS_BETWEEN_EVENTS = 40;
/** Turns without any event to wait for before a deadlock is declared. */
const TURNS_IDLE_MAX = 4_000;

export class Scheduler {
  readonly #heap: Event[] = [];
  readonly #eventsMax: number;
  #nowMicros = 0;
  #sequence = 0;
  #ran = 0;

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  /** Virtual time since the world began. */
  get nowMicros(): number {
    return this.#nowMicros;
  }

  /** Events that ran so far. */
  get eventCount(): number {
    return this.#ran;
  }

  /** Runs `run` after `delayMicros`; events of the same time run in the order in which they were asked for. */
  after(delayMicros: number, run: () => void): void {
    const event = { micros: this.#nowMicros + delayMicros, sequence: this.#sequence++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /** Runs events until `done` says so. Throws Deadlock when nothing is left to run, or when the bound on events is passed. */
  async driveUntil(done: () => boolean): Promise<void> {
    let turnsIdle = 0;
    while (true) {
      for (let turn = 0; turn < TURNS_BETWEEN_EVENTS; turn++) await null;
      if (done()) return;
      const event = this.#pop();
      if (event === null) {
        turnsIdle += TURNS_BETWEEN_EVENTS;
        if (turnsIdle > TURNS_IDLE_MAX) throw new Deadlock("somebody waits and nothing is left to happen");
        continue;
      }
      turnsIdle = 0;
      if (this.#ran++ >= this.#eventsMax) throw new Deadlock(`no end after ${this.#eventsMax} events`);
      this.#nowMicros = event.micros;
      event.run();
    }
  }

  #pop(): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let index = 0;
    while (true) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.micros !== b.micros ? a.micros < b.micros : a.sequence < b.sequence;
}
