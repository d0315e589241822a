/**
 * TCP between simulated processes and servers. Invariant: a connection gives each side the other's bytes in order and without gaps, up to
 * where it broke; neither side learns how far the other had come. What a process has handed to its kernel may arrive after its death.
 */
import { MillraceError } from "../data/fault.ts";
import type { Connection, Net, NetAddress } from "../ports/mod.ts";
import { OutcomeUnknown } from "./crashed.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** A server's view of one client. */
export interface SimClient {
  /** On its way from now on; to a client that is gone, nothing. */
  send(bytes: Uint8Array): void;
}
/** What a server keeps of one connection. */
export interface SimServerEnd {
  received(bytes: Uint8Array): void;
}
export interface SimServer {
  accept(client: SimClient): SimServerEnd;
}
interface Network {
  readonly scheduler: Scheduler;
  /** Delays of answers. */
  readonly random: SeededRandom;
  /** By "host:port". */
  readonly servers: ReadonlyMap<string, SimServer>;
}

const CONNECT_MICROS_MAX = 1_500;
const PACKET_MICROS_MAX = 3_000;

/** The network as one process sees it. */
export function simNet(process: SimProcess, network: Network): Net {
  const connect = (address: NetAddress): Connection => {
    const server = network.servers.get(`${address.host}:${address.port}`);
    if (server === undefined) throw new MillraceError("unreachable", `nobody answers at ${address.host}:${address.port}`);
    return new SimConnection(process, network, address, server);
  };
  return {
    listen: () => Promise.reject(new Error("simulated processes do not listen")),
    connect: (address) =>
      process.remote({
        what: "net_connect",
        detail: `${address.host}:${address.port}`,
        kind: "read",
        microsMax: CONNECT_MICROS_MAX,
        effect: () => connect(address),
      }),
  };
}

class SimConnection implements Connection {
  readonly remote: NetAddress;
  readonly #process: SimProcess;
  readonly #network: Network;
  readonly #server: SimServerEnd;
  /** Written and not yet arrived; one packet carries all that was written when it arrives. */
  #leaving: Uint8Array[] = [];
  #isTravelling = false;
  #arrived: Uint8Array[] = [];
  #reading: { readonly into: Uint8Array; resolve(bytes: number): void; reject(reason: unknown): void } | null = null;
  #fault: Error | null = null;
  /** When the newest answer arrives: none overtakes another. */
  #answeredMicros = 0;

  constructor(process: SimProcess, network: Network, remote: NetAddress, server: SimServer) {
    this.remote = remote;
    this.#process = process;
    this.#network = network;
    this.#server = server.accept({ send: (bytes) => this.#answer(bytes) });
  }

  read(into: Uint8Array): Promise<number> {
    if (this.#fault) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
      this.#hand();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#process.instant(() => {
      if (this.#fault) throw this.#fault;
      this.#leaving.push(bytes.slice());
      if (!this.#isTravelling) this.#travel();
      return bytes.length;
    });
  }

  endWrites(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#break(new Error("the connection was closed"));
  }

  #travel(): void {
    this.#isTravelling = true;
    this.#process.transmit({
      what: "net_send",
      detail: `${this.remote.host}:${this.remote.port}`,
      microsMax: PACKET_MICROS_MAX,
      arrived: () => {
        this.#isTravelling = false;
        for (const bytes of this.#leaving.splice(0)) this.#server.received(bytes);
      },
      lost: () => this.#process.receive(() => this.#break(new OutcomeUnknown("net_send"))),
    });
  }

  #answer(bytes: Uint8Array): void {
    const { scheduler, random } = this.#network;
    this.#answeredMicros = Math.max(this.#answeredMicros, scheduler.nowMicros + 1 + random.below(PACKET_MICROS_MAX));
    scheduler.after(this.#answeredMicros - scheduler.nowMicros, () =>
      this.#process.receive(() => {
        if (this.#fault) return;
        this.#arrived.push(bytes);
        this.#hand();
      }));
  }

  /** Gives what has arrived to whoever reads. */
  #hand(): void {
    const [first] = this.#arrived;
    if (!this.#reading || first === undefined) return;
    const { into, resolve } = this.#reading;
    this.#reading = null;
    const taken = first.subarray(0, into.length);
    into.set(taken);
    if (taken.length < first.length) this.#arrived[0] = first.subarray(taken.length);
    else this.#arrived.shift();
    resolve(taken.length);
  }

  #break(fault: Error): void {
    if (this.#fault) return;
    this.#fault = fault;
    this.#arrived = [];
    this.#reading?.reject(fault);
    this.#reading = null;
  }
}
