/** What must hold in every state: each sink holds what the history in head says, once, in order, at most one epoch ahead. */
import type { Model, SinkKind } from "./rules.ts";
import { isRefused, plainOf, readState, type World } from "./world.ts";

/** The first broken promise in words, or "". */
export function brokenPromise(world: World, model: Model): string {
  if (world.wrong) return world.wrong;
  for (let lane = 0; lane < model.bounds.lanes; lane++) {
    const broken = brokenInLane(world, model, lane);
    if (broken) return broken;
  }
  return "";
}

/** Whether all epochs of all lanes are committed. */
export const finished = (world: World, model: Model): boolean =>
  world.copy.stands === "start_refused" || world.store.every((lane) => lane.head.history.length === model.bounds.epochs);

/**
 * Out of the budget that keeps the search finite, which is not the same as stuck: the unfinished lane has no take-over left.
 * With Kafka one is kept in hand, because the first attempt of an owner that was fenced while idle tells it only that.
 */
export const spent = (world: World, model: Model): boolean =>
  world.store.some((lane, at) =>
    lane.head.history.length < model.bounds.epochs && world.left.takeOvers[at] < (model.sinks.includes("kafka") ? 2 : 1)
  );

function brokenInLane(world: World, model: Model, lane: number): string {
  const { head, intent } = world.store[lane];
  const { history } = head;
  const state = readState(world.store[lane], head);
  if (state !== history) {
    return `state at head is ${state === null ? "missing" : `"${state}"`}, the fold of the delivered prefix is "${history}"`;
  }
  const { outcomes } = world.sql[lane];
  const told = [...outcomes].findIndex((outcome, at) => at < history.length && outcome !== history[at]);
  if (told >= 0) {
    const refused = isRefused(outcomes[told]);
    return `rows of epoch ${told + 1} ${refused ? "were refused, and are no rejects" : "are in the table, and among the rejects"}`;
  }
  const open = model.rules.intent === "in_head" ? head.intent && history + head.intent : intent;
  let ahead = "";
  for (const sink of model.sinks) {
    const rows = visibleRows(world, sink, lane);
    const broken = brokenInSink(sink, rows, history, world.copy.stands === "aside" ? 1 : Infinity);
    if (broken) return broken;
    if (world.copy.stands !== "aside") continue;
    const next = rows[history.length];
    if (!next) continue;
    if (!next.startsWith(history)) return `${sink} holds "${next}", which does not follow "${history}"`;
    if (ahead && ahead !== next) return `epoch ${next.length} was delivered with two contents: "${ahead}" and "${next}"`;
    ahead = next;
    const judged = model.fencedOwners === "silent" && model.rules.plan === "refuses";
    if (judged && open !== next) return `${sink} is one epoch ahead of head and its intent is gone`;
  }
  return "";
}

/** Whether an epoch's content is what the history says of it: what was refused is known only behind it. */
const isContentOf = (history: string, content: string): boolean =>
  history.startsWith(content.slice(0, -1)) && plainOf(history[content.length - 1]) === content.at(-1);

/** An old checkpoint may be any number of epochs behind. */
function brokenInSink(sink: SinkKind, rows: readonly string[], history: string, aheadMax: number): string {
  if (rows.some((row, at) => row.length !== at + 1)) {
    return `${sink} holds [${rows}]: an epoch is doubled, missing, torn or out of order`;
  }
  if (rows.length < history.length) return `${sink} holds [${rows}] but head says ${history.length} epochs were delivered`;
  const astray = rows.findIndex((row, at) => at > 0 && plainOf(row[at - 1]) !== rows[at - 1][at - 1]);
  if (astray > 0) return `${sink} holds [${rows}]: epoch ${astray + 1} does not follow the one before it`;
  if (rows.length > history.length + aheadMax) return `${sink} is ahead of head by more than one epoch`;
  const other = rows.slice(0, history.length).find((row) => !isContentOf(history, row));
  return other ? `${sink} holds "${other}", state and the other sinks say "${history.slice(0, other.length)}"` : "";
}

/** What a reader of the sink sees, one entry per epoch delivered. */
function visibleRows(world: World, sink: SinkKind, lane: number): string[] {
  if (sink === "sql") return world.sql[lane].rows;
  if (sink === "kafka") return world.kafka.log[lane];
  if (sink === "clickhouse") return [...world.clickhouse.rows[lane]].sort((a, b) => a.length - b.length);
  const { manifest, final } = world.files[lane];
  return manifest.map((epoch) => final[epoch] ?? "…");
}
