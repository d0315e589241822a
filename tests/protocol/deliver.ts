/** Delivering an epoch: state and all sinks at once, each by its own steps. Requests under way arrive in any order. */
import { recordEffect } from "./apply_request.ts";
import { letGo, send } from "./owner_requests.ts";
import type { Model } from "./rules.ts";
import { type Hold, stampOf, type World } from "./world.ts";

/** Offers a step of one owner on one lane. */
export type Offer = (label: string, run: (world: World, hold: Hold) => void) => void;

/** Starts all deliveries; a replay first asks each sink for its marker. */
export function startDelivery(world: World, model: Model, by: number, lane: number, content: string, why: "new" | "replay"): void {
  const hold = world.owners[by].lanes[lane];
  hold.at = "delivering";
  hold.next = content;
  hold.parts = { state: "wait" };
  hold.outcome = "";
  const check = model.rules.state === "checked" ? stampOf(hold.view!) : undefined;
  send(world, { to: "store", what: "state", by, lanes: [lane], check, delta: content });
  for (const sink of model.sinks) {
    if (sink === "files") hold.parts.files = model.rules.filesTemporary === "shared" ? "open" : "move";
    else if (sink === "kafka") hold.parts.kafka = why === "replay" ? "check" : "todo";
    else if (sink === "sql" && why === "replay") hold.parts.sql = "check";
    else {
      hold.parts[sink] = "wait";
      send(world, { to: sink, what: `epoch ${content.length} (${content})`, by, lanes: [lane], content });
    }
  }
}

/** The steps that a sink's delivery could take now. */
export function offerSinkSteps(world: World, model: Model, by: number, lane: number, sink: string, offer: Offer): void {
  const hold = world.owners[by].lanes[lane];
  if (sink === "files") return offerFileSteps(model, by, lane, hold, offer);
  if (hold.parts[sink] !== "check") return;
  const stable = model.rules.kafka === "generation_stable" || model.rules.kafka === "newest_generation";
  if (sink === "kafka" && stable) { // OffsetFetch with require_stable waits for open transactions
    if (world.kafka.ids.some((id) => id.open?.offsets.some(([of]) => of === lane))) return;
  }
  offer(`reads the marker in ${sink}`, (next, own) => judgeMarker(next, model, by, lane, sink, own));
}

function judgeMarker(world: World, model: Model, by: number, lane: number, sink: string, hold: Hold): void {
  const epoch = hold.next.length;
  const lost = sink === "sql" && model.rules.sql === "epoch_and_owner" && world.sql[lane].owner !== hold.generation;
  const marker = sink === "sql" ? world.sql[lane].epoch : world.kafka.markers[lane];
  if (lost || marker > epoch) letGo(world, model, by, lane);
  else if (marker === epoch) {
    hold.parts[sink] = "done";
    if (sink === "sql" && model.rules.refused === "recorded") hold.outcome = world.sql[lane].outcomes.at(-1) ?? "";
  } else if (sink === "kafka") hold.parts.kafka = "todo";
  else {
    hold.parts.sql = "wait";
    send(world, { to: "sql", what: `epoch ${epoch} (${hold.next})`, by, lanes: [lane], content: hold.next });
  }
}

function offerFileSteps(model: Model, by: number, lane: number, hold: Hold, offer: Offer): void {
  const epoch = hold.next.length;
  const at = hold.parts.files;
  if (at === "open") {
    offer(`opens temporary file ${epoch}`, (world, own) => (world.files[lane].temporary[epoch] = "…", own.parts.files = "fill"));
  } else if (at === "fill") {
    offer(`fills temporary file ${epoch}`, (world, own) => (world.files[lane].temporary[epoch] = own.next, own.parts.files = "move"));
  } else if (at === "move") {
    offer(`moves file ${epoch} into place`, (world, own) => moveFile(world, model, by, lane, own));
  } else if (at === "read") {
    offer("reads the manifest", (world, own) => (own.manifest = [...world.files[lane].manifest], own.parts.files = "rewrite"));
  } else if (at === "rewrite" || at === "entry") {
    offer(`writes manifest entry ${epoch}`, (world, own) => {
      const old = at === "entry" ? world.files[lane].manifest : own.manifest;
      world.files[lane].manifest = [...new Set([...old, epoch])].sort();
      own.manifest = [];
      own.parts.files = "done";
    });
  }
}

function moveFile(world: World, model: Model, by: number, lane: number, hold: Hold): void {
  const files = world.files[lane];
  const epoch = hold.next.length;
  const content = model.rules.filesTemporary === "shared" ? files.temporary[epoch] : hold.next;
  if (content === undefined) return letGo(world, model, by, lane);
  delete files.temporary[epoch];
  if (files.final[epoch] !== content) recordEffect(world, model, lane, hold.generation, "files");
  files.final[epoch] = content;
  hold.parts.files = model.rules.filesManifest === "one_file" ? "read" : "entry";
}
