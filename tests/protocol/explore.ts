/**
 * Breadth-first search over every interleaving: the first broken state found has a shortest trace. States are told apart by
 * their whole text, not by a hash of it.
 */
import { movesOf } from "./moves.ts";
import { brokenPromise, finished, spent } from "./properties.ts";
import type { Model } from "./rules.ts";
import { firstWorld, type World } from "./world.ts";

/** What a search found. */
export interface Outcome {
  readonly states: number;
  readonly depth: number;
  /** Whether every reachable state was seen. */
  readonly complete: boolean;
  /** The broken promise, or "". */
  readonly fault: string;
  /** The steps that lead to it. */
  readonly trace: readonly string[];
}

/** What is known of the states seen, by their numbers. */
class Graph {
  readonly #parents = [-1];
  readonly #labels = [-1];
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #targets: number[][] = [];
  readonly #good: number[] = [];
  readonly #excused = new Set<number>();

  get states(): number {
    return this.#parents.length;
  }

  add(parent: number, label: string): number {
    let number = this.#numbers.get(label);
    if (number === undefined) {
      number = this.#names.push(label) - 1;
      this.#numbers.set(label, number);
    }
    this.#labels.push(number);
    return this.#parents.push(parent) - 1;
  }

  judge(at: number, world: World, model: Model): void {
    if (finished(world, model)) this.#good.push(at);
    else if (spent(world, model)) this.#excused.add(at);
  }

  connect(at: number, targets: number[]): void {
    this.#targets[at] = targets;
  }

  traceTo(at: number): string[] {
    const trace: string[] = [];
    for (let step = at; step > 0; step = this.#parents[step]) trace.unshift(this.#names[this.#labels[step]]);
    return trace;
  }

  /** The first state from which no finished one can be reached, or -1. */
  firstStuck(): number {
    const sources: number[][] = this.#targets.map(() => []);
    this.#targets.forEach((targets, from) => targets.forEach((to) => sources[to].push(from)));
    const alive = new Uint8Array(this.states);
    const todo = [...this.#good];
    for (const at of todo) alive[at] = 1;
    while (todo.length > 0) {
      for (const from of sources[todo.pop()!]) {
        if (alive[from]) continue;
        alive[from] = 1;
        todo.push(from);
      }
    }
    return alive.findIndex((live, at) => !live && !this.#excused.has(at));
  }
}

/** The order of requests under way means nothing, so worlds that differ in it alone are one. */
function keyOf(world: World): string {
  if (world.requests.length > 1) world.requests.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return JSON.stringify(world);
}

/** Searches up to `statesMax` states. Beside the properties, a finished state must stay reachable from every state. */
export function explore(model: Model, statesMax = 12_000_000): Outcome {
  const graph = new Graph();
  const first = keyOf(firstWorld(model));
  const seen = new Map<string, number>([[first, 0]]);
  const broken = (fault: string, at: number, depth: number, complete: boolean): Outcome => ({
    states: graph.states,
    depth,
    complete,
    fault,
    trace: graph.traceTo(at),
  });
  let level: [number, string][] = [[0, first]];
  let depth = 0;
  for (; level.length > 0; depth++) {
    const following: [number, string][] = [];
    for (const [at, key] of level) {
      const world: World = JSON.parse(key);
      graph.judge(at, world, model);
      const targets: number[] = [];
      for (const move of movesOf(world, model)) {
        const next: World = JSON.parse(key);
        move.run(next);
        const nextKey = keyOf(next);
        let to = seen.get(nextKey);
        if (to === undefined) {
          to = graph.add(at, move.label);
          seen.set(nextKey, to);
          following.push([to, nextKey]);
          const fault = brokenPromise(next, model);
          if (fault) return broken(fault, to, depth + 1, false);
          if (graph.states > statesMax) return { states: graph.states, depth, complete: false, fault: "", trace: [] };
        }
        targets.push(to);
      }
      graph.connect(at, targets);
    }
    level = following;
  }
  const stuck = graph.firstStuck();
  if (stuck >= 0) return broken("no step leads on: recovery can never finish from here", stuck, depth, true);
  return { states: graph.states, depth, complete: true, fault: "", trace: [] };
}
