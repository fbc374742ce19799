import fc from "fast-check";
import { expect, test } from "vitest";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";

/** An item that counts how often the heap asks for its end. */
class Counted implements Expiring {
  static looks = 0;
  slot = -1;
  readonly #expiresAt: number;

  constructor(expiresAt: number) {
    this.#expiresAt = expiresAt;
  }

  get expiresAt(): number {
    Counted.looks += 1;
    return this.#expiresAt;
  }
}

test("whatever is pushed and removed, the first item is the one that ends first", () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat(1000) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new ExpiryHeap<Expiring>();
      const model: Expiring[] = [];
      for (const step of operations) {
        if ("push" in step) {
          const item = { expiresAt: step.push, slot: -1 };
          heap.push(item);
          model.push(item);
        } else if (model.length > 0) {
          const [item] = model.splice(step.remove % model.length, 1);
          if (item !== undefined) heap.remove(item);
          expect(item?.slot).toBe(-1);
        }
        expect(heap.size).toBe(model.length);
        const earliest = model.length === 0 ? undefined : Math.min(...model.map((item) => item.expiresAt));
        expect(heap.peek()?.expiresAt).toBe(earliest);
      }
    }),
  );
});

test("an item that is in no heap can be removed, and nothing happens", () => {
  const heap = new ExpiryHeap<Expiring>();
  const item = { expiresAt: 1, slot: -1 };
  heap.push(item);
  heap.remove({ expiresAt: 1, slot: -1 });
  expect(heap.peek()).toBe(item);
});

test("what was cleared is in no heap: it can be removed, and pushed again", () => {
  const heap = new ExpiryHeap<Expiring>();
  const item = { expiresAt: 1, slot: -1 };
  heap.push(item);
  heap.clear();
  heap.remove(item);
  expect(heap.size).toBe(0);
  heap.push(item);
  expect(heap.peek()).toBe(item);
});

test("a push and a removal look at a logarithm of the items, never at all of them", () => {
  const heap = new ExpiryHeap<Counted>();
  const size = 2 ** 16;
  const items = Array.from({ length: size }, (_, index) => new Counted((index * 7919) % size));
  for (const item of items) heap.push(item);

  // Two looks per level on the way up, four on the way down.
  const most = 6 * Math.log2(size);
  for (const item of items.slice(0, 1000)) {
    Counted.looks = 0;
    heap.remove(item);
    expect(Counted.looks).toBeLessThanOrEqual(most);

    Counted.looks = 0;
    heap.push(item);
    expect(Counted.looks).toBeLessThanOrEqual(most);
  }
});
