/** That a store works at all, on a client with options that should change nothing. */

import { expect } from "vitest";
import { everyKey } from "./every-key.ts";
import type { WholeStorage } from "./whole-storage.ts";

const LONG = 3600;

/** Holds what every verb answers. The storage has to be empty, and is left with one record. */
export async function everyVerbWorks(store: WholeStorage): Promise<void> {
  expect(await everyKey(store, "")).toEqual([]);
  expect(await store.claim("a:1", { b: 1, a: 2 }, LONG)).toBe(true);
  expect(await store.claim("a:1", "other", LONG)).toBe(false);
  expect(await store.replace("a:1", { a: 2, b: 1 }, "new", LONG)).toBe(true);
  expect(await store.replace("a:1", "old", "newer", LONG)).toBe(false);
  await store.save("a:2", "ü漢🚪", LONG);
  await store.save("b:3", "value");
  expect((await everyKey(store, "a:")).sort()).toEqual(["a:1", "a:2"]);
  expect((await everyKey(store, "")).sort()).toEqual(["a:1", "a:2", "b:3"]);
  expect(await store.get("a:1")).toBe("new");
  expect(await store.get("a:2")).toBe("ü漢🚪");
  expect(await store.take("a:1")).toBe("new");
  expect(await store.get("a:1")).toBeUndefined();
  await store.delete("a:2");
  await store.cleanup();
  expect(await everyKey(store, "")).toEqual(["b:3"]);
}
