import { test } from "vitest";
import { rotateOverRestarts } from "../../oauth-core/test/key-rotation.ts";
import { place } from "../test/place.ts";
import { DiskStore } from "./disk-store.ts";

test("while the secret is rotated, what was begun goes on over restarts, and a wrong secret is told of once and destroys nothing", async () => {
  const directory = place();
  await rotateOverRestarts({ open: (now) => new DiskStore({ directory, now }) });
});
