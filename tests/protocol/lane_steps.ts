/** An owner's way through an epoch of one lane: take-over, fences, state, intent, delivery, flip. */
import { type Offer, offerSinkSteps, startDelivery } from "./deliver.ts";
import { idOf, initialiseId, joinGeneration, letGo, type Move, OWNER_NAMES, send } from "./owner_requests.ts";
import { keepsIds, type Model, usesGroup } from "./rules.ts";
import { copy, type Head, type Hold, isRefused, readState, stampOf, type StoreRequest, type World } from "./world.ts";

/** The schedules of each plan: the n-th of one takes as many records as the n-th of the other. */
const PLANS = ["12", "ab"];
const planOf = ({ bounds }: Model, by: number): string =>
  PLANS[bounds.plans === "changed_and_back" && by > 0 && by < bounds.owners - 1 ? 1 : 0];
const underPlan = (plan: string, schedule: string): string => plan[PLANS.find((one) => one.includes(schedule))!.indexOf(schedule)];

/** Adds what an owner could do on a lane now. */
export function addLaneMoves(world: World, model: Model, by: number, lane: number, moves: Move[]): void {
  const hold = world.owners[by].lanes[lane];
  const name = model.bounds.lanes > 1 ? `${OWNER_NAMES[by]} lane ${lane}` : OWNER_NAMES[by];
  const offer: Offer = (label, run) => {
    moves.push({ label: `${name} ${label}`, run: (next) => run(next, next.owners[by].lanes[lane]) });
  };
  if (hold.at === "idle") offerTakeOver(world, model, by, lane, offer);
  else if (hold.at === "fencing") {
    const [fence] = hold.todo;
    if (fence) offer(`does "${fence}"`, (next, own) => (own.todo.shift(), setFence(next, model, by, lane, own, fence)));
    else offer("loads the state", (next, own) => loadState(next, model, by, lane, own));
  } else if (hold.at === "ready") offerEpoch(world, model, by, lane, offer);
  else if (hold.at === "delivering") {
    for (const sink of model.sinks) offerSinkSteps(world, model, by, lane, sink, offer);
    const isComplete = Object.values(hold.parts).every((part) => part === "done");
    if (isComplete && isRefused(hold.outcome) && hold.parts["refused rows"] === undefined) {
      offer("writes the refused rows", (next, own) => writeRefused(next, by, lane, own));
    } else if (isComplete) offerFlip(world, model, by, lane, offer);
  }
}

/** What the answer of the checkpoint store leads to. */
export function takeStoreAnswer(world: World, model: Model, request: StoreRequest, answer: "accepted" | "refused"): void {
  const { by, lanes: [lane], schedule } = request;
  const hold = world.owners[by].lanes[lane];
  if (answer === "refused") return letGo(world, model, by, lane);
  if (request.what === "state" || request.what === "refused rows") {
    hold.parts[request.what] = "done";
    return;
  }
  if (request.head) hold.view = request.head;
  if (request.what === "take-over") startFencing(model, by, lane, hold);
  else if (request.what.startsWith("intent")) {
    if (model.rules.refusedKept === "until_intent") removeRefused(world, model, by, lane, hold.memory.length);
    startDelivery(world, model, by, lane, hold.memory + schedule, "new");
  } else {
    hold.memory = request.head!.history;
    giveAway(world, model, by, lane, hold);
    if (schedule) startDelivery(world, model, by, lane, hold.memory + schedule, "new");
    else Object.assign(hold, { at: "ready", next: "", parts: {} });
  }
}

/**
 * The schedules an owner may close an epoch with. The first one that anybody gives an epoch is called "1": nothing is lost by
 * that, as the names of schedules mean nothing. Only where another is about already does "2" make a difference.
 */
function schedules(world: World, model: Model, by: number, epoch: number): string[] {
  const plan = planOf(model, by);
  if (model.bounds.plans === "changed_and_back") return [...plan];
  if (model.bounds.lanes > 1) return [plan[0]]; // there the question is which lanes a transaction carries, not what they say
  const about = new RegExp(
    `"[12xy]{${epoch},}"|"history":"[12xy]{${epoch - 1}}","owner":\\d+,"ids":\\[[^\\]]*\\],"intent":"[12]"`,
  );
  return about.test(JSON.stringify(world)) ? [...plan] : [plan[0]];
}

