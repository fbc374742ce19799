import { expect, test } from "vitest";
import { totals } from "./totals.ts";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((state) => ({ status: state })),
});

test("passed, failed and all kinds of skipped tests are counted over all files", () => {
  const testResults = [file("passed", "passed", "skipped", "todo"), file("failed", "passed", "failed", "failed")];
  expect(totals({ testResults })).toEqual({ passed: 2, failed: 2, skipped: 2 });
});

test("a file that could not be loaded counts as a failure", () => {
  expect(totals({ testResults: [file("failed"), file("passed", "passed")] })).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
});
