import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adapterDefects } from "../test/adapter-defects.ts";
import { adapterContract, ContractViolation } from "./adapters.ts";

describe("a broken adapter breaks the clause that names its defect", () => {
  test.concurrent.each(adapterDefects)("%s: it %s", async (id, _, adapter) => {
    const clause = adapterContract.find((candidate) => candidate.id === id);
    const seen = await clause?.check(adapter).then(
      () => "kept",
      (error: unknown) => error,
    );
    expect(seen).toBeInstanceOf(ContractViolation);
    expect(seen).toMatchObject({ clause: id });
  });

  test("every clause has a defect that breaks it", () => {
    const broken = new Set(adapterDefects.map(([id]) => id));
    expect(adapterContract.filter(({ id }) => !broken.has(id)).map(({ id }) => id)).toEqual([]);
  });
});

test("ids and sentences are unique", () => {
  expect(new Set(adapterContract.map(({ id }) => id)).size).toBe(adapterContract.length);
  expect(new Set(adapterContract.map(({ sentence }) => sentence)).size).toBe(adapterContract.length);
});

test("the README has every clause, and says which may be waived", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, section = ""] = readme.split("## The adapter contract\n").map((rest) => rest.split("\n## ", 1)[0] ?? "");
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const waivable = adapterContract.filter((clause) => clause.waivable).map(({ id }) => `\`${id}\``);
  expect(rows).toEqual(adapterContract.map(({ id, sentence }) => `| \`${id}\` | ${sentence} |`));
  expect(section).toContain(`with a reason: ${waivable.join(", ")}.`);
});
