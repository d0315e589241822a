/**
 * Which slots are due when time has come so far: slots lie in buckets of their end, and a heap holds the buckets, so that closing costs
 * what closes and not what is open. A slot whose end has moved is put back when its bucket comes up. Lives in memory alone and is made
 * again from the state after a recovery. Invariant: a slot is in one valid place at most.
 */

/** A growing list of slots. */
export class SlotList {
  items = new Int32Array(16);
  count = 0;

  push(slot: number): void {
    if (this.count === this.items.length) {
      const items = new Int32Array(this.count * 2);
      items.set(this.items);
      this.items = items;
    }
    this.items[this.count++] = slot;
  }
}

export class DueSlots {
  readonly #widthMicros: number;
  readonly #buckets = new Map<number, SlotList>();
  /** Numbers of the buckets, the least first. */
  readonly #heap: number[] = [];
  /** By slot: the bucket in which it counts; NaN for none. What else still lists it is stale. */
  #bucketOf = new Float64Array(0);

  /** Ends within `widthMicros` share a bucket. */
  constructor(widthMicros: number) {
    this.#widthMicros = widthMicros;
  }

  add(slot: number, endMicros: number): void {
    if (slot >= this.#bucketOf.length) this.#grow(slot + 1);
    const number = Math.floor(endMicros / this.#widthMicros);
    this.#bucketOf[slot] = number;
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      this.#buckets.set(number, bucket = new SlotList());
      this.#push(number);
    }
    bucket.push(slot);
  }

  /** The slot is gone, or not to be waited for any more. */
  forget(slot: number): void {
    if (slot < this.#bucketOf.length) this.#bucketOf[slot] = NaN;
  }

  /** Nothing is due before it; Infinity where there is nothing. */
  get leastMicros(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0] * this.#widthMicros;
  }

  /** Takes out all slots with an end of at most `micros` and adds them to `due`. */
  take(micros: number, endOf: (slot: number) => number, due: SlotList): void {
    const later: [number, number][] = [];
    while (this.#heap.length > 0 && this.#heap[0] * this.#widthMicros <= micros) {
      const number = this.#pop();
      const { items, count } = this.#buckets.get(number)!;
      this.#buckets.delete(number);
      for (let i = 0; i < count; i++) {
        const slot = items[i];
        if (this.#bucketOf[slot] !== number) continue;
        this.#bucketOf[slot] = NaN;
        const endMicros = endOf(slot);
        if (endMicros <= micros) due.push(slot);
        else later.push([slot, endMicros]);
      }
    }
    for (const [slot, endMicros] of later) this.add(slot, endMicros);
  }

  #grow(size: number): void {
    const before = this.#bucketOf;
    this.#bucketOf = new Float64Array(Math.max(64, before.length * 2, size)).fill(NaN);
    this.#bucketOf.set(before);
  }

  #push(number: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(number);
    for (let parent = at - 1 >> 1; at > 0 && heap[parent] > number; parent = at - 1 >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = number;
  }

  #pop(): number {
    const heap = this.#heap;
    const least = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return least;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= last) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return least;
  }
}