function offerTakeOver(world: World, model: Model, by: number, lane: number, offer: Offer): void {
  const { head } = world.store[lane];
  const refused = model.rules.plan === "refuses" && head.intent !== "" && !planOf(model, by).includes(head.intent);
  // Owners under one plan are alike, so they may be named in the order in which they begin.
  const inTurn = model.bounds.plans !== "one" || by === 0 || world.owners[by - 1].begun || world.owners[by - 1].crashed;
  if (world.left.takeOvers[lane] === 0 || head.history.length === model.bounds.epochs || refused || !inTurn) return;
  const renews = model.rules.kafka === "owner_ids" && model.sinks.includes("kafka") && world.owners[by].transactions[0].epoch === 0;
  if (renews) offer("renews its own transactional.id", (next) => initialiseId(next, model, by, lane, by));
  else offer("reads head", (next) => takeOver(next, model, by, lane));
}

function takeOver(world: World, model: Model, by: number, lane: number): void {
  const hold = world.owners[by].lanes[lane];
  const { head, intent } = world.store[lane];
  world.left.takeOvers[lane]--;
  world.owners[by].begun = true;
  if (usesGroup(model)) {
    world.kafka.generation++;
    world.kafka.assigned[lane] = by;
    joinGeneration(world, model, by);
  }
  hold.view = copy(head);
  if (model.rules.intent === "own_key" && intent.length === head.history.length + 1) hold.next = intent;
  if (model.rules.takeOver === "reads") return startFencing(model, by, lane, hold);
  hold.at = "taking";
  hold.generation = head.owner + 1;
  const ids = keepsIds(model) ? [...head.ids.filter((id) => id !== by), by] : [];
  const taken = { ...copy(head), owner: hold.generation, ids };
  send(world, { to: "store", what: "take-over", by, lanes: [lane], check: stampOf(head), head: taken });
}

function startFencing(model: Model, by: number, lane: number, hold: Hold): void {
  const { sinks, rules } = model;
  hold.at = "fencing";
  hold.todo = ["collect"];
  if (sinks.includes("files") && rules.filesRemoval === "past_head") hold.todo.push("remove");
  if (sinks.includes("sql") && rules.sql === "epoch_and_owner") hold.todo.push("sql");
  if (!sinks.includes("kafka")) return;
  const own = idOf(model, by, lane);
  const { ids } = hold.view!;
  let silence: readonly number[] = [own];
  if (rules.kafka === "owner_ids") silence = ids.filter((id) => id !== own); // its own was renewed before, and never is after
  else if (rules.kafka === "owner_ids_late") silence = ids;
  else if (rules.kafka === "last_owner_id") silence = [...ids.slice(-2), own];
  for (const id of new Set(silence)) hold.todo.push(`id ${id}`);
}

function setFence(world: World, model: Model, by: number, lane: number, hold: Hold, fence: string): void {
  const store = world.store[lane];
  const epoch = hold.view!.history.length;
  if (fence === "collect") {
    if (model.rules.state === "checked" && stampOf(store.head) !== stampOf(hold.view!)) return letGo(world, model, by, lane);
    for (const key of Object.keys(store.deltas)) if (Number(key) > epoch) delete store.deltas[key];
  } else if (fence === "remove") {
    const files = world.files[lane];
    for (const key of Object.keys(files.final)) if (Number(key) > epoch) delete files.final[key];
    files.manifest = files.manifest.filter((entry) => entry <= epoch);
  } else if (fence === "sql") {
    if (world.sql[lane].owner > hold.generation) return refuseStart(world, model, by, lane);
    world.sql[lane].owner = hold.generation;
  } else initialiseId(world, model, by, lane, Number(fence.split(" ")[1]));
}

function loadState(world: World, model: Model, by: number, lane: number, hold: Hold): void {
  const store = world.store[lane];
  const state = readState(store, hold.view!);
  if (state === null) return letGo(world, model, by, lane); // head moved on meanwhile: superseded
  if (!fitsMarker(world, model, lane, hold.view!)) return refuseStart(world, model, by, lane);
  hold.memory = state;
  world.fenced[lane] = Math.max(world.fenced[lane], hold.generation);
  if (model.rules.intent === "in_head" && hold.view!.intent) hold.next = state + hold.view!.intent;
  if (model.rules.intent === "own_key_read_after" && store.intent.length === state.length + 1) hold.next = store.intent;
  if (hold.next) startDelivery(world, model, by, lane, state + underPlan(planOf(model, by), hold.next.at(-1)!), "replay");
  else hold.at = "ready";
}

