import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capabilities, tableIn } from "./capabilities.ts";
import { root } from "./sources.ts";

test("the README's table of capabilities is that of the adapters' tests; `npx -y pnpm@12 capabilities` writes it anew", async () => {
  expect(tableIn(readFileSync(`${root}README.md`, "utf8"))).toBe(await capabilities());
});

test("a README without a place for it is told of", () => {
  expect(() => tableIn("# A")).toThrow("no place");
});
