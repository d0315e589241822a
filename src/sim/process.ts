/**
 * A simulated operating-system process: the place where port calls are delayed, lost, torn, held back or answered. Invariant:
 * nothing of a dead process runs on. Its pending calls never settle, its synchronous calls throw Crashed; what it had
 * asked another machine for may still happen there. A frozen process stands still between two instructions: neither answers reach
 * it nor requests leave it until it thaws, and it does not notice.
 */
import { Crashed, OutcomeUnknown } from "./crashed.ts";
import type { Hazards } from "./hazards.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { Trace } from "./trace.ts";

/** What all processes of a simulated world share. */
export interface Host {
  readonly scheduler: Scheduler;
  /** Decides delays and faults. */
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly hazards: Hazards;
  /** Counts one error against `hazards.errorsMax`; false when they are used up. */
  spendError(): boolean;
  /** Called before every call of a living process takes effect; may kill or freeze it. */
  beforeEffect(process: SimProcess): void;
}

export type ProcessState = "alive" | "frozen" | "dead";

/** A call to this machine's kernel. */
export interface LocalCall<T> {
  readonly what: string;
  readonly detail: string;
  readonly microsMax: number;
  effect(): T;
  /** What remains of the call when the process is killed in the middle of it. */
  torn?(): void;
}
/** A request to another machine. */
export interface RemoteCall<T> {
  readonly what: string;
  readonly detail: string;
  readonly kind: "read" | "write";
  readonly microsMax: number;
  /** It goes over a connection, on which nothing is doubled. */
  readonly connected?: true;
  effect(): T;
}

/** Bytes on their way to another machine. */
export interface Packet {
  readonly what: string;
  readonly detail: string;
  readonly microsMax: number;
  /** They are there. */
  arrived(): void;
  /** The connection broke: called behind, before or instead of `arrived`. */
  lost(): void;
}

interface Settle<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export class SimProcess {
  readonly name: string;
  readonly #host: Host;
  readonly #stalled: (() => void)[] = [];
  readonly #interrupted = new Set<() => void>();
  readonly #onDeath: (() => void)[] = [];
  #state: ProcessState = "alive";

