/**
 * Who reads which partition, decided by the group's leader. Evenly, and so that as few as possible move. A partition that somebody
 * still has goes to nobody in this round: he finishes with it, joins again without it, and the next round gives it away. So no
 * partition that stays is interrupted. (The cooperative protocol of KIP-429, with an assignment of our own.)
 */

export interface GroupMember {
  readonly id: string;
  /** Partitions it has not let go of. */
  readonly owned: readonly number[];
  /** In which generation it got them: an older claim is a member's that was away. */
  readonly generation: number;
}

/** By member: its partitions of this round. `spread` "whole": all to one member, the others stand by. */
export function assignPartitions(
  members: readonly GroupMember[],
  partitions: number,
  spread: "each" | "whole",
): ReadonlyMap<string, readonly number[]> {
  const owners = ownersOf(members, partitions);
  const kept = new Map<string, number[]>(members.map(({ id }) => [id, []]));
  for (const [partition, id] of owners) kept.get(id)!.push(partition);
  // Who has most comes first, so that the larger shares fall where there is most to keep.
  const ordered = [...kept].sort(([a, aKept], [b, bKept]) => bKept.length - aKept.length || (a < b ? -1 : 1));
  const quotas = new Map(ordered.map(([id], rank) => [id, quota(rank, members.length, partitions, spread)]));
  const open = Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => !owners.has(partition));
  return new Map(ordered.map(([id, own]) => {
    const stay = own.sort((a, b) => a - b).slice(0, quotas.get(id)!);
    // What others have too much of is on its way: until then this member has less than its share.
    return [id, [...stay, ...open.splice(0, Math.max(0, quotas.get(id)! - stay.length))].sort((a, b) => a - b)];
  }));
}

function quota(rank: number, members: number, partitions: number, spread: "each" | "whole"): number {
  if (spread === "whole") return rank === 0 ? partitions : 0;
  return Math.floor(partitions / members) + (rank < partitions % members ? 1 : 0);
}

/** Of two claims the newer one holds; members that claim with equal right both lose, and both let go of it. */
function ownersOf(members: readonly GroupMember[], partitions: number): ReadonlyMap<number, string> {
  const owners = new Map<number, string>();
  for (let partition = 0; partition < partitions; partition++) {
    const claims = members.filter(({ owned }) => owned.includes(partition));
    const newest = Math.max(...claims.map(({ generation }) => generation));
    const holders = claims.filter(({ generation }) => generation === newest);
    if (holders.length === 1) owners.set(partition, holders[0].id);
  }
  return owners;
}