/** Where the checkpoint may be an old one: SQL holds what head says, or the open intent's epoch too. */
function fitsMarker(world: World, { rules, bounds, sinks }: Model, lane: number, { history, intent }: Head): boolean {
  if (bounds.restore === "never" || rules.markers === "not_compared" || !sinks.includes("sql")) return true;
  const newest = world.sql[lane].rows.at(-1) ?? "";
  return newest === history || intent !== "" && newest === history + intent;
}

/** Of an old checkpoint that is the end, which people are told of; any other owner has only been superseded. */
function refuseStart(world: World, model: Model, by: number, lane: number): void {
  if (world.copy.stands === "brought_back") world.copy = { ...world.copy, stands: "start_refused" };
  letGo(world, model, by, lane);
}

function offerEpoch(world: World, model: Model, by: number, lane: number, offer: Offer): void {
  const { memory } = world.owners[by].lanes[lane];
  const epoch = memory.length + 1;
  if (epoch <= model.bounds.epochs) {
    for (const schedule of schedules(world, model, by, epoch)) {
      offer(`closes epoch ${epoch} with ${schedule}`, (next, own) => writeIntent(next, model, by, lane, own, schedule));
    }
  }
  const underWay = world.requests.some((request) => request.by === by && request.what === "fold");
  if (model.bounds.folding === "off" || underWay || world.store[lane].base.length >= memory.length) return;
  offer("folds state into the base", (next, own) => {
    const check = model.rules.state === "checked" ? stampOf(own.view!) : undefined;
    send(next, { to: "store", what: "fold", by, lanes: [lane], check, fold: own.memory });
    next.requests.at(-1)!.waiting = false;
  });
}

function writeIntent(world: World, model: Model, by: number, lane: number, hold: Hold, schedule: string): void {
  hold.at = "intending";
  const view = hold.view!;
  const where = model.rules.intent === "in_head"
    ? { head: { ...view, ids: view.ids.slice(-1), intent: schedule } }
    : { intentKey: hold.memory + schedule };
  send(world, { to: "store", what: `intent ${schedule}`, by, lanes: [lane], schedule, check: stampOf(view), ...where });
}

function offerFlip(world: World, model: Model, by: number, lane: number, offer: Offer): void {
  const epoch = world.owners[by].lanes[lane].next.length;
  const following = epoch < model.bounds.epochs ? ["", ...schedules(world, model, by, epoch + 1)] : [""];
  for (const schedule of following) {
    const rides = schedule && ` with intent ${schedule}`;
    offer(`flips head to ${epoch}${rides}`, (next, own) => flipHead(next, model, by, lane, own, schedule));
  }
}

function flipHead(world: World, model: Model, by: number, lane: number, hold: Hold, schedule: string): void {
  hold.at = "flipping";
  const view = hold.view!;
  const inHead = model.rules.intent === "in_head";
  const head = { history: flippedHistory(hold), owner: view.owner, ids: view.ids.slice(-1), intent: inHead ? schedule : "" };
  const ownKey = !inHead && schedule ? { intentKey: hold.next + schedule } : {};
  send(world, { to: "store", what: `flip to ${head.history}`, by, lanes: [lane], schedule, check: stampOf(view), head, ...ownKey });
}

const flippedHistory = ({ next, outcome }: Hold): string => next.slice(0, -1) + (outcome || next.at(-1)!);

function writeRefused(world: World, by: number, lane: number, hold: Hold): void {
  hold.parts["refused rows"] = "wait";
  const check = stampOf(hold.view!);
  send(world, { to: "store", what: "refused rows", by, lanes: [lane], check, refused: flippedHistory(hold) });
}

/** Behind a flip: the epoch has given out what the one before it left. */
function giveAway(world: World, model: Model, by: number, lane: number, hold: Hold): void {
  if (model.rules.refusedKept === "until_flip") removeRefused(world, model, by, lane, hold.memory.length - 1);
}

function removeRefused(world: World, model: Model, by: number, lane: number, epoch: number): void {
  if (model.bounds.refusals === "none" || world.store[lane].refused[epoch] === undefined) return;
  const check = stampOf(world.owners[by].lanes[lane].view!);
  send(world, { to: "store", what: "removal", by, lanes: [lane], check, given: epoch });
  world.requests.at(-1)!.waiting = false;
}
