import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commonPasswordList, LIST } from "./common-passwords.ts";

test("the list in the package is what the installed list gives, with its licence", () => {
  const committed = readFileSync(LIST, "utf8");
  // Compared as one fact: a difference of a hundred kilobytes is for nobody to read. `node scripts/common-passwords.ts` mends it.
  expect(committed === commonPasswordList()).toBe(true);
  expect(committed).toContain("Permission is hereby granted, free of charge");
  expect(committed.length).toBeLessThan(128 * 1024);
});
