/** The least of some numbers first. Numbers may be in it more than once. */
export class MinHeap {
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }
  /** Infinity where there is none. */
  get least(): number {
    return this.#items.length === 0 ? Infinity : this.#items[0];
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    for (let parent = at - 1 >> 1; at > 0 && items[parent] > item; parent = at - 1 >> 1) {
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the least out. */
  pop(): number {
    const items = this.#items;
    const least = items[0];
    const last = items.pop()!;
    if (items.length === 0) return least;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1] < items[child]) child++;
      if (items[child] >= last) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return least;
  }
}
