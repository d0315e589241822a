/**
 * A replica's part in a topic, by Kafka's classic group protocol: it joins, is told its partitions, says that it lives, and joins again
 * when somebody comes or goes. Membership is no proof of ownership: heads' generations and transactional ids are (DESIGN.md section 1);
 * it only settles who tries. Invariant: a partition counts as owned, and is given to nobody else, from its assignment until the
 * engine has released it, or until this member is given up for dead.
 */
import { assert } from "../../data/fault.ts";
import type { PartitionShare, ShareListener } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { assignPartitions } from "./assign_partitions.ts";
import { Cluster } from "./cluster.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import { ILLEGAL_GENERATION, MEMBER_ID_REQUIRED, REBALANCE_IN_PROGRESS, refusedCode, UNKNOWN_MEMBER_ID } from "./errors.ts";
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from "./group_protocol.ts";
import { GroupRequests, type Joined, type MemberIdentity } from "./group_requests.ts";
import { HEARTBEAT_MAX_MS, HEARTBEATS_PER_SESSION, LEAVE_WITHIN_MS, RETRY_MIN_MS } from "./limits.ts";
import { Patience } from "./patience.ts";

export interface GroupSettings {
  readonly group: string;
  /** group.instance.id; null: a new member at each start. */
  readonly member: string | null;
  /** A member that is silent for this long is given up for dead. */
  readonly sessionTimeoutMs: number;
}
export interface GroupShareOptions extends GroupSettings {
  readonly world: World;
  readonly connecting: ConnectionSettings;
  /** The source's name. */
  readonly node: string;
  readonly topic: string;
  readonly spread: "each" | "whole";
  /** Of the topic. */
  partitions(): Promise<number>;
}
/** The coordinator does not know the member, or not as of this generation: it was given up for dead. */
const GIVEN_UP: ReadonlySet<number> = new Set([UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION]);
const NOBODY = { member: "", generation: -1 } as const;

export class GroupShare implements PartitionShare {
  readonly #requests: GroupRequests;
  readonly #patience: Patience;
  readonly #left = new AbortController();
  #identity: MemberIdentity;
  #loop: Promise<void> | null = null;
  #assigned: ReadonlySet<number> = new Set();
  /** Assigned, or taken away and not yet released. */
  readonly #owned = new Set<number>();
  /** The generation that the owned partitions are from. */
  #ownedSince = NOBODY.generation as number;
  #isToRejoin = false;
  /** What it owned may have been given to others meanwhile. */
  #wasGivenUp = false;
  #wake = new AbortController();
  #confirmed: (() => void)[] = [];
  /** By partition: what checkpoints cover and the group was not told yet. */
  readonly #covered = new Map<number, number>();

  constructor(private readonly options: GroupShareOptions) {
    const { connecting, sessionTimeoutMs, world, node, group, member } = options;
    // The coordinator holds a JoinGroup back for as long as a member may be silent.
    const requestTimeoutMs = sessionTimeoutMs + connecting.requestTimeoutMs;
    this.#requests = new GroupRequests(new Cluster({ ...connecting, requestTimeoutMs }, world));
    this.#patience = new Patience({ world, node, signal: this.#left.signal });
    this.#identity = { group, instance: member, ...NOBODY };
  }

  join(told: ShareListener): void {
    assert(this.#loop === null, "a share is joined once");
    this.#loop = this.#takePart(told).catch((error) => {
      // A run that is about to stop, or a wait that was ended by it, has nothing more to be told.
      if (!this.#left.signal.aborted && !this.options.world.stopping?.aborted) told.failed(error);
    });
  }

