import { test } from "vitest";
import { rotateOverRestarts } from "../test/key-rotation.ts";
import { MemoryTokenStorage } from "./index.ts";

test("while the secret is rotated, what was begun goes on over restarts, and a wrong secret is told of once and destroys nothing", async () => {
  let storage: MemoryTokenStorage | undefined;
  await rotateOverRestarts({
    open: (now) => {
      storage ??= new MemoryTokenStorage({ now });
      return storage;
    },
  });
});