  constructor(name: string, host: Host) {
    this.name = name;
    this.#host = host;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** SIGKILL, also for a frozen process. What it wrote stays in the page cache; a write under way may be cut anywhere. */
  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#host.trace.add(this.#host.scheduler.nowMicros, this.name, "killed", "");
    for (const torn of this.#interrupted) torn();
    this.#interrupted.clear();
    this.#stalled.length = 0;
    for (const release of this.#onDeath) release();
  }

  freeze(): void {
    if (this.#state !== "alive") return;
    this.#state = "frozen";
    this.#host.trace.add(this.#host.scheduler.nowMicros, this.name, "frozen", "");
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "alive";
    this.#host.trace.add(this.#host.scheduler.nowMicros, this.name, "thawed", "");
    for (const continuation of this.#stalled.splice(0)) continuation();
  }

  /** The kernel does this when the process ends, however it ends. */
  onDeath(release: () => void): void {
    this.#onDeath.push(release);
  }

  /** Throws Crashed in a dead process. */
  assertLiving(): void {
    if (this.#state === "dead") throw new Crashed(this.name);
  }

  note(what: string, detail: string): void {
    this.#host.trace.add(this.#host.scheduler.nowMicros, this.name, what, detail);
  }

  local<T>(call: LocalCall<T>): Promise<T> {
    return this.#issue((settle) => {
      const torn = call.torn;
      if (torn !== undefined) this.#interrupted.add(torn);
      this.#host.scheduler.after(this.#delay(call.microsMax), () => {
        if (this.#state === "alive") this.#host.beforeEffect(this);
        if (this.#state === "dead") return;
        if (torn !== undefined) this.#interrupted.delete(torn);
        this.note(call.what, call.detail);
        this.#settle(settle, call.effect);
      });
    });
  }

  remote<T>(call: RemoteCall<T>): Promise<T> {
    return this.#issue((settle) => {
      const { scheduler } = this.#host;
      const hazard = this.#hazardOf(call);
      scheduler.after(this.#delayAway(call.microsMax), () => {
        if (this.#state === "alive") this.#host.beforeEffect(this);
        if (this.#state === "dead") return this.#orphan(call);
        this.note(call.what, hazard === "none" ? call.detail : `${call.detail} (${hazard})`);
        if (hazard === "lost request" || hazard === "failed read") return this.#answerLost(settle, call.what);
        if (hazard === "late request") {
          scheduler.after(this.#delay(this.#host.hazards.lateMicrosMax), () => this.#applyLate(call));
          return this.#answerLost(settle, call.what);
        }
        if (hazard === "lost acknowledgement") {
          attempt(call.effect);
          return this.#answerLost(settle, call.what);
        }
        const outcome = attempt(call.effect);
        scheduler.after(this.#delay(call.microsMax), () => this.#deliver(() => pass(outcome, settle)));
        if (call.kind === "write" && !call.connected) this.#duplicate(call);
      });
    });
  }

  /** Sends bytes over a connection; what goes wrong on the way breaks it. */
  transmit(packet: Packet): void {
    const { scheduler, random, hazards } = this.#host;
    const hazard = this.#hazardOf({ kind: "write" });
    const arriveLate = (): void => scheduler.after(this.#delay(hazards.lateMicrosMax), () => this.#arriveLate(packet));
    scheduler.after(this.#delayAway(packet.microsMax), () => {
      if (this.#state === "alive") this.#host.beforeEffect(this);
      if (this.#state === "dead") return random.chance(hazards.orphanApplied) ? arriveLate() : undefined;
      this.note(packet.what, hazard === "none" ? packet.detail : `${packet.detail} (${hazard})`);
      if (hazard === "late request") arriveLate();
      else if (hazard !== "lost request") packet.arrived();
      if (hazard !== "none") packet.lost();
    });
  }

  /** What the code asks of its own kernel and gets at once: now, when the process thaws, or never. */
  instant<T>(effect: () => T): Promise<T> {
    return this.#issue((settle) => pass(attempt(effect), settle));
  }

  /** Something has arrived for the process: it is taken now, when it thaws, or never. */
  receive(take: () => void): void {
    this.#deliver(take);
  }

  /** Resolves after `ms` of virtual time, or as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#issue((settle) => {
      let isOver = false;
      const finish = (): void => {
        if (isOver) return;
        isOver = true;
        signal?.removeEventListener("abort", finish);
        this.#deliver(() => settle.resolve(undefined));
      };
      if (signal?.aborted) return finish();
      signal?.addEventListener("abort", finish);
      this.#host.scheduler.after(Math.max(0, Math.round(ms * 1000)), finish);
    });
  }

  /** A promise whose request leaves the process now, or when it thaws, or never. */
  #issue<T>(send: (settle: Settle<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = { resolve, reject };
      if (this.#state === "alive") send(settle);
      else if (this.#state === "frozen") this.#stalled.push(() => send(settle));
    });
  }

  /** Hands an answer to the code: at once, when it thaws, or never. */
  #deliver(answer: () => void): void {
    if (this.#state === "alive") answer();
    else if (this.#state === "frozen") this.#stalled.push(answer);
  }

  #settle<T>(settle: Settle<T>, effect: () => T): void {
    const outcome = attempt(effect);
    this.#deliver(() => pass(outcome, settle));
  }

  #answerLost<T>(settle: Settle<T>, what: string): void {
    this.#host.scheduler.after(this.#delay(3_000), () => this.#deliver(() => settle.reject(new OutcomeUnknown(what))));
  }

  /** The request of a process that is no more: other machines may still carry it out. */
  #orphan<T>(call: RemoteCall<T>): void {
    const { random, hazards, scheduler } = this.#host;
    if (call.kind === "read" || !random.chance(hazards.orphanApplied)) return;
    scheduler.after(this.#delay(hazards.lateMicrosMax), () => this.#applyLate(call));
  }

  #duplicate<T>(call: RemoteCall<T>): void {
    const { random, hazards, scheduler } = this.#host;
    if (hazards.duplicated === 0 || !random.chance(hazards.duplicated)) return;
    scheduler.after(this.#delay(hazards.lateMicrosMax), () => this.#applyLate(call));
  }

  #applyLate<T>(call: RemoteCall<T>): void {
    this.note(call.what, `${call.detail} (applied late)`);
    attempt(call.effect);
  }

  #arriveLate(packet: Packet): void {
    this.note(packet.what, `${packet.detail} (arrived late)`);
    packet.arrived();
  }

  #hazardOf(call: Pick<RemoteCall<unknown>, "kind">): "none" | "lost acknowledgement" | "lost request" | "late request" | "failed read" {
    const { random, hazards } = this.#host;
    const dice = random.below(1000);
    if (call.kind === "read") return dice < hazards.failedRead && this.#host.spendError() ? "failed read" : "none";
    const acknowledgement = hazards.lostAcknowledgement;
    const request = acknowledgement + hazards.lostRequest;
    const late = request + hazards.lateRequest;
    if (dice >= late || !this.#host.spendError()) return "none";
    return dice < acknowledgement ? "lost acknowledgement" : dice < request ? "lost request" : "late request";
  }

  /** To another machine. */
  #delayAway(microsMax: number): number {
    const { random, hazards } = this.#host;
    return this.#delay(hazards.slow > 0 && random.chance(hazards.slow) ? hazards.slowMicrosMax : microsMax);
  }

  /** Mostly short, sometimes the whole of `microsMax`: enough to change the order of concurrent calls. */
  #delay(microsMax: number): number {
    const { random } = this.#host;
    return 1 + random.below(random.chance(100) ? microsMax : Math.ceil(microsMax / 8));
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

function attempt<T>(effect: () => T): Outcome<T> {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}

function pass<T>(outcome: Outcome<T>, settle: Settle<T>): void {
  if ("error" in outcome) settle.reject(outcome.error);
  else settle.resolve(outcome.value);
}
