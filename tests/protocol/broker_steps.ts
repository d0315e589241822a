/** An owner's transactions: one for all lanes that are ready; Produce, TxnOffsetCommit, EndTxn, each after the other's answer. */
import { generationIn, idOf, initialiseId, joinGeneration, letGo, type Move, OWNER_NAMES, send, slotOf } from "./owner_requests.ts";
import { type Model, usesGroup } from "./rules.ts";
import type { BrokerRequest, World } from "./world.ts";

/** Adds what an owner could do with the broker now. */
export function addBrokerMoves(world: World, model: Model, by: number, moves: Move[]): void {
  const owner = world.owners[by];
  const { generation } = world.kafka;
  if (usesGroup(model) && model.rules.kafka !== "newest_generation" && owner.groupGeneration > 0 && owner.groupGeneration !== generation) {
    moves.push({ label: `${OWNER_NAMES[by]} learns of the rebalance`, run: (next) => joinGeneration(next, model, by) });
  }
  owner.transactions.forEach((transaction, slot) => {
    const wanted = owner.lanes.flatMap((hold, lane) => hold.parts.kafka === "todo" && slotOf(model, lane) === slot ? [lane] : []);
    if (transaction.lanes.length > 0 || wanted.length === 0) return;
    moves.push({ label: `${OWNER_NAMES[by]} begins a transaction`, run: (next) => beginTransaction(next, model, by, slot, wanted) });
  });
}

/** What the answer of the broker leads to. */
export function takeBrokerAnswer(world: World, model: Model, request: BrokerRequest, answer: "accepted" | "refused"): void {
  const owner = world.owners[request.by];
  const waiting = request.lanes.filter((lane) =>
    owner.lanes[lane].generation === generationIn(request, lane) && owner.lanes[lane].parts.kafka === "wait"
  );
  if (waiting.length === 0) return; // all its lanes were let go meanwhile
  if (answer === "refused" || waiting.length < request.lanes.length) {
    // A lane that stays would renew the id behind the fence that silenced it.
    if (model.rules.sharedProducer === "drops_its_lanes") owner.transactions[request.slot].epoch = 0;
    for (const lane of waiting) letGo(world, model, request.by, lane);
    owner.transactions[request.slot].epoch = 0;
  } else if (request.what !== "EndTxn") {
    sendToBroker(world, request, request.what === "Produce" ? "TxnOffsetCommit" : "EndTxn");
  } else {
    for (const lane of waiting) owner.lanes[lane].parts.kafka = "done";
    owner.transactions[request.slot].lanes = [];
  }
}

function beginTransaction(world: World, model: Model, by: number, slot: number, lanes: readonly number[]): void {
  const owner = world.owners[by];
  const id = idOf(model, by, lanes[0]);
  const transaction = owner.transactions[slot];
  if (transaction.epoch === 0) initialiseId(world, model, by, lanes[0], id);
  transaction.lanes = lanes;
  for (const lane of lanes) owner.lanes[lane].parts.kafka = "wait";
  const generations = lanes.map((lane) => owner.lanes[lane].generation);
  sendToBroker(world, { by, id, slot, epoch: transaction.epoch, lanes, generations }, "Produce");
}

type Carried = Pick<BrokerRequest, "by" | "id" | "slot" | "epoch" | "lanes" | "generations">;

function sendToBroker(world: World, { by, id, slot, epoch, lanes, generations }: Carried, what: BrokerRequest["what"]): void {
  const owner = world.owners[by];
  send(world, {
    to: "kafka",
    what,
    by,
    lanes,
    id,
    slot,
    epoch,
    generations,
    records: what === "Produce" ? lanes.map((lane) => [lane, owner.lanes[lane].next]) : [],
    offsets: what === "TxnOffsetCommit" ? lanes.map((lane) => [lane, owner.lanes[lane].next.length]) : [],
    groupGeneration: what === "TxnOffsetCommit" ? owner.groupGeneration : 0,
  });
}
