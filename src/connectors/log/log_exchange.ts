/** A topic of the embedded log between two stages of a pipeline: written anew by each run of the first, sealed at its end. */
import type { ExchangeContext, ExchangePlan } from "../../component/exchange.ts";
import { assert } from "../../data/fault.ts";
import { EXCHANGE_NOTE, planExchangeEnds } from "../exchange/plan_exchange.ts";
import { LogSink } from "./log_sink.ts";
import { LogSource } from "./log_source.ts";

/** null when faults were reported. */
export function planLogExchange(context: ExchangeContext): ExchangePlan | null {
  const { connection, topic, name, lanes, timed, bounded } = context;
  assert(connection, "an exchange has a connection");
  const ends = planExchangeEnds(context);
  if (ends === null) return null;
  const folder = `${connection.text("path")}/${topic}`;
  return {
    local: true,
    sink: {
      guarantee: "exactly-once",
      guaranteeNote: EXCHANGE_NOTE,
      needs: ends.needs,
      place: folder,
      create: (world) =>
        new LogSink({
          world,
          name,
          place: { files: world.files, folder, topic },
          partitions: lanes,
          key: ends.key,
          encoder: ends.encoder(),
          exchange: { nullKeys: "together", carriesTime: timed },
        }),
    },
    source: {
      bounded,
      partitionedBy: null,
      partitioned: true,
      place: folder,
      create: (world) =>
        new LogSource({
          world,
          place: { files: world.files, folder, topic },
          name,
          start: "earliest",
          until: { kind: bounded ? "end" : "never" },
          rows: () => ends.rows(),
        }),
    },
  };
}
