/** What every part of an owner uses: its names and ids, sending, letting a lane go, renewing its transactional id. */
import type { Model } from "./rules.ts";
import { idle, type Request, type World } from "./world.ts";

/** A step that could be taken now. */
export interface Move {
  readonly label: string;
  readonly run: (world: World) => void;
}

/** What traces call the owners. */
export const OWNER_NAMES = "ABCDEF";

/** The transactional id that an owner uses for a lane: its own, or the lane's. */
export const idOf = ({ rules }: Model, owner: number, lane: number): number => rules.kafka === "lane_id" ? lane : owner;

/** Which of the owner's transactions a lane goes through. */
export const slotOf = ({ rules }: Model, lane: number): number => rules.kafka === "lane_id" ? lane : 0;

type Unsent<T> = T extends Request ? Omit<T, "generation" | "waiting"> : never;

/** Sends a request and waits for its answer. */
export function send(world: World, request: Unsent<Request>): void {
  const { generation } = world.owners[request.by].lanes[request.lanes[0]];
  world.requests.push({ ...request, generation, waiting: true } as Request);
}

/** The generation under which a request was sent for one of its lanes. */
export const generationIn = (request: Request, lane: number): number =>
  request.to === "kafka" ? request.generations[request.lanes.indexOf(lane)] : request.generation;

/** In doubt or refused: all that is held of the lane is dropped, and only a new take-over leads back in. */
export function letGo(world: World, model: Model, by: number, lane: number): void {
  const owner = world.owners[by];
  owner.lanes[lane] = idle();
  for (const request of world.requests) {
    if (request.by === by && request.lanes.length === 1 && request.lanes[0] === lane) request.waiting = false;
  }
  const slot = owner.transactions[slotOf(model, lane)];
  slot.lanes = [];
  if (!model.sinks.includes("kafka") || slot.epoch === 0) return;
  slot.epoch = 0; // a producer in doubt is renewed; where all lanes share it, all are taken over again
  if (model.rules.kafka !== "owner_ids") return;
  owner.lanes.forEach((hold, other) => hold.at !== "idle" && letGo(world, model, by, other));
}

/** InitProducerId: aborts what is open under that id and raises its producer epoch. */
export function initialiseId(world: World, model: Model, by: number, lane: number, id: number): void {
  const epoch = world.kafka.ids[id].epoch + 1;
  world.kafka.ids[id] = { epoch, open: null };
  if (id === idOf(model, by, lane)) world.owners[by].transactions[slotOf(model, lane)].epoch = epoch;
}

/** A rebalance as a member learns of it: first it lets go of lanes assigned elsewhere, then it speaks with the new generation. */
export function joinGeneration(world: World, model: Model, by: number): void {
  world.owners[by].groupGeneration = world.kafka.generation;
  world.kafka.assigned.forEach((assigned, lane) => {
    if (assigned !== by && world.owners[by].lanes[lane].at !== "idle") letGo(world, model, by, lane);
  });
}