  released(partition: number): void {
    if (this.#assigned.has(partition)) return; // Given back before it was let go of.
    this.#owned.delete(partition);
    const isLast = [...this.#owned].every((owned) => this.#assigned.has(owned));
    if (!isLast) return;
    this.#isToRejoin = true;
    this.#wake.abort();
  }

  async confirmed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const heard = Promise.withResolvers<void>();
    this.#confirmed.push(heard.resolve);
    signal.addEventListener("abort", () => heard.resolve(), { once: true });
    await heard.promise;
  }

  /** A checkpoint covers the partition up to this offset. For the group's lag only: positions are read from the checkpoint. */
  covered(partition: number, offset: number): void {
    this.#covered.set(partition, offset);
  }

  async leave(): Promise<void> {
    this.#left.abort();
    this.#wake.abort();
    if (this.#loop === null) return;
    // Whatever waits for an answer now waits for nothing.
    this.#requests.close();
    await this.#loop;
    const said = new AbortController();
    // Where nobody hears it, the group misses this member after its session timeout.
    const farewell = this.#sayGoodbye().catch(() => {}).finally(() => said.abort());
    await this.options.world.clock.sleep(LEAVE_WITHIN_MS, said.signal);
    this.#requests.close();
    await farewell;
  }

  async #takePart(told: ShareListener): Promise<void> {
    while (!this.#left.signal.aborted) {
      try {
        const assigned = await this.#joinAndSync();
        if (this.#left.signal.aborted) return;
        this.#patience.succeeded();
        this.#take(assigned, told);
        await this.#stay();
      } catch (error) {
        if (this.#left.signal.aborted) return;
        this.#requests.close();
        await this.#patience.failed(error);
      }
    }
  }

  /** Until all members agree. */
  async #joinAndSync(): Promise<readonly number[]> {
    const { topic, sessionTimeoutMs, world: { clock } } = this.options;
    const timeouts = { sessionMs: sessionTimeoutMs, rebalanceMs: sessionTimeoutMs };
    for (;;) {
      await this.#tellCovered();
      this.#isToRejoin = false;
      const subscription = encodeSubscription(topic, { owned: [...this.#owned], generation: this.#ownedSince });
      const joined = await this.#requests.join(this.#identity, timeouts, subscription);
      if (joined.errorCode === MEMBER_ID_REQUIRED) this.#identity = { ...this.#identity, member: joined.member };
      else if (joined.errorCode === 0) {
        this.#identity = { ...this.#identity, member: joined.member, generation: joined.generation };
        const { errorCode, assignment } = await this.#requests.sync(this.#identity, await this.#assign(joined));
        if (errorCode === 0) return decodeAssignment(assignment, topic);
        this.#require(errorCode);
      } else {
        this.#require(joined.errorCode);
        await clock.sleep(RETRY_MIN_MS, this.#left.signal);
      }
      if (this.#left.signal.aborted) return [];
    }
  }

  /** The leader's task. */
  async #assign({ toAssign }: Joined): Promise<ReadonlyMap<string, Uint8Array>> {
    if (!toAssign) return new Map();
    const { topic, spread } = this.options;
    const members = toAssign.map(({ id, subscription }) => ({ id, ...decodeSubscription(subscription, topic) }));
    const shares = assignPartitions(members, await this.options.partitions(), spread);
    return new Map([...shares].map(([id, partitions]) => [id, encodeAssignment(topic, partitions)]));
  }

  #take(assigned: readonly number[], told: ShareListener): void {
    const { world, node } = this.options;
    const { generation } = this.#identity;
    this.#assigned = new Set(assigned);
    this.#ownedSince = generation;
    if (this.#wasGivenUp) this.#owned.clear();
    this.#wasGivenUp = false;
    for (const partition of assigned) this.#owned.add(partition);
    world.log.event("info", "partitions_assigned", { node, generation, partitions: assigned.join(",") });
    told.assigned(assigned);
    this.#confirm(this.#confirmed.splice(0));
  }

  /** Says that it lives until it is to join again. */
  async #stay(): Promise<void> {
    const { world: { clock }, sessionTimeoutMs } = this.options;
    const everyMs = Math.min(HEARTBEAT_MAX_MS, sessionTimeoutMs / HEARTBEATS_PER_SESSION);
    while (!this.#isToRejoin) {
      this.#wake = new AbortController();
      await clock.sleep(everyMs, this.#wake.signal);
      if (this.#left.signal.aborted || this.#isToRejoin) return;
      const asking = this.#confirmed.splice(0);
      const errorCode = await this.#requests.heartbeat(this.#identity);
      if (errorCode !== 0) {
        this.#confirmed.push(...asking);
        return this.#require(errorCode);
      }
      this.#patience.succeeded();
      this.#confirm(asking);
      await this.#tellCovered();
    }
  }

  #confirm(asking: readonly (() => void)[]): void {
    for (const resolve of asking) resolve();
  }

  /** Returns where the member is to join again. What it owns it goes on with: others have it by now, or it gets it back. */
  #require(errorCode: number): void {
    if (errorCode === REBALANCE_IN_PROGRESS) return;
    if (!GIVEN_UP.has(errorCode)) throw refusedCode(errorCode, `membership in group "${this.options.group}"`);
    this.#identity = { ...this.#identity, ...NOBODY };
    this.#wasGivenUp = true;
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#identity.member === "") return;
    await this.#tellCovered();
    await this.#requests.leave(this.#identity);
  }

  /** Information for those who watch the group; where it is refused, what comes next tells why. */
  async #tellCovered(): Promise<void> {
    if (this.#covered.size === 0 || this.#identity.generation < 0) return;
    const offsets = new Map(this.#covered);
    this.#covered.clear();
    await this.#requests.commit(this.#identity, this.options.topic, offsets);
  }
}
