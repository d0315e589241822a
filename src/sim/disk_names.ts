/**
 * Names in folders, and the journal of changes to them that no `syncFolder` has made durable yet. Invariant: the journal's order is the
 * order in which processes saw the changes; a change becomes durable only together with, or after, the earlier ones to the same names,
 * and a rename never in part.
 */
import type { SimFile } from "./disk_file.ts";
import type { SeededRandom } from "./seeded_random.ts";

let foldersMade = 0;

export class SimFolder {
  /** Only tells names of different folders apart inside one journal. */
  readonly id = foldersMade++;
  /** What processes see. */
  entries = new Map<string, SimFolder | SimFile>();
  readonly durable = new Map<string, SimFolder | SimFile>();
}

interface Change {
  /** The folder whose `syncFolder` makes it durable: for a rename, where the new name stands. */
  readonly folder: SimFolder;
  readonly names: readonly string[];
  makeDurable(): void;
}

export class NameJournal {
  #pending: Change[] = [];

  link(folder: SimFolder, name: string, node: SimFolder | SimFile): void {
    folder.entries.set(name, node);
    this.#pending.push({ folder, names: [idOf(folder, name)], makeDurable: () => folder.durable.set(name, node) });
  }

  unlink(folder: SimFolder, name: string): void {
    folder.entries.delete(name);
    this.#pending.push({ folder, names: [idOf(folder, name)], makeDurable: () => folder.durable.delete(name) });
  }

  rename(from: SimFolder, fromName: string, to: SimFolder, toName: string, node: SimFolder | SimFile): void {
    from.entries.delete(fromName);
    to.entries.set(toName, node);
    const makeDurable = (): void => {
      from.durable.delete(fromName);
      to.durable.set(toName, node);
    };
    this.#pending.push({ folder: to, names: [idOf(from, fromName), idOf(to, toName)], makeDurable });
  }

  /** Makes the folder's changes durable, and those in other folders that they build on. */
  sync(folder: SimFolder): void {
    const names = new Set<string>();
    const isChosen = new Array<boolean>(this.#pending.length).fill(false);
    for (let index = this.#pending.length - 1; index >= 0; index--) {
      const change = this.#pending[index]!;
      if (change.folder !== folder && !change.names.some((name) => names.has(name))) continue;
      isChosen[index] = true;
      for (const name of change.names) names.add(name);
    }
    this.#apply(isChosen);
  }

  /** Power failure: none, all, a prefix, or a subset without gaps per name reaches the disk. */
  settle(random: SeededRandom): void {
    const count = this.#pending.length;
    const fate = random.below(4);
    const kept = fate === 0 ? 0 : fate === 1 ? count : random.between(0, count);
    const lost = new Set<string>();
    const isChosen = this.#pending.map((change, index) => {
      const isWished = fate === 3 ? random.chance(600) : index < kept;
      if (isWished && !change.names.some((name) => lost.has(name))) return true;
      for (const name of change.names) lost.add(name);
      return false;
    });
    this.#apply(isChosen);
    this.#pending = [];
  }

  #apply(isChosen: readonly boolean[]): void {
    this.#pending.forEach((change, index) => {
      if (isChosen[index]) change.makeDurable();
    });
    this.#pending = this.#pending.filter((_, index) => !isChosen[index]);
  }
}

function idOf(folder: SimFolder, name: string): string {
  return `${folder.id}/${name}`;
}
