/**
 * Where the records of each key lie: blocks in pages. Invariant: a block lies in one page, and no place belongs to two blocks. Which block
 * a key gets depends on the calls alone, and nothing outside may depend on it.
 */
import { HISTORY_PAGE_ENTRIES } from "../limits.ts";

/** A block's page and its first place in it. */
export interface Block {
  readonly page: number;
  readonly start: number;
}

export class HistoryBlocks {
  readonly #setPage: (page: number, entries: number) => void;
  #pages = 0;
  /** The page that is filled now, and how far. */
  #open: { readonly page: number; used: number } | null = null;
  /** Blocks that nobody has, by their size. */
  readonly #free = new Map<number, Block[]>();
  /** Numbers of pages that were given up. */
  readonly #gone: number[] = [];

  /** `setPage` makes a page of so many entries, or empties it. */
  constructor(setPage: (page: number, entries: number) => void) {
    this.#setPage = setPage;
  }

  take(entries: number): Block {
    const free = this.#free.get(entries)?.pop();
    if (free !== undefined) return free;
    // A big block has a page of its own, so that no page is mostly rest.
    if (isBig(entries)) return { page: this.#addPage(entries), start: 0 };
    if (this.#open === null || this.#open.used + entries > HISTORY_PAGE_ENTRIES) {
      this.#open = { page: this.#addPage(HISTORY_PAGE_ENTRIES), used: 0 };
    }
    const start = this.#open.used;
    this.#open.used += entries;
    return { page: this.#open.page, start };
  }

  give(page: number, start: number, entries: number): void {
    if (isBig(entries)) {
      this.#setPage(page, 0);
      this.#gone.push(page);
      return;
    }
    const free = this.#free.get(entries);
    if (free) free.push({ page, start });
    else this.#free.set(entries, [{ page, start }]);
  }

  #addPage(entries: number): number {
    const page = this.#gone.pop() ?? this.#pages++;
    this.#setPage(page, entries);
    return page;
  }
}

const isBig = (entries: number): boolean => entries * 4 > HISTORY_PAGE_ENTRIES;

/** The size of a block for so many entries: few different ones, each half as much again as the one below, none above `most`. */
export function blockEntries(entries: number, most: number): number {
  let size = 2;
  while (size < entries) size += size >> 1;
  return Math.min(size, most);
}
