/**
 * A place in a partition, as text "TOPIC ID:first:offset:read:end". Besides the offset it holds what a run must not forget: where
 * it began, how many records it took, and where it ends, so that a restart has the same bounds however the topic grew.
 */
import { assert } from "../../data/fault.ts";
import type { Position } from "../../engine/contracts.ts";

export interface Place {
  /** A topic that is made anew has another. */
  readonly topicId: string;
  /** Where the run began. */
  readonly first: number;
  /** Of the next record, or before it: offsets have gaps. */
  readonly offset: number;
  /** Records since `first`. */
  readonly read: number;
  /** One behind the last offset of the run; null while nobody knows. */
  readonly end: number | null;
}

export const formatPlace = ({ topicId, first, offset, read, end }: Place): Position => `${topicId}:${first}:${offset}:${read}:${end ?? ""}`;

export function parsePlace(position: Position): Place {
  const match = /^([^:]+):(\d+):(\d+):(\d+):(\d*)$/.exec(position);
  assert(match, `"${position}" is a position in a Kafka topic`);
  const [, topicId, first, offset, read, end] = match;
  return { topicId, first: Number(first), offset: Number(offset), read: Number(read), end: end === "" ? null : Number(end) };
}
