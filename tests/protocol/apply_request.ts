/** What a request does where it arrives. It knows nothing of its sender but what it carries, as late as it may come. */
import type { Model } from "./rules.ts";
import { type BrokerRequest, refusedForm, type Request, type RowsRequest, stampOf, type StoreRequest, type World } from "./world.ts";

/** Applies a request; true when it was accepted. `rows`: what SQL takes of a delivery. */
export function applyRequest(world: World, model: Model, request: Request, rows: "all" | "some"): boolean {
  if (request.to === "store") return applyToStore(world, request);
  if (request.to === "kafka") return applyToBroker(world, model, request);
  return request.to === "sql" ? applyToSql(world, model, request, rows) : applyToClickhouse(world, model, request);
}

/** Records that something changed for readers of a sink because of an owner of that generation. */
export function recordEffect(world: World, model: Model, lane: number, generation: number, sink: string): void {
  if (model.fencedOwners === "silent" && generation < world.fenced[lane]) world.wrong ||= `a fenced owner still delivered: ${sink}`;
}

/** Puts a token into ClickHouse's window, which forgets the oldest. */
export function pushToken(world: World, model: Model, token: string): void {
  world.clickhouse.window.push(token);
  if (world.clickhouse.window.length > model.bounds.window) world.clickhouse.window.shift();
}

function applyToStore(world: World, request: StoreRequest): boolean {
  const lane = world.store[request.lanes[0]];
  if (request.check && stampOf(lane.head) !== request.check) return false;
  if (request.head) lane.head = request.head;
  if (request.intentKey !== undefined) lane.intent = request.intentKey;
  if (request.refused !== undefined) lane.refused[request.refused.length] = request.refused;
  if (request.given !== undefined) delete lane.refused[request.given];
  if (request.delta) lane.deltas[request.delta.length] = request.delta;
  if (request.fold !== undefined) {
    lane.base = request.fold;
    for (const epoch of Object.keys(lane.deltas)) if (Number(epoch) <= request.fold.length) delete lane.deltas[epoch];
  }
  return true;
}

function applyToSql(world: World, model: Model, request: RowsRequest, rows: "all" | "some"): boolean {
  const [lane] = request.lanes;
  const row = world.sql[lane];
  if (row.epoch !== request.content.length - 1) return false; // the conditional update changed no row
  if (model.rules.sql === "epoch_and_owner" && row.owner !== request.generation) return false;
  row.epoch++;
  row.rows.push(request.content);
  const schedule = request.content.at(-1)!;
  if (model.bounds.refusals === "any") row.outcomes += rows === "some" ? refusedForm(schedule) : schedule;
  recordEffect(world, model, lane, request.generation, "sql");
  return true;
}

function applyToBroker(world: World, model: Model, request: BrokerRequest): boolean {
  const { kafka } = world;
  const id = kafka.ids[request.id];
  if (request.epoch !== id.epoch) return false; // the producer is fenced
  if (request.what === "Produce") {
    id.open ??= { records: [], offsets: [] };
    id.open.records.push(...request.records);
  } else if (request.what === "TxnOffsetCommit") {
    const checked = model.rules.kafka === "generation" || model.rules.kafka === "generation_stable";
    if (checked && request.groupGeneration !== kafka.generation) return false;
    id.open ??= { records: [], offsets: [] };
    id.open.offsets.push(...request.offsets);
  } else if (id.open) { // it commits whatever this producer has open; with nothing open the answer is "already done"
    for (const [lane, content] of id.open.records) {
      kafka.log[lane].push(content);
      recordEffect(world, model, lane, request.generations[request.lanes.indexOf(lane)] ?? 0, "kafka");
    }
    for (const [lane, epoch] of id.open.offsets) kafka.markers[lane] = epoch;
    id.open = null;
  }
  return true;
}

function applyToClickhouse(world: World, model: Model, request: RowsRequest): boolean {
  const [lane] = request.lanes;
  const rows = world.clickhouse.rows[lane];
  if (model.rules.clickhouse === "replacing") { // rows with the same lane, epoch and number become one, however late they come
    if (rows.includes(request.content)) return true;
  } else {
    const token = `${lane}/${request.content.length}`;
    if (world.clickhouse.window.includes(token)) return true;
    pushToken(world, model, token);
  }
  rows.push(request.content);
  recordEffect(world, model, lane, request.generation, "clickhouse");
  return true;
}
