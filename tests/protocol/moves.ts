/**
 * Every step that could be taken in a world. Any step may be taken at any moment or never, so an owner frozen for ever is a
 * crash, one that goes on late is a zombie, and two owners of a lane interleave in all ways. The explicit crash adds only that
 * the owner's unsent requests are gone.
 */
import { applyRequest, pushToken } from "./apply_request.ts";
import { addBrokerMoves, takeBrokerAnswer } from "./broker_steps.ts";
import { addLaneMoves, takeStoreAnswer } from "./lane_steps.ts";
import { generationIn, letGo, type Move, OWNER_NAMES } from "./owner_requests.ts";
import type { Model } from "./rules.ts";
import { copy, idle, type World } from "./world.ts";

/** All steps, of the environment and of every owner that lives. */
export function movesOf(world: World, model: Model): Move[] {
  const moves: Move[] = [];
  addNetworkMoves(world, model, moves);
  addCrashes(world, moves);
  addServerMoves(world, model, moves);
  addCopyMoves(world, model, moves);
  world.owners.forEach((owner, by) => {
    if (owner.crashed) return;
    for (let lane = 0; lane < model.bounds.lanes; lane++) addLaneMoves(world, model, by, lane, moves);
    if (model.sinks.includes("kafka")) addBrokerMoves(world, model, by, moves);
  });
  return moves;
}

function addNetworkMoves(world: World, model: Model, moves: Move[]): void {
  world.requests.forEach((request, at) => {
    const what = `${OWNER_NAMES[request.by]}'s ${request.to} ${request.what}${model.bounds.lanes > 1 ? ` lane ${request.lanes}` : ""}`;
    const late = request.waiting ? "" : " late";
    moves.push({ label: `${what} is applied${late}`, run: (next) => arrive(next, model, at, "all") });
    if (request.to === "sql" && model.bounds.refusals === "any") {
      moves.push({ label: `${what} is applied${late}, some rows being refused`, run: (next) => arrive(next, model, at, "some") });
    }
    if (!request.waiting || world.left.timeouts === 0) return;
    const label = `${OWNER_NAMES[request.by]} gives up waiting for ${request.to} ${request.what}`;
    moves.push({ label, run: (next) => giveUp(next, model, at) });
  });
}

function addCrashes(world: World, moves: Move[]): void {
  world.owners.forEach((owner, by) => {
    if (world.left.crashes === 0 || owner.crashed || owner.lanes.every((hold) => hold.at === "idle")) return;
    moves.push({
      label: `${OWNER_NAMES[by]} crashes`,
      run: (next) => {
        next.left.crashes--;
        next.requests = next.requests.filter((request) => request.by !== by);
        next.owners[by] = { begun: true, crashed: true, groupGeneration: 0, transactions: [], lanes: owner.lanes.map(idle) };
      },
    });
  });
}

/** People copy the checkpoint, and bring the copy back. */
function addCopyMoves(world: World, model: Model, moves: Move[]): void {
  const { restore } = model.bounds;
  const { store, stands } = world.copy;
  if (restore === "never" || stands !== "aside") return;
  if (store === null) {
    moves.push({
      label: "somebody copies the checkpoint",
      run: (next) => void (next.copy = { store: copy(next.store), stands: "aside" }),
    });
    return;
  }
  const label = `the copy of the checkpoint is brought back${restore === "owners_ended" ? ", all owners having ended" : ""}`;
  moves.push({
    label,
    run(next) {
      next.store = copy(next.copy.store!);
      next.copy = { store: null, stands: "brought_back" };
      if (restore === "owners_go_on") return;
      next.requests = [];
      for (const owner of next.owners) owner.lanes = owner.lanes.map(idle);
    },
  });
}

function addServerMoves(world: World, model: Model, moves: Move[]): void {
  world.kafka.ids.forEach((id, at) => {
    if (!id.open || model.rules.kafka === "lane_id") return;
    const abandoned = world.owners[at].crashed || world.owners[at].transactions[0].lanes.length === 0;
    if (!abandoned && world.left.timeouts === 0) return;
    moves.push({
      label: `the broker times out ${OWNER_NAMES[at]}'s open transaction`,
      run: (next) => {
        if (!abandoned) next.left.timeouts--;
        next.kafka.ids[at] = { epoch: id.epoch + 1, open: null };
      },
    });
  });
  if (!model.sinks.includes("clickhouse") || model.rules.clickhouse !== "token" || world.left.tokens === 0) return;
  moves.push({
    label: "another lane's insert pushes a token into ClickHouse's window",
    run: (next) => {
      next.left.tokens--;
      pushToken(next, model, "other");
    },
  });
}

function arrive(world: World, model: Model, at: number, rows: "all" | "some"): void {
  const [request] = world.requests.splice(at, 1);
  const answer = applyRequest(world, model, request, rows) ? "accepted" : "refused";
  if (!request.waiting) return;
  if (request.to === "kafka") takeBrokerAnswer(world, model, request, answer);
  else if (request.to === "store") takeStoreAnswer(world, model, request, answer);
  else {
    const hold = world.owners[request.by].lanes[request.lanes[0]];
    if (request.to === "sql" && answer === "accepted") hold.outcome = world.sql[request.lanes[0]].outcomes.at(-1) ?? "";
    hold.parts[request.to] = request.to === "clickhouse" || answer === "accepted" ? "done" : "check";
  }
}

function giveUp(world: World, model: Model, at: number): void {
  world.left.timeouts--;
  const request = world.requests[at];
  request.waiting = false;
  if (request.what === "EndTxn" && model.rules.endTransaction === "resend") {
    world.requests.push({ ...copy(request), waiting: true });
    return;
  }
  for (const lane of request.lanes) {
    if (world.owners[request.by].lanes[lane].generation === generationIn(request, lane)) letGo(world, model, request.by, lane);
  }
}
