/**
 * The requests of one member of a consumer group, over a connection of its own: the coordinator holds a JoinGroup back until all
 * members are there. Refusals are told as the protocol's codes, because most of them are everyday news to a member.
 */
import { Buffer } from "node:buffer";
import type { Cluster } from "./cluster.ts";
import type { BrokerConnection } from "./driver.ts";
import { COORDINATOR_MOVED } from "./errors.ts";

export interface MemberIdentity {
  readonly group: string;
  /** "" before the coordinator gave one. */
  readonly member: string;
  /** Stable over restarts; null where the member has none. */
  readonly instance: string | null;
  readonly generation: number;
}
export interface Joined {
  readonly errorCode: number;
  readonly member: string;
  readonly generation: number;
  /** Every member with what it said, where this one is to assign; else null. */
  readonly toAssign: readonly { readonly id: string; readonly subscription: Uint8Array }[] | null;
}
export interface GroupTimeouts {
  readonly sessionMs: number;
  readonly rebalanceMs: number;
}
const PROTOCOL_TYPE = "consumer";
/** Members that assign in another way cannot be in the group. */
const PROTOCOL = "millrace";

export class GroupRequests {
  #connection: BrokerConnection | null = null;
  constructor(private readonly cluster: Cluster) {}

  /** Returns when all members have joined, or those that have not are given up. */
  async join(
    { group, member, instance }: MemberIdentity,
    { sessionMs, rebalanceMs }: GroupTimeouts,
    subscription: Uint8Array,
  ): Promise<Joined> {
    const protocols = [{ name: PROTOCOL, metadata: Buffer.from(subscription) }];
    const answer = await this.#ask(group, (connection) =>
      connection.control(
        (library) => library.joinGroupV9.api,
        ...[group, sessionMs, rebalanceMs, member, instance, PROTOCOL_TYPE, protocols, null] as const,
      ));
    const { errorCode, memberId, generationId, leader, skipAssignment, members } = answer;
    const isToAssign = errorCode === 0 && leader === memberId && !skipAssignment;
    const toAssign = isToAssign ? members.map(({ memberId: id, metadata }) => ({ id, subscription: metadata })) : null;
    return { errorCode, member: memberId, generation: generationId, toAssign };
  }

  /** `assignments` are empty but for the leader's. Returns this member's own. */
  async sync(
    { group, member, instance, generation }: MemberIdentity,
    assignments: ReadonlyMap<string, Uint8Array>,
  ): Promise<{ readonly errorCode: number; readonly assignment: Uint8Array }> {
    const all = [...assignments].map(([memberId, assignment]) => ({ memberId, assignment: Buffer.from(assignment) }));
    return await this.#ask(group, (connection) =>
      connection.control(
        (library) => library.syncGroupV5.api,
        ...[group, generation, member, instance, PROTOCOL_TYPE, PROTOCOL, all] as const,
      ));
  }

  async heartbeat({ group, member, instance, generation }: MemberIdentity): Promise<number> {
    const answer = await this.#ask(
      group,
      (connection) => connection.control((library) => library.heartbeatV4.api, group, generation, member, instance),
    );
    return answer.errorCode;
  }

  /** As a member, so that the coordinator takes it from nobody who is none any more. */
  async commit(
    { group, member, instance, generation }: MemberIdentity,
    topic: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<void> {
    const partitions = [...offsets].map(([partitionIndex, offset]) => ({
      partitionIndex,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: "",
    }));
    const connection = await this.#connected(group);
    await connection.control((library) => library.offsetCommitV8.api, group, generation, member, instance, [{ name: topic, partitions }]);
  }

  async leave({ group, member, instance }: MemberIdentity): Promise<void> {
    const connection = await this.#connected(group);
    await connection.control((library) => library.leaveGroupV5.api, group, [{
      memberId: member,
      groupInstanceId: instance,
      reason: "stopped",
    }]);
  }

  /** Ends a request under way; the next one opens a connection again. */
  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  async #ask<R extends { readonly errorCode: number }>(group: string, request: (connection: BrokerConnection) => Promise<R>): Promise<R> {
    const answer = await request(await this.#connected(group));
    if (COORDINATOR_MOVED.has(answer.errorCode)) this.close();
    return answer;
  }

  async #connected(group: string): Promise<BrokerConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    const coordinator = await this.cluster.coordinator("group", group);
    return this.#connection = await this.cluster.connect(coordinator);
  }
}
