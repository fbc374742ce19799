import { describe, expect, test } from "vitest";
import { DEFAULT_RUNTIME } from "./default-runtime.ts";

const { randomBytes } = DEFAULT_RUNTIME;

describe("randomBytes", () => {
  test.each([0, 1, 12, 16, 32, 63, 64, 65, 4096, 5000])("gives as many bytes as are asked for: %i", (size) => {
    expect(randomBytes(size)).toHaveLength(size);
  });

  test("gives no bytes twice, over many draws of every size", () => {
    const seen = new Set<string>();
    for (let count = 0; count < 20_000; count += 1)
      seen.add(
        Buffer.from(randomBytes(8 + (count % 57)))
          .toString("hex")
          .slice(0, 16),
      );
    expect(seen.size).toBe(20_000);
  });

  test("what was given stays as it is, and nobody who changes it changes what comes next", () => {
    const first = randomBytes(32);
    const text = Buffer.from(first).toString("hex");
    const others = Array.from({ length: 500 }, () => randomBytes(32));
    expect(Buffer.from(first).toString("hex")).toBe(text);
    first.fill(0);
    for (const other of others) expect(Buffer.from(other).toString("hex")).not.toMatch(/0{32}/);
    expect(first.buffer.byteLength).toBe(32);
  });

  test("every byte takes every value", () => {
    const values = new Set<number>();
    for (let count = 0; count < 500; count += 1) for (const byte of randomBytes(16)) values.add(byte);
    expect(values.size).toBe(256);
  });
});
