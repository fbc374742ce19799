/** What expires next: a binary min-heap by instant, whose items know their slot, so that any of them can leave it in O(log n). */

/** Something with an end. The heap keeps `slot`; nobody else writes it. */
export interface Expiring {
  /** In seconds since 1970. */
  readonly expiresAt: number;
  /** The item's place in the heap, or -1 outside of it. */
  slot: number;
}

/**
 * Items in the order of their end.
 *
 * An item that is overwritten or deleted leaves at once. (The usual lazy heap keeps it until its time comes: a grant that is refreshed
 * hourly and lives for a month would lie there 720 times.)
 */
export class ExpiryHeap<T extends Expiring> {
  readonly #items: T[] = [];

  /** How many items there are. */
  get size(): number {
    return this.#items.length;
  }

  /** The item that ends first. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item that is in no heap yet. */
  push(item: T): void {
    this.#rise(item, this.#items.length);
  }

  /** Takes an item out; one that is not in the heap is let be. */
  remove(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;

    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    // The last item fills the gap. It comes from another branch, so it may belong above the gap as well as below.
    this.#rise(last, slot);
    this.#sink(last, last.slot);
  }

  /** Lets go of everything. */
  clear(): void {
    for (const item of this.#items) item.slot = -1;
    this.#items.length = 0;
  }

  #rise(item: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = this.#items[(slot - 1) >> 1];
      if (parent === undefined || parent.expiresAt <= item.expiresAt) break;
      this.#place(parent, slot);
      slot = (slot - 1) >> 1;
    }
    this.#place(item, slot);
  }

  #sink(item: T, from: number): void {
    let slot = from;
    for (;;) {
      const child = this.#earlierChild(slot);
      if (child === undefined || child.expiresAt >= item.expiresAt) break;
      const next = child.slot;
      this.#place(child, slot);
      slot = next;
    }
    this.#place(item, slot);
  }

  #earlierChild(slot: number): T | undefined {
    const left = this.#items[2 * slot + 1];
    const right = this.#items[2 * slot + 2];
    return left !== undefined && right !== undefined && right.expiresAt < left.expiresAt ? right : left;
  }

  #place(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }
}
