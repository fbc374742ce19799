import { expect, test } from "vitest";
import { sameBytes } from "./same-bytes.ts";

test("only the same bytes are the same, also where the lengths differ", () => {
  const mac = Uint8Array.of(1, 2, 3);
  expect(sameBytes(mac, Buffer.from([1, 2, 3]))).toBe(true);
  for (const other of [[], [1, 2], [1, 2, 3, 4], [1, 2, 4], [0, 2, 3]])
    expect(sameBytes(mac, Uint8Array.from(other))).toBe(false);
});
