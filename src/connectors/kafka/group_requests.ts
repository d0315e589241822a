/**
 * The requests of one member of a consumer group, over a connection of its own: the coordinator holds a JoinGroup back until all
 * members are there. Refusals are told as the protocol's codes, because most of them are everyday news to a member.
 */
import type { Cluster } from "./cluster.ts";
import { type BrokerConnection, type ControlApi, OFFSET_COMMIT, readPartitionErrors, writeOffsets } from "./broker_connection.ts";
import { COORDINATOR_MOVED } from "./errors.ts";
import { type WireReader, WireWriter } from "./wire.ts";

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
const JOIN: ControlApi = { api: 11, version: 5 };
const HEARTBEAT: ControlApi = { api: 12, version: 3 };
const LEAVE: ControlApi = { api: 13, version: 3 };
const SYNC: ControlApi = { api: 14, version: 3 };
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
    const fields = new WireWriter().string(group).int32(sessionMs).int32(rebalanceMs).string(member).string(instance).string(PROTOCOL_TYPE);
    fields.array([PROTOCOL], (name) => fields.string(name).blob(subscription));
    return await this.#ask(group, JOIN, fields, readJoined);
  }

  /** `assignments` are empty but for the leader's. Returns this member's own. */
  async sync(
    identity: MemberIdentity,
    assignments: ReadonlyMap<string, Uint8Array>,
  ): Promise<{ readonly errorCode: number; readonly assignment: Uint8Array }> {
    const fields = inGeneration(identity);
    fields.array([...assignments], ([member, assignment]) => fields.string(member).blob(assignment));
    return await this.#ask(identity.group, SYNC, fields, (answer) => {
      answer.int32();
      return { errorCode: answer.int16(), assignment: answer.blob() };
    });
  }

  async heartbeat(identity: MemberIdentity): Promise<number> {
    const { errorCode } = await this.#ask(identity.group, HEARTBEAT, inGeneration(identity), (answer) => {
      answer.int32();
      return { errorCode: answer.int16() };
    });
    return errorCode;
  }

  /** As a member, so that the coordinator takes it from nobody who is none any more. */
  async commit(identity: MemberIdentity, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const fields = inGeneration(identity);
    writeOffsets(fields, topic, [...offsets].map(([partition, offset]) => ({ partition, offset, metadata: "" })));
    await (await this.#connected(identity.group)).ask(OFFSET_COMMIT, fields, readPartitionErrors);
  }

  async leave({ group, member, instance }: MemberIdentity): Promise<void> {
    const fields = new WireWriter().string(group);
    fields.array([member], (each) => fields.string(each).string(instance));
    await (await this.#connected(group)).ask(LEAVE, fields, () => {});
  }

  /** Ends a request under way; the next one opens a connection again. */
  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  async #ask<R extends { readonly errorCode: number }>(
    group: string,
    api: ControlApi,
    fields: WireWriter,
    read: (answer: WireReader) => R,
  ): Promise<R> {
    const answer = await (await this.#connected(group)).ask(api, fields, read);
    if (COORDINATOR_MOVED.has(answer.errorCode)) this.close();
    return answer;
  }

  async #connected(group: string): Promise<BrokerConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    const coordinator = await this.cluster.coordinator("group", group);
    return this.#connection = await this.cluster.connect(coordinator);
  }
}

/** How a member begins whatever it says as one. */
const inGeneration = ({ group, generation, member, instance }: MemberIdentity): WireWriter =>
  new WireWriter().string(group).int32(generation).string(member).string(instance);

function readJoined(answer: WireReader): Joined {
  answer.int32();
  const [errorCode, generation] = [answer.int16(), answer.int32()];
  answer.skipString();
  const [leader, member] = [answer.string(), answer.string()];
  const members = answer.array(() => {
    const id = answer.string();
    answer.skipString();
    return { id, subscription: answer.blob() };
  });
  return { errorCode, member, generation, toAssign: errorCode === 0 && leader === member ? members : null };
}
