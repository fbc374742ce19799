/** The storage that the documentation teaches to write, and the tests that it writes for it, as they stand there. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../../tools/sources.ts";
import { storageContract } from "./storage-contract.ts";

const page = readFileSync(`${root}docs/storage/your-own.md`, "utf8");
const [storage = "", proof = ""] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);

mkdirSync(`${root}.reports`, { recursive: true });
const folder = mkdtempSync(`${root}.reports/your-own-`);
writeFileSync(`${folder}/sql-store.ts`, storage);
writeFileSync(`${folder}/proof.ts`, `import { SqlStore } from "./sql-store.ts";\n${proof}`);
try {
  // Declares the tests of the page.
  await import(`${folder}/proof.ts`);
} finally {
  rmSync(folder, { recursive: true });
}

test("the page has a storage and its tests", () => {
  expect(storage).toContain("export class SqlStore implements AtomicTokenStorage");
  expect(proof).toContain("storageContract");
});

test("the clauses that the page names are there", () => {
  const named = page.split("\n").flatMap((line) => (/^\|.*\| (`.*) \|$/.exec(line)?.[1] ?? "").match(/[a-z-]+/g) ?? []);
  expect(named).toContain("claim-one-winner");
  const ids = storageContract.map(({ id }) => id);
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
});
