import { expect, test } from "vitest";
import { assertTtl, isAtomic, type TokenStorage } from "./token-storage.ts";

const plain: TokenStorage = {
  get: async () => undefined,
  save: async () => undefined,
  delete: async () => undefined,
  cleanup: async () => undefined,
};

test("a storage is atomic by its verbs: both, or it is not", () => {
  const yes = async () => true;
  expect(isAtomic(plain)).toBe(false);
  expect(isAtomic({ ...plain, claim: yes })).toBe(false);
  expect(isAtomic({ ...plain, replace: yes })).toBe(false);
  expect(isAtomic({ ...plain, claim: yes, replace: yes })).toBe(true);
});

test("a storage that inherits its verbs is atomic too", () => {
  class Base {
    async claim() {
      return true;
    }
    async replace() {
      return true;
    }
  }
  class Derived extends Base {}
  expect(isAtomic(Object.assign(new Derived(), plain))).toBe(true);
});

test("a lifetime is absent or a whole number of seconds from one", () => {
  for (const ttl of [undefined, 1, 3600, 2 ** 40]) expect(() => assertTtl(ttl)).not.toThrow();
  for (const ttl of [0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => assertTtl(ttl)).toThrow(RangeError);
  }
});
