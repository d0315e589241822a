/** Serves a feed directly: no epochs, no checkpoint, each client's place being all there is. */
import type { FeedPlan, ServeOptions, ServeSummary } from "../../../component/serving.ts";
import { MillraceError } from "../../../data/fault.ts";
import type { Clock } from "../../../ports/mod.ts";
import { ADDRESS_FORM, formatAddress, parseAddress } from "../address.ts";
import { STARTS_KEPT_MAX } from "../limits.ts";
import type { Handshake } from "./handshake.ts";
import { Schedule } from "./schedule.ts";
import { SocketServer } from "./server.ts";
import type { ServerSettings } from "./socket_server_sink.ts";
import { OwnStream, SharedStream, type Stream } from "./stream.ts";

/** Until the signal comes. Throws MillraceError "address_taken" and "usage". */
export async function serveFeed(
  settings: ServerSettings,
  { world, feed, wishes, signal, tell, began }: ServeOptions,
): Promise<ServeSummary> {
  const listen = wishes.listen === undefined ? settings.listen : parseAddress(wishes.listen);
  if (!listen) throw new MillraceError("usage", `--listen ${wishes.listen}: not an address`, { hint: ADDRESS_FORM });
  const rate = wishes.rate ?? feed.rate;
  const seed = feed.seed(world);
  const streams = settings.mode === "broadcast"
    ? new OneForAll(feed, { seed, rate }, world.clock)
    : new OneForEach(feed, { seed, rate }, world.clock);
  const server = await SocketServer.open({
    world,
    ...settings,
    listen,
    intervalMs: 1000 / rate,
    join: (handshake) => streams.join(handshake),
  });
  began?.(() => server.summary());
  const [live, resume] = server.addresses;
  tell(
    `serving ${feed.describe(seed)}, ${rateText(rate)}, ${
      settings.mode === "broadcast" ? "one sequence for all" : "a sequence for each client"
    }`,
  );
  tell(`listening on ${formatAddress(live)}${resume ? `, to resume on ${formatAddress(resume)}` : ""}; Ctrl+C stops`);
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  return await server.stop();
}

const rateText = (rate: number): string => rate === Infinity ? "as fast as it is read" : `${rate} record${rate === 1 ? "" : "s"}/s`;

interface Drawn {
  readonly seed: number;
  readonly rate: number;
}
type Joined = { readonly stream: Stream; readonly from: number | null; readonly sequence: number };

class OneForAll {
  readonly #stream: SharedStream;
  constructor(feed: FeedPlan, drawn: Drawn, clock: Clock) {
    const startMicros = feed.startMicros(clock.nowMicros());
    this.#stream = new SharedStream(feed.open({ ...drawn, stream: 0, startMicros }), new Schedule(clock.monotonicMs(), drawn.rate));
  }

  join(handshake: Handshake | null): Joined {
    if (handshake?.sequence) throw new Error("there is one sequence for all, number 0");
    return { stream: this.#stream, from: handshake && handshake.number, sequence: 0 };
  }
}

/** When a client's sequence began, on both clocks. */
interface Begun {
  readonly startMs: number;
  readonly startMicros: number;
}

class OneForEach {
  /** By sequence, the oldest first. */
  readonly #begun = new Map<number, Begun>();
  #next = 0;
  constructor(private readonly feed: FeedPlan, private readonly drawn: Drawn, private readonly clock: Clock) {}

  join(handshake: Handshake | null): Joined {
    if (handshake && handshake.sequence === null) throw new Error("each client has a sequence of its own: say which one");
    const sequence = handshake?.sequence ?? this.#next++;
    const number = handshake?.number ?? 0;
    const begun = this.#begun.get(sequence) ?? this.#begin(sequence, number);
    const { feed, drawn } = this;
    const records = feed.open({ ...drawn, stream: sequence, startMicros: begun.startMicros });
    return { stream: new OwnStream(records, new Schedule(begun.startMs, drawn.rate)), from: handshake && number, sequence };
  }

  /** As if record `number` were due now: of a sequence that this process has not begun, nobody knows better. */
  #begin(sequence: number, number: number): Begun {
    const agoMs = this.drawn.rate === Infinity ? 0 : number * 1000 / this.drawn.rate;
    const nowMicros = this.clock.nowMicros() - Math.round(agoMs * 1000);
    const begun = { startMs: this.clock.monotonicMs() - agoMs, startMicros: this.feed.startMicros(nowMicros) };
    if (this.#begun.size >= STARTS_KEPT_MAX) this.#begun.delete(this.#begun.keys().next().value!);
    this.#begun.set(sequence, begun);
    return begun;
  }
}
